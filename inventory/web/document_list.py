"""Documents of a place and a time, newest first; a scanned slip opens its document."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS, kind_named
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.request_scope import BIGGEST
from inventory.services.documents import DOCUMENT_KINDS, DocumentList, DocumentQuery, read_documents
from inventory.services.exporting import document_listing
from inventory.services.organisation import read_tree
from inventory.store.movements import Document
from inventory.web.deps import RuntimeDep, SessionDep, language_of, require
from inventory.web.names import event_name, kind_name, node_name
from inventory.web.problems import render_form
from inventory.web.wording import PageWording

router = APIRouter(prefix="/documents")

Reader = Annotated[Caller, require(Permission.MOVEMENTS_READ)]
_FIELDS = ("place", "kind", "resource", "first", "last")
_ROWS = 100
_LONGEST = 64


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
) -> Response:
    """List the documents that meet the conditions of the address, page by page; as a file all of them."""
    language = language_of(request)
    given = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    given = {name: value for name, value in given.items() if value}
    page, refusal = None, None
    try:
        query = query_of(given)
        if file is not None:
            return await download(runtime.database, caller, document_listing(query), file, PageWording(language))
        page = await read_documents(session, caller, query, before=before, limit=_ROWS)
    except DomainError as error:
        refusal = error
    next_before = None if page is None else page.next_before
    values = {
        "asked": {name: given.get(name, "") for name in _FIELDS},
        "places": {node.code: node_name(node, language) for node in await read_tree(session, caller)},
        "kinds": {kind: event_name(f"movement.{kind.lower()}", language) for kind in DOCUMENT_KINDS},
        "resources": {kind.name: kind_name(kind, language) for kind in KINDS.values()},
        "rows": [] if page is None else [_line(one, page, caller, language) for one in page.documents],
        "first": before is None,
        "address": urlencode(given),
        "next": None if next_before is None else urlencode(given | {"before": next_before}),
    }
    return render_form(request, "documents/list.html", values, refusal, caller=caller)


def query_of(given: dict[str, str]) -> DocumentQuery:
    """Return what the fields of the form ask for.

    Raises
    ------
    InvalidField
        A day is none.
    """
    days = {name: read_day(name, given[name]) for name in ("first", "last") if name in given}
    texts = {name: given.get(name) for name in ("place", "kind", "resource")}
    return DocumentQuery(first=days.get("first"), last=days.get("last"), **texts)


def read_day(field: str, text: str) -> date:
    """Read the day in a field.

    Raises
    ------
    InvalidField
        It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidField(field=field, value=text, reason="a day such as 2026-11-22") from None


def _line(document: Document, page: DocumentList, caller: Caller, language: Language) -> dict[str, Any]:
    ends = (document.from_holder, document.to_holder)
    return {
        "id": format_public_id("m", caller.city_id, document.movement_id),
        "what": event_name(f"movement.{document.kind.lower()}", language),
        "kind": kind_name(kind_named(document.resource), language),
        "path": " → ".join(node_name(page.nodes[end], language) for end in ends if end is not None),
        "count": document.item_count,
        "open": document.item_count - document.accepted_count - document.refused_count,
        "person": document.receiver or document.returner or "",
        "staff": document.staff_no,
        "at": document.created_at,
    }

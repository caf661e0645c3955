"""One movement document: who gave what to whom, how far it is answered, and every item; printed it is the slip."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.deliveries import OPEN
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import kind_named
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.request_scope import BIGGEST
from inventory.services.documents import MOST_RUNS, DocumentLine, DocumentPage, read_movement
from inventory.services.exporting import line_listing
from inventory.store.ends import bare
from inventory.store.movements import CITY_OUT, Document
from inventory.web.barcode import barcode
from inventory.web.deps import RuntimeDep, SessionDep, language_of, require
from inventory.web.names import class_name, event_name, in_months, kind_name, node_name, yuan
from inventory.web.rendering import render
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/documents")

Reader = Annotated[Caller, require(Permission.MOVEMENTS_READ)]
_LINES = 200
"""Items on one page, and on one sheet or two."""


@router.get("/{movement}")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    movement: Annotated[str, Path(max_length=40)],
    after: Annotated[int, Query(ge=-1, le=BIGGEST)] = -1,
) -> Response:
    """Show the document with the items behind item number `after` (REQ-SIM-06, REQ-NUM-06)."""
    language = language_of(request)
    if file is not None:
        return await download(runtime.database, caller, line_listing(movement), file, PageWording(language))
    page = await read_movement(session, caller, public_id=movement, after=after, limit=_LINES)
    document = page.document
    values = {
        "id": movement,
        "what": event_name(f"movement.{document.kind.lower()}", language),
        "at": document.created_at,
        "kind": document.resource,
        "kind_label": kind_name(kind_named(document.resource), language),
        "facts": _facts(page, language),
        "answers": [_answer(found, caller.city_id, language) for found in page.answers],
        "parent": document.parent_id and format_public_id("m", caller.city_id, document.parent_id),
        "open": document.state in OPEN,
        "rated": document.rule_set_id is not None,
        "code": barcode(movement),
        "runs": [
            {"count": run.count, "ends": [barcode(bare(name)) for name in dict.fromkeys((run.first, run.last))]}
            for run in page.runs
        ],
        "more_runs": len(page.runs) == MOST_RUNS,
        "lines": [_line(line, language) for line in page.lines],
        "first": after < 0,
        "next_after": page.next_after,
    }
    return render(request, "documents/page.html", values, language=language, caller=caller)


def _facts(page: DocumentPage, language: Language) -> list[dict[str, Any]]:
    """Return the head of the document, line by line."""
    gettext = translations(language).gettext
    document = page.document
    facts: list[tuple[str, Any]] = []
    if page.giver is not None:
        facts.append((gettext("Giver"), f"{node_name(page.giver, language)} ({page.giver.code})"))
    sent_away = page.other is not None and document.kind == CITY_OUT
    receiver = page.other.city if page.other is not None and sent_away else page.receiver
    facts.append((gettext("Receiver"), f"{node_name(receiver, language)} ({receiver.code})"))
    if page.other is not None:
        there = page.other.document
        facts.append((gettext("Document of the other city"), page.other.name))
        if sent_away:
            facts.append((gettext("Signed for there"), f"{there.accepted_count} / {there.item_count}"))
            facts.append((gettext("Sent back from there"), there.refused_count))
    facts += [
        (label, value)
        for label, value in (
            (gettext("Taken by"), document.receiver),
            (gettext("Handed back by"), document.returner),
            (gettext("Reason"), document.reason),
            (gettext("Code of the reason"), document.reason_code),
        )
        if value
    ]
    facts.append((gettext("Items"), document.item_count))
    if document.accepted_count != document.item_count:
        facts.append((gettext("Signed for"), document.accepted_count))
        facts.append((gettext("Sent back"), document.refused_count))
    facts.append((gettext("Written by"), f"{document.staff_no} @ {document.interface_no}"))
    return [{"label": label, "value": value} for label, value in facts]


def _answer(document: Document, city_id: int, language: Language) -> dict[str, Any]:
    """Return a receipt or return in one line."""
    return {
        "id": format_public_id("m", city_id, document.movement_id),
        "what": event_name(f"movement.{document.kind.lower()}", language),
        "count": document.item_count,
        "person": document.receiver or document.returner,
        "reason": document.reason,
        "at": document.created_at,
        "staff": document.staff_no,
    }


def _line(line: DocumentLine, language: Language) -> dict[str, str]:
    """Return an item; of an issued number the class and the terms that stood on the line."""
    named = {"name": line.name, "serial": line.serial or ""}
    if line.fee is None:
        return {**named, "cls": "", "terms": ""}
    fee = line.fee
    months = in_months(fee["commitment_months"], language)
    return {
        **named,
        "cls": class_name(fee["number_class"], language),
        "terms": f"{yuan(fee['prepay_fen'])} · {yuan(fee['min_monthly_fen'])} · {months}",
    }

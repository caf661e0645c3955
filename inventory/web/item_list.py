"""Find items: one field that takes any identifier, and lists of a kind by conditions (REQ-QRY-01)."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind, kind_named
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.request_scope import BIGGEST
from inventory.services.catalogue import read_code_tables
from inventory.services.exporting import item_listing
from inventory.services.items import ItemPage, ItemQuery, load_of, read_items
from inventory.services.lookup import Found, Thing, look_up
from inventory.services.organisation import read_tree
from inventory.store.items import ListedItem
from inventory.web.code_tables import names_of_number_kinds, offered_classes
from inventory.web.deps import NowDep, RuntimeDep, SessionDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.names import class_name, kind_name, node_name
from inventory.web.problems import render_form
from inventory.web.states import state_name
from inventory.web.wording import PageWording

router = APIRouter(prefix="/items")

Reader = Annotated[Caller, require(Permission.NUMBERS_READ)]
_ROWS = 100
_ADDRESSES = {
    Thing.DOCUMENT: "/documents/",
    Thing.LOAD: "/loads/",
    Thing.HOLD: "/desk?hold=",
    Thing.RECALL_ORDER: "/orders/",
    Thing.STOCKTAKE: "/count/",
    Thing.LEGAL_HOLD: "/legal-holds/",
    Thing.BOX: "/boxes/",
    Thing.PLACE: "/stock?node=",
    Thing.NUMBER: "/items/number/",
    Thing.SIM: "/items/sim/",
}
_FIELDS = (
    "name", "first", "last", "place", "itself", "state", "sort", "number_class", "segment", "group", "hlr", "batch",
    "capability", "on_the_way", "legal_hold",
)  # fmt: skip
_LONGEST = 64


@router.get("")
async def find(session: SessionDep, caller: Reader, q: Annotated[str, Query(max_length=_LONGEST)] = "") -> Response:
    """Go to what was typed or scanned: an item, a document, a load, a hold, a place; with nothing to the list."""
    if not q.strip():
        return RedirectResponse(f"/items/{SIM.name}", HTTPStatus.SEE_OTHER)
    return RedirectResponse(_address(await look_up(session, caller, q)), HTTPStatus.SEE_OTHER)


def _address(found: Found) -> str:
    """Return where the thing is shown; a pattern with letters can only be one of cards."""
    if found.thing is Thing.PATTERN:
        kind = NUMBER if not found.name.startswith("89") and not found.name.strip("0123456789?*") else SIM
        return f"/items/{kind.name}?{urlencode({'name': found.name})}"
    return _ADDRESSES[found.thing] + quote(found.name, safe="")


@router.get("/{kind}")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    now: NowDep,
    kind: str,
    after: Annotated[int, Query(ge=-1, le=BIGGEST)] = -1,
) -> Response:
    """List the items of a kind that meet the conditions of the address, page by page; as a file all of them."""
    language, resource = language_of(request), kind_named(kind)
    given = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    given = {name: value for name, value in given.items() if value}
    page, refusal = None, None
    try:
        if file is not None:
            listing = item_listing(query_of(resource, given))
            return await download(runtime.database, caller, listing, file, PageWording(language, resource.name))
        page = await read_items(session, caller, query_of(resource, given), after=after, limit=_ROWS)
    except DomainError as error:
        refusal = error
    values = {
        "kind": {"name": resource.name, "label": kind_name(resource, language)},
        "kinds": [{"name": one.name, "label": kind_name(one, language)} for one in KINDS.values()],
        "asked": {name: given.get(name, "") for name in _FIELDS},
        "choices": await _choices(session, caller, resource, language, now=now),
        "rows": [] if page is None else [_line(item, page, caller, language) for item in page.items],
        "first": after < 0,
        "address": urlencode(given),
        "next": None if page is None or page.next_after is None else urlencode(given | {"after": page.next_after}),
    }
    return render_form(request, "items/list.html", values, refusal, caller=caller)


def query_of(kind: ResourceKind, given: dict[str, str]) -> ItemQuery:
    """Return what the fields of the form ask for.

    Raises
    ------
    InvalidField
        The class is not a number.
    """
    texts = ("name", "first", "last", "place", "sort", "segment", "group", "hlr", "batch", "capability")
    return ItemQuery(
        resource=kind.name,
        itself="itself" in given,
        states=(given["state"],) if "state" in given else (),
        number_class=read_number("number_class", given["number_class"], digits=2) if "number_class" in given else None,
        on_the_way=True if "on_the_way" in given else None,
        legal_hold=True if "legal_hold" in given else None,
        **{name: given.get(name) for name in texts},
    )


async def _choices(
    session: SessionDep, caller: Caller, kind: ResourceKind, language: Language, *, now: datetime
) -> dict[str, dict[str, str]]:
    """Return what the lists of the form offer: values with their names."""
    tables = await read_code_tables(session, caller)
    if kind is NUMBER:
        sorts = await names_of_number_kinds(session, caller, language)
        classes = await offered_classes(session, caller, language, now=now)
    else:
        sorts = {row.code: row.name_en if language == "en" else row.name_zh for row in tables.card_kinds}
        classes = {}
    return {
        "states": {str(state): state_name(str(state), kind.name, language=language) for state in kind.lifecycle.names},
        "places": {node.code: node_name(node, language) for node in await read_tree(session, caller)},
        "sorts": sorts,
        "hlrs": {row.code: row.name for row in tables.hlrs},
        "classes": classes,
        "capabilities": {}
        if kind is not SIM
        else {able: able for row in tables.card_kinds for able in row.capabilities},
    }


def _line(item: ListedItem, page: ItemPage, caller: Caller, language: Language) -> dict[str, Any]:
    return {
        "name": item.name,
        "state": item.state,
        "place": node_name(page.holders[item.holder_id], language),
        "sort": item.sort if item.cls is None else class_name(item.cls, language),
        "hlr": item.hlr or "",
        "pool": item.pool or "",
        "batch": load_of(item, city_id=caller.city_id),
        "on_the_way": item.transit_id is not None,
        "legal_hold": item.legal_hold,
        "at": item.updated_at,
    }

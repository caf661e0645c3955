"""The hall desk to look at: the page, its panels, the search, and the wire on which it hears of changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse

from inventory.domain.channels import Channel, SaleChannel, why_not_sold_in
from inventory.domain.errors import DomainError
from inventory.domain.replacement import ReplaceReason
from inventory.domain.search import SearchWish
from inventory.i18n import translated
from inventory.services.search import SearchAsk, search_numbers
from inventory.web.code_tables import offered_classes
from inventory.web.deps import RuntimeDep
from inventory.web.desk import Clerk, Desk, DeskDep
from inventory.web.live import news_of_stations
from inventory.web.names import class_name, replace_reason
from inventory.web.problems import explain, status_of

router = APIRouter(prefix="/desk")

HoldId = Annotated[str, Path(max_length=40)]
MOBILE_DIGITS = 11
_MOST_FOUND = 60
_FEW_FOUND = 20
_MOST_PAGES = 25
"""A search goes on until a few numbers are found, it has been all round, or a second or so has passed."""


def typed_search(text: str, without: str) -> SearchWish:
    """Read what was typed at the desk: `139*66` is a pattern, `AABB` letters, bare digits are how the number ends."""
    wanted = "".join(text.split()).upper()
    if any(sign in wanted for sign in "?*"):
        return SearchWish(pattern=wanted, without=without)
    if any(sign.isalpha() for sign in wanted):
        return SearchWish(letters=wanted, without=without)
    return SearchWish(ends=wanted, without=without)


@router.get("")
async def show(desk: DeskDep, hold: Annotated[str | None, Query(max_length=40)] = None) -> Response:
    """Show the desk, with the kit that is under way if one is named."""
    values = {
        **await desk.reader(),
        **await desk.sale(hold),
        "numbers": None,
        "whole": None,
        "hlr": "",
        "search_problem": None,
        "reasons": {reason.value: replace_reason(reason, desk.language) for reason in ReplaceReason},
        "classes": await offered_classes(desk.session, desk.caller, desk.language, now=desk.now),
    }
    return desk.show("desk/page.html", values)


@router.get("/reader")
async def reader(desk: DeskDep, scan: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Show the reader panel, with the card that was scanned if one was."""
    return desk.show("desk/reader.html", await desk.reader(scan=scan))


@router.get("/numbers")
async def numbers(
    desk: DeskDep,
    q: Annotated[str, Query(max_length=32)] = "",
    cls: Annotated[str, Query(max_length=2)] = "",
    without: Annotated[str, Query(max_length=10)] = "",
    hlr: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show free numbers that fit what was typed, and the finished card at the desk if there is one."""
    classes = frozenset({int(cls)}) if cls.isascii() and cls.isdigit() else None
    ask = SearchAsk(wish=typed_search(q, without), classes=classes, hlr=hlr or None, limit=_MOST_FOUND)
    try:
        found = await find_some(desk, ask, few=_FEW_FOUND)
    except DomainError as refusal:
        values = {"numbers": None, "whole": None, "hlr": hlr, "search_problem": explain(desk.request, refusal)}
        return desk.show("desk/numbers.html", values, status=status_of(refusal))
    rows = [
        row | {"class_name": class_name(row["number_class"], desk.language), "not_sold": _not_sold(desk, row)}
        for row in found
    ]
    whole = q if q.isascii() and q.isdigit() and len(q) == MOBILE_DIGITS else None
    return desk.show("desk/numbers.html", {"numbers": rows, "whole": whole, "hlr": hlr, "search_problem": None})


def _not_sold(desk: Desk, row: dict[str, Any]) -> str | None:
    """Return in words why the number of this row is not sold at the desk, None if it is."""
    reason = why_not_sold_in(SaleChannel(row["terms"]["sale_channel"]), Channel(desk.caller.channel))
    return None if reason is None else translated(reason, desk.language)


async def find_some(desk: Desk, ask: SearchAsk, *, few: int) -> list[dict[str, Any]]:
    """Return what the search finds, over as many pages as it takes to find a few (a page may be short, or empty)."""
    found: list[dict[str, Any]] = []
    most = ask.limit
    for _ in range(_MOST_PAGES):
        page = await search_numbers(desk.session, desk.caller, ask, now=desk.now)
        found += page["numbers"]
        if len(found) >= few or page["next"] is None:
            break
        ask = replace(ask, cursor=page["next"], limit=most - len(found))
    return found


@router.get("/sale")
async def no_sale(desk: DeskDep) -> Response:
    """Show the sale panel without a kit."""
    return await desk.show_sale(None)


@router.get("/holds/{hold_id}")
async def sale(desk: DeskDep, hold_id: HoldId) -> Response:
    """Show the sale panel of a kit."""
    return await desk.show_sale(hold_id)


@router.get("/events")
async def events(runtime: RuntimeDep, caller: Clerk) -> StreamingResponse:
    """Tell the page when a reader or a job of the city changed; it fetches what it shows itself."""
    return news_of_stations(runtime, caller.city_id)

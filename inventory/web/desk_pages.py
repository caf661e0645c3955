"""The hall desk to look at: the page, its panels, the search, and the wire on which it hears of changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse

from inventory.domain.errors import DomainError
from inventory.domain.search import SearchWish
from inventory.services.search import SearchAsk, search_numbers
from inventory.web.deps import RuntimeDep
from inventory.web.desk import Clerk, Desk, DeskDep
from inventory.web.names import class_name
from inventory.web.problems import explain, status_of

router = APIRouter(prefix="/desk")

HoldId = Annotated[str, Path(max_length=40)]
CLASSES = (0, 1, 2, 3, 4, 5, 6, 9)
MOBILE_DIGITS = 11
_MOST_FOUND = 60
_FEW_FOUND = 20
_MOST_PAGES = 25
"""A search goes on until a few numbers are found, it has been all round, or a second or so has passed."""
_BEAT_SECONDS = 15.0


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
        "search_problem": None,
        "classes": [{"cls": cls, "label": class_name(cls, desk.language)} for cls in CLASSES],
    }
    return desk.show("desk/page.html", values)


@router.get("/reader")
async def reader(desk: DeskDep) -> Response:
    """Show the reader panel."""
    return desk.show("desk/reader.html", await desk.reader())


@router.get("/numbers")
async def numbers(
    desk: DeskDep,
    q: Annotated[str, Query(max_length=32)] = "",
    cls: Annotated[str, Query(max_length=2)] = "",
    without: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show free numbers that fit what was typed."""
    classes = frozenset({int(cls)}) if cls.isascii() and cls.isdigit() else None
    ask = SearchAsk(wish=typed_search(q, without), classes=classes, limit=_MOST_FOUND)
    try:
        found = await _found(desk, ask)
    except DomainError as refusal:
        values = {"numbers": None, "whole": None, "search_problem": explain(desk.request, refusal)}
        return desk.show("desk/numbers.html", values, status=status_of(refusal))
    rows = [row | {"class_name": class_name(row["number_class"], desk.language)} for row in found]
    whole = q if q.isascii() and q.isdigit() and len(q) == MOBILE_DIGITS else None
    return desk.show("desk/numbers.html", {"numbers": rows, "whole": whole, "search_problem": None})


async def _found(desk: Desk, ask: SearchAsk) -> list[dict[str, Any]]:
    """Return what the search finds, over as many pages as it takes to find something (a page may be short)."""
    found: list[dict[str, Any]] = []
    for _ in range(_MOST_PAGES):
        page = await search_numbers(desk.session, desk.caller, ask, now=desk.now)
        found += page["numbers"]
        if len(found) >= _FEW_FOUND or page["next"] is None:
            break
        ask = replace(ask, cursor=page["next"], limit=_MOST_FOUND - len(found))
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

    async def stream() -> AsyncIterator[str]:
        async with runtime.notices.subscribe() as queue:
            yield ": here\n\n"
            while True:
                try:
                    notice = await asyncio.wait_for(queue.get(), _BEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if notice is None or notice.city_id == caller.city_id:
                    job = notice is not None and notice.job_id is not None
                    yield f"event: {'job' if job else 'reader'}\ndata: -\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

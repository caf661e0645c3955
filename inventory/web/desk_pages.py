"""The hall desk: pick a number, hold it with the card in the reader, write the card, confirm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, StationUnknown
from inventory.domain.fees import Business
from inventory.domain.identifiers import parse_iccid, parse_number
from inventory.runtime import Runtime
from inventory.services import promises, sales
from inventory.services.card_writing import WriteJobWish, read_last_job, start_job
from inventory.services.holds import hold, hold_number
from inventory.services.kits import KitWish
from inventory.services.search import SearchAsk, search_numbers
from inventory.services.stations import read_stations
from inventory.vault.hold_keys import HoldKeys
from inventory.web.deps import ConnectionDep, FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.desk_views import choose_reader, reader_view, sale_view, typed_search
from inventory.web.names import class_name
from inventory.web.problems import explain
from inventory.web.rendering import render

router = APIRouter(prefix="/desk")

Clerk = Annotated[Caller, require(Permission.HOLDS_WRITE)]
Seller = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True)]
HoldId = Annotated[str, Path(max_length=40)]
CLASSES = (0, 1, 2, 3, 4, 5, 6, 9)
MOBILE_DIGITS = 11
_BEAT_SECONDS = 15.0


@dataclass(frozen=True)
class Desk:
    """What every panel of the desk is made from."""

    request: Request
    session: AsyncSession
    runtime: Runtime
    caller: Caller
    now: datetime

    def key(self, shown: dict[str, Any]) -> str | None:
        """Return the key of the person's own hold; a colleague's hold stays closed to it."""
        if shown["staff_no"] != self.caller.staff_no:
            return None
        keys = HoldKeys(self.runtime.hold_secret)
        return keys.key(self.caller.city_id, hold_number(self.caller, shown["hold"]))

    async def reader(self) -> dict[str, Any]:
        """Return the values of the reader panel."""
        stations = await read_stations(self.session, self.caller, now=self.now)
        return {"reader": reader_view(stations, language_of(self.request))}

    async def sale(self, hold_id: str | None, refusal: DomainError | None = None) -> dict[str, Any]:
        """Return the values of the sale panel."""
        problem = None if refusal is None else explain(self.request, refusal)
        if hold_id is None:
            return {"sale": None, "sale_url": "/desk/sale", "problem": problem}
        shown = await promises.read_hold(self.session, self.caller, hold_id, now=self.now)
        job = await read_last_job(self.session, self.caller, hold_id)
        return {
            "sale": sale_view(shown, job, language_of(self.request)),
            "sale_url": f"/desk/holds/{hold_id}",
            "problem": problem,
        }

    def show(self, template: str, values: dict[str, Any]) -> Response:
        """Return the template filled."""
        return render(self.request, template, values, language=language_of(self.request), caller=self.caller)


@router.get("")
async def show(
    request: Request, session: SessionDep, runtime: RuntimeDep, caller: Clerk, now: NowDep,
    hold: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:  # fmt: skip
    """Show the desk, with the kit that is under way if one is named."""
    desk, language = Desk(request, session, runtime, caller, now), language_of(request)
    values = {
        **await desk.reader(),
        **await desk.sale(hold),
        "q": "",
        "numbers": None,
        "whole": None,
        "search_problem": None,
        "classes": [{"cls": cls, "label": class_name(cls, language)} for cls in CLASSES],
    }
    return desk.show("desk/page.html", values)


@router.get("/reader")
async def reader(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Clerk, now: NowDep) -> Response:
    """Show the reader panel."""
    desk = Desk(request, session, runtime, caller, now)
    return desk.show("desk/reader.html", await desk.reader())


@router.get("/numbers")
async def numbers(
    request: Request, session: SessionDep, runtime: RuntimeDep, caller: Clerk, now: NowDep,
    q: Annotated[str, Query(max_length=32)] = "",
    cls: Annotated[str, Query(max_length=2)] = "",
    without: Annotated[str, Query(max_length=10)] = "",
) -> Response:  # fmt: skip
    """Show free numbers that fit what was typed."""
    desk = Desk(request, session, runtime, caller, now)
    ask = SearchAsk(wish=typed_search(q, without), classes=frozenset({int(cls)}) if cls.isdigit() else None, limit=60)
    try:
        found = (await search_numbers(session, caller, ask, now=now))["numbers"]
        problem = None
    except DomainError as refusal:
        found, problem = [], explain(request, refusal)
    rows = [row | {"class_name": class_name(row["number_class"], language_of(request))} for row in found]
    whole = q if q.isascii() and q.isdigit() and len(q) == MOBILE_DIGITS else None
    return desk.show("desk/numbers.html", {"numbers": rows, "search_problem": problem, "whole": whole})


@router.get("/sale")
async def no_sale(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Clerk, now: NowDep) -> Response:
    """Show the sale panel without a kit."""
    desk = Desk(request, session, runtime, caller, now)
    return desk.show("desk/sale.html", await desk.sale(None))


@router.get("/holds/{hold_id}")
async def sale(
    request: Request, session: SessionDep, runtime: RuntimeDep, caller: Clerk, now: NowDep, hold_id: HoldId
) -> Response:
    """Show the sale panel of a kit."""
    desk = Desk(request, session, runtime, caller, now)
    return desk.show("desk/sale.html", await desk.sale(hold_id))


@router.post("/holds")
async def take(
    request: Request, session: SessionDep, connection: ConnectionDep, runtime: RuntimeDep, caller: Seller,
    write: WriteDep, form: FormDep, now: NowDep,
) -> Response:  # fmt: skip
    """Hold the number together with the card in the reader."""
    desk = Desk(request, session, runtime, caller, now)
    try:
        number, iccid = form.get("number"), form.get("iccid")
        wish = KitWish(
            business=Business.ACTIVATION,
            number=parse_number(number) if number else None,
            iccid=parse_iccid(iccid).iccid if iccid else None,
        )
        answer = await hold(connection, caller, write, wish, now=now)
    except DomainError as refusal:
        return desk.show("desk/sale.html", await desk.sale(None, refusal))
    hold_id = answer.body["hold"]
    shown = desk.show("desk/sale.html", await desk.sale(hold_id))
    shown.headers["HX-Push-Url"] = f"/desk?hold={hold_id}"
    return shown


@router.post("/holds/{hold_id}/write")
async def write_card(
    request: Request, session: SessionDep, runtime: RuntimeDep, caller: Seller, write: WriteDep, now: NowDep,
    hold_id: HoldId,
) -> Response:  # fmt: skip
    """Write the card of the kit in the desk's reader."""
    desk = Desk(request, session, runtime, caller, now)
    try:
        chosen = choose_reader(await read_stations(session, caller, now=now))
        if chosen is None:
            raise StationUnknown(station="-")
        shown = await promises.read_hold(session, caller, hold_id, now=now)
        station, place = chosen
        wish = WriteJobWish(hold=hold_id, hold_key=desk.key(shown), station=station["id"], reader=place["name"])
        await start_job(session, caller, write, wish, keys=HoldKeys(runtime.hold_secret), now=now)
    except DomainError as refusal:
        return desk.show("desk/sale.html", await desk.sale(hold_id, refusal))
    return desk.show("desk/sale.html", await desk.sale(hold_id))


@router.post("/holds/{hold_id}/confirm")
async def confirm(
    request: Request, session: SessionDep, connection: ConnectionDep, runtime: RuntimeDep, caller: Seller,
    write: WriteDep, form: FormDep, now: NowDep, hold_id: HoldId,
) -> Response:  # fmt: skip
    """Confirm the sale: terms accepted, real name checked."""
    desk = Desk(request, session, runtime, caller, now)
    accepted = form.get("accepted", "")
    wish = sales.ConfirmWish(
        quote_accepted=int(accepted) if accepted.isdigit() else None,
        real_name=sales.RealName(now, form.get("channel", ""), sales.PASSED) if form.get("checked") else None,
    )
    try:
        shown = await promises.read_hold(session, caller, hold_id, now=now)
        keys = HoldKeys(runtime.hold_secret)
        await sales.confirm(connection, caller, write, hold_id, wish, keys=keys, key=desk.key(shown), now=now)
    except DomainError as refusal:
        return desk.show("desk/sale.html", await desk.sale(hold_id, refusal))
    return desk.show("desk/sale.html", await desk.sale(hold_id))


@router.post("/holds/{hold_id}/{act}")
async def extend_or_release(
    request: Request, session: SessionDep, connection: ConnectionDep, runtime: RuntimeDep, caller: Seller,
    write: WriteDep, now: NowDep, hold_id: HoldId, act: Annotated[str, Path(pattern="^(extend|release)$")],
) -> Response:  # fmt: skip
    """Keep the kit longer, or give it back."""
    desk = Desk(request, session, runtime, caller, now)
    keys = HoldKeys(runtime.hold_secret)
    try:
        key = desk.key(await promises.read_hold(session, caller, hold_id, now=now))
        if act == "extend":
            await promises.extend(connection, caller, write, hold_id, keys=keys, key=key, now=now)
        else:
            await promises.release(connection, caller, write, hold_id, keys=keys, key=key, reason=None, now=now)
    except DomainError as refusal:
        return desk.show("desk/sale.html", await desk.sale(hold_id, refusal))
    return desk.show("desk/sale.html", await desk.sale(hold_id))


@router.get("/events")
async def events(request: Request, runtime: RuntimeDep, caller: Clerk) -> StreamingResponse:
    """Tell the page when a reader or a job of the city changed; it fetches what it shows itself."""

    async def stream() -> AsyncIterator[str]:
        async with runtime.notices.subscribe() as queue:
            while not await request.is_disconnected():
                try:
                    notice = await asyncio.wait_for(queue.get(), _BEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if notice is None or notice.city_id == caller.city_id:
                    job = notice is not None and notice.job_id is not None
                    yield f"event: {'job' if job else 'reader'}\ndata: -\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

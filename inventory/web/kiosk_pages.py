"""The self-service machine's own screen: choose a number, see the fee, accept, watch, take the card."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.channels import Channel, SaleChannel, is_sold_in
from inventory.domain.errors import DomainError, KioskNotReady
from inventory.domain.identifiers import parse_any_number
from inventory.services import kiosk
from inventory.services.access import Need, SignInRules, SignInWish, hours_of, vouch
from inventory.services.kiosk import Machine
from inventory.services.sales import PASSED, RealName
from inventory.services.search import SearchAsk
from inventory.services.stations import read_stations
from inventory.vault.hold_keys import HoldKeys
from inventory.web.deps import (
    LANGUAGE_COOKIE,
    ConnectionDep,
    FormDep,
    NowDep,
    RuntimeDep,
    SessionDep,
    WriteDep,
    require,
)
from inventory.web.desk import Desk
from inventory.web.desk_pages import HoldId, find_some, typed_search
from inventory.web.kiosk_view import after_hours_view, closed_view, customer_view
from inventory.web.problems import explain, status_of
from inventory.web.reader_view import Place, choose_reader

router = APIRouter(prefix="/kiosk")
_SHOWN = 9
_LOOKED_AT = 4 * _SHOWN
"""Some of what is free is not for this channel, or has no card data."""
_LONGEST_TAIL = 8
_DIGITS = re.compile(r"[0-9]{0,8}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)
Standing = Annotated[Caller, require(Permission.KIOSK_SELL)]
Selling = Annotated[Caller, require(Permission.KIOSK_SELL, writes=True)]
Finishing = Annotated[Caller, require(Permission.KIOSK_SELL, writes=True, finishing=True)]


async def _looking(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Standing, now: NowDep) -> Desk:
    return Desk(request, session, runtime, caller, now)


async def _selling(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Selling, now: NowDep) -> Desk:
    return Desk(request, session, runtime, caller, now)


async def _finishing(
    request: Request, session: SessionDep, runtime: RuntimeDep, caller: Finishing, now: NowDep
) -> Desk:
    return Desk(request, session, runtime, caller, now)


MachineDep = Annotated[Desk, Depends(_looking)]
"""The machine's browser, a desk with a dispenser for customers: to look at, and to end what was begun."""
SellingDep = Annotated[Desk, Depends(_selling)]
"""The same, to begin something: within working hours only."""
FinishingDep = Annotated[Desk, Depends(_finishing)]
"""The same, to go on with what was begun: for a while after them, too (REQ-IF-11)."""


async def _place(desk: Desk) -> tuple[Place | None, str | None]:
    """Return the machine's dispenser, and why it serves nobody now, if so."""
    place = choose_reader(await read_stations(desk.session, desk.caller, seat=desk.seat, now=desk.now))
    if place is None or not place.mine:
        return None, "closed"
    if place.reader["kiosk"] is None:  # closed meanwhile; whom it serves now it serves to the end
        return place, "closed"
    return place, kiosk.trouble(place.reader["dispenser"]) if place.station["online"] else "offline"


def _of(place: Place) -> Machine:
    return Machine(station=place.station["id"], reader=place.reader["name"])


async def _screen(desk: Desk, q: str = "", refusal: DomainError | None = None) -> dict[str, Any]:
    """Return the values of the screen as the machine stands."""
    place, trouble = await _place(desk)
    sale = None if place is None else await kiosk.read_sale(desk.session, desk.caller, _of(place), now=desk.now)
    values: dict[str, Any] = {"sale": None, "closed": None, "numbers": [], "more": False, "q": q, "problem": None}
    if refusal is not None:
        values["problem"] = explain(desk.request, refusal)
    if place is not None and sale is not None:
        values["sale"] = customer_view(
            sale,
            place.reader["dispenser"],
            desk.language,
            online=place.station["online"],
            take_back=desk.runtime.settings.kiosk_take_back,
            now=desk.now,
        )
    elif trouble is not None:
        values["closed"] = closed_view(trouble, desk.language)
    elif not (hours := await hours_of(desk.session, desk.caller, now=desk.now)).is_open(desk.now):
        values["closed"] = after_hours_view(hours.next_opening(desk.now), desk.language)
    else:
        ask = SearchAsk(wish=typed_search(q, ""), limit=_LOOKED_AT)
        found = await find_some(desk, ask, few=_LOOKED_AT)
        sold_here = [row for row in found if _sells(desk, row)]
        values["numbers"] = sold_here[:_SHOWN]
        values["more"] = len(sold_here) > _SHOWN  # each look begins at another place
    return values


def _sells(desk: Desk, row: dict[str, Any]) -> bool:
    """Whether the machine may sell this number: nobody stands by who could explain a refusal."""
    sold_in = SaleChannel(row["terms"]["sale_channel"])
    return bool(row["data_available"]) and is_sold_in(sold_in, Channel(desk.caller.channel))


async def _back(desk: Desk, refusal: DomainError) -> Response:
    return desk.show("kiosk/page.html", await _screen(desk, refusal=refusal), status=status_of(refusal))


def _home(path: str = "/kiosk") -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


@router.get("")
async def show(desk: MachineDep, q: Annotated[str, Query(max_length=_LONGEST_TAIL)] = "") -> Response:
    """Show what the machine says now; without a sale, the numbers that end as typed."""
    return desk.show("kiosk/page.html", await _screen(desk, q if _DIGITS.fullmatch(q) else ""))


@router.get("/panel")
async def panel(desk: MachineDep) -> Response:
    """Show the sale as it goes on; when it is over and was read, the machine begins anew."""
    values = await _screen(desk)
    if values["sale"] is None:
        return Response(headers={"HX-Redirect": "/kiosk/again"})
    return desk.show("kiosk/panel.html", values)


@router.get("/again")
async def again(_: MachineDep) -> Response:
    """Begin anew for the next customer, in the machine's own language."""
    answer = _home()
    answer.delete_cookie(LANGUAGE_COOKIE)
    return answer


@router.post("/number")
async def choose(desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep) -> Response:
    """Hold the number for the customer."""
    try:
        place, _ = await _place(desk)
        if place is None:
            raise KioskNotReady(reason="it is closed")
        number = parse_any_number(form.get("number", ""))
        await kiosk.choose(
            desk.session, connection, desk.caller, write, _of(place), number, keys=desk.keys, now=desk.now
        )
    except DomainError as refusal:
        return await _back(desk, refusal)
    return _home()


@router.post("/{hold_id}/accept")
async def accept(desk: FinishingDep, form: FormDep, hold_id: HoldId) -> Response:
    """Note that fee and terms are accepted."""
    version = form.get("version", "")
    try:
        given = int(version) if _VERSION.fullmatch(version) else None
        await kiosk.accept(desk.session, desk.caller, hold_id, given, now=desk.now)
    except DomainError as refusal:
        return await _back(desk, refusal)
    return _home()


@router.post("/{hold_id}/check")
async def check(desk: FinishingDep, write: WriteDep, form: FormDep, hold_id: HoldId, runtime: RuntimeDep) -> Response:
    """Take the word of one of the hall, given with its own password, where no system checks the customer."""
    settings = runtime.settings
    wish = SignInWish(
        interface_no=form.get("interface_no", ""), staff_no=form.get("staff_no", ""),
        password=form.get("password", ""), origin={"path": "/kiosk"},
    )  # fmt: skip
    rules = SignInRules(
        lasts=timedelta(), failures=settings.sign_in_failures, wait=timedelta(minutes=settings.sign_in_wait_minutes)
    )
    try:
        need = Need(
            permission=Permission.HOLDS_WRITE, writes=True, finishing=timedelta(minutes=settings.finish_minutes)
        )
        clerk = await vouch(desk.session, wish, rules, need, now=desk.now)
        seen = RealName(desk.now, "manual", PASSED)
        await kiosk.check(desk.session, clerk, write, hold_id, seen, now=desk.now, at=desk.caller)
    except DomainError as refusal:
        return await _back(desk, refusal)
    return _home()


@router.post("/{hold_id}/leave")
async def leave(desk: MachineDep, connection: ConnectionDep, hold_id: HoldId) -> Response:
    """Give the kit back, or clear the screen of a sale that is over."""
    keys = HoldKeys(desk.runtime.hold_secret)
    try:
        await kiosk.leave(desk.session, connection, desk.caller, hold_id, keys=keys, now=desk.now)
    except DomainError as refusal:
        return await _back(desk, refusal)
    return _home("/kiosk/again")

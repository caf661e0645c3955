"""The self-service machines of a place for its keeper: how they stand, and opening one at this browser."""

from __future__ import annotations

import secrets
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission, Role
from inventory.domain.errors import DomainError
from inventory.services import kiosk
from inventory.services.access import narrow
from inventory.services.catalogue import read_card_kinds
from inventory.services.kiosk import Machine
from inventory.services.once import WriteKey
from inventory.services.seats import SeatWish, bind_reader
from inventory.services.stations import read_stations
from inventory.web.deps import (
    SESSION_COOKIE,
    FormDep,
    NowDep,
    RuntimeDep,
    SessionDep,
    WriteDep,
    keep_session,
    language_of,
    require,
)
from inventory.web.desk_pages import HoldId
from inventory.web.problems import render_form
from inventory.web.reader_view import SEAT_COOKIE, dispenser_view, places, seat_of
from inventory.web.texts import translations

router = APIRouter(prefix="/kiosks")
_YEAR = 365 * 24 * 3600
Keeper = Annotated[Caller, require(Permission.KIOSK_OPEN)]
Opening = Annotated[Caller, require(Permission.KIOSK_OPEN, writes=True)]


async def _page(
    request: Request, session: SessionDep, caller: Caller, now: NowDep, refusal: DomainError | None = None
) -> Response:
    gettext = translations(language_of(request)).gettext
    stations = await read_stations(session, caller, now=now)
    machines = [
        {
            "value": place.name,
            "label": place.reader["label"] or place.reader["name"],
            "station": place.station["name"],
            "online": place.station["online"],
            "kind": place.reader["kiosk"],
            "staff": (place.reader["seat"] or {}).get("staff_no", ""),
            "shown": dispenser_view(place, gettext),
        }
        for place in places(stations)
        if place.reader["dispenser"] is not None
    ]
    english = language_of(request) == "en"
    kinds = [
        {"code": row.code, "name": row.name_en if english else row.name_zh} for row in await read_card_kinds(session)
    ]
    kept = await kiosk.read_kept(session, caller, now=now)
    values: dict[str, Any] = {"machines": machines, "kinds": kinds, "kept": kept}
    return render_form(request, "kiosk/list.html", values, refusal, caller=caller)


@router.get("")
async def show(request: Request, session: SessionDep, caller: Keeper, now: NowDep) -> Response:
    """List the dispensers of the place, which of them sell by themselves, and what each needs."""
    return await _page(request, session, caller, now)


@router.post("/open")
async def open_here(
    request: Request, session: SessionDep, runtime: RuntimeDep, caller: Opening, now: NowDep, write: WriteDep,
    form: FormDep,
) -> Response:  # fmt: skip
    """Make this browser the screen of a machine: its session can do nothing else from now on."""
    station, _, reader = form.get("reader", "").partition("|")
    seat = seat_of(request.cookies.get(SEAT_COOKIE)) or secrets.token_hex(16)
    bind = WriteKey(f"{write.key}-bind", write.operation, write.body_sha256)
    lasts = timedelta(days=runtime.settings.kiosk_days)  # it may sell cards at this machine, and nothing else
    try:
        wish = SeatWish(station=station, reader=reader, seat=seat, take_over="take_over" in form)
        await bind_reader(session, caller, bind, wish, now=now)
        machine = Machine(station=station, reader=reader)
        await kiosk.open_machine(session, caller, write, machine, form.get("card_kind", ""), now=now)
        token = request.cookies.get(SESSION_COOKIE, "")
        opened = await narrow(session, runtime.callers, token, Role.KIOSK, lasts, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, now, refusal)
    answer = RedirectResponse("/kiosk", HTTPStatus.SEE_OTHER)
    keep_session(answer, request, runtime, opened.token, lasts=lasts)
    answer.set_cookie(SEAT_COOKIE, seat, max_age=_YEAR, httponly=True, samesite="lax")
    return answer


@router.post("/close")
async def close(
    request: Request, session: SessionDep, caller: Opening, now: NowDep, write: WriteDep, form: FormDep
) -> Response:
    """Let a machine serve no further customer."""
    station, _, reader = form.get("reader", "").partition("|")
    try:
        await kiosk.close_machine(session, caller, write, Machine(station=station, reader=reader), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, now, refusal)
    return RedirectResponse("/kiosks", HTTPStatus.SEE_OTHER)


@router.post("/{hold_id}/give")
async def give(
    request: Request, session: SessionDep, caller: Opening, now: NowDep, write: WriteDep, hold_id: HoldId
) -> Response:
    """Note that a customer was given the card that a machine had drawn in."""
    try:
        await kiosk.give(session, caller, write, hold_id, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, now, refusal)
    return RedirectResponse("/kiosks", HTTPStatus.SEE_OTHER)

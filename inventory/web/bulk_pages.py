"""Bulk writing on pages: open an order, and the board that hangs above the readers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.downloads import FileDep, download
from inventory.services import bulk_orders
from inventory.services.bulk_orders import BulkWish
from inventory.services.catalogue import read_card_kinds, read_code_tables
from inventory.services.short_lists import bulk_order_listing
from inventory.services.stations import read_stations
from inventory.web.bulk_view import board_view, order_view
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.live import news_of_stations
from inventory.web.move_pages import read_number
from inventory.web.problems import Tried, render_form
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter(prefix="/bulk")

Reader = Annotated[Caller, require(Permission.STATIONS_READ)]
Orderer = Annotated[Caller, require(Permission.CARDS_BULK, writes=True)]
OrderId = Annotated[str, Path(max_length=40)]
Verb = Literal["pause", "resume", "cancel"]
_ACTS = {
    "pause": bulk_orders.pause_order,
    "resume": bulk_orders.resume_order,
    "cancel": bulk_orders.cancel_order,
}
_FIELDS = ("station", "kind", "hlr", "count")
_DIGITS = 6


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, now: NowDep, file: FileDep
) -> Response:
    """Show the newest orders and the form that opens one."""
    if file is not None:
        listing = bulk_order_listing(now=now)
        return await download(runtime.database, caller, listing, file, PageWording(language_of(request)))
    return await _list(request, session, caller, Tried(), now=now)


@router.post("")
async def put(
    request: Request, session: SessionDep, caller: Orderer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Open an order and go to its board."""
    try:
        count = read_number("count", form.get("count", ""), digits=_DIGITS, reason="a whole number")
        wish = BulkWish(
            station=form.get("station", ""), kind=form.get("kind", ""), hlr=form.get("hlr", ""), count=count
        )
        done = await bulk_orders.open_order(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _list(request, session, caller, Tried(form, refusal), now=now)
    return RedirectResponse(f"/bulk/{done.body['id']}", HTTPStatus.SEE_OTHER)


@router.get("/events")
async def events(runtime: RuntimeDep, caller: Reader) -> StreamingResponse:
    """Tell the board when a reader or a job of the city changed."""
    return news_of_stations(runtime, caller.city_id)


@router.get("/{order}")
async def one(request: Request, session: SessionDep, caller: Reader, order: OrderId, now: NowDep) -> Response:
    """Show an order's board."""
    return await _board(request, session, caller, order, Tried(), now=now)


@router.get("/{order}/board")
async def board(request: Request, session: SessionDep, caller: Reader, order: OrderId, now: NowDep) -> Response:
    """Show the part of the board that changes."""
    language = language_of(request)
    found = await bulk_orders.read_order(session, caller, order, now=now)
    values = board_view(found, language, may_act=caller.may(Permission.CARDS_BULK))
    return render(request, "bulk/board.html", values, language=language, caller=caller)


@router.post("/{order}/adm-again")
async def adm_again(
    request: Request, session: SessionDep, caller: Orderer, write: WriteDep, form: FormDep, order: OrderId, now: NowDep
) -> Response:
    """Let the ADM key of the card in a reader be tried once more."""
    try:
        await bulk_orders.try_adm_again(session, caller, write, order, form.get("reader", ""), now=now)
    except DomainError as refusal:
        return await _board(request, session, caller, order, Tried({}, refusal), now=now)
    return RedirectResponse(f"/bulk/{order}", HTTPStatus.SEE_OTHER)


@router.post("/{order}/{verb}")
async def act(
    request: Request,
    session: SessionDep,
    caller: Orderer,
    write: WriteDep,
    order: OrderId,
    verb: Verb,
    now: NowDep,
) -> Response:
    """Pause, resume or cancel an order."""
    try:
        await _ACTS[verb](session, caller, write, order, now=now)
    except DomainError as refusal:
        return await _board(request, session, caller, order, Tried({}, refusal), now=now)
    return RedirectResponse(f"/bulk/{order}", HTTPStatus.SEE_OTHER)


@router.get("/{order}/{verb}", dependencies=[require(Permission.STATIONS_READ)])
async def again(order: OrderId, verb: Verb | Literal["adm-again"]) -> Response:
    """Go to the board: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del verb
    return RedirectResponse(f"/bulk/{order}", HTTPStatus.SEE_OTHER)


async def _list(request: Request, session: SessionDep, caller: Caller, tried: Tried, *, now: NowDep) -> Response:
    language = language_of(request)
    kinds = {row.code: row.name_en if language == "en" else row.name_zh for row in await read_card_kinds(session)}
    stations = await read_stations(session, caller, now=now)
    values = {
        "orders": [order_view(order) for order in await bulk_orders.read_orders(session, caller, now=now)],
        "may_open": caller.may(Permission.CARDS_BULK),
        "stations": stations,
        "kinds": kinds,
        "hlrs": (await read_code_tables(session, caller)).hlrs,
        "sent": {name: tried.form.get(name, "") for name in _FIELDS},
    }
    return render_form(request, "bulk/page.html", values, tried.refusal, caller=caller)


async def _board(
    request: Request, session: SessionDep, caller: Caller, order: str, tried: Tried, *, now: NowDep
) -> Response:
    found = await bulk_orders.read_order(session, caller, order, now=now)
    values = board_view(found, language_of(request), may_act=caller.may(Permission.CARDS_BULK))
    return render_form(request, "bulk/one.html", values, tried.refusal, caller=caller)

"""What is done at the hall desk: hold, replace, write, confirm, extend, give back, change the card, bind a reader."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from inventory.domain.dispensers import Movement
from inventory.domain.errors import DomainError, InvalidField, NoCardInReader, StationUnknown
from inventory.domain.fees import Business
from inventory.domain.identifiers import ChipSerial, Iccid, Number, parse_any_number, parse_chip_serial, parse_iccid
from inventory.domain.kinds import SIM
from inventory.domain.replacement import ReplaceReason
from inventory.services import promises, sales
from inventory.services.card_writing import WriteJobWish, start_job
from inventory.services.dispensers import MoveWish, move_card
from inventory.services.holds import hold
from inventory.services.kit_cards import take_card
from inventory.services.kits import CardWish, KitWish
from inventory.services.once import Answer, WriteKey
from inventory.services.seats import SeatWish, bind_reader, leave_reader
from inventory.services.selecting import is_serial, item_name
from inventory.web.deps import ConnectionDep, FormDep, WriteDep
from inventory.web.desk import Desk, DeskDep, FinishingDep, SellingDep
from inventory.web.desk_pages import HoldId
from inventory.web.problems import status_of
from inventory.web.reader_view import SEAT_COOKIE

router = APIRouter(prefix="/desk")
_YEAR = 365 * 24 * 3600
_SHORTEST_CARD = 16
"""A chip serial is the shortest name of a card; no number with a card is so long."""
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)
"""The version of a rule set fits an int column."""


async def _tried(desk: Desk, hold_id: str, act: Callable[[], Awaitable[Any]]) -> Response:
    """Do it and show the sale panel as it is afterwards, with the refusal if there was one."""
    try:
        await act()
    except DomainError as refusal:
        return await desk.show_sale(hold_id, refusal)
    return await desk.show_sale(hold_id)


def _card_in(form: Mapping[str, str]) -> tuple[Iccid | None, ChipSerial | None]:
    """Return the name of the card in the reader: its ICCID, or the chip serial of one that has none yet.

    Raises
    ------
    InvalidIdentifier
        It is not well formed.
    """
    iccid, serial = form.get("iccid"), form.get("chip_serial")
    return parse_iccid(iccid).iccid if iccid else None, parse_chip_serial(serial) if serial else None


def _line_in(form: Mapping[str, str]) -> tuple[Number | None, str | None]:
    """Return what the person typed or scanned to name a line: its number, or the card that serves it.

    Raises
    ------
    InvalidIdentifier
        It is neither.
    """
    typed = "".join(form.get("line", "").split())
    if not typed:
        return None, None
    return (None, item_name(SIM, typed)) if len(typed) >= _SHORTEST_CARD else (parse_any_number(typed), None)


async def _held(desk: Desk, answer: Answer) -> Response:
    """Show the fresh kit; its address stands in the browser's, so that a reload finds it again."""
    shown = await desk.show_sale(answer.body["hold"])
    shown.headers["HX-Push-Url"] = f"/desk?hold={answer.body['hold']}"
    return shown


@router.post("/reader")
async def choose(desk: DeskDep, write: WriteDep, form: FormDep) -> Response:
    """Bind a reader to this desk; the browser keeps its name as a seat, whoever signs in next."""
    seat = desk.seat or secrets.token_hex(16)
    station, _, reader = form.get("reader", "").partition("|")
    wish = SeatWish(
        station=station, reader=reader, seat=seat, label=form.get("label") or None, take_over="take_over" in form
    )
    try:
        await bind_reader(desk.session, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        values = await desk.reader(wanted=form.get("reader", ""), refusal=refusal)
        return desk.show("desk/reader.html", values, status=status_of(refusal))
    shown = desk.show("desk/reader.html", await desk.reader(seat))
    shown.set_cookie(SEAT_COOKIE, seat, max_age=_YEAR, httponly=True, samesite="lax")
    return shown


@router.post("/reader/leave")
async def leave(desk: DeskDep, write: WriteDep, form: FormDep) -> Response:
    """Unbind the reader of this desk; the form names it, so that one bound since then stays bound."""
    station, _, reader = form.get("reader", "").partition("|")
    try:
        wish = SeatWish(station=station, reader=reader, seat=desk.seat or "")
        await leave_reader(desk.session, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        return desk.show("desk/reader.html", await desk.reader(refusal=refusal), status=status_of(refusal))
    return desk.show("desk/reader.html", await desk.reader())


@router.post("/reader/move")
async def move(desk: FinishingDep, write: WriteDep, form: FormDep) -> Response:
    """Let the desk's dispenser feed a card, hand it out or bin it."""
    station, _, reader = form.get("reader", "").partition("|")
    try:
        wish = MoveWish(station=station, reader=reader, movement=_movement(form))
        await move_card(desk.session, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        return desk.show("desk/reader.html", await desk.reader(refusal=refusal), status=status_of(refusal))
    return desk.show("desk/reader.html", await desk.reader())


def _movement(form: Mapping[str, str]) -> Movement:
    """Return what the dispenser is to do.

    Raises
    ------
    InvalidField
        It can do nothing of the kind.
    """
    wanted = form.get("movement", "")
    if wanted not in set(Movement):
        raise InvalidField(field="movement", value=wanted, reason="no movement of a dispenser")
    return Movement(wanted)


@router.post("/holds")
async def take(desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep) -> Response:
    """Hold the number together with the card in the reader."""
    try:
        number = form.get("number")
        iccid, serial = _card_in(form)
        wish = KitWish(
            business=Business.ACTIVATION,
            number=parse_any_number(number) if number else None,
            iccid=iccid,
            chip_serial=serial,
        )
        answer = await hold(connection, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        return await desk.show_sale(None, refusal)
    return await _held(desk, answer)


@router.post("/replacements")
async def replace_card(desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep) -> Response:
    """Open a replacement (补卡, 换卡) of a line's card by the card in the reader."""
    try:
        iccid, serial = _card_in(form)
        if iccid is None and serial is None:
            raise NoCardInReader
        number, old_card = _line_in(form)
        reason = form.get("reason")
        wish = KitWish(
            business=Business.REPLACE_SIM,
            number=number,
            old_card=old_card,
            replace_reason=ReplaceReason(reason) if reason in set(ReplaceReason) else None,
            iccid=iccid,
            chip_serial=serial,
        )
        answer = await hold(connection, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        return await desk.show_sale(None, refusal)
    return await _held(desk, answer)


@router.post("/second-numbers")
async def add_number(desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep) -> Response:
    """Hold a second number (副号) for a card in use, which was typed or scanned; it needs no reader."""
    try:
        number, card = form.get("number"), "".join(form.get("card", "").split())
        serial = is_serial(SIM, item_name(SIM, card)) if card else False
        wish = KitWish(
            business=Business.SECOND_NUMBER,
            number=parse_any_number(number) if number else None,
            iccid=parse_iccid(card).iccid if card and not serial else None,
            chip_serial=parse_chip_serial(card) if serial else None,
        )
        answer = await hold(connection, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        return await desk.show_sale(None, refusal)
    return await _held(desk, answer)


@router.post("/holds/{hold_id}/write")
async def write_card(desk: SellingDep, write: WriteDep, form: FormDep, hold_id: HoldId) -> Response:
    """Write the card of the kit in the desk's reader; `adm_again` is the person's word to try its ADM key again."""
    return await _tried(desk, hold_id, lambda: _write(desk, write, hold_id, adm_again=bool(form.get("adm_again"))))


async def _write(desk: Desk, write: WriteKey, hold_id: str, *, adm_again: bool = False) -> None:
    place = await desk.place()
    if place is None:
        raise StationUnknown(station="-")
    key = await desk.key(hold_id)
    wish = WriteJobWish(
        hold=hold_id,
        hold_key=key,
        station=place.station["id"],
        reader=place.reader["name"],
        adm_again=adm_again,
    )
    await start_job(desk.session, desk.caller, write, wish, keys=desk.keys, now=desk.now)


async def _write_taken(desk: Desk, write: WriteKey, hold_id: str) -> None:
    """Write the card that the kit has just taken; one that came finished is sold as it is."""
    taken = await promises.read_hold(desk.session, desk.caller, hold_id, now=desk.now)
    if not taken["sim_finished"]:
        await _write(desk, _after(write, "write"), hold_id)


def _after(write: WriteKey, what: str) -> WriteKey:
    """Return the key of the second write of one form; sent again, both are replayed."""
    return WriteKey(f"{write.key}-{what}", write.operation, write.body_sha256)


@router.post("/holds/{hold_id}/confirm")
async def confirm(
    desk: FinishingDep, connection: ConnectionDep, write: WriteDep, form: FormDep, hold_id: HoldId
) -> Response:
    """Confirm the sale, or the replacement: terms accepted, real name checked, perhaps the old card handed in."""
    accepted = form.get("accepted", "")
    wish = sales.ConfirmWish(
        quote_accepted=int(accepted) if _VERSION.fullmatch(accepted) else None,
        real_name=sales.RealName(desk.now, form.get("channel", ""), sales.PASSED) if form.get("checked") else None,
        old_card_handed_in=bool(form.get("handed_in")),
        extra_check=form.get("extra_check") or None,
    )

    async def act() -> None:
        key = await desk.key(hold_id)
        await sales.confirm(connection, desk.caller, write, hold_id, wish, keys=desk.keys, key=key, now=desk.now)

    return await _tried(desk, hold_id, act)


@router.post("/holds/{hold_id}/swap")
async def swap(
    desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep, hold_id: HoldId
) -> Response:
    """Give the kit the card that is in the reader now; one that was quoted without a card is held anew with it."""
    try:
        shown = await promises.read_hold(desk.session, desk.caller, hold_id, now=desk.now)
        iccid, serial = _card_in(form)
        if iccid is None and serial is None:
            raise NoCardInReader
        key = await desk.key(hold_id)
        if shown["iccid"] or shown["chip_serial"] or shown["sim_wish"]:
            card = CardWish(iccid=iccid, chip_serial=serial)
            await take_card(desk.session, desk.caller, write, hold_id, card, keys=desk.keys, key=key, now=desk.now)
            if form.get("then") == "write":
                await _write_taken(desk, write, hold_id)
            return await desk.show_sale(hold_id)
        number = parse_any_number(shown["number"] or "")
        await promises.release(
            connection, desk.caller, write, hold_id, keys=desk.keys, key=key, reason="another card", now=desk.now
        )
    except DomainError as refusal:
        return await desk.show_sale(hold_id, refusal)
    again = _after(write, "again")
    try:
        wish = KitWish(business=Business.ACTIVATION, number=number, iccid=iccid, chip_serial=serial)
        answer = await hold(connection, desk.caller, again, wish, now=desk.now)
    except DomainError as refusal:
        return await desk.show_sale(None, refusal)
    return await _held(desk, answer)


@router.post("/holds/{hold_id}/extend")
async def extend(desk: SellingDep, connection: ConnectionDep, write: WriteDep, hold_id: HoldId) -> Response:
    """Keep the kit longer."""

    async def act() -> None:
        key = await desk.key(hold_id)
        await promises.extend(connection, desk.caller, write, hold_id, keys=desk.keys, key=key, now=desk.now)

    return await _tried(desk, hold_id, act)


@router.post("/holds/{hold_id}/release")
async def release(
    desk: FinishingDep, connection: ConnectionDep, write: WriteDep, form: FormDep, hold_id: HoldId
) -> Response:
    """Give the kit back; a superior gives a colleague's kit back with a reason (REQ-RSV-07)."""

    async def act() -> None:
        key, reason = await desk.key(hold_id), form.get("reason") or None
        await promises.release(
            connection, desk.caller, write, hold_id, keys=desk.keys, key=key, reason=reason, now=desk.now
        )

    return await _tried(desk, hold_id, act)

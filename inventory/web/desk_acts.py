"""What is done at the hall desk: hold, write, confirm, keep longer, give back, change the card, choose the reader."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Path
from fastapi.responses import Response

from inventory.domain.errors import CardUnknown, DomainError, InvalidField, StationUnknown
from inventory.domain.fees import Business
from inventory.domain.identifiers import parse_iccid, parse_number
from inventory.services import promises, sales
from inventory.services.card_writing import WriteJobWish, start_job
from inventory.services.holds import hold
from inventory.services.kits import KitWish
from inventory.services.once import Answer, WriteKey
from inventory.web.deps import ConnectionDep, FormDep, WriteDep
from inventory.web.desk import Desk, DeskDep, SellingDep
from inventory.web.desk_pages import HoldId
from inventory.web.reader_view import READER_COOKIE, remembered

router = APIRouter(prefix="/desk")
_YEAR = 365 * 24 * 3600
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)
"""The version of a rule set fits an int column."""


async def _tried(desk: Desk, hold_id: str, act: Callable[[], Awaitable[Any]]) -> Response:
    """Do it and show the sale panel as it is afterwards, with the refusal if there was one."""
    try:
        await act()
    except DomainError as refusal:
        return await desk.show_sale(hold_id, refusal)
    return await desk.show_sale(hold_id)


async def _held(desk: Desk, answer: Answer) -> Response:
    """Show the fresh kit; its address stands in the browser's, so that a reload finds it again."""
    shown = await desk.show_sale(answer.body["hold"])
    shown.headers["HX-Push-Url"] = f"/desk?hold={answer.body['hold']}"
    return shown


@router.post("/reader")
async def choose(desk: DeskDep, form: FormDep) -> Response:
    """Remember which reader stands at this desk."""
    wanted = form.get("reader", "")
    if remembered(wanted) is None:
        raise InvalidField(field="reader", value=unquote(wanted)[:40], reason="one of the readers that are offered")
    shown = desk.show("desk/reader.html", await desk.reader(wanted))
    shown.set_cookie(READER_COOKIE, wanted, max_age=_YEAR, httponly=True, samesite="lax")
    return shown


@router.post("/holds")
async def take(desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep) -> Response:
    """Hold the number together with the card in the reader."""
    try:
        number, iccid = form.get("number"), form.get("iccid")
        wish = KitWish(
            business=Business.ACTIVATION,
            number=parse_number(number) if number else None,
            iccid=parse_iccid(iccid).iccid if iccid else None,
        )
        answer = await hold(connection, desk.caller, write, wish, now=desk.now)
    except DomainError as refusal:
        return await desk.show_sale(None, refusal)
    return await _held(desk, answer)


@router.post("/holds/{hold_id}/write")
async def write_card(desk: SellingDep, write: WriteDep, hold_id: HoldId) -> Response:
    """Write the card of the kit in the desk's reader."""

    async def act() -> None:
        place = await desk.place()
        if place is None:
            raise StationUnknown(station="-")
        key = await desk.key(hold_id)
        wish = WriteJobWish(hold=hold_id, hold_key=key, station=place.station["id"], reader=place.reader["name"])
        await start_job(desk.session, desk.caller, write, wish, keys=desk.keys, now=desk.now)

    return await _tried(desk, hold_id, act)


@router.post("/holds/{hold_id}/confirm")
async def confirm(
    desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep, hold_id: HoldId
) -> Response:
    """Confirm the sale: terms accepted, real name checked."""
    accepted = form.get("accepted", "")
    wish = sales.ConfirmWish(
        quote_accepted=int(accepted) if _VERSION.fullmatch(accepted) else None,
        real_name=sales.RealName(desk.now, form.get("channel", ""), sales.PASSED) if form.get("checked") else None,
    )

    async def act() -> None:
        key = await desk.key(hold_id)
        await sales.confirm(connection, desk.caller, write, hold_id, wish, keys=desk.keys, key=key, now=desk.now)

    return await _tried(desk, hold_id, act)


@router.post("/holds/{hold_id}/swap")
async def swap(
    desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep, hold_id: HoldId
) -> Response:
    """Give the kit back and hold its number again with the card that is in the reader now."""
    try:
        shown = await promises.read_hold(desk.session, desk.caller, hold_id, now=desk.now)
        if not form.get("iccid"):
            raise CardUnknown(iccid=None)
        iccid, number = parse_iccid(form["iccid"]).iccid, parse_number(shown["number"] or "")
        key = await desk.key(hold_id)
        await promises.release(
            connection, desk.caller, write, hold_id, keys=desk.keys, key=key, reason="another card", now=desk.now
        )
    except DomainError as refusal:
        return await desk.show_sale(hold_id, refusal)
    again = WriteKey(f"{write.key}-again", write.operation, write.body_sha256)
    try:
        wish = KitWish(business=Business.ACTIVATION, number=number, iccid=iccid)
        answer = await hold(connection, desk.caller, again, wish, now=desk.now)
    except DomainError as refusal:
        return await desk.show_sale(None, refusal)
    return await _held(desk, answer)


@router.post("/holds/{hold_id}/{act}")
async def extend_or_release(
    desk: SellingDep, connection: ConnectionDep, write: WriteDep, form: FormDep, hold_id: HoldId,
    act: Annotated[str, Path(pattern="^(extend|release)$")],
) -> Response:  # fmt: skip
    """Keep the kit longer, or give it back; a superior gives a colleague's kit back with a reason (REQ-RSV-07)."""

    async def extend() -> None:
        key = await desk.key(hold_id)
        await promises.extend(connection, desk.caller, write, hold_id, keys=desk.keys, key=key, now=desk.now)

    async def release() -> None:
        key, reason = await desk.key(hold_id), form.get("reason") or None
        await promises.release(
            connection, desk.caller, write, hold_id, keys=desk.keys, key=key, reason=reason, now=desk.now
        )

    return await _tried(desk, hold_id, extend if act == "extend" else release)

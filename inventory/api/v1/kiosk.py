"""Sales at self-service machines: what an acceptance system has to say of the customers who stand there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.confirmation import RealNameReference
from inventory.api.v1.hold_parts import HoldId
from inventory.domain.errors import HoldNotActive, InvalidField, InvalidIdentifier, NotFound
from inventory.domain.kiosk import KioskStop
from inventory.domain.lifecycle import KioskState
from inventory.services import kiosk, sales

router = APIRouter(tags=["holds"])


class KioskSaleView(Model):
    """A sale at a machine: what its customer has done, and how far the machine is."""

    hold: str
    reader: str
    state: KioskState
    accepted: int | None
    checked: bool
    cards: int
    stop: KioskStop | None
    created_at: Time


class KioskSales(Model):
    """The sales at the machines of the caller's part that are not finished."""

    sales: list[KioskSaleView]


@router.get("/kiosk-sales", operation_id="list_kiosk_sales", summary="Unfinished sales at self-service machines")
async def get_sales(caller: Annotated[Caller, require(Permission.HOLDS_READ)], session: SessionDep) -> KioskSales:
    """List the sales at the machines of the caller's part that are under way, or whose card the staff keeps."""
    return KioskSales(sales=[KioskSaleView(**one) for one in await kiosk.read_unfinished(session, caller)])


@router.post(
    "/kiosk-sales/{hold}:check",
    operation_id="check_kiosk_customer",
    summary="Say that a machine's customer was checked and has paid",
    response_model=KioskSaleView,
    responses=errors(NotFound, HoldNotActive, InvalidField, InvalidIdentifier),
)
async def check_customer(
    caller: Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True, finishing=True)],
    hold: HoldId,
    real_name: RealNameReference,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Give the reference of the real-name check; once the terms are accepted too, the machine feeds a card."""
    answer = await kiosk.check(session, caller, write, hold, sales.RealName(**dict(real_name)), now=now)
    return reply(answer, response)


@router.post(
    "/kiosk-sales/{hold}:give",
    operation_id="give_kiosk_card",
    summary="Say that a customer was given the card that its machine had drawn in",
    response_model=KioskSaleView,
    responses=errors(NotFound, HoldNotActive, InvalidIdentifier),
)
async def give_card(
    caller: Annotated[Caller, require(Permission.KIOSK_OPEN, writes=True)],
    hold: HoldId,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Note it; the sale is done."""
    return reply(await kiosk.give(session, caller, write, hold, now=now), response)

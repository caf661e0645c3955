"""A customer's card reported lost, and the report taken back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import IllegalTransition, InvalidIdentifier, NotFound, StaleVersion
from inventory.services.loss import LossWish, report_loss, withdraw_loss

router = APIRouter(tags=["sims"])

Seller = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True)]
Card = Annotated[str, Path(examples=["89860012345678901238"], max_length=40, description="ICCID or chip serial")]
_REFUSALS = errors(IllegalTransition, InvalidIdentifier, NotFound, StaleVersion)


class Loss(Model):
    """Why, such as who said so and how that was checked, and the caller's own order."""

    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    order_ref: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class LossDone(Model):
    """The card's state before and now."""

    card: str
    from_state: str
    to_state: str
    version: int


@router.post(
    "/sims/{iccid}:report-loss",
    operation_id="report_card_lost",
    summary="Report a customer's card lost",
    response_model=LossDone,
    responses=_REFUSALS,
)
async def post_loss(
    iccid: Card, caller: Seller, wish: Loss, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> dict[str, Any]:
    """Make a card in use REPORTED_LOST; its number goes on being the customer's, and the card may be replaced."""
    told = LossWish(card=iccid, reason=wish.reason, order_ref=wish.order_ref)
    return reply(await report_loss(session, caller, write, told, now=now), response)


@router.post(
    "/sims/{iccid}:withdraw-loss",
    operation_id="withdraw_card_loss",
    summary="Take the report of a loss back",
    response_model=LossDone,
    responses=_REFUSALS,
)
async def post_withdrawal(
    iccid: Card, caller: Seller, wish: Loss, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> dict[str, Any]:
    """Put the card that was found IN_USE again."""
    told = LossWish(card=iccid, reason=wish.reason, order_ref=wish.order_ref)
    return reply(await withdraw_loss(session, caller, write, told, now=now), response)

"""Deliveries: what is on its way, signed for or sent back by the receiver."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.api.v1.movements import (
    ItemRange,
    Items,
    Movement,
    MovementAnswered,
    MovementId,
    PersonName,
    head_of,
)
from inventory.domain.errors import (
    DeliveryAnswered,
    InvalidIdentifier,
    MovementRefused,
    NotFound,
    NotReceiver,
    ReasonMissing,
)
from inventory.services.receiving import Signature, accept, read_deliveries, refuse

router = APIRouter(tags=["movements"])

_REFUSALS = (DeliveryAnswered, InvalidIdentifier, MovementRefused, NotFound, NotReceiver)


class NewSignature(Model):
    """An answer to a delivery: for these items, or without a selection for all that are still on their way."""

    selection: Items | ItemRange | None = None
    person: PersonName | None = None
    reason: str | None = None

    def signature(self, movement: str) -> Signature:
        """Give what the service takes."""
        selection = None if self.selection is None else self.selection.as_selection()
        return Signature(movement=movement, selection=selection, person=self.person, reason=self.reason)


class AnswerDocument(Movement):
    """The receipt or the return, and where the document stands that it answers."""

    parent: str
    parent_state: Literal["PARTLY_ANSWERED", "ACCEPTED", "REFUSED", "SETTLED"]


class OpenDelivery(MovementAnswered):
    """A document with items on their way; `mine` says that the caller is the one to answer it."""

    mine: bool


class Deliveries(Model):
    """All documents with items on their way from or to the caller's part, oldest first."""

    deliveries: list[OpenDelivery]


@router.get("/movements:open", operation_id="read_deliveries", summary="What is on its way")
async def get_deliveries(
    caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)], session: SessionDep
) -> Deliveries:
    """List the documents whose items the receiver has not answered yet."""
    found = await read_deliveries(session, caller)
    heads = [
        (head_of(delivery.document, delivery.giver, delivery.receiver, city_id=caller.city_id), delivery.mine)
        for delivery in found
    ]
    return Deliveries(deliveries=[OpenDelivery(**head.model_dump(), mine=mine) for head, mine in heads])


@router.post(
    "/movements/{movement_id}:accept",
    operation_id="accept_delivery",
    status_code=201,
    summary="Sign for items that arrived",
    response_model=AnswerDocument,
    responses=errors(*_REFUSALS),
)
async def post_accept(
    movement_id: MovementId,
    caller: Annotated[Caller, require(Permission.RECEIVE, writes=True)],
    wish: NewSignature,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Take the items into the receiver's stock; the rest stays on its way."""
    return reply(await accept(session, caller, write, wish.signature(movement_id), now=now), response, 201)


@router.post(
    "/movements/{movement_id}:refuse",
    operation_id="refuse_delivery",
    status_code=201,
    summary="Send items back that are not taken",
    response_model=AnswerDocument,
    responses=errors(*_REFUSALS, ReasonMissing),
)
async def post_refuse(
    movement_id: MovementId,
    caller: Annotated[Caller, require(Permission.RECEIVE, writes=True)],
    wish: NewSignature,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Put the items on their way back to the giver, who signs for them."""
    return reply(await refuse(session, caller, write, wish.signature(movement_id), now=now), response, 201)

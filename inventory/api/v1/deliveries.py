"""Deliveries: what is on its way, signed for or sent back by the receiver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import ApprovalId, Model
from inventory.api.problems import errors
from inventory.api.v1.movements import (
    MOST_ITEMS,
    ItemName,
    Movement,
    MovementAnswered,
    MovementId,
    NamedItems,
    PersonName,
    head_of,
)
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    BoxNotSealed,
    DeliveryAnnounced,
    DeliveryAnswered,
    DeliveryDisputed,
    DeliveryFromCity,
    DomainError,
    InvalidField,
    InvalidIdentifier,
    MovementRefused,
    NotDisputed,
    NotFound,
    NotGiver,
    NothingOfLoad,
    NotReceiver,
    ReasonMissing,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.disputing import Outcome, SettleWish, dispute, settle
from inventory.services.exporting import delivery_listing
from inventory.services.once import Answer
from inventory.services.receiving import Signature, accept, read_deliveries, refuse, withdraw
from inventory.services.scanning_in import Arrival, scan_in

router = APIRouter(tags=["movements"])

_OF_TWO = (ApprovalDiffers, ApprovalNeeded, ApprovalNotGranted)
_REFUSALS = (
    BoxNotSealed,
    DeliveryAnswered,
    DeliveryDisputed,
    InvalidIdentifier,
    MovementRefused,
    NotFound,
    NothingOfLoad,
    NotReceiver,
)


class NewSignature(Model):
    """An answer to a delivery: for these items, or without a selection for all that are still on their way."""

    selection: NamedItems | None = None
    person: PersonName | None = None
    reason: str | None = None

    def signature(self, movement: str) -> Signature:
        """Give what the service takes."""
        selection = None if self.selection is None else self.selection.as_selection()
        return Signature(movement=movement, selection=selection, person=self.person, reason=self.reason)


class SettleTerms(Model):
    """How items of a dispute end; without a selection all that are still open."""

    outcome: Outcome
    selection: NamedItems | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    def wish(self, dispute_id: str, approval: str | None = None) -> SettleWish:
        """Give what the service takes."""
        selection = None if self.selection is None else self.selection.as_selection()
        return SettleWish(
            dispute=dispute_id, outcome=self.outcome, selection=selection, reason=self.reason, approval=approval
        )


class NewSettlement(SettleTerms):
    """A settlement; `approval` is the other side's word (`POST /v1/approvals`)."""

    approval: ApprovalId | None = None


class AnswerDocument(Movement):
    """The receipt or the return, and where the document stands that it answers; of a settlement who signed with it."""

    parent: str
    parent_state: Literal["PARTLY_ANSWERED", "ACCEPTED", "REFUSED", "SETTLED"]
    approver: str | None = None


class NewArrival(Model):
    """What was scanned of a delivery: items, or labels of boxes (`BOX:…`)."""

    items: Annotated[list[ItemName], Field(min_length=1, max_length=MOST_ITEMS)]
    person: PersonName | None = None


class ScannedIn(Model):
    """How many were signed for and are left on their way, and what else was scanned.

    `again` lies here already, `elsewhere` is of this delivery and in dispute, sent back or moved on by now,
    `unannounced` is not of this delivery.
    """

    id: str
    accepted: int
    left: int
    again: list[str]
    elsewhere: list[str]
    unannounced: list[str]
    receipt: str | None


class OpenDelivery(MovementAnswered):
    """A document with items on their way; `mine` says that the caller is the one to answer it."""

    mine: bool


class Deliveries(Model):
    """All documents with items on their way from or to the caller's part, oldest first."""

    deliveries: list[OpenDelivery]


@router.get(
    "/movements:open",
    operation_id="read_deliveries",
    summary="What is on its way",
    response_model=Deliveries,
    responses=FILES,
)
async def get_deliveries(
    caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> Deliveries | Response:
    """List the documents whose items the receiver has not answered yet."""
    if file is not None:
        return await download(runtime.database, caller, delivery_listing(), file)
    found = await read_deliveries(session, caller)
    heads = [(head_of(one.document, one.giver_here, one.receiver, city_id=caller.city_id), one.mine) for one in found]
    return Deliveries(deliveries=[OpenDelivery(**head.model_dump(), mine=mine) for head, mine in heads])


def _add(
    verb: str, act: Callable[..., Awaitable[Answer]], summary: str, does: str, *refusals: type[DomainError]
) -> None:
    """Add the route of an answer to a delivery: what it does, and what it is refused for beside the common reasons."""

    @router.post(
        f"/movements/{{movement_id}}:{verb}",
        operation_id=f"{verb}_delivery",
        status_code=201,
        summary=summary,
        description=does,
        response_model=AnswerDocument,
        responses=errors(*_REFUSALS, *refusals),
    )
    async def post_answer(
        movement_id: MovementId,
        caller: Annotated[Caller, require(Permission.RECEIVE, writes=True)],
        wish: NewSignature,
        write: WriteDep,
        session: SessionDep,
        now: NowDep,
        response: Response,
    ) -> dict[str, Any]:
        return reply(await act(session, caller, write, wish.signature(movement_id), now=now), response, 201)


_add(
    "accept",
    accept,
    "Sign for items that arrived",
    "Take the items into the receiver's stock; the rest stays on its way.",
)
_add(
    "refuse",
    refuse,
    "Send items back that are not taken",
    "Put the items on their way back to the giver, who signs for them.",
    DeliveryAnnounced,
    ReasonMissing,
)
_add(
    "dispute",
    dispute,
    "Dispute items that are not as written",
    "Let the items wait, on their way on the giver's account, until both sides settle how they end.",
    DeliveryFromCity,
    ReasonMissing,
)
_add(
    "withdraw",
    withdraw,
    "Take back what nobody has answered yet",
    "Take the items back into the giver's stock, with a reason.",
    DeliveryAnnounced,
    NotGiver,
    ReasonMissing,
)


@router.post(
    "/movements/{movement_id}:scan",
    operation_id="scan_in",
    status_code=201,
    summary="Scan in what arrived",
    response_model=ScannedIn,
    responses=errors(BoxNotSealed, DeliveryAnswered, DeliveryDisputed, InvalidIdentifier, NotFound, NotReceiver),
)
async def post_scan(
    movement_id: MovementId,
    caller: Annotated[Caller, require(Permission.RECEIVE, writes=True)],
    wish: NewArrival,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Sign for what was scanned and is on its way by this document, and name the rest; nothing is refused for it."""
    arrival = Arrival(movement=movement_id, items=tuple(wish.items), person=wish.person)
    return reply(await scan_in(session, caller, write, arrival, now=now), response, 201)


@router.post(
    "/movements/{movement_id}:settle",
    operation_id="settle_dispute",
    status_code=201,
    summary="Settle a dispute: accepted, back or lost",
    response_model=AnswerDocument,
    responses=errors(*_REFUSALS, *_OF_TWO, InvalidField, NotDisputed, ReasonMissing),
)
async def post_settle(
    movement_id: MovementId,
    caller: Annotated[Caller, require(Permission.RECEIVE, writes=True)],
    wish: NewSettlement,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """End items of a dispute as both sides sign it; the other side gives its word by an approval."""
    done = await settle(session, caller, write, wish.wish(movement_id, wish.approval), now=now)
    return reply(done, response, 201)

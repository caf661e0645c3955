"""Legal holds: an outside order keeps items as they are until two persons lift it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import ApprovalId, Model, Time
from inventory.api.problems import errors
from inventory.api.v1.movements import ItemBoxes, ItemRange, Items, Resource
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    BoxNotSealed,
    IllegalTransition,
    InvalidField,
    InvalidIdentifier,
    MissingField,
    NotFound,
    ReasonMissing,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.legal_holds import LiftWish, PlaceWish, as_dict, lift, place, read_hold, read_holds
from inventory.services.short_lists import legal_hold_listing

router = APIRouter(tags=["legal holds"])

LegalHoldId = Annotated[str, Path(examples=["l-530700-3"], max_length=40)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class NewLegalHold(Model):
    """An order as it came, and what it lies on."""

    resource: Resource
    selection: Items | ItemRange | ItemBoxes
    reference: Annotated[str, Field(min_length=1, max_length=64, description="the authority's own number of it")]
    authority: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Reason
    given_on: date = Field(description="the day of the order, in Asia/Shanghai")
    review_on: date | None = Field(default=None, description="from this day on one event asks; nothing is lifted by it")


class LegalHold(Model):
    """A legal hold; `review_due` says that somebody should ask whether it still stands."""

    id: str
    resource: str
    state: Literal["IN_FORCE", "LIFTED"]
    reference: str
    authority: str
    reason: str
    given_on: date
    review_on: date | None
    review_due: bool
    count: int
    staff: str
    at: Time
    lifted_at: Time | None
    lifted_by: str | None
    lifted_with: str | None
    lift_reason: str | None


class PlacedLegalHold(LegalHold):
    """A legal hold just placed: so many kits ended, and so many end once a card that is being written is settled."""

    kits_ended: int
    kits_waiting: int


class LiftedLegalHold(LegalHold):
    """A legal hold just lifted: so many of its items are under no other one."""

    items_freed: int


class LegalHolds(Model):
    """The legal holds of the city, those in force first."""

    legal_holds: list[LegalHold]


class HeldItem(Model):
    """An item that the order lies on."""

    item: str
    state: str
    holder: str


class LegalHoldPage(Model):
    """A legal hold with the first 200 of its items."""

    legal_hold: LegalHold
    items: list[HeldItem]


class LiftTerms(Model):
    """Why it is lifted."""

    reason: Reason


class NewLift(LiftTerms):
    """A lift, with the second person's word (`POST /v1/approvals`)."""

    approval: ApprovalId | None = None


@router.post(
    "/legal-holds",
    operation_id="place_legal_hold",
    status_code=201,
    summary="Put items under a legal hold",
    response_model=PlacedLegalHold,
    responses=errors(BoxNotSealed, InvalidField, InvalidIdentifier, MissingField, NotFound, ReasonMissing),
)
async def post_hold(
    caller: Annotated[Caller, require(Permission.LEGAL_PLACE, writes=True)],
    wish: NewLegalHold,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Keep items as they are, in whatever state; kits with one of them end (REQ-LGL-01)."""
    order = PlaceWish(
        resource=wish.resource,
        selection=wish.selection.as_selection(),
        reference=wish.reference,
        authority=wish.authority,
        reason=wish.reason,
        given_on=wish.given_on,
        review_on=wish.review_on,
    )
    return reply(await place(session, caller, write, order, now=now), response, 201)


@router.get(
    "/legal-holds",
    operation_id="read_legal_holds",
    summary="Legal holds",
    response_model=LegalHolds,
    responses=FILES,
)
async def get_holds(
    caller: Annotated[Caller, require(Permission.LEGAL_READ)],
    session: SessionDep,
    now: NowDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> LegalHolds | Response:
    """List the newest legal holds of the city, those in force first; as a file all."""
    if file is not None:
        return await download(runtime.database, caller, legal_hold_listing(), file)
    found = await read_holds(session, caller)
    return LegalHolds(legal_holds=[LegalHold.model_validate(as_dict(order, now=now)) for order in found])


@router.get(
    "/legal-holds/{legal_hold}",
    operation_id="read_legal_hold",
    summary="A legal hold with its items",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_hold(
    legal_hold: LegalHoldId,
    caller: Annotated[Caller, require(Permission.LEGAL_READ)],
    session: SessionDep,
    now: NowDep,
) -> LegalHoldPage:
    """Read a legal hold and where its items are."""
    page = await read_hold(session, caller, legal_hold)
    items = [HeldItem(item=item.name, state=item.state, holder=holder.code) for item, holder in page.items]
    return LegalHoldPage(legal_hold=LegalHold.model_validate(as_dict(page.order, now=now)), items=items)


@router.post(
    "/legal-holds/{legal_hold}:lift",
    operation_id="lift_legal_hold",
    summary="Lift a legal hold",
    response_model=LiftedLegalHold,
    responses=errors(
        ApprovalDiffers,
        ApprovalNeeded,
        ApprovalNotGranted,
        IllegalTransition,
        InvalidIdentifier,
        NotFound,
        ReasonMissing,
    ),
)
async def post_lift(
    legal_hold: LegalHoldId,
    caller: Annotated[Caller, require(Permission.LEGAL_LIFT, writes=True)],
    wish: NewLift,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Lift it with a second person's word; what is under no other one sells again."""
    lifting = LiftWish(legal_hold=legal_hold, reason=wish.reason, approval=wish.approval)
    return reply(await lift(session, caller, write, lifting, now=now), response)

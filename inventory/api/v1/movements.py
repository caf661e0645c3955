"""Movements: issue and recall of any kind of stock, and their documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.fees import Fee
from inventory.domain.errors import (
    InvalidIdentifier,
    LevelSkipped,
    MovementRefused,
    NotEnoughStock,
    NotFound,
    NotSiblings,
    OrganisationUnknown,
    OutsideScope,
)
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS
from inventory.request_scope import BIGGEST
from inventory.services.documents import read_movement
from inventory.services.moving import MoveWish, Verb, move
from inventory.store import selection as selections
from inventory.store.movements import Document
from inventory.store.organisation import Node

router = APIRouter(tags=["movements"])

MOST_ITEMS = 20_000
Resource = Annotated[str, Field(pattern="^(" + "|".join(KINDS) + ")$", examples=["sim"])]
ItemName = Annotated[str, Field(min_length=3, max_length=40)]
OrgCode = Annotated[str, Field(min_length=1, max_length=32)]
OnTheWay = Annotated[
    bool, Field(description="the receiver signs for the items; until then they can neither be sold nor moved")
]
PersonName = Annotated[str, Field(min_length=1, max_length=64)]
MovementId = Annotated[str, Path(examples=["m-530700-12"], max_length=40)]
_REFUSALS = (InvalidIdentifier, MovementRefused, NotEnoughStock, NotFound, OrganisationUnknown, OutsideScope)


class Items(Model):
    """These items: numbers, ICCIDs or chip serials."""

    items: Annotated[list[ItemName], Field(min_length=1, max_length=MOST_ITEMS)]

    def as_selection(self) -> selections.Selection:
        """Give the selection that services take."""
        return selections.ByName(tuple(self.items))


class ItemRange(Model):
    """All items whose names lie from `first` to `last`, both included."""

    first: ItemName
    last: ItemName

    def as_selection(self) -> selections.Selection:
        """Give the selection that services take."""
        return selections.ByRange(self.first, self.last)


class ItemCount(Model):
    """So many items of a sort: a card product, or how numbers begin; without `of` of any sort."""

    count: Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
    of: Annotated[str, Field(min_length=1, max_length=40)] | None = None

    def as_selection(self) -> selections.Selection:
        """Give the selection that services take."""
        return selections.ByCount(self.count, self.of)


ItemSelection = Items | ItemRange | ItemCount


class NewMove(Model):
    """What every move says; with `on_the_way` the receiver signs before the items can be sold or moved on."""

    resource: Resource
    giver: OrgCode = Field(examples=["530700"])
    receiver: OrgCode = Field(examples=["LJ-GUCHENG"])
    selection: ItemSelection
    reason: str | None = None
    on_the_way: OnTheWay = False

    def wish(self, verb: Verb, person: str | None) -> MoveWish:
        """Give what the service takes."""
        return MoveWish(
            verb=verb,
            resource=self.resource,
            giver=self.giver,
            receiver=self.receiver,
            selection=self.selection.as_selection(),
            person=person,
            reason=self.reason,
            on_the_way=self.on_the_way,
        )


class NewIssue(NewMove):
    """An issue to a direct child; `receiver_name` is the person who takes (领用人)."""

    receiver_name: PersonName | None = None


class NewRecall(NewMove):
    """A recall to the direct parent; `returner_name` is the person who hands back (回退人)."""

    returner_name: PersonName | None = None


class NewTransfer(NewMove):
    """A transfer to another child of the same parent; `receiver_name` is the person who takes (领用人)."""

    receiver_name: PersonName | None = None


class Movement(Model):
    """The head of a movement document."""

    id: str
    kind: Literal["INTAKE", "ISSUE", "RECALL", "TRANSFER", "SCRAP", "SALE", "RECEIPT", "RETURN"]
    resource: str
    state: Literal["IN_TRANSIT", "PARTLY_ANSWERED", "ACCEPTED", "REFUSED", "SETTLED"]
    giver: str | None
    receiver: str
    count: int
    receiver_name: str | None
    returner_name: str | None
    reason: str | None
    staff: str
    at: Time


class MovementItem(Model):
    """An item on a document; of an issued number the fee that stood on the line."""

    item: str
    fee: Fee | None


class MovementAnswered(Movement):
    """A document with how much of it is signed for and how much was sent back."""

    parent: str | None
    accepted: int
    refused: int


class MovementPage(Model):
    """A document with a page of its items; `next_after` asks for the page behind it."""

    movement: MovementAnswered
    items: list[MovementItem]
    next_after: int | None


@router.post(
    "/movements:issue",
    operation_id="issue_items",
    status_code=201,
    summary="Issue items one level down",
    response_model=Movement,
    responses=errors(*_REFUSALS, LevelSkipped),
)
async def post_issue(
    caller: Annotated[Caller, require(Permission.ISSUE, writes=True)],
    wish: NewIssue,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Move all the items to the direct child, or none; numbers are rated by the rules in force."""
    done = await move(session, caller, write, wish.wish(Verb.ISSUE, wish.receiver_name), now=now)
    return reply(done, response, 201)


@router.post(
    "/movements:recall",
    operation_id="recall_items",
    status_code=201,
    summary="Recall items one level up",
    response_model=Movement,
    responses=errors(*_REFUSALS, LevelSkipped),
)
async def post_recall(
    caller: Annotated[Caller, require(Permission.RECALL, writes=True)],
    wish: NewRecall,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Move all the items to the direct parent, or none; their state stays."""
    done = await move(session, caller, write, wish.wish(Verb.RECALL, wish.returner_name), now=now)
    return reply(done, response, 201)


@router.post(
    "/movements:transfer",
    operation_id="transfer_items",
    status_code=201,
    summary="Transfer items between children of one parent",
    response_model=Movement,
    responses=errors(*_REFUSALS, NotSiblings),
)
async def post_transfer(
    caller: Annotated[Caller, require(Permission.TRANSFER, writes=True)],
    wish: NewTransfer,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Move all the items sideways, or none; a colleague's card, the next hall's stock."""
    done = await move(session, caller, write, wish.wish(Verb.TRANSFER, wish.receiver_name), now=now)
    return reply(done, response, 201)


@router.get(
    "/movements/{movement_id}",
    operation_id="read_movement",
    summary="A document with its items",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_movement(
    movement_id: MovementId,
    caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)],
    session: SessionDep,
    after: Annotated[int, Query(ge=-1, le=BIGGEST, description="`next_after` of the page before")] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> MovementPage:
    """Read a document given or received in the caller's part, page by page."""
    page = await read_movement(session, caller, public_id=movement_id, after=after, limit=limit)
    document = page.document
    return MovementPage(
        movement=head_of(document, page.giver, page.receiver, city_id=caller.city_id),
        items=[
            MovementItem(item=line.name, fee=None if line.fee is None else Fee.model_validate(line.fee))
            for line in page.lines
        ],
        next_after=page.next_after,
    )


def head_of(document: Document, giver: Node | None, receiver: Node, *, city_id: int) -> MovementAnswered:
    """Give the head of a document as callers see it."""
    return MovementAnswered.model_validate(
        {
            "id": format_public_id("m", city_id, document.movement_id),
            "kind": document.kind,
            "resource": document.resource,
            "state": document.state,
            "giver": giver.code if giver else None,
            "receiver": receiver.code,
            "count": document.item_count,
            "receiver_name": document.receiver,
            "returner_name": document.returner,
            "reason": document.reason,
            "staff": document.staff_no,
            "at": document.created_at,
            "parent": None if document.parent_id is None else format_public_id("m", city_id, document.parent_id),
            "accepted": document.accepted_count,
            "refused": document.refused_count,
        }
    )

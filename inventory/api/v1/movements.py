"""Movements: issue and recall of any kind of stock, and their documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.fees import Fee
from inventory.domain.errors import (
    BoxNotSealed,
    InvalidIdentifier,
    LevelSkipped,
    MovementRefused,
    NotEnoughStock,
    NotFound,
    NothingOfLoad,
    NotSiblings,
    OrganisationUnknown,
    OutsideScope,
    QuotaExceeded,
)
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS
from inventory.downloads import FILES, FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.documents import read_movement
from inventory.services.exporting import line_listing
from inventory.services.moving import MoveWish, Verb, move
from inventory.store import selection as selections
from inventory.store.movements import Document
from inventory.store.organisation import Node

router = APIRouter(tags=["movements"])

MOST_ITEMS = 20_000
Resource = Annotated[str, Field(pattern="^(" + "|".join(KINDS) + ")$", examples=["sim"])]
ItemName = Annotated[str, Field(min_length=3, max_length=40)]
BatchId = Annotated[str, Field(max_length=40, examples=["b-530700-7"])]
BoxCode = Annotated[str, Field(min_length=1, max_length=40, examples=["LJ-0001"])]
OrgCode = Annotated[str, Field(min_length=1, max_length=32)]
OnTheWay = Annotated[
    bool, Field(description="the receiver signs for the items; until then they can neither be sold nor moved")
]
PersonName = Annotated[str, Field(min_length=1, max_length=64)]
MovementId = Annotated[str, Path(examples=["m-530700-12"], max_length=40)]
_REFUSALS = (
    BoxNotSealed,
    InvalidIdentifier,
    MovementRefused,
    NotEnoughStock,
    NotFound,
    NothingOfLoad,
    OrganisationUnknown,
    OutsideScope,
)


class Items(Model):
    """These items: numbers, ICCIDs or chip serials."""

    items: Annotated[list[ItemName], Field(min_length=1, max_length=MOST_ITEMS)]

    def as_selection(self) -> selections.ByName:
        """Give the selection that services take."""
        return selections.ByName(tuple(self.items))


class ItemRange(Model):
    """All items whose names lie from `first` to `last`, both included."""

    first: ItemName
    last: ItemName

    def as_selection(self) -> selections.ByRange:
        """Give the selection that services take."""
        return selections.ByRange(self.first, self.last)


class ItemBoxes(Model):
    """All items in these sealed boxes."""

    boxes: Annotated[list[BoxCode], Field(min_length=1, max_length=1000)]

    def as_selection(self) -> selections.ByBox:
        """Give the selection that services take."""
        return selections.ByBox(tuple(self.boxes))


class ItemBatch(Model):
    """All items of this load that the giver holds, or that the delivery brings."""

    batch: BatchId

    def as_selection(self) -> selections.ByBatch:
        """Give the selection that services take."""
        return selections.ByBatch(self.batch)


class ItemCount(Model):
    """So many items of a sort: a card product, or how numbers begin and their class; without either of any sort."""

    count: Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
    of: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    number_class: Annotated[int, Field(strict=True, ge=0, le=99)] | None = None

    def as_selection(self) -> selections.ByCount:
        """Give the selection that services take."""
        return selections.ByCount(self.count, self.of, self.number_class)


NamedItems = Items | ItemRange | ItemBoxes | ItemBatch
"""Ways to say of each item whether it is meant."""
ItemSelection = NamedItems | ItemCount


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


class QuotaLeft(Model):
    """What an issue left of a quota of its receiver."""

    sort: str
    period: str
    most: int
    left: int


class Movement(Model):
    """The head of a movement document; of an issue just done what it left of its receiver's quotas."""

    id: str
    kind: Literal[
        "INTAKE", "ISSUE", "RECALL", "TRANSFER", "SCRAP", "SALE", "RECEIPT", "RETURN", "TAKEOVER",
        "DISPUTE", "WITHDRAWAL", "LOSS", "FIND", "WRITE_OFF", "VENDOR_RETURN", "VOID", "BLOCK", "UNBLOCK",
        "UNDO", "CITY_OUT", "CITY_IN", "HAND_IN", "ROLL_BACK",
    ]  # fmt: skip
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
    quotas: tuple[QuotaLeft, ...] = ()
    other: str | None = None
    """The linked document in the book of the other city."""
    to_city: str | None = None
    """The company of that city, where the cards were sent there just now."""
    reason_code: str | None = None
    """The reason of the code table that was given."""


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
    responses=errors(*_REFUSALS, LevelSkipped, QuotaExceeded),
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
    response_model=MovementPage,
    responses=FILES | errors(InvalidIdentifier, NotFound),
)
async def get_movement(
    movement_id: MovementId,
    caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    after: Annotated[int, Query(ge=-1, le=BIGGEST, description="`next_after` of the page before")] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> MovementPage | Response:
    """Read a document given or received in the caller's part, page by page; as a file all of its items."""
    if file is not None:
        return await download(runtime.database, caller, line_listing(movement_id), file)
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
            "reason_code": document.reason_code,
            "staff": document.staff_no,
            "at": document.created_at,
            "parent": None if document.parent_id is None else format_public_id("m", city_id, document.parent_id),
            "accepted": document.accepted_count,
            "refused": document.refused_count,
            "other": None
            if document.other_city is None or document.other_id is None
            else format_public_id("m", document.other_city, document.other_id),
        }
    )

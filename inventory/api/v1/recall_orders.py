"""Recall orders: a place wants everything of a sort back; what is owed is listed until it has come."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.movements import OrgCode, Resource
from inventory.domain.errors import (
    InvalidField,
    InvalidIdentifier,
    NotEnoughStock,
    NotFound,
    OrganisationUnknown,
    OutsideScope,
    ReasonMissing,
    RecallOrderClosed,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.recall_orders import (
    HolderDebt,
    OrderView,
    OrderWish,
    as_dict,
    end_order,
    order_recall,
    read_order,
    read_orders,
)
from inventory.services.short_lists import recall_order_listing

router = APIRouter(tags=["recall orders"])

OrderId = Annotated[str, Path(examples=["r-530700-3"], max_length=40)]


class NewRecallOrder(Model):
    """Everything of a sort at `below` and under it is to come back to `place`."""

    resource: Resource
    place: OrgCode = Field(examples=["530700"])
    below: OrgCode = Field(examples=["LJ-GUCHENG"], description="`place` itself, or a node under it")
    of: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="a card product, or how numbers begin"
    )
    number_class: Annotated[int, Field(strict=True, ge=0, le=99)] | None = None
    reason: str


class RecallOrder(Model):
    """An order; `owed` is what the caller's part still has to hand back."""

    id: str
    resource: str
    place: str
    below: str
    of: str | None
    number_class: int | None
    state: Literal["OPEN", "FULFILLED", "ENDED"]
    asked: int
    came: int
    owed: int
    reason: str
    staff: str
    at: Time
    closed_at: Time | None
    closed_by: str | None
    close_reason: str | None


class Debt(Model):
    """What a holder owes: items to hand over now, promised to customers, and on their way."""

    holder: str
    name_zh: str
    name_en: str
    free: int
    promised: int
    on_the_way: int


class RecallOrderOwed(RecallOrder):
    """An order with who of the caller's part owes what."""

    debts: list[Debt]


class RecallOrders(Model):
    """The orders to and for the caller's part, open ones first."""

    orders: list[RecallOrderOwed]


class OwedItem(Model):
    """An item that is still to come."""

    item: str
    holder: str
    state: str
    on_the_way: bool


class RecallOrderPage(Model):
    """An order with the first 200 items that the caller's part owes."""

    order: RecallOrderOwed
    items: list[OwedItem]


class RecallOrderEnd(Model):
    """Why an order is ended."""

    reason: str


@router.post(
    "/recall-orders",
    operation_id="order_recall",
    status_code=201,
    summary="Order everything of a sort back",
    response_model=RecallOrder,
    responses=errors(InvalidField, NotEnoughStock, NotFound, OrganisationUnknown, OutsideScope, ReasonMissing),
)
async def post_order(
    caller: Annotated[Caller, require(Permission.ORDER_RECALL, writes=True)],
    wish: NewRecallOrder,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Free numbers move at once; cards stop selling and move with each hand-over; what is promised follows."""
    order = OrderWish(
        resource=wish.resource,
        place=wish.place,
        below=wish.below,
        of=wish.of,
        number_class=wish.number_class,
        reason=wish.reason,
    )
    return reply(await order_recall(session, caller, write, order, now=now), response, 201)


@router.get(
    "/recall-orders",
    operation_id="read_recall_orders",
    summary="Recall orders and who owes what",
    response_model=RecallOrders,
    responses=FILES,
)
async def get_orders(
    caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> RecallOrders | Response:
    """List the orders to the caller's part and those that ask something of it; in a file each holder that owes."""
    if file is not None:
        return await download(runtime.database, caller, recall_order_listing(), file)
    return RecallOrders(orders=[_owed(view) for view in await read_orders(session, caller)])


@router.get(
    "/recall-orders/{order_id}",
    operation_id="read_recall_order",
    summary="A recall order with the items that are owed",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_order(
    order_id: OrderId, caller: Annotated[Caller, require(Permission.MOVEMENTS_READ)], session: SessionDep
) -> RecallOrderPage:
    """Read an order and what the caller's part owes under it."""
    page = await read_order(session, caller, order_id)
    items = [
        OwedItem(item=item.name, holder=holder.code, state=item.state, on_the_way=item.on_the_way)
        for item, holder in page.items
    ]
    return RecallOrderPage(order=_owed(page.view), items=items)


@router.post(
    "/recall-orders/{order_id}:end",
    operation_id="end_recall_order",
    summary="End a recall order",
    response_model=RecallOrder,
    responses=errors(InvalidIdentifier, NotFound, ReasonMissing, RecallOrderClosed),
)
async def post_end(
    order_id: OrderId,
    caller: Annotated[Caller, require(Permission.ORDER_RECALL, writes=True)],
    wish: RecallOrderEnd,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Let what has not come back sell again."""
    return reply(await end_order(session, caller, write, order_id, wish.reason, now=now), response)


def _owed(view: OrderView) -> RecallOrderOwed:
    return RecallOrderOwed.model_validate({**as_dict(view), "debts": [_debt(found) for found in view.debts]})


def _debt(found: HolderDebt) -> Debt:
    return Debt(
        holder=found.holder.code,
        name_zh=found.holder.name_zh,
        name_en=found.holder.name_en,
        free=found.debt.free,
        promised=found.debt.promised,
        on_the_way=found.debt.on_the_way,
    )

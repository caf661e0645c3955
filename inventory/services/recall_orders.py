"""Recall orders (回收令): everything of a sort below a place is owed to it; what is free comes, the rest follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.channels import Channel
from inventory.domain.errors import InvalidField, NotEnoughStock, NotFound, RecallOrderClosed
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import NUMBER, ResourceKind, kind_named
from inventory.domain.lifecycle import RECALL_ORDER_LIFECYCLE, RecallOrderEvent, RecallOrderState
from inventory.domain.organisation import in_subtree
from inventory.domain.reasons import Given, Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.custody import Ends, node_of_city, require_in_scope, write_document
from inventory.services.once import Answer, WriteKey, once
from inventory.store import custody, movements, organisation
from inventory.store import recall_orders as store
from inventory.store.events import EventDraft, record
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.recall_orders import Debt, Order, OwedItem
from inventory.store.selection import ByRecall
from inventory.store.stock import allow_long_statements, lock_for_transaction

MOST_SHOWN = 200
"""A list shows this many orders, an order this many owed items."""


@dataclass(frozen=True, kw_only=True)
class OrderWish:
    """An order to hand everything of a sort back to `place` that lies at `below` or under it; codes of organisations.

    `of` is a card kind, or how numbers begin; `number_class` a class of numbers. `below` is `place` or a node under it.
    """

    resource: str
    place: str
    below: str
    reason: str
    of: str | None = None
    number_class: int | None = None


@dataclass(frozen=True)
class HolderDebt:
    """What one holder owes."""

    holder: Node
    debt: Debt


@dataclass(frozen=True)
class OrderView:
    """An order with its two places, and who of the caller's part owes what."""

    order: Order
    place: Node
    below: Node
    debts: list[HolderDebt]


@dataclass(frozen=True)
class OrderPage:
    """An order with the first of the items that the caller's part owes, each with its holder."""

    view: OrderView
    items: list[tuple[OwedItem, Node]]


def public_id(order: Order) -> str:
    """Write the id of an order as callers see it."""
    return format_public_id("r", order.city_id, order.order_id)


async def order_recall(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: OrderWish, *, now: datetime
) -> Answer:
    """Order everything of the sort back, and answer with the order.

    From this moment nothing of it is sold or given on. What is no physical thing comes home at once, a document for
    each holder; cards come with the next recall of their holder. What is promised or on its way follows when it is free
    (`follow`); what the customer gets meanwhile is no longer owed.

    Raises
    ------
    InvalidField
        `below` is not under `place`, or a class is asked of something else than numbers.
    NotEnoughStock
        There is nothing of the sort that is not owed to a place above already.
    OrganisationUnknown, OutsideScope
        A place does not exist in the city, or is not in the caller's subtree.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        kind = kind_named(wish.resource)
        place, below = await _places(session, caller, wish)
        if wish.number_class is not None and kind is not NUMBER:
            raise InvalidField(field="number_class", value=wish.number_class, reason="only numbers have a class")
        why = await reasons.given(session, caller, wish.reason, Purpose.RECALL)
        await allow_long_statements(session)
        await lock_for_transaction(session, f"recall_order/{caller.city_id}/{kind.name}")  # see `store.mark`
        order_id = await store.add(
            session,
            city_id=caller.city_id,
            resource=kind.name,
            place_id=place.id,
            below_id=below.id,
            sort=wish.of,
            number_class=wish.number_class,
            reason=why.text,
            staff_no=caller.staff_no,
            interface_no=caller.interface_no,
            created_at=now,
        )
        order = await _found(session, caller.city_id, order_id)
        holders = [node.id for node in await organisation.subtree(session, below) if node.id != place.id]
        asked = await store.mark(session, kind, order, place, holders=holders)
        if not asked:
            raise NotEnoughStock(wanted=1, found=0, of=wish.of or kind.en)
        told = {"place": place.code, "below": below.code, "count": asked}
        await _tell(session, caller, kind, order, "recall_ordered", told, why=why, now=now)
        await _bring_home(session, caller, kind, order, place, now=now)
        return await _as_answer(session, await _found(session, caller.city_id, order_id))

    return await once(session, caller, write, work, now=now)


async def end_order(
    session: AsyncSession, caller: Caller, write: WriteKey, order_id: str, reason: str, *, now: datetime
) -> Answer:
    """End an open order, so that what has not come back sells again, and answer with the order.

    Raises
    ------
    NotFound
        The caller's part has ordered nothing under this id.
    ReasonMissing
        There is none.
    RecallOrderClosed
        It is fulfilled or ended.
    """

    async def work() -> dict[str, Any]:
        order = await _visible(session, caller, order_id, lock=True)
        if order.place_id not in caller.scope:
            raise NotFound(what="recall order", value=order_id)
        why = await reasons.given(session, caller, reason, Purpose.RECALL)
        if order.state != RecallOrderState.OPEN:
            raise RecallOrderClosed(order=order_id, state=order.state)
        await _close(session, caller, order, RecallOrderEvent.END, why=why, now=now)
        return await _as_answer(session, await _found(session, caller.city_id, order.order_id))

    return await once(session, caller, write, work, now=now)


async def follow(session: AsyncSession, *, now: datetime) -> int:
    """Bring home what has become free under every open order, and close those that nobody owes anything under.

    Each order is a transaction of its own. Returns how many items moved.
    """
    async with session.begin():
        numbers = await store.open_orders(session)
    moved = 0
    for city_id, order_id in numbers:
        async with session.begin():
            await allow_long_statements(session)
            order = await store.find(session, city_id=city_id, order_id=order_id, lock=True)
            place = None if order is None else await organisation.by_id(session, order.place_id)
            if order is None or place is None or order.state != RecallOrderState.OPEN:
                continue
            kind, caller = kind_named(order.resource), _who_ordered(order)
            moved += await _bring_home(session, caller, kind, order, place, now=now)
            if not await store.debts(session, kind, order):
                await _close(session, caller, order, RecallOrderEvent.FULFIL, why=None, now=now)
    return moved


async def read_orders(session: AsyncSession, caller: Caller, *, most: int | None = MOST_SHOWN) -> list[OrderView]:
    """Return the newest orders to and for the caller's part, open ones first, each with what that part owes.

    `most` None is all of them.
    """
    async with session.begin():
        below = await _line(session, caller) | caller.scope
        orders = await store.orders_about(session, city_id=caller.city_id, places=caller.scope, below=below, limit=most)
        return [view for order in orders if (view := await _view(session, caller, order)) is not None]


async def read_order(session: AsyncSession, caller: Caller, order_id: str) -> OrderPage:
    """Return an order with what the caller's part owes under it.

    Raises
    ------
    InvalidIdentifier
        The id is not an order's.
    NotFound
        There is none, or it is not the caller's to see.
    """
    async with session.begin():
        order = await _visible(session, caller, order_id)
        view = await _view(session, caller, order)
        if view is None:
            raise NotFound(what="recall order", value=order_id)
        nodes = {found.holder.id: found.holder for found in view.debts}
        items = await store.owed_items(
            session, kind_named(order.resource), order, holders=list(nodes), limit=MOST_SHOWN
        )
    return OrderPage(view, [(item, nodes[item.holder_id]) for item in items])


def as_dict(view: OrderView) -> dict[str, Any]:
    """Return an order in the form of the API."""
    order = view.order
    return {
        "id": public_id(order),
        "resource": order.resource,
        "place": view.place.code,
        "below": view.below.code,
        "of": order.sort,
        "number_class": order.number_class,
        "state": order.state,
        "asked": order.asked,
        "came": order.came,
        "owed": sum(found.debt.owed for found in view.debts),
        "reason": order.reason,
        "staff": order.staff_no,
        "at": order.created_at.isoformat(),
        "closed_at": order.closed_at and order.closed_at.isoformat(),
        "closed_by": order.closed_by,
        "close_reason": order.close_reason,
    }


async def _places(session: AsyncSession, caller: Caller, wish: OrderWish) -> tuple[Node, Node]:
    place, below = [await node_of_city(session, caller, code) for code in (wish.place, wish.below)]
    require_in_scope(caller, place)
    if not in_subtree(place.path, below.path) or below.level in organisation.PSEUDO:
        raise InvalidField(field="below", value=below.code, reason=f"it is not {place.code} or under it")
    return place, below


async def _bring_home(
    session: AsyncSession, caller: Caller, kind: ResourceKind, order: Order, place: Node, *, now: datetime
) -> int:
    """Move what is free to the order's place, a document for each giver, and return how many items that is.

    What lies at the place by whatever way has come too.
    """
    count = 0
    for holder in [] if kind.physical else await store.givers(session, kind, order):
        giver = await organisation.by_id(session, holder)
        moved = await custody.hand_over(
            session,
            kind,
            ByRecall(order.order_id),
            city_id=order.city_id,
            giver=holder,
            receiver=place.id,
            states=kind.movable_down,
            owed_too=True,
            legal_too=True,
            now=now,
        )
        if giver is None or not moved:
            continue
        draft = MovementDraft(
            kind=movements.RECALL,
            resource=kind.name,
            from_holder=holder,
            to_holder=place.id,
            returner=giver.name_zh,
            reason=order.reason,
        )
        ranges = [LedgerRange(run.lo, run.hi) for run in moved]
        told = {"order": public_id(order)}
        await write_document(
            session, caller, draft, ranges, Ends(giver, place), happened="recalled", way=None, now=now, told=told
        )
        count += sum(run.count for run in moved)
    await store.arrive(session, kind, city_id=order.city_id, holder_id=place.id)
    return count


async def _close(
    session: AsyncSession, caller: Caller, order: Order, event: RecallOrderEvent, *, why: Given | None, now: datetime
) -> None:
    """End the order as the event says."""
    kind = kind_named(order.resource)
    state = RECALL_ORDER_LIFECYCLE.advance(RecallOrderState(order.state), event)
    await store.close(session, kind, order, state=state, closed_by=caller.staff_no, reason=why and why.text, now=now)
    happened = "recall_ended" if event is RecallOrderEvent.END else "recall_fulfilled"
    told = {"asked": order.asked, "came": order.came}
    await _tell(session, caller, kind, order, happened, told, why=why, now=now)


async def _tell(
    session: AsyncSession,
    caller: Caller,
    kind: ResourceKind,
    order: Order,
    happened: str,
    data: dict[str, Any],
    *,
    why: Given | None,
    now: datetime,
) -> None:
    """Record what happened to an order."""
    event = EventDraft(
        name=f"{kind.events}.{happened}",
        kind="recall_order",
        item_no=order.order_id,
        reason=why and why.text,
        reason_code=why and why.code,
        data=data,
    )
    await record(session, [event], **acting(caller, now))


def _who_ordered(order: Order) -> Caller:
    """Give whoever ordered: what follows later is written in its name."""
    return Caller(
        interface_no=order.interface_no,
        staff_no=order.staff_no,
        role=Role.CITY_ADMIN,
        city_id=order.city_id,
        org_id=order.place_id,
        scope=frozenset(),
        pools=frozenset(),
        channel=Channel.OWN_HALL,
    )


async def _found(session: AsyncSession, city_id: int, order_id: int) -> Order:
    order = await store.find(session, city_id=city_id, order_id=order_id)
    if order is None:
        raise NotFound(what="recall order", value=order_id)
    return order


async def _visible(session: AsyncSession, caller: Caller, public: str, *, lock: bool = False) -> Order:
    """Return an order to the caller's part, for it, or for more than it."""
    wanted = parse_public_id(public, "r", field="order")
    order = None
    if wanted.city_id == caller.city_id:
        order = await store.find(session, city_id=caller.city_id, order_id=wanted.serial, lock=lock)
    if order is None or not (
        order.place_id in caller.scope or order.below_id in await _line(session, caller) | caller.scope
    ):
        raise NotFound(what="recall order", value=public)
    return order


async def _line(session: AsyncSession, caller: Caller) -> set[int]:
    """Return the caller's node and those above it: what is ordered of them is ordered of the caller too."""
    node = await organisation.by_id(session, caller.org_id)
    return set() if node is None else {int(step) for step in node.path.split("/")}


async def _view(session: AsyncSession, caller: Caller, order: Order) -> OrderView | None:
    """Return the order with what the caller's part owes, or None if a place of it is gone."""
    place, below = [await organisation.by_id(session, node) for node in (order.place_id, order.below_id)]
    if place is None or below is None:
        return None
    found = []
    if order.state == RecallOrderState.OPEN:
        found = await store.debts(session, kind_named(order.resource), order)
    holders = await organisation.by_ids(session, {debt.holder_id for debt in found} & caller.scope)
    debts = [HolderDebt(holders[debt.holder_id], debt) for debt in found if debt.holder_id in holders]
    return OrderView(order, place, below, debts)


async def _as_answer(session: AsyncSession, order: Order) -> dict[str, Any]:
    place, below = [await organisation.by_id(session, node) for node in (order.place_id, order.below_id)]
    if place is None or below is None:
        raise NotFound(what="organisation", value=order.place_id)
    debts = [HolderDebt(place, debt) for debt in await store.debts(session, kind_named(order.resource), order)]
    return as_dict(OrderView(order, place, below, debts))

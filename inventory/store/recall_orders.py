"""Recall orders: mark what is owed, find what may come home, count who owes what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import ResourceKind
from inventory.domain.lifecycle import RecallOrderState
from inventory.store.organisation import Node
from inventory.store.schema import Organisation, RecallOrder
from inventory.store.selection import ByRecall, named, of_sort
from inventory.store.stock import name_column, stock_table


@dataclass(frozen=True)
class Order:
    """A recall order; see `RecallOrder` for the meaning of each field."""

    city_id: int
    order_id: int
    resource: str
    place_id: int
    below_id: int
    sort: str | None
    number_class: int | None
    state: str
    asked: int
    came: int
    reason: str
    staff_no: str
    interface_no: str
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None


@dataclass(frozen=True)
class OwedItem:
    """An item that is still to come."""

    name: str
    holder_id: int
    state: str
    on_the_way: bool


@dataclass(frozen=True)
class Debt:
    """What one holder owes under an order: so many items to be handed over now, promised to customers, on their way."""

    holder_id: int
    free: int
    promised: int
    on_the_way: int

    @property
    def owed(self) -> int:
        """How many items in all."""
        return self.free + self.promised + self.on_the_way


_ORDER = tuple(getattr(RecallOrder, name) for name in Order.__dataclass_fields__)


async def add(session: AsyncSession, **values: Any) -> int:
    """Insert an open order, of which nothing has come yet, and return its number."""
    row = {"state": RecallOrderState.OPEN, "asked": 0, "came": 0, **values}
    return (await session.execute(insert(RecallOrder).values(row).returning(RecallOrder.order_id))).scalar_one()


async def find(session: AsyncSession, *, city_id: int, order_id: int, lock: bool = False) -> Order | None:
    """Return an order of the city, or None; `lock` keeps others from changing it until the end."""
    query = select(*_ORDER).where(RecallOrder.city_id == city_id, RecallOrder.order_id == order_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Order(*row)


async def orders_about(
    session: AsyncSession, *, city_id: int, places: Collection[int], below: Collection[int], limit: int | None
) -> list[Order]:
    """Return the newest orders that go to one of the places or are for one of the nodes `below`, open ones first."""
    about = or_(RecallOrder.place_id.in_(places), RecallOrder.below_id.in_(below))
    query = (
        select(*_ORDER)
        .where(RecallOrder.city_id == city_id, about)
        .order_by((RecallOrder.state == RecallOrderState.OPEN).desc(), RecallOrder.order_id.desc())
        .limit(limit)
    )
    return [Order(*row) for row in await session.execute(query)]


async def open_orders(session: AsyncSession) -> list[tuple[int, int]]:
    """Return city and number of every open order."""
    query = (
        select(RecallOrder.city_id, RecallOrder.order_id)
        .where(RecallOrder.state == RecallOrderState.OPEN)
        .order_by(RecallOrder.city_id, RecallOrder.order_id)
    )
    return [(city_id, order_id) for city_id, order_id in await session.execute(query)]


async def mark(
    session: AsyncSession, kind: ResourceKind, order: Order, place: Node, *, holders: Collection[int]
) -> int:
    """Mark as owed to the order's place what the holders have of its sort, free or promised; return how many items.

    What is owed under an older order is owed under this one from now on, unless that order's place lies above this
    one's: it goes there all the same. What customers have is never marked.

    Whoever marks takes the city's and kind's lock first: an order that is not committed is not seen here, and its marks
    would be taken over whatever its place.
    """
    table = stock_table(kind)
    above = {int(step) for step in place.path.split("/")} - {place.id}
    to_above = select(RecallOrder.order_id).where(
        RecallOrder.city_id == order.city_id,
        RecallOrder.state == RecallOrderState.OPEN,
        RecallOrder.place_id.in_(above),
    )
    wanted = and_(
        or_(table.c.recall_id.is_(None), table.c.recall_id.not_in(to_above)),
        table.c.city_id == order.city_id,
        table.c.holder_id.in_(holders),
        table.c.state.in_(sorted(kind.movable_down | kind.promised)),
        of_sort(kind, order.sort, order.number_class),
    )
    marked = update(table).where(wanted).values(recall_id=order.order_id).returning(table.c.item_no).cte("marked")
    asked = (await session.execute(select(func.count()).select_from(marked))).scalar_one()
    of_this = and_(RecallOrder.city_id == order.city_id, RecallOrder.order_id == order.order_id)
    await session.execute(update(RecallOrder).where(of_this).values(asked=asked))
    return asked


async def givers(session: AsyncSession, kind: ResourceKind, order: Order) -> list[int]:
    """Return the holders with owed items that may come home now, each once."""
    table = stock_table(kind)
    query = (
        select(table.c.holder_id)
        .where(
            _marked(kind, order.city_id, order.order_id),
            table.c.holder_id != order.place_id,
            table.c.transit_id.is_(None),
            table.c.hold_id.is_(None),
            table.c.state.in_(sorted(kind.movable_down)),
        )
        .distinct()
    )
    return sorted(await session.scalars(query))


async def arrive(session: AsyncSession, kind: ResourceKind, *, city_id: int, holder_id: int) -> None:
    """Take the mark off what has come to the place it was ordered to, and count it there."""
    to_here = and_(
        RecallOrder.city_id == city_id,
        RecallOrder.place_id == holder_id,
        RecallOrder.resource == kind.name,
        RecallOrder.state == RecallOrderState.OPEN,
    )
    table = stock_table(kind)
    for order_id in await session.scalars(select(RecallOrder.order_id).where(to_here).order_by(RecallOrder.order_id)):
        came = and_(
            _marked(kind, city_id, order_id),
            table.c.holder_id == holder_id,
            table.c.transit_id.is_(None),
            table.c.state.in_(sorted(kind.in_hand)),  # a lost card is on the place's account and has not come
        )
        freed = update(table).where(came).values(recall_id=None).returning(table.c.item_no).cte("freed")
        count = (await session.execute(select(func.count()).select_from(freed))).scalar_one()
        if count:
            this = and_(RecallOrder.city_id == city_id, RecallOrder.order_id == order_id)
            await session.execute(update(RecallOrder).where(this).values(came=RecallOrder.came + count))


async def close(
    session: AsyncSession,
    kind: ResourceKind,
    order: Order,
    *,
    state: RecallOrderState,
    closed_by: str,
    reason: str | None,
    now: datetime,
) -> None:
    """End an open order; what is still marked sells again."""
    table = stock_table(kind)
    await session.execute(
        update(table).where(_marked(kind, order.city_id, order.order_id)).values(recall_id=None, updated_at=now)
    )
    this = and_(RecallOrder.city_id == order.city_id, RecallOrder.order_id == order.order_id)
    ended = {"state": state, "closed_at": now, "closed_by": closed_by, "close_reason": reason}
    await session.execute(update(RecallOrder).where(this).values(ended))


async def debts(session: AsyncSession, kind: ResourceKind, order: Order) -> list[Debt]:
    """Return who owes what under the order, in the order of the tree."""
    table = stock_table(kind)
    lies = and_(table.c.transit_id.is_(None), table.c.hold_id.is_(None), table.c.state.in_(sorted(kind.movable_up)))
    way = table.c.transit_id.is_not(None)
    query = (
        select(
            table.c.holder_id,
            func.count().filter(lies),
            func.count().filter(not_(or_(lies, way))),
            func.count().filter(way),
        )
        .join(Organisation, Organisation.id == table.c.holder_id)
        .where(_owed(kind, order))
        .group_by(table.c.holder_id, Organisation.path)
        .order_by(Organisation.path)
    )
    return [Debt(*row) for row in await session.execute(query)]


async def owed_items(
    session: AsyncSession, kind: ResourceKind, order: Order, *, holders: Collection[int], limit: int
) -> list[OwedItem]:
    """Return the first items that the holders owe under the order, holder by holder."""
    table = stock_table(kind)
    query = (
        select(name_column(kind), table.c.holder_id, table.c.state, table.c.transit_id.is_not(None))
        .where(_owed(kind, order), table.c.holder_id.in_(holders))
        .order_by(table.c.holder_id, table.c.item_no)
        .limit(limit)
    )
    return [OwedItem(*row) for row in await session.execute(query)]


def _marked(kind: ResourceKind, city_id: int, order_id: int) -> ColumnElement[bool]:
    """Give the condition that holds for the items with the order's mark."""
    return and_(stock_table(kind).c.city_id == city_id, named(kind, ByRecall(order_id)))


def _owed(kind: ResourceKind, order: Order) -> ColumnElement[bool]:
    """Give the condition that holds for what is still to come: what was sold, lost or scrapped is owed no more."""
    table = stock_table(kind)
    return and_(_marked(kind, order.city_id, order.order_id), table.c.state.in_(sorted(kind.in_hand)))

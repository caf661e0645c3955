"""Legal holds: what an order lies on, the mark on its items, and the kits that end because of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import ResourceKind
from inventory.domain.lifecycle import LegalOrderState
from inventory.store import free_sql
from inventory.store.custody import MovedRange, ranges_of
from inventory.store.hot import HotStatement
from inventory.store.schema import HoldRow, LegalOrder, LegalOrderLine
from inventory.store.selection import Naming, named
from inventory.store.stock import name_column, stock_table
from inventory.store.streams import Stream, in_batches

END_REASON = free_sql.LEGAL_HOLD
"""Why a kit was ended, in its `close_reason`: all that is told of the order."""


@dataclass(frozen=True)
class Order:
    """A legal hold; see `LegalOrder` for the meaning of each field."""

    city_id: int
    order_id: int
    resource: str
    state: str
    reference: str
    authority: str
    reason: str
    given_on: date
    review_on: date | None
    item_count: int
    staff_no: str
    interface_no: str
    created_at: datetime
    reminded_at: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_with: str | None
    lift_reason: str | None


@dataclass(frozen=True)
class OrderedItem:
    """An item that an order lies on."""

    name: str
    state: str
    holder_id: int


_ORDER = tuple(getattr(LegalOrder, name) for name in Order.__dataclass_fields__)
_END_KITS = HotStatement(free_sql.END_LEGALLY_HELD)
_KIT_IS_UNDER = text("""
    SELECT coalesce(n.legal_hold, false) OR coalesce(bool_or(s.legal_hold), false) FROM hold h
    LEFT JOIN number n ON n.city_id = h.city_id AND n.item_no = h.number_item_no
    LEFT JOIN sim s ON s.city_id = h.city_id AND s.item_no IN (h.sim_item_no, h.old_sim_item_no)
    WHERE h.city_id = :city AND h.hold_id = :hold
    GROUP BY n.legal_hold
""")


async def lock_kits(session: AsyncSession, kind: ResourceKind, selection: Naming, *, city_id: int) -> None:
    """Lock the live kits of the selected items, before their items: whoever sells or frees a kit takes it first too."""
    table = stock_table(kind)
    holding = select(table.c.hold_id).where(table.c.city_id == city_id, named(kind, selection))
    locked = select(HoldRow.hold_id).where(HoldRow.city_id == city_id, HoldRow.hold_id.in_(holding))
    await session.execute(locked.order_by(HoldRow.hold_id).with_for_update(key_share=True))


async def mark(
    session: AsyncSession, kind: ResourceKind, selection: Naming, *, city_id: int, now: datetime
) -> list[MovedRange]:
    """Mark the selected items, whatever their state and whoever has them, and return them as ranges, in order."""
    table = stock_table(kind)
    marked = (
        update(table)
        .where(table.c.city_id == city_id, named(kind, selection))
        .values(legal_hold=True, updated_at=now)
        .returning(table.c.item_no)
        .cte("marked")
    )
    return await ranges_of(session, marked)


async def add(session: AsyncSession, ranges: Sequence[MovedRange], **values: Any) -> int:
    """Insert an order in force with its lines and return its number."""
    row = {
        "state": LegalOrderState.IN_FORCE,
        "item_count": sum(run.count for run in ranges),
        **values,
    }
    order_id = (await session.execute(insert(LegalOrder).values(row).returning(LegalOrder.order_id))).scalar_one()
    common = {"city_id": values["city_id"], "order_id": order_id, "resource": values["resource"]}
    lines = [{**common, "line_no": no, "lo": run.lo, "hi": run.hi} for no, run in enumerate(ranges, 1)]
    await session.execute(insert(LegalOrderLine), lines)
    return order_id


async def kits_on(session: AsyncSession, kind: ResourceKind, order: Order) -> list[int]:
    """Return the holds on the order's items."""
    table, line = stock_table(kind), LegalOrderLine
    query = (
        select(table.c.hold_id)
        .join(line, table.c.item_no.between(line.lo, line.hi))
        .where(*_lines_of(order), table.c.city_id == order.city_id, table.c.hold_id.is_not(None))
    )
    return sorted(await session.scalars(query))


async def end_kits(
    session: AsyncSession, holds: Collection[int], *, city_id: int, staff_no: str, interface_no: str, now: datetime
) -> int:
    """End those of the holds that have an item under a legal hold and no open write job; return how many.

    Their items are free, and the one under the order is kept from sale by its mark.
    """
    given = {
        "city": city_id,
        "holds": sorted(holds),
        "staff": staff_no,
        "interface": interface_no,
        "reason": END_REASON,
        "now": now,
    }
    row = await _END_KITS.row(session, given)
    return 0 if row is None else int(row[0])


async def kit_is_under(session: AsyncSession, *, city_id: int, hold_id: int) -> bool:
    """Tell whether an order lies on an item of the kit, as it is committed now."""
    return bool(await session.scalar(_KIT_IS_UNDER, {"city": city_id, "hold": hold_id}))


async def unmark(session: AsyncSession, kind: ResourceKind, order: Order, *, now: datetime) -> int:
    """Take the mark off the order's items that no other order in force lies on; return how many.

    Whoever marks or unmarks takes the city's and kind's lock first, so that of two orders lifted at once the second
    sees that the first is gone.
    """
    table, line = stock_table(kind), LegalOrderLine
    mine = select(func.generate_series(line.lo, line.hi)).where(*_lines_of(order))
    others = (
        select(func.generate_series(line.lo, line.hi))
        .join(LegalOrder, and_(LegalOrder.city_id == line.city_id, LegalOrder.order_id == line.order_id))
        .where(
            line.city_id == order.city_id,
            line.resource == order.resource,
            line.order_id != order.order_id,
            LegalOrder.state == LegalOrderState.IN_FORCE,
        )
    )
    freed = (
        update(table)
        .where(table.c.city_id == order.city_id, table.c.item_no.in_(mine), table.c.item_no.not_in(others))
        .values(legal_hold=False, updated_at=now)
        .returning(table.c.item_no)
        .cte("freed")
    )
    return (await session.execute(select(func.count()).select_from(freed))).scalar_one()


async def close(session: AsyncSession, order: Order, **values: Any) -> None:
    """Write how an order was lifted."""
    await session.execute(update(LegalOrder).where(_this(order.city_id, order.order_id)).values(values))


async def find(session: AsyncSession, *, city_id: int, order_id: int, lock: bool = False) -> Order | None:
    """Return an order of the city, or None; `lock` keeps others from changing it until the end."""
    query = select(*_ORDER).where(_this(city_id, order_id))
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Order(*row)


async def listed(session: AsyncSession, *, city_id: int, limit: int) -> list[Order]:
    """Return the first `limit` of the city's orders, as `stream_orders` gives them all."""
    return [Order(*row) for row in await session.execute(_listed(city_id).limit(limit))]


def stream_orders(session: AsyncSession, *, city_id: int) -> Stream[Order]:
    """Give the city's orders, those in force first, then the newest."""
    return in_batches(session, _listed(city_id), Order)


def _listed(city_id: int) -> Select[Any]:
    in_force = LegalOrder.state == LegalOrderState.IN_FORCE
    return select(*_ORDER).where(LegalOrder.city_id == city_id).order_by(in_force.desc(), LegalOrder.order_id.desc())


async def orders_on(session: AsyncSession, kind: ResourceKind, *, city_id: int, item_no: int) -> list[Order]:
    """Return the orders that lie on an item, or have lain on it, oldest first."""
    line = LegalOrderLine
    query = (
        select(*_ORDER)
        .join(line, and_(line.city_id == LegalOrder.city_id, line.order_id == LegalOrder.order_id))
        .where(line.city_id == city_id, line.resource == kind.name, line.lo <= item_no, line.hi >= item_no)
        .order_by(LegalOrder.order_id)
    )
    return [Order(*row) for row in await session.execute(query)]


async def items_of(session: AsyncSession, kind: ResourceKind, order: Order, *, limit: int) -> list[OrderedItem]:
    """Return the first items that an order lies on, in the order of their numbers."""
    table, line = stock_table(kind), LegalOrderLine
    query = (
        select(name_column(kind), table.c.state, table.c.holder_id)
        .join(line, table.c.item_no.between(line.lo, line.hi))
        .where(*_lines_of(order), table.c.city_id == order.city_id)
        .order_by(table.c.item_no)
        .limit(limit)
    )
    return [OrderedItem(*row) for row in await session.execute(query)]


async def remind(session: AsyncSession, *, today: date, now: datetime) -> list[Order]:
    """Note that the review of these orders is due, each order once, and return them."""
    due = and_(
        LegalOrder.state == LegalOrderState.IN_FORCE, LegalOrder.review_on <= today, LegalOrder.reminded_at.is_(None)
    )
    rows = await session.execute(update(LegalOrder).where(due).values(reminded_at=now).returning(*_ORDER))
    return [Order(*row) for row in rows]


def _this(city_id: int, order_id: int) -> ColumnElement[bool]:
    return and_(LegalOrder.city_id == city_id, LegalOrder.order_id == order_id)


def _lines_of(order: Order) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions that hold for the lines of an order."""
    return LegalOrderLine.city_id == order.city_id, LegalOrderLine.order_id == order.order_id

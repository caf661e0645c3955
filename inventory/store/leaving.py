"""What a leaver has open: holds to be released or handed over, and items on the account."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.deliveries import OPEN
from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import HoldState
from inventory.store import free_sql
from inventory.store.hot import HotStatement
from inventory.store.schema import HoldRow, Movement
from inventory.store.stock import stock_table

_RELEASE_OF_STAFF = HotStatement(free_sql.RELEASE_OF_STAFF)


async def release_holds(
    session: AsyncSession,
    staff_ids: Collection[str],
    *,
    city_id: int,
    staff_no: str,
    interface_no: str,
    reason: str,
    now: datetime,
) -> int:
    """Release the open holds of the staff ids, but for bookings and kits with an open write job; return how many."""
    given = {
        "city": city_id,
        "staff_ids": sorted(staff_ids),
        "staff": staff_no,
        "interface": interface_no,
        "reason": reason,
        "now": now,
    }
    row = await _RELEASE_OF_STAFF.row(session, given)
    return 0 if row is None else int(row[0])


async def hand_bookings_over(
    session: AsyncSession, staff_ids: Collection[str], *, city_id: int, to_staff: str, to_org: int
) -> list[int]:
    """Give the bookings of the staff ids to another one at another place; return their numbers."""
    theirs = and_(HoldRow.city_id == city_id, HoldRow.staff_no.in_(staff_ids), HoldRow.state == HoldState.BOOKED)
    statement = update(HoldRow).where(theirs).values(staff_no=to_staff, org_id=to_org).returning(HoldRow.hold_id)
    return sorted(await session.scalars(statement))


async def count_open_holds(session: AsyncSession, staff_ids: Collection[str], *, city_id: int) -> int:
    """Return how many holds the staff ids still have: kits with a card being written, or that the network has."""
    query = select(func.count()).select_from(HoldRow)
    open_ones = HoldRow.state.in_([HoldState.ACTIVE, HoldState.BOOKED])
    theirs = and_(HoldRow.city_id == city_id, HoldRow.staff_no.in_(staff_ids), open_ones)
    return (await session.execute(query.where(theirs))).scalar_one()


async def count_items(session: AsyncSession, *, city_id: int, holder_id: int) -> int:
    """Return how many items of any kind and state are on the holder's account."""
    total = 0
    for kind in KINDS.values():
        table = stock_table(kind)
        held = and_(table.c.city_id == city_id, table.c.holder_id == holder_id)
        total += (await session.execute(select(func.count()).select_from(table).where(held))).scalar_one()
    return total


async def is_settled(session: AsyncSession, *, city_id: int, holder_id: int) -> bool:
    """Tell whether nothing lies on the holder's account and nothing is on its way from or to it.

    One statement: what comes back, or leaves, while one looks is seen either there or on its way.
    """
    tables = [stock_table(kind) for kind in KINDS.values()]
    lying = [
        select(table.c.item_no).where(table.c.city_id == city_id, table.c.holder_id == holder_id).exists()
        for table in tables
    ]
    on_the_way = select(Movement.movement_id).where(
        Movement.city_id == city_id,
        Movement.state.in_(sorted(OPEN)),
        or_(Movement.from_holder == holder_id, Movement.to_holder == holder_id),
    )
    return not (await session.execute(select(or_(*lying, on_the_way.exists())))).scalar_one()

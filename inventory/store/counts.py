"""What a count compares: the items that lie at a place by the book, and the items that were scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import ResourceKind
from inventory.store.selection import ByName, named
from inventory.store.stock import key_columns, name_column, stock_table


@dataclass(frozen=True)
class CountedItem:
    """An item as the book has it."""

    item_no: int
    name: str
    state: str
    holder_id: int
    in_transit: bool


async def lying_at(session: AsyncSession, kind: ResourceKind, *, city_id: int, holder_id: int) -> list[CountedItem]:
    """Return what the holder has and has signed for, in order."""
    table = stock_table(kind)
    query = (
        select(table.c.item_no, name_column(kind), table.c.state, table.c.holder_id)
        .where(table.c.city_id == city_id, table.c.holder_id == holder_id, table.c.transit_id.is_(None))
        .order_by(table.c.item_no)
    )
    return [
        CountedItem(item_no, name, state, holder, in_transit=False)
        for item_no, name, state, holder in await session.execute(query)
    ]


async def named_items(
    session: AsyncSession, kind: ResourceKind, names: Sequence[str], *, city_id: int
) -> dict[str, CountedItem]:
    """Return the items by each of their names that was asked for; what the city does not have is left out."""
    table, columns = stock_table(kind), key_columns(kind)
    query = select(
        table.c.item_no, name_column(kind), table.c.state, table.c.holder_id, table.c.transit_id, *columns
    ).where(table.c.city_id == city_id, named(kind, ByName(tuple(names))))
    asked = set(names)
    found: dict[str, CountedItem] = {}
    for item_no, name, state, holder_id, transit_id, *called in await session.execute(query):
        item = CountedItem(item_no, name, state, holder_id, transit_id is not None)
        found |= dict.fromkeys(asked.intersection(called), item)
    return found

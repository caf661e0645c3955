"""Counts of stock per place, kind and state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import DataState
from inventory.store.items import sort_column
from inventory.store.schema import SubscriptionData
from inventory.store.stock import stock_table


@dataclass(frozen=True)
class StockCount:
    """So many items of a kind and sort (card product, kind of number) in one state at one holder.

    `on_the_way` of them have not been signed for.
    """

    resource: str
    holder_id: int
    sort: str
    state: str
    count: int
    on_the_way: int


@dataclass(frozen=True)
class DataPool:
    """The card data of one HLR: without a free unit no blank can become a card of its numbers.

    `numbered` of the free ones have an ICCID, for blanks that have a chip serial only.
    """

    hlr: str
    free: int
    numbered: int
    total: int


async def stock_counts(
    session: AsyncSession, *, city_id: int, holders: Collection[int], resource: str | None = None
) -> list[StockCount]:
    """Return the counts of what the holders have, of one kind of stock or of every kind."""
    kinds = [kind for kind in KINDS.values() if resource in {None, kind.name}]
    found: list[StockCount] = []
    for kind in kinds:
        table = stock_table(kind)
        sort = sort_column(kind)
        rows = await session.execute(
            select(
                literal(kind.name), table.c.holder_id, sort, table.c.state, func.count(), func.count(table.c.transit_id)
            )
            .where(table.c.city_id == city_id, table.c.holder_id.in_(holders))
            .group_by(table.c.holder_id, sort, table.c.state)
            .order_by(table.c.holder_id, sort, table.c.state)
        )
        found += [StockCount(*row) for row in rows]
    return found


async def data_pools(session: AsyncSession, *, city_id: int) -> list[DataPool]:
    """Return for each HLR of the city how many data units it has, how many are free, and of these with an ICCID."""
    is_free = SubscriptionData.state == DataState.FREE
    counts = func.count().filter(is_free), func.count(SubscriptionData.iccid).filter(is_free), func.count()
    query = (
        select(SubscriptionData.hlr_code, *counts)
        .where(SubscriptionData.city_id == city_id)
        .group_by(SubscriptionData.hlr_code)
        .order_by(SubscriptionData.hlr_code)
    )
    return [DataPool(*row) for row in await session.execute(query)]

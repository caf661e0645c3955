"""Items by sort: what thresholds and quotas tell apart, a number's class or a card's product."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, and_, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.store.schema import Movement, MovementLine
from inventory.store.stock import stock_table

_BIGINTS = ARRAY(BigInteger)


@dataclass(frozen=True)
class SortCount:
    """So many items of a sort at one place itself; an HLR that items do not have is empty."""

    org_id: int
    resource: str
    sort: str
    hlr: str
    count: int


def sort_of(kind: ResourceKind) -> ColumnElement[str]:
    """Give the expression that tells sorts of a kind apart."""
    c = stock_table(kind).c
    return cast(c.cls, Text) if kind is NUMBER else c.kind_code


def hlr_of(kind: ResourceKind) -> ColumnElement[str]:
    """Give the expression for the HLR of an item, empty if it has none."""
    return func.coalesce(stock_table(kind).c.hlr_code, "")


async def sorts_of(
    session: AsyncSession, kind: ResourceKind, ranges: Sequence[tuple[int, int]], *, city_id: int
) -> dict[str, int]:
    """Return how many of the items whose numbers lie in the ranges are of each sort."""
    table, sort = stock_table(kind), sort_of(kind)
    los, his = ([run[end] for run in ranges] for end in (0, 1))
    runs = func.unnest(literal(los, _BIGINTS), literal(his, _BIGINTS)).table_valued("lo", "hi").render_derived("run")
    query = (
        select(sort, func.count())
        .join_from(runs, table, table.c.item_no.between(runs.c.lo, runs.c.hi))
        .where(table.c.city_id == city_id)
        .group_by(sort)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def moved_since(
    session: AsyncSession,
    kind: ResourceKind,
    movement: str,
    by: Literal["from_holder", "to_holder"],
    *,
    city_id: int,
    holders: Collection[int],
    since: datetime,
) -> list[SortCount]:
    """Return how many items such documents moved since then, by who gave or who received them, and sort."""
    table, line = stock_table(kind), MovementLine
    end = getattr(Movement, by)
    group = (end, literal(kind.name), sort_of(kind), hlr_of(kind))
    query = (
        select(*group, func.count())
        .select_from(Movement)
        .join(line, and_(line.city_id == Movement.city_id, line.movement_id == Movement.movement_id))
        .join(table, and_(table.c.city_id == line.city_id, table.c.item_no.between(line.lo, line.hi)))
        .where(
            Movement.city_id == city_id,
            Movement.kind == movement,
            Movement.resource == kind.name,
            Movement.created_at >= since,
            end.in_(holders),
        )
        .group_by(group[0], group[2], group[3])
    )
    return [SortCount(*row) for row in await session.execute(query)]

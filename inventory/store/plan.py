"""The national number plan: replaced as a whole from a named, dated source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.copying import copy_rows
from inventory.store.schema import Base, NumberPlan, NumberPlanSource


class PlanRow(NamedTuple):
    """One seven-digit prefix of the plan, in the order of the table's columns but the source.

    A tuple, as half a million are made at once.
    """

    prefix: str
    province_id: int | None
    city_id: int | None
    province: str
    city: str
    zip_code: str
    area_code: str
    range_holder: str
    kind: str


@dataclass(frozen=True)
class PlanSource:
    """Where the plan came from and what was done to it; counts by repair, and by what stayed unmapped."""

    id: int
    name: str
    version: str
    dated: date
    loaded_at: datetime
    row_count: int
    repaired: dict[str, int]
    unmapped: dict[str, int]


@dataclass(frozen=True)
class HolderCount:
    """How many segments of a city an operator holds by the plan, of its own or (`virtual`) lent to others."""

    carrier: str
    kind: str
    segments: int


_SOURCE = tuple(getattr(NumberPlanSource, field) for field in PlanSource.__dataclass_fields__)


async def find_source(session: AsyncSession, *, name: str, version: str) -> PlanSource | None:
    """Return the source if this version of it was loaded, or None."""
    query = select(*_SOURCE).where(NumberPlanSource.name == name, NumberPlanSource.version == version)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else PlanSource(*row)


async def source_in_force(session: AsyncSession) -> PlanSource | None:
    """Return the source of the rows that are there, or None if there are none."""
    current = select(NumberPlan.source_id).limit(1).scalar_subquery()
    row = (await session.execute(select(*_SOURCE).where(NumberPlanSource.id == current))).one_or_none()
    return None if row is None else PlanSource(*row)


async def holders_in(session: AsyncSession, city_id: int) -> list[HolderCount]:
    """Return who holds how many segments of the city, by name and kind."""
    columns = (NumberPlan.range_holder, NumberPlan.kind)
    query = select(*columns, func.count()).where(NumberPlan.city_id == city_id).group_by(*columns).order_by(*columns)
    return [HolderCount(*row) for row in await session.execute(query)]


async def add_source(
    session: AsyncSession,
    *,
    name: str,
    version: str,
    dated: date,
    row_count: int,
    repaired: dict[str, int],
    unmapped: dict[str, int],
    now: datetime,
) -> PlanSource:
    """Write the source and return it."""
    made = await session.execute(
        insert(NumberPlanSource)
        .values(
            name=name,
            version=version,
            dated=dated,
            loaded_at=now,
            row_count=row_count,
            repaired=repaired,
            unmapped=unmapped,
        )
        .returning(*_SOURCE)
    )
    return PlanSource(*made.one())


async def replace_plan(
    session: AsyncSession, rows: Sequence[PlanRow], *, source_id: int, on_progress: Callable[[int], None]
) -> None:
    """Put these rows in the place of the whole plan; `on_progress` is told how many are in."""
    await session.execute(delete(NumberPlan))
    columns = (*PlanRow._fields, "source_id")
    lines = ((*row, source_id) for row in rows)
    await copy_rows(session, Base.metadata.tables[NumberPlan.__tablename__], columns, lines, on_progress=on_progress)

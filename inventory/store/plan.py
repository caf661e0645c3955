"""The national number plan: replaced as a whole from a named, dated source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.copying import copy_rows
from inventory.store.schema import NumberPlan, NumberPlanSource


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


async def find_source(session: AsyncSession, *, name: str, version: str) -> PlanSource | None:
    """Return the source if this version of it was loaded, or None."""
    columns = (getattr(NumberPlanSource, field) for field in PlanSource.__dataclass_fields__)
    query = select(*columns).where(NumberPlanSource.name == name, NumberPlanSource.version == version)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else PlanSource(*row)


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
) -> int:
    """Write the source and return its id."""
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
        .returning(NumberPlanSource.id)
    )
    return made.scalar_one()


async def replace_plan(
    session: AsyncSession, rows: Sequence[PlanRow], *, source_id: int, on_progress: Callable[[int], None]
) -> None:
    """Put these rows in the place of the whole plan; `on_progress` is told how many are in."""
    await session.execute(delete(NumberPlan))
    columns = (*PlanRow._fields, "source_id")
    lines = ((*row, source_id) for row in rows)
    await copy_rows(session, NumberPlan.__tablename__, columns, lines, on_progress=on_progress)

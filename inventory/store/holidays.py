"""The holidays of each city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import CityHoliday


@dataclass(frozen=True)
class HolidayRow:
    """A holiday of a city and who added it."""

    day: date
    name: str
    added_by: str


async def holidays_of(session: AsyncSession, *, city_id: int, since: date) -> list[HolidayRow]:
    """Return the city's holidays from a day on, in order."""
    columns = (getattr(CityHoliday, name) for name in HolidayRow.__dataclass_fields__)
    query = select(*columns).where(CityHoliday.city_id == city_id, CityHoliday.day >= since).order_by(CityHoliday.day)
    return [HolidayRow(*row) for row in await session.execute(query)]


async def add(
    session: AsyncSession, days: Sequence[date], name: str, *, city_id: int, added_by: str, now: datetime
) -> list[date]:
    """Insert those of the days that are no holidays of the city yet, and return them."""
    rows = [{"city_id": city_id, "day": day, "name": name, "added_by": added_by, "added_at": now} for day in days]
    return list(
        await session.scalars(insert(CityHoliday).values(rows).on_conflict_do_nothing().returning(CityHoliday.day))
    )


async def remove(session: AsyncSession, day: date, *, city_id: int) -> str | None:
    """Remove a holiday of the city and return its name, or None if it is none."""
    gone = delete(CityHoliday).where(CityHoliday.city_id == city_id, CityHoliday.day == day)
    return (await session.scalars(gone.returning(CityHoliday.name))).one_or_none()

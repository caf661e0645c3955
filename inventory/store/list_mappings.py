"""What is remembered of vendors' lists: where their columns are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import ListMapping


@dataclass(frozen=True)
class Mapping:
    """Where the columns of a vendor's lists of one kind were the last time: `iccid=2,serial=卡片编号`."""

    vendor: str
    kind: str
    columns: str


async def remember(session: AsyncSession, *, city_id: int, vendor: str, kind: str, columns: str, now: datetime) -> None:
    """Remember where the columns are, in the place of what was remembered of this vendor and kind."""
    values = {"columns": columns, "updated_at": now}
    statement = upsert(ListMapping).values(city_id=city_id, vendor=vendor, kind=kind, **values)
    key = [ListMapping.city_id, ListMapping.vendor, ListMapping.kind]
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


async def mappings_of(session: AsyncSession, *, city_id: int) -> list[Mapping]:
    """Return what is remembered in the city, by vendor."""
    columns = (ListMapping.vendor, ListMapping.kind, ListMapping.columns)
    query = select(*columns).where(ListMapping.city_id == city_id).order_by(ListMapping.vendor, ListMapping.kind)
    return [Mapping(*row) for row in await session.execute(query)]

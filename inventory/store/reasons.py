"""Keep the reasons of each city, and count what was done for which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.reasons import Reason
from inventory.store.schema import Event, ReasonRow
from inventory.store.schema.reasons import EVERY_CITY

_COLUMNS = tuple(getattr(ReasonRow, name) for name in Reason.__dataclass_fields__)


async def reasons_of(session: AsyncSession, city_id: int) -> list[Reason]:
    """Return the reasons of a city by code, closed ones too; the city's own row goes before the product's."""
    query = (
        select(*_COLUMNS)
        .where(ReasonRow.city_id.in_([EVERY_CITY, city_id]))
        .order_by(ReasonRow.code, ReasonRow.city_id)
    )
    rows = await session.execute(query)
    found = {code: Reason(code, zh, en, tuple(purposes), active) for code, zh, en, purposes, active in rows}
    return list(found.values())


async def keep(session: AsyncSession, reason: Reason, *, city_id: int, changed_by: str, now: datetime) -> None:
    """Write a reason of the city, in the place of what it was."""
    values = {**vars(reason), "purposes": list(reason.purposes), "changed_at": now, "changed_by": changed_by}
    statement = insert(ReasonRow).values(city_id=city_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[ReasonRow.city_id, ReasonRow.code], set_=values)
    )


@dataclass(frozen=True)
class ReasonCount:
    """How often something happened for a reason, and to how many items."""

    code: str
    event: str
    acts: int
    items: int


async def count_given(session: AsyncSession, *, city_id: int, since: datetime) -> list[ReasonCount]:
    """Return what was done for the reasons of the table from `since` on, by code and event.

    The event of an act has the code, those of its single items have not: nothing is counted twice.
    """
    items = func.coalesce(cast(Event.data["count"].as_string(), BigInteger), 1)
    query = (
        select(Event.reason_code, Event.name, func.count(), cast(func.sum(items), BigInteger))
        .where(Event.city_id == city_id, Event.reason_code.is_not(None), Event.at >= since)
        .group_by(Event.reason_code, Event.name)
        .order_by(Event.reason_code, Event.name)
    )
    rows = await session.execute(query)
    return [ReasonCount(code or "", name, acts, count) for code, name, acts, count in rows]

"""Thresholds of stock, and what there is free and was sold of each sort at each place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import kind_named
from inventory.domain.lifecycle import DataState
from inventory.store.schema import Organisation, StockThreshold, SubscriptionData
from inventory.store.sorts import SortCount, hlr_of, sort_of
from inventory.store.stock import stock_table

DATA = "data"
"""Thresholds of card data, beside those of the kinds of stock."""
NUMBERED = "iccid"
"""The sort of card data that bring an ICCID."""


class About(NamedTuple):
    """What a threshold is about: a place, a kind of stock or `DATA`, a sort and an HLR; empty is any."""

    org_id: int
    resource: str
    sort: str
    hlr: str


@dataclass(frozen=True)
class Threshold:
    """See `StockThreshold` for the meaning of each field."""

    org_id: int
    resource: str
    sort: str
    hlr: str
    minimum: int
    low_since: datetime | None
    staff_no: str
    changed_at: datetime

    @property
    def about(self) -> About:
        """What it is about."""
        return About(self.org_id, self.resource, self.sort, self.hlr)


_COLUMNS = tuple(getattr(StockThreshold, name) for name in Threshold.__dataclass_fields__)


async def free_items(
    session: AsyncSession, resource: str, *, city_id: int, holders: Collection[int]
) -> list[SortCount]:
    """Return how many items of a kind could be sold now, by holder and sort; card data lies with the city company."""
    if resource == DATA:
        return await _free_data(session, city_id=city_id, holders=holders)
    kind = kind_named(resource)
    c = stock_table(kind).c
    group = (c.holder_id, literal(kind.name), sort_of(kind), hlr_of(kind))
    query = (
        select(*group, func.count())
        .where(
            c.city_id == city_id, c.state == kind.lifecycle.initial, c.transit_id.is_(None), c.holder_id.in_(holders)
        )
        .group_by(group[0], group[2], group[3])
    )
    return [SortCount(*row) for row in await session.execute(query)]


async def _free_data(session: AsyncSession, *, city_id: int, holders: Collection[int]) -> list[SortCount]:
    city = select(Organisation.id).where(Organisation.city_id == city_id, Organisation.parent_id.is_(None))
    top = await session.scalar(city)
    if top is None or top not in holders:
        return []
    sort = case((SubscriptionData.iccid.is_(None), literal("")), else_=literal(NUMBERED)).label("sort")
    query = (
        select(literal(top), literal(DATA), sort, SubscriptionData.hlr_code, func.count())
        .where(SubscriptionData.city_id == city_id, SubscriptionData.state == DataState.FREE)
        .group_by(sort, SubscriptionData.hlr_code)
    )
    return [SortCount(*row) for row in await session.execute(query)]


async def thresholds(session: AsyncSession, *, city_id: int, places: Collection[int]) -> list[Threshold]:
    """Return the thresholds of the places."""
    query = (
        select(*_COLUMNS)
        .where(StockThreshold.city_id == city_id, StockThreshold.org_id.in_(places))
        .order_by(StockThreshold.org_id, StockThreshold.resource, StockThreshold.sort, StockThreshold.hlr)
    )
    return [Threshold(*row) for row in await session.execute(query)]


async def watched_cities(session: AsyncSession) -> list[int]:
    """Return the cities that have thresholds."""
    return list(await session.scalars(select(StockThreshold.city_id).distinct().order_by(StockThreshold.city_id)))


async def thresholds_to_watch(session: AsyncSession, *, city_id: int) -> list[Threshold]:
    """Return and lock the city's thresholds; those that another watcher has are its."""
    query = select(*_COLUMNS).where(StockThreshold.city_id == city_id).with_for_update(skip_locked=True)
    return [Threshold(*row) for row in await session.execute(query)]


async def count_low(session: AsyncSession, *, city_id: int, places: Collection[int]) -> int:
    """Return how many thresholds of the places are known to be crossed."""
    query = select(func.count()).where(
        StockThreshold.city_id == city_id, StockThreshold.org_id.in_(places), StockThreshold.low_since.is_not(None)
    )
    return await session.scalar(query) or 0


async def set_low(session: AsyncSession, threshold: Threshold, *, city_id: int, since: datetime | None) -> None:
    """Keep since when a locked threshold is crossed, or that it is not any more."""
    await session.execute(update(StockThreshold).where(*_same(city_id, threshold.about)).values(low_since=since))


async def put_threshold(
    session: AsyncSession, about: About, *, city_id: int, minimum: int, staff_no: str, now: datetime
) -> int | None:
    """Set the threshold and return what it was, None if there was none; whether it is crossed is seen anew."""
    before = await session.scalar(select(StockThreshold.minimum).where(*_same(city_id, about)).with_for_update())
    changed = {"minimum": minimum, "staff_no": staff_no, "changed_at": now}
    await session.execute(
        insert(StockThreshold)
        .values(city_id=city_id, **about._asdict(), **changed)
        .on_conflict_do_update(index_elements=["city_id", *About._fields], set_=changed)
    )
    return before


async def drop_threshold(session: AsyncSession, about: About, *, city_id: int) -> int | None:
    """Take the threshold away and return what it was, None if there was none."""
    gone = delete(StockThreshold).where(*_same(city_id, about)).returning(StockThreshold.minimum)
    return (await session.execute(gone)).scalar_one_or_none()


def _same(city_id: int, about: About) -> tuple[ColumnElement[bool], ...]:
    return (
        StockThreshold.city_id == city_id,
        *(getattr(StockThreshold, name) == value for name, value in about._asdict().items()),
    )

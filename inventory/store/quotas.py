"""Quotas of issues and what is used of them: one row, one atomic statement for each use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import IssueQuota
from inventory.store.stock import lock_for_transaction


class About(NamedTuple):
    """What a quota is about: who receives, a kind of stock, a sort of it (empty: any), and its period."""

    org_id: int
    resource: str
    sort: str
    period: str


@dataclass(frozen=True)
class Quota:
    """See `IssueQuota` for the meaning of each field."""

    org_id: int
    resource: str
    sort: str
    period: str
    most: int
    used: int
    begun: date

    @property
    def about(self) -> About:
        """What it is about."""
        return About(self.org_id, self.resource, self.sort, self.period)

    def left(self, begin: date) -> int:
        """Return what is left of it in the period that begins on that day."""
        return max(0, self.most - (self.used if self.begun == begin else 0))


_COLUMNS = tuple(getattr(IssueQuota, name) for name in Quota.__dataclass_fields__)


async def quotas_of(
    session: AsyncSession, *, city_id: int, places: Collection[int], resource: str | None = None
) -> list[Quota]:
    """Return the quotas of the places, of one kind of stock or of all."""
    query = select(*_COLUMNS).where(IssueQuota.city_id == city_id, IssueQuota.org_id.in_(places))
    if resource is not None:
        query = query.where(IssueQuota.resource == resource)
    query = query.order_by(IssueQuota.org_id, IssueQuota.resource, IssueQuota.sort, IssueQuota.period)
    return [Quota(*row) for row in await session.execute(query)]


async def lock_quotas(session: AsyncSession, *, city_id: int, org_id: int, shared: bool = False) -> None:
    """Keep the quotas of a place as they are until the transaction ends.

    Issues share it from before they read the quotas, so that whoever sets one finds each issue either in the documents
    or not begun: what was issued already counts, once.
    """
    await lock_for_transaction(session, f"quota/{city_id}/{org_id}", shared=shared)


async def use(session: AsyncSession, about: About, *, city_id: int, count: int, begin: date) -> int | None:
    """Use so much of a quota in the period that begins on that day; return what is left, or None if it is too much.

    Of two at once the second waits for the first and then counts with it.
    """
    used = case((IssueQuota.begun == begin, IssueQuota.used), else_=0)
    statement = (
        update(IssueQuota)
        .where(*_same(city_id, about), used + count <= IssueQuota.most)
        .values(used=used + count, begun=begin)
        .returning(IssueQuota.most - IssueQuota.used)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def put_quota(
    session: AsyncSession,
    about: About,
    *,
    city_id: int,
    most: int,
    used: int,
    begun: date,
    staff_no: str,
    now: datetime,
) -> int | None:
    """Set the quota with what is used of it, and return what it was, None if there was none."""
    before = await session.scalar(select(IssueQuota.most).where(*_same(city_id, about)).with_for_update())
    changed = {"most": most, "used": used, "begun": begun, "staff_no": staff_no, "changed_at": now}
    await session.execute(
        insert(IssueQuota)
        .values(city_id=city_id, **about._asdict(), **changed)
        .on_conflict_do_update(index_elements=["city_id", *About._fields], set_=changed)
    )
    return before


async def drop_quota(session: AsyncSession, about: About, *, city_id: int) -> int | None:
    """Take the quota away and return what it was, None if there was none."""
    gone = delete(IssueQuota).where(*_same(city_id, about)).returning(IssueQuota.most)
    return (await session.execute(gone)).scalar_one_or_none()


def _same(city_id: int, about: About) -> tuple[ColumnElement[bool], ...]:
    return (
        IssueQuota.city_id == city_id,
        *(getattr(IssueQuota, name) == value for name, value in about._asdict().items()),
    )

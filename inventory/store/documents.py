"""Movement documents that meet conditions, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    cast,
    func,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from inventory.domain.kinds import ResourceKind
from inventory.store.movements import Document
from inventory.store.schema import Movement, MovementLine
from inventory.store.stock import name_column, stock_table
from inventory.store.streams import Stream, in_batches

_ENDS = (Movement.from_holder, Movement.to_holder)


@dataclass(frozen=True, kw_only=True)
class DocumentFilter:
    """Conditions that all hold; None and the empty tuple ask for nothing.

    A document is listed if giver or receiver is one of the holders; None: the whole city's. `since` is included,
    `until` is not.
    """

    holders: Collection[int] | None
    kind: str | None = None
    resource: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_documents(
    session: AsyncSession, wanted: DocumentFilter, *, city_id: int, before: int | None, limit: int
) -> list[Document]:
    """Return the first `limit` of the documents, of those older than the document `before` if one is given."""
    conditions = _conditions(wanted, city_id=city_id)
    if before is not None:
        conditions.append(Movement.movement_id < before)
    if wanted.holders is not None:
        conditions = [Movement.city_id == city_id, Movement.movement_id.in_(_newest(wanted.holders, conditions, limit))]
    query = _documents(conditions).limit(limit)
    return [Document(*row) for row in await session.execute(query)]


def stream_documents(session: AsyncSession, wanted: DocumentFilter, *, city_id: int) -> Stream[Document]:
    """Give all of the documents, batch by batch."""
    conditions = _conditions(wanted, city_id=city_id)
    if wanted.holders is not None:
        conditions.append(or_(Movement.from_holder.in_(wanted.holders), Movement.to_holder.in_(wanted.holders)))
    return in_batches(session, _documents(conditions), Document)


@dataclass(frozen=True)
class DocumentRun:
    """Items of a document without a gap between their numbers: the names of the first and the last, and how many."""

    first: str
    last: str
    count: int


async def runs_of(
    session: AsyncSession, kind: ResourceKind, document: Document, *, city_id: int, limit: int
) -> list[DocumentRun]:
    """Return the first `limit` runs of the document's items, in order."""
    line = MovementLine
    size = line.hi - line.lo + 1
    before = func.sum(size).over(order_by=line.lo) - size
    lines = (
        select(line.lo, line.hi, (line.lo - before).label("run"))
        .where(line.city_id == city_id, line.movement_id == document.movement_id)
        .subquery()
    )
    lo, hi = func.min(lines.c.lo), func.max(lines.c.hi)
    runs = select(lo.label("lo"), hi.label("hi")).group_by(lines.c.run).order_by(lo).limit(limit).subquery()
    table = stock_table(kind)
    name = select(name_column(kind)).where(table.c.city_id == city_id)
    first, last = (name.where(table.c.item_no == end).scalar_subquery() for end in (runs.c.lo, runs.c.hi))
    query = select(first, last, runs.c.hi - runs.c.lo + 1).order_by(runs.c.lo)
    return [DocumentRun(*row) for row in await session.execute(query)]


def _documents(conditions: Iterable[ColumnElement[bool]]) -> Select[Any]:
    columns = (getattr(Movement, name) for name in Document.__dataclass_fields__)
    return select(*columns).where(*conditions).order_by(Movement.movement_id.desc())


def _conditions(wanted: DocumentFilter, *, city_id: int) -> list[ColumnElement[bool]]:
    """Give what must hold besides the holders."""
    conditions: list[ColumnElement[bool]] = [Movement.city_id == city_id]
    if wanted.kind is not None:
        conditions.append(Movement.kind == wanted.kind)
    if wanted.resource is not None:
        conditions.append(Movement.resource == wanted.resource)
    if wanted.since is not None:
        conditions.append(Movement.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Movement.created_at < wanted.until)
    return conditions


def _newest(holders: Collection[int], conditions: Collection[ColumnElement[bool]], limit: int) -> Select[tuple[int]]:
    """Give the numbers of the `limit` newest documents of the holders, each end in its own index.

    The city's documents in order would be walked to their end for a place with few of them. Instead each end of each
    holder tells its newest document; where there are more ends than are wanted, only those are read on whose newest
    is new enough.
    """
    place = func.unnest(cast(sorted(holders), ARRAY(BigInteger))).table_valued("id", name="place").render_derived()
    tips = [_walks(end, place, conditions, 1).cte(f"tip_{end.key}") for end in _ENDS]
    told = union_all(*(select(tip.c.movement_id) for tip in tips)).subquery()
    # A document is the newest of its giver and of its receiver: twice `limit` of them are at least `limit` documents
    nth = select(told.c.movement_id).order_by(told.c.movement_id.desc()).offset(2 * limit - 1).limit(1)
    least = select(func.coalesce(nth.scalar_subquery(), 0).label("movement_id")).cte("least")
    since = select(least.c.movement_id).scalar_subquery()
    found = []
    for end, tip in zip(_ENDS, tips, strict=True):
        read_on = _walks(end, tip, [*conditions, Movement.movement_id >= since], limit)
        found.append(select(read_on.where(tip.c.movement_id >= since).subquery().c.movement_id))
    numbers = union(*found).subquery()
    return select(numbers.c.movement_id).order_by(numbers.c.movement_id.desc()).limit(limit)


def _walks(
    end: InstrumentedAttribute[Any], holders: FromClause, conditions: Collection[ColumnElement[bool]], limit: int
) -> Select[tuple[int, int]]:
    """Give each holder with the numbers of the newest documents that have it at this end."""
    mine = select(Movement.movement_id).where(*conditions, end == holders.c.id)
    newest = mine.order_by(Movement.movement_id.desc()).limit(limit).correlate(holders).lateral()
    return select(holders.c.id, newest.c.movement_id).join_from(holders, newest, true())

"""Stock items of any kind: find one, and move its state; the only place where a state changes by key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    ColumnElement,
    Table,
    and_,
    cast,
    func,
    not_,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain import ledger
from inventory.domain.kinds import NUMBER, SIM, ResourceKind
from inventory.domain.lifecycle import LoadState
from inventory.store.schema import Base, LoadBatch, Segment

_OTHER_KEYS = {SIM.name: ("serial",)}
"""Columns that name an item beside its natural key: a blank without ICCID is known by its chip serial."""


@dataclass(frozen=True)
class StockedItem:
    """One stock item as it is now. `name` is its natural key, or the chip serial of a card without ICCID.

    `row` holds every column of its table.
    """

    item_no: int
    name: str
    state: str
    version: int
    holder_id: int
    transit_id: int | None
    pool: str | None
    hold_id: int | None
    hold_until: datetime | None
    batch_id: int
    updated_at: datetime
    row: dict[str, Any]


def stock_table(kind: ResourceKind) -> Table:
    """Give the stock table of the kind."""
    return Base.metadata.tables[kind.table]


def key_columns(kind: ResourceKind) -> tuple[ColumnElement[str], ...]:
    """Give the columns by which an item of the kind may be named, the natural key first."""
    table = stock_table(kind)
    return tuple(table.c[name] for name in (kind.key, *_OTHER_KEYS.get(kind.name, ())))


def name_column(kind: ResourceKind) -> ColumnElement[str]:
    """Give the expression for an item's name: its natural key, else the next name it has."""
    first, *rest = key_columns(kind)
    return func.coalesce(first, *rest) if rest else first


async def find_item(
    session: AsyncSession, kind: ResourceKind, *, city_id: int, name: str, lock: bool = False
) -> StockedItem | None:
    """Return the item called `name` in the city, or None; `lock` keeps others from changing it until the end.

    Where one card's ICCID is another's serial, the ICCID counts.
    """
    table = stock_table(kind)
    natural, *others = key_columns(kind)
    wanted = and_(table.c.city_id == city_id, or_(natural == name, *(column == name for column in others)))
    query = select(table).where(wanted).order_by((natural == name).desc().nulls_last()).limit(1)
    row = (await session.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    if row is None:
        return None
    found = dict(row)
    names = (found[column.key] for column in key_columns(kind) if column.key is not None)
    return StockedItem(
        item_no=found["item_no"],
        name=next(value for value in names if value is not None),
        state=found["state"],
        version=found["version"],
        holder_id=found["holder_id"],
        transit_id=found["transit_id"],
        pool=found["pool"],
        hold_id=found["hold_id"],
        hold_until=found["hold_until"],
        batch_id=found["batch_id"],
        updated_at=found["updated_at"],
        row=found,
    )


async def move_state(
    session: AsyncSession,
    kind: ResourceKind,
    *,
    city_id: int,
    item_no: int,
    from_state: str,
    version: int,
    to_state: str,
    now: datetime,
    despite_order: bool = False,
    **also: Any,
) -> bool:
    """Move one item's state by compare-and-set, together with the columns in `also`; the version rises by one.

    False means that someone else moved it first, or that it is under a legal hold: then it stays as it is, but for what
    is found out about it (`despite_order`). Whether the move is legal is the life cycle's business, asked before.
    """
    table = stock_table(kind)
    statement = (
        update(table)
        .where(
            table.c.city_id == city_id,
            table.c.item_no == item_no,
            table.c.state == from_state,
            table.c.version == version,
            true() if despite_order else not_(table.c.legal_hold),
        )
        .values(state=to_state, version=version + 1, updated_at=now, **also)
        .returning(table.c.item_no)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def reserve_item_numbers(session: AsyncSession, kind: ResourceKind, *, city_id: int, count: int) -> range:
    """Return `count` item numbers not given yet in the city, aligned at a power of ten (docs/ledger.md).

    The block is the caller's until its transaction ends; a second load of the same city and kind waits.
    """
    table = stock_table(kind)
    await lock_for_transaction(session, f"item_no/{city_id}/{kind.name}")
    last = await session.scalar(select(func.max(table.c.item_no)).where(table.c.city_id == city_id))
    # A load that was undone has left a gap behind the last item: what happened there is another item's.
    undone = select(func.max(cast(LoadBatch.figures["last_item_no"].astext, BigInteger))).where(
        LoadBatch.city_id == city_id, LoadBatch.resource == kind.name, LoadBatch.state == LoadState.UNDONE
    )
    last = max((number for number in (last, await session.scalar(undone)) if number is not None), default=-1)
    free = last + 1
    if kind is NUMBER:
        # A segment keeps the item numbers of those of its numbers that are not in stock yet.
        kept = func.max(Segment.first_item_no + Segment.size)
        free = max(free, await session.scalar(select(kept).where(Segment.city_id == city_id)) or 0)
    return ledger.allocate(free, count)


async def lock_for_transaction(session: AsyncSession, name: str, *, shared: bool = False) -> None:
    """Take the advisory lock called `name` until the transaction ends; whoever else asks for it waits.

    Those who take it `shared` do not wait for each other.
    """
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    await session.execute(select(lock(func.hashtextextended(name, 0))))


async def join_by_hash(session: AsyncSession) -> None:
    """Keep this transaction from nested loops over sets whose size the planner cannot know, such as a picked CTE.

    A million items picked and joined row by row took minutes; joined by hash they take seconds.
    """
    await session.execute(text("SET LOCAL enable_nestloop = off"))


async def allow_long_statements(session: AsyncSession) -> None:
    """Lift the statement time-out until the transaction ends: bulk work is bounded by its input, not by a clock."""
    await session.execute(text("SET LOCAL statement_timeout = 0"))


async def refresh_statistics(session: AsyncSession, tables: Iterable[str]) -> None:
    """Let the planner see what a load has changed; without it by-key statements may scan a partial index."""
    for name in tables:
        await analyze(session, Base.metadata.tables[name])


async def analyze(session: AsyncSession, table: Table, *, roughly: bool = False) -> None:
    """Let the planner see what a table holds now; `roughly`: from a tenth of the sample, enough to choose a join."""
    statement = DDL("ANALYZE %(table)s")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    if roughly:
        await session.execute(text("SET LOCAL default_statistics_target = 10"))
    await session.execute(statement.against(table))
    if roughly:
        await session.execute(text("SET LOCAL default_statistics_target TO DEFAULT"))

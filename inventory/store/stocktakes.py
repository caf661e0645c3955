"""Stocktakes: the book as it stands, what was scanned, and the two compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Table,
    and_,
    any_,
    exists,
    func,
    insert,
    literal,
    not_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain import ledger
from inventory.domain.kinds import ResourceKind
from inventory.domain.lifecycle import SimState, StocktakeState
from inventory.store.schema import Movement, MovementLine, Stocktake, StocktakeFinding, StocktakeScan
from inventory.store.schema.base import CodeText
from inventory.store.selection import ByName, named, of_sort
from inventory.store.stock import key_columns, name_column, stock_table
from inventory.store.streams import Stream, in_batches


@dataclass(frozen=True)
class StocktakeRow:
    """A stocktake; see `Stocktake` for the meaning of each field."""

    city_id: int
    stocktake_id: int
    resource: str
    place_id: int
    with_below: bool
    sort: str | None
    state: str
    after_movement: int
    opened_by: str
    interface_no: str
    opened_at: datetime
    counted_by: str | None
    closed_by: str | None
    closed_at: datetime | None
    figures: dict[str, Any]
    ended_by: str | None
    approver: str | None
    ended_at: datetime | None
    reason: str | None


@dataclass(frozen=True)
class BookItem:
    """An item as the book has it."""

    item_no: int
    name: str
    state: str
    holder_id: int
    in_transit: bool
    on_hold: bool


@dataclass(frozen=True)
class FindingRow:
    """A difference; see `StocktakeFinding` for the meaning of each field."""

    finding_no: int
    code: str
    name: str
    item_no: int | None
    state: str | None
    holder_id: int | None
    last_movement: int | None
    settled: bool = False
    settled_by: int | None = None


@dataclass(frozen=True)
class Place:
    """Where is counted: the ids of the holders, and the sort of items."""

    holders: Collection[int]
    sort: str | None


_ROW = tuple(getattr(Stocktake, name) for name in StocktakeRow.__dataclass_fields__)
_FINDING = tuple(getattr(StocktakeFinding, name) for name in FindingRow.__dataclass_fields__)


async def add(session: AsyncSession, **values: Any) -> StocktakeRow:
    """Insert an open stocktake behind the city's last document and return it."""
    last = select(func.coalesce(func.max(Movement.movement_id), 0)).where(Movement.city_id == values["city_id"])
    row = {"state": StocktakeState.OPEN, "after_movement": last.scalar_subquery(), **values}
    return StocktakeRow(*(await session.execute(insert(Stocktake).values(row).returning(*_ROW))).one())


async def find(
    session: AsyncSession, *, city_id: int, stocktake_id: int, lock: bool = False, share: bool = False
) -> StocktakeRow | None:
    """Return a stocktake of the city, or None.

    `lock` keeps others from changing it until the end; `share` keeps it from being closed, and lets others scan.
    """
    query = select(*_ROW).where(Stocktake.city_id == city_id, Stocktake.stocktake_id == stocktake_id)
    if lock or share:
        query = query.with_for_update(read=share)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else StocktakeRow(*row)


async def stocktakes_at(
    session: AsyncSession, *, city_id: int, places: Collection[int], limit: int
) -> list[StocktakeRow]:
    """Return the first `limit` stocktakes of the places, as `stream_stocktakes` gives them all."""
    query = _stocktakes_at(city_id=city_id, places=places).limit(limit)
    return [StocktakeRow(*row) for row in await session.execute(query)]


def stream_stocktakes(session: AsyncSession, *, city_id: int, places: Collection[int]) -> Stream[StocktakeRow]:
    """Give the stocktakes of the places, open and closed ones first, then the newest."""
    return in_batches(session, _stocktakes_at(city_id=city_id, places=places), StocktakeRow)


def _stocktakes_at(*, city_id: int, places: Collection[int]) -> Select[Any]:
    under_way = Stocktake.state.in_([StocktakeState.OPEN, StocktakeState.CLOSED])
    return (
        select(*_ROW)
        .where(Stocktake.city_id == city_id, Stocktake.place_id.in_(places))
        .order_by(under_way.desc(), Stocktake.stocktake_id.desc())
    )


async def move(session: AsyncSession, row: StocktakeRow, **values: Any) -> StocktakeRow:
    """Change a locked stocktake and return it as it is now."""
    this = and_(Stocktake.city_id == row.city_id, Stocktake.stocktake_id == row.stocktake_id)
    changed = await session.execute(update(Stocktake).where(this).values(**values).returning(*_ROW))
    return StocktakeRow(*changed.one())


async def named_items(
    session: AsyncSession, kind: ResourceKind, names: Sequence[str], *, city_id: int
) -> dict[str, BookItem]:
    """Return the items by each of their names that was asked for; what the city does not have is left out."""
    table, columns = stock_table(kind), key_columns(kind)
    query = select(*_book(kind), *columns).where(table.c.city_id == city_id, named(kind, ByName(tuple(names))))
    asked = set(names)
    found: dict[str, BookItem] = {}
    for item_no, name, state, holder_id, in_transit, on_hold, *called in await session.execute(query):
        item = BookItem(item_no, name, state, holder_id, in_transit, on_hold)
        found |= dict.fromkeys(asked.intersection(called), item)
    return found


async def keep_scans(session: AsyncSession, row: StocktakeRow, scans: Sequence[Mapping[str, Any]]) -> int:
    """Keep what was scanned, each thing once, and return how many of them are new; `damaged` once said stays."""
    if not scans:
        return 0
    fresh = upsert(StocktakeScan).on_conflict_do_nothing().returning(StocktakeScan.name)
    new = (await session.scalars(fresh, list(scans))).all()
    damaged = [scan["name"] for scan in scans if scan["damaged"]]
    if damaged:
        these = and_(_of(StocktakeScan, row), StocktakeScan.name == any_(literal(damaged, ARRAY(CodeText))))
        await session.execute(update(StocktakeScan).where(these).values(damaged=True))
    return len(new)


async def count_scans(session: AsyncSession, row: StocktakeRow) -> int:
    """Return how many different things were scanned."""
    query = select(func.count()).select_from(StocktakeScan).where(_of(StocktakeScan, row))
    return (await session.execute(query)).scalar_one()


async def last_scans(session: AsyncSession, row: StocktakeRow, *, limit: int) -> list[tuple[str, str, bool]]:
    """Return name, staff id and damage of what was scanned last, the newest first."""
    query = (
        select(StocktakeScan.name, StocktakeScan.staff_no, StocktakeScan.damaged)
        .where(_of(StocktakeScan, row))
        .order_by(StocktakeScan.at.desc(), StocktakeScan.name)
        .limit(limit)
    )
    return [(name, staff_no, damaged) for name, staff_no, damaged in await session.execute(query)]


async def book_by_state(session: AsyncSession, kind: ResourceKind, row: StocktakeRow, place: Place) -> dict[str, int]:
    """Return how many items lie at the place by the book, by state."""
    table = stock_table(kind)
    query = select(table.c.state, func.count()).where(_lies(kind, row, place)).group_by(table.c.state)
    states: dict[str, int] = {}
    states.update(tuple(row) for row in await session.execute(query.order_by(table.c.state)))
    return states


async def unscanned(
    session: AsyncSession, kind: ResourceKind, row: StocktakeRow, place: Place
) -> list[tuple[BookItem, bool]]:
    """Return what lies at the place by the book and was not scanned, each with whether it came during the count."""
    table = stock_table(kind)
    came = exists().where(
        *_moved_since(kind, row, table),
        Movement.to_holder == table.c.holder_id,
    )
    query = (
        select(*_book(kind), came)
        .where(_lies(kind, row, place), ~_scanned(row, table))
        .order_by(table.c.holder_id, table.c.item_no)
    )
    return [(BookItem(*item), arrived) for *item, arrived in await session.execute(query)]


async def departed(session: AsyncSession, kind: ResourceKind, row: StocktakeRow, place: Place) -> list[BookItem]:
    """Return what left the place during the count, was not scanned and does not lie there now."""
    table = stock_table(kind)
    went = exists().where(*_moved_since(kind, row, table), Movement.from_holder.in_(place.holders))
    query = (
        select(*_book(kind))
        .where(
            table.c.city_id == row.city_id,
            of_sort(kind, place.sort),
            not_(_lies(kind, row, place)),
            went,
            ~_scanned(row, table),
        )
        .order_by(table.c.item_no)
    )
    return [BookItem(*item) for item in await session.execute(query)]


async def astray(
    session: AsyncSession, kind: ResourceKind, row: StocktakeRow, place: Place
) -> list[tuple[str, BookItem | None, bool]]:
    """Return what was scanned and did not lie here by the book then: name, the book now, whether it lies here now."""
    table, scan = stock_table(kind), StocktakeScan
    here_then = and_(
        scan.holder_id.in_(place.holders), not_(scan.in_transit), scan.state.in_(sorted(map(str, kind.in_hand)))
    )
    query = (
        select(scan.name, *_book(kind), _lies(kind, row, place))
        .join(table, and_(table.c.city_id == scan.city_id, table.c.item_no == scan.item_no), isouter=True)
        .where(_of(scan, row), here_then.is_not(True))
        .order_by(scan.name)
    )
    return [
        (name, None if item[0] is None else BookItem(*item), bool(here))
        for name, *item, here in await session.execute(query)
    ]


async def found_damaged(session: AsyncSession, kind: ResourceKind, row: StocktakeRow, place: Place) -> list[BookItem]:
    """Return what lies here, was scanned as damaged, and is in another state by the book."""
    table, scan = stock_table(kind), StocktakeScan
    query = (
        select(*_book(kind))
        .join(scan, and_(scan.city_id == table.c.city_id, scan.item_no == table.c.item_no))
        .where(_of(scan, row), scan.damaged, _lies(kind, row, place), table.c.state != SimState.DAMAGED)
        .order_by(table.c.item_no)
    )
    return [BookItem(*item) for item in await session.execute(query)]


async def last_movements(
    session: AsyncSession, kind: ResourceKind, *, city_id: int, items: Sequence[int]
) -> dict[int, int]:
    """Return the number of each item's last document, found with one probe for each level of the ledger."""
    wanted = select(func.unnest(literal(list(items), ARRAY(BigInteger))).label("item_no")).subquery()
    line = MovementLine
    probes = [
        select(func.max(line.movement_id).label("movement_id"))
        .where(
            line.city_id == city_id,
            line.resource == kind.name,
            line.level == level,
            line.block == wanted.c.item_no // literal(10 ** (level + 1), BigInteger),
            line.lo <= wanted.c.item_no,
            line.hi >= wanted.c.item_no,
        )
        .correlate(wanted)
        .scalar_subquery()
        for level in range(ledger.LEVELS)
    ]
    rows = await session.execute(select(wanted.c.item_no, func.greatest(*probes)))
    return {item_no: movement_id for item_no, movement_id in rows if movement_id is not None}


async def keep_findings(session: AsyncSession, row: StocktakeRow, findings: Sequence[FindingRow]) -> None:
    """Write the differences of a stocktake."""
    if findings:
        common = {"city_id": row.city_id, "stocktake_id": row.stocktake_id}
        await session.execute(insert(StocktakeFinding), [{**common, **vars(finding)} for finding in findings])


async def findings_of(
    session: AsyncSession, row: StocktakeRow, *, after: int = 0, limit: int | None = None
) -> list[FindingRow]:
    """Return the differences of a stocktake behind number `after`, in order."""
    query = (
        select(*_FINDING)
        .where(_of(StocktakeFinding, row), StocktakeFinding.finding_no > after)
        .order_by(StocktakeFinding.finding_no)
        .limit(limit)
    )
    return [FindingRow(*finding) for finding in await session.execute(query)]


async def settle(session: AsyncSession, row: StocktakeRow, findings: Collection[int], *, by: int | None) -> None:
    """Keep that these differences are settled, and the document that did it."""
    these = and_(
        _of(StocktakeFinding, row), StocktakeFinding.finding_no == any_(literal(sorted(findings), ARRAY(BigInteger)))
    )
    await session.execute(update(StocktakeFinding).where(these).values(settled=True, settled_by=by))


def _book(kind: ResourceKind) -> tuple[ColumnElement[Any], ...]:
    """Give the columns of a `BookItem`."""
    table = stock_table(kind)
    return (
        table.c.item_no,
        name_column(kind),
        table.c.state,
        table.c.holder_id,
        table.c.transit_id.is_not(None),
        table.c.hold_id.is_not(None),
    )


def _of(table: type[StocktakeScan | StocktakeFinding], row: StocktakeRow) -> ColumnElement[bool]:
    """Give the condition that holds for what belongs to the stocktake."""
    return and_(table.city_id == row.city_id, table.stocktake_id == row.stocktake_id)


def _lies(kind: ResourceKind, row: StocktakeRow, place: Place) -> ColumnElement[bool]:
    """Give the condition that holds for what lies at the place by the book, signed for."""
    table = stock_table(kind)
    return and_(
        table.c.city_id == row.city_id,
        table.c.holder_id.in_(place.holders),
        table.c.transit_id.is_(None),
        table.c.state.in_(sorted(kind.in_hand)),
        of_sort(kind, place.sort),
    )


def _scanned(row: StocktakeRow, table: Table) -> ColumnElement[bool]:
    """Give the condition that holds for what was scanned."""
    return exists().where(_of(StocktakeScan, row), StocktakeScan.item_no == table.c.item_no)


def _moved_since(kind: ResourceKind, row: StocktakeRow, table: Table) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions that join an item with the documents that moved it since the count was opened."""
    return (
        Movement.city_id == row.city_id,
        Movement.movement_id > row.after_movement,
        Movement.resource == kind.name,
        MovementLine.city_id == Movement.city_id,
        MovementLine.movement_id == Movement.movement_id,
        table.c.item_no.between(MovementLine.lo, MovementLine.hi),
    )

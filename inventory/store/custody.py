"""Custody: hand items from one holder to another, set by set, and name those that may not go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import CTE, ColumnElement, Select, SQLColumnExpression, and_, func, literal, not_, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.boxes import Range
from inventory.domain.kinds import ResourceKind
from inventory.store.movements import INTAKE
from inventory.store.schema import Movement, MovementLine, Number
from inventory.store.selection import ByCount, ByName, Naming, Selection, lowest, movable, named
from inventory.store.stock import join_by_hash, key_columns, name_column, stock_table


@dataclass(frozen=True)
class MovedRange:
    """Items `lo` to `hi`, all moved; of numbers one outcome byte each, and the rule sets that gave them."""

    lo: int
    hi: int
    outcomes: bytes | None
    rule_sets: frozenset[int]

    @property
    def count(self) -> int:
        """How many items."""
        return self.hi - self.lo + 1


@dataclass(frozen=True)
class RefusedItem:
    """An item that the document names and that may not move, with what stands against it (None: not in stock)."""

    name: str
    state: str | None
    holder_id: int | None
    in_transit: bool
    on_hold: bool
    owed: bool = False
    """Under a recall order: it goes up and nowhere else."""
    expired: bool = False
    legally_held: bool = False


async def count_wanted(session: AsyncSession, kind: ResourceKind, selection: Selection, *, city_id: int) -> int:
    """Return how many items must move for the document to stand: a card scanned by both its names is one."""
    if isinstance(selection, ByCount):
        return selection.count
    if isinstance(selection, ByName):
        return len(selection.names) - await _named_twice(session, kind, selection, city_id=city_id)
    table = stock_table(kind)
    query = select(func.count()).select_from(table).where(table.c.city_id == city_id, named(kind, selection))
    return await session.scalar(query) or 0


async def _named_twice(session: AsyncSession, kind: ResourceKind, selection: ByName, *, city_id: int) -> int:
    """Return how many items are named by both names that they have."""
    columns = key_columns(kind)
    if len(columns) == 1:
        return 0
    query = select(*columns).where(stock_table(kind).c.city_id == city_id, named(kind, selection))
    wanted = set(selection.names)
    return sum(len(wanted.intersection(names)) - 1 for names in await session.execute(query))


async def hand_over(
    session: AsyncSession,
    kind: ResourceKind,
    selection: Selection,
    *,
    city_id: int,
    giver: int,
    receiver: int,
    states: Collection[str],
    owed_too: bool = False,
    legal_too: bool = False,
    good_on: date | None = None,
    on_the_way_as: int | None = None,
    now: datetime,
) -> list[MovedRange]:
    """Give the selected items that may move to the receiver and return them as ranges, in order.

    With `on_the_way_as`, the number of a document, they can neither be sold nor moved on before they are signed for.

    Guards on holder, transit, hold, state and, with `good_on`, on the last day; `version` stays, for custody is no
    state. The caller compares the count with what was wanted and rolls back if any is missing.
    """
    table = stock_table(kind)
    guard = movable(
        kind, city_id=city_id, holder_id=giver, states=states, owed_too=owed_too, legal_too=legal_too, good_on=good_on
    )
    chosen = lowest(kind, selection, guard) if isinstance(selection, ByCount) else named(kind, selection)
    rated = [table.c[name] for name in ("outcome", "rule_set_id") if name in table.c]
    moved = (
        update(table)
        .where(guard, chosen)
        .values(holder_id=receiver, transit_id=on_the_way_as, updated_at=now)
        .returning(table.c.item_no, *rated)
        .cte("moved")
    )
    await join_by_hash(session)
    return await ranges_of(session, moved)


async def end_the_way(
    session: AsyncSession,
    kind: ResourceKind,
    selection: Naming | None,
    *,
    city_id: int,
    movement_id: int,
    holder: int,
    on_the_way_as: int | None = None,
    now: datetime,
) -> list[MovedRange]:
    """Take the selected items (None: all) off the way they are on and return them as ranges, in order.

    They lie with the holder from now on, or are on their way to it under another document.
    """
    table = stock_table(kind)
    guard = and_(table.c.city_id == city_id, table.c.transit_id == movement_id)
    line = MovementLine.__table__.c
    here = and_(line.city_id == city_id, line.movement_id == movement_id, table.c.item_no.between(line.lo, line.hi))
    moved = (
        update(table)
        .where(guard, here if selection is None else named(kind, selection))
        .values(holder_id=holder, transit_id=on_the_way_as, updated_at=now)
        .returning(table.c.item_no)
        .cte("moved")
    )
    return await ranges_of(session, moved)


@dataclass(frozen=True)
class Among:
    """The names of a document's items: on their way by it (by number), come, and gone another way since."""

    coming: dict[int, list[str]] = field(default_factory=dict)
    come: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


async def among(
    session: AsyncSession, kind: ResourceKind, selection: Naming, *, city_id: int, movement_id: int, receiver: int
) -> Among:
    """Return how those of the selected items stand that are on the document; come is what lies with the receiver."""
    table, line = stock_table(kind), MovementLine.__table__.c
    on_it = select(line.lo).where(
        line.city_id == city_id, line.movement_id == movement_id, table.c.item_no.between(line.lo, line.hi)
    )
    still = func.coalesce(table.c.transit_id == movement_id, other=False)
    here = and_(table.c.transit_id.is_(None), table.c.holder_id == receiver)
    query = select(table.c.item_no, still, here, *key_columns(kind)).where(
        table.c.city_id == city_id, named(kind, selection), on_it.exists()
    )
    found = Among()
    for item_no, on_the_way, is_here, *names in await session.execute(query):
        known = [name for name in names if name is not None]
        if on_the_way:
            found.coming[item_no] = known
        else:
            (found.come if is_here else found.gone).extend(known)
    return found


async def of_load(
    session: AsyncSession,
    kind: ResourceKind,
    *,
    city_id: int,
    batch_id: int,
    holder_id: int | None = None,
    movement_id: int | None = None,
) -> list[Range]:
    """Return what of a load lies with the holder, signed for, or is on its way by the document, in order.

    The load's intake says which item numbers it gave, so that nothing else is looked at.
    """
    table, line = stock_table(kind), MovementLine.__table__
    where = table.c.transit_id == movement_id
    if movement_id is None:
        where = and_(table.c.holder_id == holder_id, table.c.transit_id.is_(None))
    intake = and_(Movement.city_id == city_id, Movement.batch_id == batch_id, Movement.kind == INTAKE)
    lines = and_(line.c.city_id == Movement.city_id, line.c.movement_id == Movement.movement_id)
    items = and_(table.c.city_id == city_id, table.c.item_no.between(line.c.lo, line.c.hi))
    query = select(table.c.item_no).select_from(Movement).join(line, lines).join(table, items)
    lying = query.where(intake, table.c.batch_id == batch_id, where).cte("lying")
    return [(run.lo, run.hi) for run in await ranges_of(session, lying)]


async def ranges_of(session: AsyncSession, moved: CTE, *, also: CTE | None = None) -> list[MovedRange]:
    """Run the statement that moves items, with what it does `also`, and return what it moved as ranges, in order."""
    islands = _islands(moved)
    rows = await session.execute(islands if also is None else islands.add_cte(also))
    return [MovedRange(row.lo, row.hi, row.outcomes, frozenset(row.rule_sets or ())) for row in rows]


def _islands(items: CTE) -> Select[tuple[int, int, bytes | None, list[int] | None]]:
    """Give the statement that gathers items into runs of consecutive numbers."""
    in_order = func.row_number().over(order_by=items.c.item_no)
    runs = select(*items.c, (items.c.item_no - in_order).label("run")).subquery()
    rated = "outcome" in items.c
    return (
        select(
            func.min(runs.c.item_no).label("lo"),
            func.max(runs.c.item_no).label("hi"),
            (_bytes_in_order(runs.c.outcome, runs.c.item_no) if rated else literal(None)).label("outcomes"),
            (func.array_agg(runs.c.rule_set_id.distinct()) if rated else literal(None)).label("rule_sets"),
        )
        .group_by(runs.c.run)
        .order_by(func.min(runs.c.item_no))
    )


def _bytes_in_order(value: SQLColumnExpression[int], order: SQLColumnExpression[int]) -> ColumnElement[bytes]:
    """Give the aggregate that strings small numbers together, one byte each."""
    one = func.set_byte(text("'\\x00'::bytea"), 0, value)
    return func.string_agg(one, aggregate_order_by(text("''::bytea"), order))


async def refused_items(
    session: AsyncSession,
    kind: ResourceKind,
    selection: Naming,
    *,
    city_id: int,
    giver: int,
    states: Collection[str],
    owed_too: bool,
    legal_too: bool,
    good_on: date | None = None,
    limit: int,
) -> list[RefusedItem]:
    """Return the first of the selected items that may not move, missing ones last."""
    table = stock_table(kind)
    ends = table.c.get("expires_on")
    guard = movable(
        kind, city_id=city_id, holder_id=giver, states=states, owed_too=owed_too, legal_too=legal_too, good_on=good_on
    )
    query = (
        select(
            name_column(kind),
            table.c.state,
            table.c.holder_id,
            table.c.transit_id.is_not(None),
            table.c.hold_id.is_not(None),
            table.c.recall_id.is_not(None),
            literal(value=False) if good_on is None or ends is None else func.coalesce(ends < good_on, other=False),
            table.c.legal_hold,
        )
        .where(table.c.city_id == city_id, named(kind, selection), not_(guard))
        .order_by(table.c.item_no)
        .limit(limit)
    )
    found = [RefusedItem(*row) for row in await session.execute(query)]
    if isinstance(selection, ByName) and len(found) < limit:
        absent = await missing(session, kind, selection.names, city_id=city_id)
        found += [RefusedItem(name, None, None, False, False) for name in absent[: limit - len(found)]]
    return found


async def not_among(
    session: AsyncSession, kind: ResourceKind, names: Sequence[str], moved: Sequence[MovedRange], *, city_id: int
) -> list[str]:
    """Return the names that belong to none of the moved items."""
    columns = key_columns(kind)
    table = stock_table(kind)
    wanted = and_(table.c.city_id == city_id, named(kind, ByName(tuple(names))))
    rows = await session.execute(select(table.c.item_no, *columns).where(wanted))
    there = {
        value for item_no, *values in rows if any(run.lo <= item_no <= run.hi for run in moved) for value in values
    }
    return [name for name in names if name not in there]


async def missing(session: AsyncSession, kind: ResourceKind, names: Sequence[str], *, city_id: int) -> list[str]:
    """Return the names that no item of the city has."""
    columns = key_columns(kind)
    table = stock_table(kind)
    rows = await session.execute(select(*columns).where(table.c.city_id == city_id, named(kind, ByName(tuple(names)))))
    known = {value for row in rows for value in row}
    return [name for name in names if name not in known]


async def outcomes_between(session: AsyncSession, *, city_id: int, lo: int, hi: int) -> bytes:
    """Return the outcome bytes of the numbers `lo` to `hi`, in order."""
    query = select(_bytes_in_order(Number.outcome, Number.item_no)).where(
        Number.city_id == city_id, Number.item_no.between(lo, hi)
    )
    return (await session.scalar(query)) or b""

"""Which items a document is about: named ones, a range of names, or so many of a sort; as SQL over any kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import assert_never

from sqlalchemy import ARRAY, BigInteger, ColumnElement, and_, any_, func, literal, not_, or_, select, true

from inventory.domain.boxes import Range
from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.store.schema import Number, Sim, StocktakeScan
from inventory.store.schema.base import CodeText
from inventory.store.stock import key_columns, stock_table


@dataclass(frozen=True)
class ByName:
    """These items, in any order; a name may stand once."""

    names: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ByRange:
    """All items whose names lie from `first` to `last`, both included, compared byte by byte.

    `by_serial` says that these are chip serials of cards, which a card has beside its ICCID or instead of it.
    """

    first: str
    last: str
    by_serial: bool = False


@dataclass(frozen=True)
class ByCount:
    """So many items of a sort: the lowest movable ones of the giver.

    `of` is a card kind, or how numbers begin; `number_class` is the class that numbers have now.
    """

    count: int
    of: str | None = None
    number_class: int | None = None


@dataclass(frozen=True)
class ByRecall:
    """All items that are owed under the recall order with this number."""

    order_id: int


@dataclass(frozen=True)
class ByScan:
    """All items that were scanned in the stocktake with this number."""

    stocktake_id: int


@dataclass(frozen=True)
class ByBox:
    """All items in the sealed boxes with these codes and in the boxes in them; services turn it into `ByItems`."""

    codes: tuple[str, ...]


@dataclass(frozen=True)
class ByBatch:
    """What the giver holds of the load with this id, or a delivery brings of it; services turn it into `ByItems`."""

    load: str


@dataclass(frozen=True)
class ByItems:
    """All items whose numbers lie in these ranges, first and last both included."""

    ranges: tuple[Range, ...] = field(repr=False)


Naming = ByName | ByRange | ByItems | ByRecall | ByScan
"""Selections that say of each item whether it is meant."""
Selection = Naming | ByCount
Meant = ByName | ByRange | ByBox | ByBatch
"""What callers may say where each item has to be meant."""
Wished = Selection | Meant
"""What callers may say."""


def named(kind: ResourceKind, selection: Naming) -> ColumnElement[bool]:
    """Give the condition that holds for the items a selection names."""
    match selection:
        case ByName(names):
            wanted = any_(literal(list(names), ARRAY(CodeText)))
            return or_(*(column == wanted for column in key_columns(kind)))
        case ByRange(first, last, by_serial):
            column = key_columns(kind)[1 if by_serial else 0]
            return and_(column >= first, column <= last)
        case ByItems(ranges):
            return _in_ranges(stock_table(kind).c.item_no, ranges)
        case ByRecall(order_id):
            return stock_table(kind).c.recall_id == order_id
        case ByScan(stocktake_id):
            table, scan = stock_table(kind), StocktakeScan
            scanned = select(scan.item_no).where(scan.city_id == table.c.city_id, scan.stocktake_id == stocktake_id)
            return table.c.item_no.in_(scanned)
        case _:
            assert_never(selection)


FEW_RUNS = 1000
"""A statement takes 65,535 parameters, and a plan of so many conditions takes its time."""


def _in_ranges(item_no: ColumnElement[int], ranges: Collection[Range]) -> ColumnElement[bool]:
    """Give the condition that holds for item numbers in the ranges; single ones, and very many, travel as arrays."""
    single = [lo for lo, hi in ranges if lo == hi]
    runs = [(lo, hi) for lo, hi in ranges if lo != hi]
    alone = item_no == any_(literal(single, ARRAY(BigInteger)))
    if len(runs) <= FEW_RUNS:
        return or_(alone, *(item_no.between(lo, hi) for lo, hi in runs))
    ends = (literal([run[end] for run in runs], ARRAY(BigInteger)) for end in (0, 1))
    span = func.unnest(*ends).table_valued("lo", "hi").render_derived()
    return or_(alone, item_no.in_(select(func.generate_series(span.c.lo, span.c.hi))))


def of_sort(kind: ResourceKind, of: str | None, number_class: int | None = None) -> ColumnElement[bool]:
    """Give the condition that holds for items of a sort, and of numbers for a class; None is every one."""
    wanted: list[ColumnElement[bool]] = [true()]
    if of is not None:
        wanted.append(Number.number.startswith(of, autoescape=True) if kind is NUMBER else Sim.kind_code == of)
    if number_class is not None:
        wanted.append(Number.cls == number_class)
    return and_(*wanted)


def movable(
    kind: ResourceKind,
    *,
    city_id: int,
    holder_id: int,
    states: Collection[str],
    owed_too: bool = False,
    legal_too: bool = False,
    good_on: date | None = None,
) -> ColumnElement[bool]:
    """Give the guard of custody: held by the giver, on no way, under no hold, in a state that may move.

    What is owed under a recall order moves only where `owed_too` is said, what is under a legal hold only where
    `legal_too` is: up. What expires before `good_on` stays.
    """
    table = stock_table(kind)
    ends = table.c.get("expires_on")
    return and_(
        table.c.city_id == city_id,
        table.c.holder_id == holder_id,
        table.c.transit_id.is_(None),
        table.c.hold_id.is_(None),
        table.c.state.in_(sorted(states)),
        true() if owed_too else table.c.recall_id.is_(None),
        true() if legal_too else not_(table.c.legal_hold),
        true() if good_on is None or ends is None else or_(ends.is_(None), ends >= good_on),
    )


def lowest(kind: ResourceKind, selection: ByCount, guard: ColumnElement[bool]) -> ColumnElement[bool]:
    """Give the condition that holds for the lowest so many movable items; those in others' hands are passed over.

    They are picked in a CTE, which runs once: as a plain subquery the planner may run it again for every row, and each
    time it picks others.
    """
    table = stock_table(kind)
    picked = (
        select(table.c.item_no)
        .where(guard, of_sort(kind, selection.of, selection.number_class))
        .order_by(table.c.item_no)
        .limit(selection.count)
        .with_for_update(skip_locked=True)
        .cte("picked")
        .prefix_with("MATERIALIZED")
    )
    return table.c.item_no.in_(select(picked.c.item_no))

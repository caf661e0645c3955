"""Which items a document is about: named ones, a range of names, or so many of a sort; as SQL over any kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import assert_never

from sqlalchemy import ARRAY, ColumnElement, and_, any_, literal, or_, select, true

from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.store.schema import Number, Sim
from inventory.store.schema.base import CodeText
from inventory.store.stock import key_columns, stock_table


@dataclass(frozen=True)
class ByName:
    """These items, in any order; a name may stand once."""

    names: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ByRange:
    """All items whose names lie from `first` to `last`, both included, compared byte by byte."""

    first: str
    last: str


@dataclass(frozen=True)
class ByCount:
    """So many items of a sort: the lowest movable ones of the giver. `of` is a card kind, or how numbers begin."""

    count: int
    of: str | None = None


Selection = ByName | ByRange | ByCount


def named(kind: ResourceKind, selection: ByName | ByRange) -> ColumnElement[bool]:
    """Give the condition that holds for the items a selection names."""
    match selection:
        case ByName(names):
            wanted = any_(literal(list(names), ARRAY(CodeText)))
            return or_(*(column == wanted for column in key_columns(kind)))
        case ByRange(first, last):
            column = key_columns(kind)[0]
            return and_(column >= first, column <= last)
        case _:
            assert_never(selection)


def of_sort(kind: ResourceKind, of: str | None) -> ColumnElement[bool]:
    """Give the condition that holds for items of a sort; None is every sort."""
    if of is None:
        return true()
    if kind is NUMBER:
        return Number.number.startswith(of, autoescape=True)
    return Sim.kind_code == of


def movable(kind: ResourceKind, *, city_id: int, holder_id: int, states: Collection[str]) -> ColumnElement[bool]:
    """Give the guard of custody: held by the giver, on no way, under no hold, in a state that may move."""
    table = stock_table(kind)
    return and_(
        table.c.city_id == city_id,
        table.c.holder_id == holder_id,
        table.c.transit_id.is_(None),
        table.c.hold_id.is_(None),
        table.c.state.in_(sorted(states)),
    )


def lowest(kind: ResourceKind, selection: ByCount, guard: ColumnElement[bool]) -> ColumnElement[bool]:
    """Give the condition that holds for the lowest so many movable items; those in others' hands are passed over.

    They are picked in a CTE, which runs once: as a plain subquery the planner may run it again for every row, and each
    time it picks others.
    """
    table = stock_table(kind)
    picked = (
        select(table.c.item_no)
        .where(guard, of_sort(kind, selection.of))
        .order_by(table.c.item_no)
        .limit(selection.count)
        .with_for_update(skip_locked=True)
        .cte("picked")
        .prefix_with("MATERIALIZED")
    )
    return table.c.item_no.in_(select(picked.c.item_no))

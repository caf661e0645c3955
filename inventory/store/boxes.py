"""Boxes: write what was packed, and read what lies in a box and where."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Subquery, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from inventory.domain.boxes import Range
from inventory.domain.kinds import ResourceKind
from inventory.domain.lifecycle import BoxState
from inventory.store.schema import Box, BoxLine
from inventory.store.selection import ByItems, Naming, named
from inventory.store.stock import lock_for_transaction, name_column, stock_table
from inventory.store.streams import Stream, in_batches


@dataclass(frozen=True)
class BoxRow:
    """A box; see `Box` for the meaning of each field."""

    city_id: int
    box_no: int
    code: str
    resource: str
    state: str
    seal: str | None
    parent_no: int | None
    item_count: int
    packed_by: str
    packed_at: datetime
    opened_by: str | None
    opened_at: datetime | None
    open_reason: str | None


@dataclass(frozen=True)
class Content:
    """So many items of a box lie with one holder in one state."""

    holder_id: int
    state: str
    on_the_way: bool
    count: int


_ROW = tuple(getattr(Box, name) for name in BoxRow.__dataclass_fields__)


async def lock_packing(session: AsyncSession, kind: ResourceKind, *, city_id: int) -> None:
    """Keep all others from packing items of the kind in the city until the transaction ends."""
    await lock_for_transaction(session, f"box/{city_id}/{kind.name}")


async def find(session: AsyncSession, *, city_id: int, code: str, lock: bool = False) -> BoxRow | None:
    """Return the box with the code, or None; `lock` keeps others from changing it until the end."""
    query = select(*_ROW).where(Box.city_id == city_id, Box.code == code)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else BoxRow(*row)


async def by_no(session: AsyncSession, *, city_id: int, boxes: Collection[int]) -> list[BoxRow]:
    """Return the boxes with these numbers, by code."""
    query = select(*_ROW).where(Box.city_id == city_id, Box.box_no.in_(boxes)).order_by(Box.code)
    return [BoxRow(*row) for row in await session.execute(query)]


async def inside(session: AsyncSession, row: BoxRow) -> list[BoxRow]:
    """Return the boxes right inside a box, by code."""
    query = select(*_ROW).where(Box.city_id == row.city_id, Box.parent_no == row.box_no).order_by(Box.code)
    return [BoxRow(*found) for found in await session.execute(query)]


async def above(session: AsyncSession, row: BoxRow) -> list[BoxRow]:
    """Return the boxes around a box, the nearest first."""
    found: list[BoxRow] = []
    while row.parent_no is not None:
        (row,) = await by_no(session, city_id=row.city_id, boxes=[row.parent_no])
        found.append(row)
    return found


async def ranges_of(session: AsyncSession, row: BoxRow) -> list[Range]:
    """Return the ranges of items in a box and in all boxes in it, in order."""
    lines = _lines(row)
    query = select(lines.c.lo, lines.c.hi).order_by(lines.c.lo)
    return [(lo, hi) for lo, hi in await session.execute(query)]


async def boxes_with(
    session: AsyncSession, kind: ResourceKind, ranges: Sequence[Range], *, city_id: int
) -> dict[int, list[Range]]:
    """Lock and return the ranges of every box that has one of the items, by the box's number."""
    touching = [and_(BoxLine.lo <= hi, BoxLine.hi >= lo) for lo, hi in ranges]
    touched = select(BoxLine.box_no).where(BoxLine.city_id == city_id, BoxLine.resource == kind.name, or_(*touching))
    boxes = select(Box.box_no).where(Box.city_id == city_id, Box.box_no.in_(touched)).order_by(Box.code)
    numbers = (await session.scalars(boxes.with_for_update())).all()  # a load may be filling an open one just now
    query = select(BoxLine.box_no, BoxLine.lo, BoxLine.hi).where(
        BoxLine.city_id == city_id, BoxLine.box_no.in_(numbers)
    )
    found: dict[int, list[Range]] = {}
    for box_no, lo, hi in await session.execute(query.order_by(BoxLine.lo)):
        found.setdefault(box_no, []).append((lo, hi))
    return found


async def box_of(session: AsyncSession, kind: ResourceKind, *, city_id: int, item_no: int) -> BoxRow | None:
    """Return the box that an item lies in, or None."""
    line = (
        select(BoxLine.box_no, BoxLine.hi)
        .where(BoxLine.city_id == city_id, BoxLine.resource == kind.name, BoxLine.lo <= item_no)
        .order_by(BoxLine.lo.desc())
        .limit(1)
        .subquery()
    )
    query = select(*_ROW).join(line, and_(Box.city_id == city_id, Box.box_no == line.c.box_no))
    row = (await session.execute(query.where(line.c.hi >= item_no))).one_or_none()
    return None if row is None else BoxRow(*row)


async def write(session: AsyncSession, row: BoxRow | None, **values: Any) -> int:
    """Insert a box, or write one that is there anew, and return its number."""
    if row is None:
        return (await session.execute(insert(Box).values(values).returning(Box.box_no))).scalar_one()
    await session.execute(update(Box).where(Box.city_id == row.city_id, Box.box_no == row.box_no).values(values))
    return row.box_no


async def put_in(session: AsyncSession, *, city_id: int, boxes: Collection[int], parent_no: int | None) -> None:
    """Say which box these boxes are in; None takes them out."""
    these = and_(Box.city_id == city_id, Box.box_no.in_(boxes))
    await session.execute(update(Box).where(these).values(parent_no=parent_no))


async def fill(
    session: AsyncSession, kind: ResourceKind, ranges: Sequence[Range], *, city_id: int, box_no: int
) -> None:
    """Make these ranges all that lies in the box itself."""
    await session.execute(delete(BoxLine).where(BoxLine.city_id == city_id, BoxLine.box_no == box_no))
    if ranges:
        common = {"city_id": city_id, "resource": kind.name, "box_no": box_no}
        await session.execute(insert(BoxLine), [{**common, "lo": lo, "hi": hi} for lo, hi in ranges])


async def lying(
    session: AsyncSession, kind: ResourceKind, selection: Naming, *, city_id: int, holder_id: int
) -> list[int]:
    """Return the numbers of the selected items that lie with the holder, signed for and under no hold, in order."""
    table = stock_table(kind)
    query = select(table.c.item_no).where(
        table.c.city_id == city_id,
        named(kind, selection),
        table.c.holder_id == holder_id,
        table.c.transit_id.is_(None),
        table.c.hold_id.is_(None),
        table.c.state.in_(sorted(kind.in_hand)),
    )
    return sorted(await session.scalars(query))


async def contents(
    session: AsyncSession, kind: ResourceKind, ranges: Sequence[Range], *, city_id: int
) -> list[Content]:
    """Return where the items of the ranges lie and in which state, the larger groups first."""
    table = stock_table(kind)
    way, count = table.c.transit_id.is_not(None), func.count()
    query = (
        select(table.c.holder_id, table.c.state, way, count)
        .where(table.c.city_id == city_id, named(kind, ByItems(tuple(ranges))))
        .group_by(table.c.holder_id, table.c.state, way)
        .order_by(count.desc(), table.c.holder_id, table.c.state)
    )
    return [Content(*row) for row in await session.execute(query)]


async def items_in(
    session: AsyncSession, kind: ResourceKind, ranges: Sequence[Range], *, city_id: int, after: int, limit: int
) -> list[tuple[int, str, str]]:
    """Return number, name and state of a page of the items of the ranges, behind item number `after`."""
    table = stock_table(kind)
    query = (
        select(table.c.item_no, name_column(kind), table.c.state)
        .where(table.c.city_id == city_id, named(kind, ByItems(tuple(ranges))), table.c.item_no > after)
        .order_by(table.c.item_no)
        .limit(limit)
    )
    return [(item_no, name, state) for item_no, name, state in await session.execute(query)]


async def boxes_at(
    session: AsyncSession, kind: ResourceKind, *, city_id: int, holders: Collection[int], limit: int
) -> list[tuple[BoxRow, int]]:
    """Return the first `limit` of the boxes that lie with the holders, as `stream_boxes` gives them all."""
    query = _boxes_at(kind, city_id=city_id, holders=holders).limit(limit)
    return [_with_holder(*row) for row in await session.execute(query)]


def stream_boxes(
    session: AsyncSession, kind: ResourceKind, *, city_id: int, holders: Collection[int]
) -> Stream[tuple[BoxRow, int]]:
    """Give the boxes that lie with the holders, the newest first, each with its holder: that of its first item.

    Boxes inside sealed ones are left out.
    """
    return in_batches(session, _boxes_at(kind, city_id=city_id, holders=holders), _with_holder)


def _with_holder(*row: Any) -> tuple[BoxRow, int]:
    *box, holder_id = row
    return BoxRow(*box), holder_id


def _boxes_at(kind: ResourceKind, *, city_id: int, holders: Collection[int]) -> Select[Any]:
    table = stock_table(kind)
    first = _first_item(kind, city_id)
    around = aliased(Box)
    within = exists().where(around.city_id == city_id, around.box_no == Box.parent_no, around.state == BoxState.SEALED)
    return (
        select(*_ROW, table.c.holder_id)
        .join(first, first.c.outer_no == Box.box_no)
        .join(table, and_(table.c.city_id == city_id, table.c.item_no == first.c.item_no))
        .where(
            Box.city_id == city_id,
            Box.resource == kind.name,
            ~within,
            table.c.holder_id.in_(holders),
        )
        .order_by(Box.packed_at.desc(), Box.box_no.desc())
    )


def _first_item(kind: ResourceKind, city_id: int) -> Subquery:
    """Give the lowest item of every box of the city, those in boxes inside it too."""
    boxes = select(Box.box_no.label("outer_no"), Box.box_no.label("inner_no")).where(Box.city_id == city_id)
    tree = boxes.cte("tree", recursive=True)
    deeper = select(tree.c.outer_no, Box.box_no).join(tree, Box.parent_no == tree.c.inner_no)
    tree = tree.union_all(deeper.where(Box.city_id == city_id))
    line = and_(BoxLine.city_id == city_id, BoxLine.box_no == tree.c.inner_no, BoxLine.resource == kind.name)
    return (
        select(tree.c.outer_no, func.min(BoxLine.lo).label("item_no"))
        .join(BoxLine, line)
        .group_by(tree.c.outer_no)
        .subquery()
    )


def _lines(row: BoxRow) -> Subquery:
    """Give the lines of a box and of all boxes in it."""
    tree = select(Box.box_no).where(Box.city_id == row.city_id, Box.box_no == row.box_no).cte("tree", recursive=True)
    deeper = select(Box.box_no).join(tree, Box.parent_no == tree.c.box_no).where(Box.city_id == row.city_id)
    tree = tree.union_all(deeper)
    return (
        select(BoxLine.lo, BoxLine.hi)
        .join(tree, BoxLine.box_no == tree.c.box_no)
        .where(BoxLine.city_id == row.city_id)
        .subquery()
    )

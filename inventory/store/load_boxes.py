"""Boxes that come with a load: which row lies in which, what is wrong with them, and the boxes themselves.

They lie in a table of their own beside the stage, made when a row names a box: most files name none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Select,
    Subquery,
    Table,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateTable

from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import BoxState
from inventory.store.copying import copy_rows
from inventory.store.loads import ICCID, SERIAL
from inventory.store.schema import Box, BoxLine
from inventory.store.schema.base import CodeText
from inventory.store.staging import CARDS, FOUND, TEMPORARY, note
from inventory.store.stock import analyze

_SAID = Table("load_box", MetaData(), Column("row", BigInteger), Column("box", CodeText), **TEMPORARY)
_COLUMN = "box"


@dataclass(frozen=True)
class FilledBox:
    """A box that a load has filled: its number, code, state, and how many cards came into it."""

    box_no: int
    code: str
    state: str
    count: int


async def put_aside(session: AsyncSession, boxes: Sequence[tuple[int, str]], *, first: bool) -> None:
    """Keep rows with the codes of their boxes; `first` makes the table."""
    if first:
        await session.execute(CreateTable(_SAID))
    await copy_rows(session, _SAID, ("row", "box"), boxes)


async def find_unfit(session: AsyncSession, *, city_id: int) -> None:
    """Note each row whose box is sealed already, and each whose card the first row puts into another box.

    Boxes that are there stay as they are until the load has ended. Call it when what stands twice in the file is noted.
    """
    await analyze(session, _SAID)
    said, rows = _SAID.c, CARDS.rows.c
    there = select(Box.box_no).where(Box.city_id == city_id, Box.code.in_(select(said.box)))
    await session.execute(there.order_by(Box.code).with_for_update())
    what = (said.row, literal(_COLUMN), said.box)
    sealed = select(*what, literal("box_sealed"), rows.line).join(CARDS.rows, rows.row == said.row)
    box = and_(Box.city_id == city_id, Box.code == said.box, Box.state == BoxState.SEALED)
    await note(session, sealed.join(Box, box))
    repeated = select(FOUND.c.row).where(FOUND.c.code == "duplicate_in_file").exists()
    if await session.scalar(select(repeated)):
        await note(session, union(_in_another(ICCID), _in_another(SERIAL)))


def _in_another(name: str) -> Select[Any]:
    """Give the faults of rows whose card, by this name, stands before in another box."""
    said, rows, first = _SAID, CARDS.rows, _SAID.alias("first")
    named = select(rows.c[name].label("name"), func.min(said.c.row).label("row")).join(said, said.c.row == rows.c.row)
    repeated = named.where(rows.c[name].is_not(None)).group_by(rows.c[name]).having(func.count() > 1).subquery()
    return (
        select(said.c.row, literal(_COLUMN), said.c.box, literal("in_two_boxes"), rows.c.line)
        .join(rows, rows.c.row == said.c.row)
        .join(repeated, repeated.c.name == rows.c[name])
        .join(first, and_(first.c.row == repeated.c.row, first.c.box != said.c.box))
    )


async def fill(
    session: AsyncSession, *, first: int, city_id: int, staff_no: str, load: str, now: datetime
) -> list[FilledBox]:
    """Put the staged cards, numbered from `first`, into their boxes, and return the boxes.

    A new box is sealed, unless rows of it were refused: then it is not whole, and stays open. What comes into a box
    that is there and open is added to it.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        A box has been packed just now.
    """
    said, items = _SAID.c, CARDS.items.c
    count = func.count(items.row)
    refused = func.count() > count
    boxes = select(said.box, count, refused).outerjoin(CARDS.items, items.row == said.row)
    wanted = boxes.group_by(said.box).having(count > 0).subquery("wanted")
    code, cards, lacking = wanted.c
    there = exists().where(Box.city_id == city_id, Box.code == code)
    at = literal(now, TIMESTAMP(timezone=True))
    new: dict[str, ColumnElement[Any]] = {
        "city_id": literal(city_id),
        "code": code,
        "resource": literal(SIM.name),
        "state": case((lacking, BoxState.OPENED), else_=BoxState.SEALED),
        "item_count": cards,
        "packed_by": literal(staff_no),
        "packed_at": at,
        "opened_by": case((lacking, staff_no)),
        "opened_at": case((lacking, at)),
        "open_reason": case((lacking, load)),
    }
    more = update(Box).where(Box.city_id == city_id, Box.code == code).values(item_count=Box.item_count + cards)
    await session.execute(more)
    await session.execute(insert(Box).from_select(list(new), select(*new.values()).where(~there).order_by(code)))
    runs = _runs()
    lines: dict[str, Any] = {
        "city_id": literal(city_id),
        "resource": literal(SIM.name),
        "lo": runs.c.lo + first,
        "hi": runs.c.hi + first,
        "box_no": Box.box_no,
    }
    ours = and_(Box.city_id == city_id, Box.code == runs.c.box)
    await session.execute(insert(BoxLine).from_select(list(lines), select(*lines.values()).join(Box, ours)))
    filled = select(Box.box_no, Box.code, Box.state, cards).join(wanted, and_(Box.city_id == city_id, Box.code == code))
    return [FilledBox(*row) for row in await session.execute(filled.order_by(Box.code))]


def _runs() -> Subquery:
    """Give the runs of places that lie in one box."""
    items = CARDS.items.c
    in_order = func.row_number().over(partition_by=_SAID.c.box, order_by=items.place)
    places = select(_SAID.c.box, items.place, (items.place - in_order).label("run"))
    places_in = places.join(CARDS.items, items.row == _SAID.c.row).subquery()
    lo, hi = func.min(places_in.c.place).label("lo"), func.max(places_in.c.place).label("hi")
    return select(places_in.c.box, lo, hi).group_by(places_in.c.box, places_in.c.run).subquery("runs")

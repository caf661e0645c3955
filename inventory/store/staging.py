"""Where the rows of a load lie until they are all known: temporary tables of its transaction, gone with it.

`load_row` has every row whose names could be read, in one shape a kind; `load_found` every fault. What stands twice is
found over them in SQL, so that no process has a whole file in memory. Nothing secret lies here in clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Date,
    Identity,
    LargeBinary,
    MetaData,
    Select,
    SmallInteger,
    Table,
    and_,
    case,
    distinct,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

from inventory.domain.loading import Ascent
from inventory.store.copying import copy_rows
from inventory.store.ends import GIVEN_BACK
from inventory.store.loads import ICCID, IMSI, FaultRow
from inventory.store.schema import Identifier, LoadFault, Sim, SimIdentity
from inventory.store.schema.base import CodeText
from inventory.store.stock import analyze

TEMPORARY: dict[str, Any] = {"prefixes": ["TEMPORARY"], "postgresql_on_commit": "DROP"}
FOUND = Table(
    "load_found",
    MetaData(),
    Column("no", BigInteger, Identity()),
    Column("row", BigInteger),
    Column("column", CodeText),
    Column("value", CodeText),
    Column("code", CodeText),
    Column("line", CodeText),
    **TEMPORARY,
)


_INDEX = text("CREATE INDEX ON load_item (place)")


@dataclass(frozen=True)
class Stage:
    """The rows of one kind of load: `rows` as they are read, `items` those that are taken, in order of their names.

    Both have their number first, `place`, from 0.
    """

    rows: Table
    items: Table
    names: tuple[str, ...]

    def ascent(self) -> Ascent:
        """Give a watch over rows as they are given to `add_rows`."""
        first = 2  # behind row and line
        return Ascent(slice(first, first + len(self.names)))


def stage_of(names: Sequence[str], others: Mapping[str, TypeEngine[Any]]) -> Stage:
    """Give the stage for rows with these names, which must be unique, and other columns."""

    def columns() -> list[Column[Any]]:
        sorts: dict[str, TypeEngine[Any]] = {
            "place": BigInteger(),
            "row": BigInteger(),
            "line": CodeText,
            **dict.fromkeys(names, CodeText),
            **others,
        }
        return [Column(name, sort) for name, sort in sorts.items()]

    rows = Table("load_row", MetaData(), *columns(), **TEMPORARY)
    items = Table("load_item", MetaData(), *columns(), **TEMPORARY)
    return Stage(rows, items, tuple(names))


SEALED = ("ki", "opc", "scp_enc", "scp_mac", "adm1", "pin1", "puk1", "pin2", "puk2")
"""Secrets of a card as they rest: keys as delivered, the codes in envelopes of the vault."""
CARD_WIDTH = 9
"""Columns of a staged card behind its place and before its secrets."""
CARDS = stage_of(
    ("iccid", "serial", "imsi"),
    {
        "hlr_code": CodeText,
        "face_value": BigInteger(),
        "expires_on": Date(),
        "area": CodeText,
        **dict.fromkeys(SEALED, LargeBinary()),
    },
)
DATA = stage_of(("imsi", "iccid"), {"hlr_code": CodeText})
NUMBERS = stage_of(
    ("number",),
    {
        "item_no": BigInteger(),
        "kind": CodeText,
        "hlr_code": CodeText,
        "outcome": SmallInteger(),
        "cls": SmallInteger(),
        "tail": SmallInteger(),
        "mask": SmallInteger(),
        "rev": BigInteger(),
    },
)


async def open_stage(session: AsyncSession, stage: Stage) -> None:
    """Make the empty tables of this transaction."""
    await session.execute(CreateTable(stage.rows))
    await session.execute(CreateTable(FOUND))


async def open_window(session: AsyncSession, stage: Stage) -> None:
    """Make the empty tables for rows that are taken a few at a time, as they lie: the items are the rows."""
    await open_stage(session, stage)
    await session.execute(text("CREATE TEMPORARY VIEW load_item AS SELECT * FROM load_row"))


async def move_window(session: AsyncSession) -> None:
    """Forget the rows that were taken."""
    await session.execute(text("TRUNCATE load_row"))


async def add_rows(
    session: AsyncSession, stage: Stage, rows: Iterable[Sequence[Any]], ascent: Ascent, *, width: int | None = None
) -> int:
    """Add rows, given as values of the columns of `stage.rows` behind `place`, in their order; return how many.

    All columns have a value, or the first `width` of them.
    """
    columns = stage.rows.columns.keys()
    return await copy_rows(
        session, stage.rows, columns if width is None else columns[: width + 1], ascent.numbered(rows)
    )


async def add_found(session: AsyncSession, faults: Iterable[FaultRow]) -> int:
    """Add faults in the order in which a person shall read those of one row; return how many."""
    columns = ("row", "column", "value", "code", "line")
    return await copy_rows(session, FOUND, columns, (tuple(vars(fault).values()) for fault in faults))


async def look_over(session: AsyncSession, stage: Stage) -> None:
    """Let the planner see how many rows there are."""
    await analyze(session, stage.rows, roughly=True)


async def find_repeated(session: AsyncSession, stage: Stage, name: str) -> None:
    """Note each row whose name an earlier row has (REQ-SIM-04, REQ-NUM-04)."""
    value = stage.rows.c[name]
    repeated = (
        select(value.label("value"), func.min(stage.rows.c.row).label("first"))
        .where(value.is_not(None))
        .group_by(value)
        .having(func.count() > 1)
        .subquery()
    )
    query = _faults(stage, name, literal("duplicate_in_file")).join(
        repeated, and_(value == repeated.c.value, stage.rows.c.row > repeated.c.first)
    )
    await note(session, query)


async def find_registered(session: AsyncSession, stage: Stage, name: str, *, city_id: int) -> None:
    """Note each row whose name some city has already (REQ-SIM-04)."""
    value = stage.rows.c[name]
    lowest, highest = await _bounds(session, value)
    if lowest is None:
        return
    code = case((Identifier.city_id == city_id, "duplicate_in_stock"), else_="duplicate_elsewhere")
    # A delivery's names lie close together: between its first and its last there are few that were there before it.
    query = _faults(stage, name, code).join(
        Identifier,
        and_(
            Identifier.kind == name,
            Identifier.value == value,
            Identifier.value >= lowest,
            Identifier.value <= highest,
        ),
    )
    await note(session, query)


async def find_kept(session: AsyncSession, stage: Stage, *, city_id: int) -> None:
    """Note each row with the IMSI of a card that was given back, unless it is that card come again (REQ-STK-05)."""
    rows = stage.rows.c
    kept = (
        select(
            _bare(Identifier.value).label("imsi"),
            Identifier.city_id,
            _bare(func.coalesce(Sim.iccid, Sim.serial)).label("card"),
        )
        .outerjoin(SimIdentity, and_(SimIdentity.city_id == Identifier.city_id, SimIdentity.imsi == Identifier.value))
        .outerjoin(Sim, and_(Sim.city_id == SimIdentity.city_id, Sim.item_no == SimIdentity.item_no))
        .where(Identifier.kind == IMSI, Identifier.value >= GIVEN_BACK)  # behind all others in the index
        .subquery()
    )
    card = func.coalesce(rows.iccid, rows.serial) if "serial" in rows else null()
    query = _faults(stage, IMSI, literal("imsi_kept")).join(
        kept,
        and_(kept.c.imsi == rows.imsi, or_(kept.c.city_id != city_id, kept.c.card.is_distinct_from(card))),
    )
    await note(session, query.distinct())


async def find_given_back(session: AsyncSession, stage: Stage) -> None:
    """Note each row with the ICCID of a card that was given back: none but that card may bear it again."""
    given_back = (
        select(_bare(Identifier.value).label(ICCID))
        .where(Identifier.kind == ICCID, Identifier.value >= GIVEN_BACK)
        .subquery()
    )
    query = _faults(stage, ICCID, literal("iccid_kept")).join(given_back, given_back.c.iccid == stage.rows.c.iccid)
    await note(session, query.distinct())


def _bare(marked: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Give a name without the mark of what was given back."""
    return func.split_part(marked, GIVEN_BACK, 3)


async def find_stocked(session: AsyncSession, stage: Stage, name: str, *, city_id: int, table: Table) -> None:
    """Note each row whose name an item of the city's stock table has (REQ-NUM-04)."""
    value, there = stage.rows.c[name], table.c[name]
    lowest, highest = await _bounds(session, value)
    if lowest is None:
        return
    query = _faults(stage, name, literal("duplicate_in_stock")).join(
        table, and_(table.c.city_id == city_id, there == value, there >= lowest, there <= highest)
    )
    await note(session, query)


@dataclass(frozen=True)
class Found:
    """How many faults there are, on how many rows, and whether the file as a whole is at fault (row 0)."""

    faults: int
    rows: int
    spoilt: bool


NOTHING_FOUND = Found(faults=0, rows=0, spoilt=False)


async def count_found(session: AsyncSession) -> Found:
    """Count what was found."""
    spoilt = func.coalesce(func.bool_or(FOUND.c.row == 0), literal(value=False))
    query = select(func.count(), func.count(distinct(FOUND.c.row)).filter(FOUND.c.row > 0), spoilt)
    return Found(*(await session.execute(query)).one())


async def keep_faults(session: AsyncSession, *, city_id: int, batch_id: int) -> None:
    """Write all faults to the load, in the file's order."""
    number = func.row_number().over(order_by=(FOUND.c.row, FOUND.c.no))
    columns = [FOUND.c[name] for name in ("row", "column", "value", "code", "line")]
    query = select(literal(city_id), literal(batch_id, BigInteger), number, *columns)
    names = ("city_id", "batch_id", "fault_no", "row", "column", "value", "code", "line")
    await session.execute(insert(LoadFault).from_select(names, query))


async def first_found(session: AsyncSession, limit: int) -> list[FaultRow]:
    """Return the first faults in the file's order."""
    columns = [FOUND.c[name] for name in ("row", "column", "value", "code", "line")]
    rows = await session.execute(select(*columns).order_by(FOUND.c.row, FOUND.c.no).limit(limit))
    return [FaultRow(*row) for row in rows]


async def number_items(session: AsyncSession, stage: Stage, ascent: Ascent, count: int) -> None:
    """Make `stage.items` of the `count` rows without a fault, numbered in order of their names.

    Where all rows are good and came in that order, they are the items as they lie.
    """
    if ascent.rising and ascent.count == count:
        await session.execute(text("ALTER TABLE load_row RENAME TO load_item"))
        await session.execute(_INDEX)
        return
    rows, items = stage.rows, stage.items
    await session.execute(CreateTable(items))
    order = [rows.c[name].nulls_first() for name in stage.names]
    place = func.row_number().over(order_by=order) - 1
    good = ~select(FOUND.c.row).where(FOUND.c.row == rows.c.row).exists()
    others = [column for column in rows.c if column.name != "place"]
    query = select(place, *others).where(good).order_by(*order)
    await session.execute(insert(items).from_select(items.columns.keys(), query))
    await session.execute(_INDEX)
    await analyze(session, items, roughly=True)


def at(stage: Stage, places: range) -> ColumnElement[bool]:
    """Give the condition for the staged items at these places."""
    return stage.items.c.place.between(places.start, places.stop - 1)


def _faults(stage: Stage, name: str, code: ColumnElement[str]) -> Select[Any]:
    """Begin a query for faults of the rows in the column `name`."""
    rows = stage.rows.c
    return select(rows.row, literal(name), _shown(name, rows[name]), code, rows.line)


def _shown(name: str, value: ColumnElement[str]) -> ColumnElement[str]:
    """Give what a fault list may show of a name: of an IMSI its network and last two digits (REQ-SEC-03)."""
    return masked_imsi(value) if name == IMSI else value


def masked_imsi(value: ColumnElement[str]) -> ColumnElement[str]:
    """Give the network and the last two digits of an IMSI (REQ-SEC-03)."""
    return func.left(value, 6) + "*******" + func.right(value, 2)


async def note(session: AsyncSession, query: Select[Any] | CompoundSelect[Any]) -> None:
    """Note the faults that a query gives: row, column, value, code, and the row's text."""
    await session.execute(insert(FOUND).from_select(("row", "column", "value", "code", "line"), query))


async def _bounds(session: AsyncSession, value: ColumnElement[str]) -> tuple[str | None, str | None]:
    lowest, highest = (await session.execute(select(func.min(value), func.max(value)))).one()
    return lowest, highest

"""Further IMSIs of cards that have several: beside the stage, and as identities in further slots of their card.

They lie in a table of their own, made when a row has some: most files have none. Each is an identity in a slot behind
the first, with a unit of data that is bound to the card, so that it can be on no other one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    SmallInteger,
    Table,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateTable

from inventory.domain.lifecycle import AucState, DataState, IdentityState
from inventory.store.card_intake import CardTerms
from inventory.store.copying import copy_rows
from inventory.store.kits import APPLICATION
from inventory.store.loads import IMSI
from inventory.store.schema import Identifier, SimIdentity, SubscriptionData
from inventory.store.schema.base import CodeText
from inventory.store.staging import (
    CARDS,
    TEMPORARY,
    Stage,
    find_kept,
    find_registered,
    find_repeated,
    masked_imsi,
    note,
)
from inventory.store.stock import analyze

_NAMES = ("iccid", "serial", "imsi")
_FURTHER = Table(
    "load_imsi",
    MetaData(),
    Column("row", BigInteger),
    Column("slot", SmallInteger),
    *(Column(name, CodeText) for name in (*_NAMES, "line")),
    **TEMPORARY,
)
_STAGE = Stage(_FURTHER, _FURTHER, (IMSI,))
Further = tuple[int, int, str | None, str | None, str, str]
"""Row, slot, ICCID and serial of the card, the IMSI, and an empty text: a row with an IMSI is not told."""


async def put_aside(session: AsyncSession, rows: Iterable[Further], *, first: bool) -> None:
    """Keep further IMSIs of rows; `first` makes the table."""
    if first:
        await session.execute(CreateTable(_FURTHER))
    await copy_rows(session, _FURTHER, ("row", "slot", *_NAMES, "line"), rows)


async def find_taken(session: AsyncSession, *, city_id: int) -> None:
    """Note each row one of whose further IMSIs another row has, or a card or the pool of any city (REQ-SIM-04)."""
    await analyze(session, _FURTHER)
    await find_repeated(session, _STAGE, IMSI)
    further, rows = _FURTHER.c, CARDS.rows.c
    later = func.greatest(further.row, rows.row)
    both = select(later, literal(IMSI), masked_imsi(further.imsi), literal("duplicate_in_file"), further.line)
    await note(session, both.join(CARDS.rows, (rows.imsi == further.imsi) & (rows.row != further.row)).distinct())
    await find_registered(session, _STAGE, IMSI, city_id=city_id)
    await find_kept(session, _STAGE, city_id=city_id)


async def enter(session: AsyncSession, terms: CardTerms, *, first: int, data: int) -> None:
    """Enter the further IMSIs of the staged cards, numbered from `first`, their units of data from `data`.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        Another load has entered one of them just now.
    """
    further, items = _FURTHER.c, CARDS.items.c
    place = func.row_number().over(order_by=(items.place, further.slot)) - 1

    async def put(table: Any, values: dict[str, ColumnElement[Any]]) -> None:
        query = select(*values.values()).join(CARDS.items, items.row == further.row)
        await session.execute(insert(table).from_select(list(values), query))

    city = literal(terms.city_id)
    await put(Identifier, {"kind": literal(IMSI), "value": further.imsi, "city_id": city})
    on_card: dict[str, ColumnElement[Any]] = {
        "city_id": city,
        "item_no": items.place + first,
        "slot": further.slot,
        "application": literal(APPLICATION),
        "imsi": further.imsi,
        "hlr_code": items.hlr_code,
        "state": literal(IdentityState.VERIFIED.value),
        "auc": literal(AucState.NONE.value),
    }
    await put(SimIdentity, on_card)
    unit: dict[str, ColumnElement[Any]] = {
        "city_id": city,
        "data_no": place + data,
        "hlr_code": items.hlr_code,
        "imsi": further.imsi,
        "state": literal(DataState.BOUND.value),
        "version": literal(0),
        "sim_item_no": items.place + first,
        "batch_id": literal(terms.batch_id, BigInteger),
        "updated_at": literal(terms.now, TIMESTAMP(timezone=True)),
    }
    await put(SubscriptionData, unit)

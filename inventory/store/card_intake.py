"""Cards and their data into stock, out of the stage where the rows of a load lie."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import TIMESTAMP, BigInteger, ColumnElement, Table, Text, and_, case, func, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import AucState, DataState, IdentityState
from inventory.store.copying import copy_rows
from inventory.store.kits import APPLICATION, SLOT
from inventory.store.schema import CardSecret, Identifier, Sim, SimIdentity, SubscriptionData, TransportKey
from inventory.store.staging import CARDS, DATA, SEALED, Stage, at, note


@dataclass(frozen=True, kw_only=True)
class CardTerms:
    """What is the same on every card of one intake."""

    city_id: int
    holder_id: int
    kind_code: str
    pool: str | None
    batch_id: int
    state: str
    now: datetime
    transit_id: int | None = None
    """The document under which announced cards are on their way."""


async def enter_names(
    session: AsyncSession, stage: Stage, names: Sequence[str], *, city_id: int, places: range
) -> None:
    """Enter these names of the staged items at these places in the registry of what is unique across cities.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        Another load has entered one of them just now.
    """
    items = stage.items.c
    for name in names:
        query = select(literal(name), items[name], literal(city_id)).where(at(stage, places), items[name].is_not(None))
        await session.execute(insert(Identifier).from_select(("kind", "value", "city_id"), query.order_by(items.place)))


async def find_unfit_keys(session: AsyncSession, *, ki: Collection[int], opc: Collection[int]) -> None:
    """Note each staged card whose Ki or OPc has another number of bytes than its product's algorithm takes."""
    rows = CARDS.rows.c
    sizes = {"ki": ki, "opc": opc}
    unfit = {name: func.octet_length(rows[name]).not_in(allowed) for name, allowed in sizes.items()}
    column = case((unfit["ki"], literal("ki")), else_=literal("opc"))
    faulty = select(rows.row, column, literal(""), literal("other_key_size"), rows.line).where(or_(*unfit.values()))
    await note(session, faulty)


async def find_lacking_channel(session: AsyncSession) -> None:
    """Note each staged card with keys but without those of its secure channel: nobody could write it."""
    rows = CARDS.rows.c
    lacking = and_(rows.ki.is_not(None), rows.scp_enc.is_(None))
    await note(session, select(rows.row, literal("scp_enc"), literal(""), literal("missing"), rows.line).where(lacking))


async def enter_cards(
    session: AsyncSession, terms: CardTerms, *, first: int, transport_key: str, places: range
) -> None:
    """Put the staged cards at these places into stock, numbered from `first`, and the secrets of those that have some.

    The envelopes stay bound to the load and its row, under which they were sealed while the file was read.
    """
    items = CARDS.items.c
    ours = at(CARDS, places)
    item_no = items.place + first
    card: dict[str, ColumnElement[Any]] = {
        "city_id": literal(terms.city_id),
        "item_no": item_no,
        "state": literal(terms.state),
        "version": literal(0),
        "holder_id": literal(terms.holder_id, BigInteger),
        "pool": literal(terms.pool, Text),
        "batch_id": literal(terms.batch_id, BigInteger),
        **({} if terms.transit_id is None else {"transit_id": literal(terms.transit_id, BigInteger)}),
        "updated_at": literal(terms.now, TIMESTAMP(timezone=True)),
        "iccid": items.iccid,
        "serial": items.serial,
        "kind_code": literal(terms.kind_code),
        "generation": literal(1),
        **{name: items[name] for name in ("hlr_code", "face_value", "expires_on", "area")},
    }
    await session.execute(insert(Sim).from_select(list(card), select(*card.values()).where(ours).order_by(items.place)))
    secrets: dict[str, ColumnElement[Any]] = {
        "city_id": literal(terms.city_id),
        "item_no": item_no,
        "generation": literal(1),
        "transport_key_index": literal(transport_key),
        **{name: items[name] for name in SEALED},
        "batch_id": literal(terms.batch_id, BigInteger),
        "row": items.row,
    }
    query = select(*secrets.values()).where(ours, items.ki.is_not(None)).order_by(items.place)
    await session.execute(insert(CardSecret).from_select(list(secrets), query))


async def copy_secrets(
    session: AsyncSession, terms: CardTerms, *, transport_key: str, secrets: Iterable[Sequence[Any]]
) -> None:
    """Put secrets at rest that are not staged: item number, row in the file, and the values of `SEALED`."""
    columns = ("city_id", "item_no", "generation", "transport_key_index", "batch_id", "row", *SEALED)
    rows = ((terms.city_id, item_no, 1, transport_key, terms.batch_id, *rest) for item_no, *rest in secrets)
    await copy_rows(session, cast("Table", CardSecret.__table__), columns, rows)


async def enter_identities(session: AsyncSession, terms: CardTerms, *, first: int, data: int, places: range) -> None:
    """Enter what is on the finished cards at these places: a proven identity, and data that are bound from the first.

    The cards are numbered from `first`, their data from `data`.
    """
    items = CARDS.items.c
    ours = and_(at(CARDS, places), items.imsi.is_not(None))
    on_card: dict[str, ColumnElement[Any]] = {
        "city_id": literal(terms.city_id),
        "item_no": items.place + first,
        "slot": literal(SLOT),
        "application": literal(APPLICATION),
        "imsi": items.imsi,
        "hlr_code": items.hlr_code,
        "state": literal(IdentityState.VERIFIED.value),
        "auc": literal(AucState.NONE.value),
    }
    query = select(*on_card.values()).where(ours).order_by(items.place)
    await session.execute(insert(SimIdentity).from_select(list(on_card), query))
    unit: dict[str, ColumnElement[Any]] = {
        "city_id": literal(terms.city_id),
        "data_no": items.place + data,
        "hlr_code": items.hlr_code,
        "imsi": items.imsi,
        "state": literal(DataState.BOUND.value),
        "version": literal(0),
        "sim_item_no": items.place + first,
        "batch_id": literal(terms.batch_id, BigInteger),
        "updated_at": literal(terms.now, TIMESTAMP(timezone=True)),
    }
    query = select(*unit.values()).where(ours).order_by(items.place)
    await session.execute(insert(SubscriptionData).from_select(list(unit), query))


async def enter_data(
    session: AsyncSession, *, first: int, city_id: int, batch_id: int, state: str, now: datetime, places: range
) -> None:
    """Put the staged IMSIs at these places, with their ICCIDs, into the pool of subscription data, from `first` on."""
    items = DATA.items.c
    unit: dict[str, ColumnElement[Any]] = {
        "city_id": literal(city_id),
        "data_no": items.place + first,
        "hlr_code": items.hlr_code,
        "imsi": items.imsi,
        "iccid": items.iccid,
        "state": literal(state),
        "version": literal(0),
        "batch_id": literal(batch_id, BigInteger),
        "updated_at": literal(now, TIMESTAMP(timezone=True)),
    }
    query = select(*unit.values()).where(at(DATA, places)).order_by(items.place)
    await session.execute(insert(SubscriptionData).from_select(list(unit), query))


async def count_numbered(session: AsyncSession) -> int:
    """Return how many staged IMSIs bring an ICCID."""
    return await session.scalar(select(func.count(DATA.items.c.iccid))) or 0


async def count_by_hlr(session: AsyncSession) -> dict[str, int]:
    """Return how many staged IMSIs each HLR has."""
    hlr = DATA.items.c.hlr_code
    counted = await session.execute(select(hlr, func.count()).group_by(hlr).order_by(hlr))
    return {row[0]: row[1] for row in counted}


async def last_data_no(session: AsyncSession, city_id: int) -> int:
    """Return the highest number of a data unit of the city, -1 if it has none."""
    query = select(SubscriptionData.data_no).where(SubscriptionData.city_id == city_id)
    last = await session.scalar(query.order_by(SubscriptionData.data_no.desc()).limit(1))
    return -1 if last is None else last


async def knows_transport_key(session: AsyncSession, index: str) -> bool:
    """Tell whether a vendor's transport key of this index was imported."""
    known = select(TransportKey.index).where(TransportKey.index == index, TransportKey.purpose == "vendor")
    return await session.scalar(known) is not None

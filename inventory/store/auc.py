"""What the network is told of identities and what it answers: exports, their rows, and each identity's `auc`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, func, insert, literal, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from inventory.domain.lifecycle import (
    DATA_LIFECYCLE,
    AucState,
    DataEvent,
    DataState,
    IdentityState,
    NumberState,
    SimState,
)
from inventory.store.schema import (
    AucExport,
    CardKind,
    CardSecret,
    HoldRow,
    Number,
    Sim,
    SimIdentity,
    SubscriptionData,
    TransportKey,
)
from inventory.store.schema.base import CodeText
from inventory.store.streams import Stream, in_batches

MOST_LISTED = 100
"""A list shows this many, the newest."""

_USABLE = (
    SimState.AVAILABLE, SimState.HELD, SimState.WRITTEN, SimState.SHIPPED, SimState.COMPLETING, SimState.IN_USE,
)  # fmt: skip
"""A card in another state is not told of: it is not sold, or not any more."""


@dataclass(frozen=True)
class TransportKeyRow:
    """A transport key as it lies at rest."""

    index: str
    algorithm: str
    wrapped: bytes = field(repr=False)
    kcv: bytes
    purpose: str


@dataclass(frozen=True)
class ExportRow:
    """An export and how the network answered: `states` counts its identities by `auc`."""

    export_id: int
    form: str
    transport_key_index: str
    hlr_code: str | None
    item_count: int
    staff_no: str
    approver: str
    created_at: datetime
    states: Mapping[str, int]


@dataclass(frozen=True)
class ToldRow:
    """One identity of an export: `ki` and `opc` lie under the vendor's key `vendor_key`."""

    imsi: str
    iccid: str
    msisdn: str | None
    hlr_code: str
    kind_code: str
    sqn: int | None
    vendor_key: str
    ki: bytes = field(repr=False)
    opc: bytes = field(repr=False)


@dataclass(frozen=True)
class KnownRow:
    """An identity that the network has answered for."""

    item_no: int
    slot: int
    imsi: str
    auc: str
    to_delete: bool


async def transport_keys(session: AsyncSession) -> dict[str, TransportKeyRow]:
    """Return every transport key by its index."""
    columns = (getattr(TransportKey, name) for name in TransportKeyRow.__dataclass_fields__)
    rows = [TransportKeyRow(*row) for row in await session.execute(select(*columns))]
    return {row.index: row for row in rows}


async def algorithms(session: AsyncSession) -> dict[str, Mapping[str, object]]:
    """Return how the cards of each product authenticate, by the product's code."""
    rows = await session.execute(select(CardKind.code, CardKind.algorithm))
    return {row.code: row.algorithm for row in rows}


_SECRET_OF_CARD = tuple_(CardSecret.city_id, CardSecret.item_no, CardSecret.generation) == tuple_(
    Sim.city_id, Sim.item_no, Sim.generation
)

_UNTOLD = """
    SELECT i.city_id, i.item_no, i.slot
    FROM sim_identity i
    JOIN sim s ON s.city_id = i.city_id AND s.item_no = i.item_no
    JOIN card_secret c ON c.city_id = s.city_id AND c.item_no = s.item_no AND c.generation = s.generation
    WHERE i.city_id = :city AND i.state = :verified AND i.auc = ANY(:untold) AND s.iccid IS NOT NULL
      AND s.state = ANY(:usable) AND s.kind_code = ANY(:kinds)
      AND (CAST(:hlr AS text) IS NULL OR i.hlr_code = :hlr)
      AND octet_length(c.ki) IN (16, 32) AND octet_length(c.opc) IN (16, 32)
"""
"""Proven identities, with keys in stock, that the network does not know of or has refused."""

_ANY_UNTOLD = text(f"SELECT EXISTS ({_UNTOLD})")
_TELL = text(f"""
    WITH chosen AS ({_UNTOLD} ORDER BY i.item_no, i.slot LIMIT :most FOR NO KEY UPDATE OF i SKIP LOCKED)
    UPDATE sim_identity i SET auc = :sent, export_id = :export
    FROM (SELECT DISTINCT city_id, item_no FROM chosen) AS card
    WHERE i.city_id = card.city_id AND i.item_no = card.item_no AND i.state = :verified AND i.auc = ANY(:untold)
""")  # noqa: S608 - a constant
"""What a sale has locked just now waits for the next export, so that no sale waits for this one's choice.

The identities of a card are told together, also where the last card's begin just before the limit (REQ-SIM-19).
"""


def _chosen(city_id: int, hlr_code: str | None, kinds: Collection[str]) -> dict[str, object]:
    return {
        "city": city_id,
        "hlr": hlr_code,
        "kinds": list(kinds),
        "verified": IdentityState.VERIFIED.value,
        "untold": [AucState.NONE.value, AucState.FAILED.value],
        "usable": [state.value for state in _USABLE],
    }


async def is_any_untold(session: AsyncSession, *, city_id: int, hlr_code: str | None, kinds: Collection[str]) -> bool:
    """Whether the network is to be told of any identity on cards of these products."""
    return bool(await session.scalar(_ANY_UNTOLD, _chosen(city_id, hlr_code, kinds)))


async def add_export(
    session: AsyncSession,
    *,
    city_id: int,
    form: str,
    transport_key_index: str,
    hlr_code: str | None,
    kinds: Collection[str],
    most: int,
    staff_no: str,
    approver: str,
    now: datetime,
) -> tuple[int, int]:
    """Mark what the network is not yet told of as sent, and return the export's id and how many identities it has.

    These are `most`, and beyond them only what else is on the last card.
    """
    export_id: int = (
        await session.execute(
            insert(AucExport)
            .values(
                city_id=city_id,
                form=form,
                transport_key_index=transport_key_index,
                hlr_code=hlr_code,
                item_count=0,
                staff_no=staff_no,
                approver=approver,
                created_at=now,
            )
            .returning(AucExport.export_id)
        )
    ).scalar_one()
    chosen = _chosen(city_id, hlr_code, kinds)
    telling = {**chosen, "most": most, "sent": AucState.SENT.value, "export": export_id}
    count = (await (await session.connection()).execute(_TELL, telling)).rowcount
    await session.execute(
        update(AucExport).where(AucExport.city_id == city_id, AucExport.export_id == export_id).values(item_count=count)
    )
    return export_id, count


async def exports(
    session: AsyncSession,
    *,
    city_id: int,
    export_id: int | None = None,
    before: int | None = None,
    limit: int | None = MOST_LISTED,
) -> list[ExportRow]:
    """Return the city's exports, the newest first: that with the id, if there is one, or `limit` of them (None: all).

    With `before` only those older than that. Their identities are all counted: ask for few where few are looked at.
    """
    names = [name for name in ExportRow.__dataclass_fields__ if name != "states"]
    query = select(*(getattr(AucExport, name) for name in names)).where(AucExport.city_id == city_id)
    if export_id is not None:
        query = query.where(AucExport.export_id == export_id)
    if before is not None:
        query = query.where(AucExport.export_id < before)
    rows = [tuple(row) for row in await session.execute(query.order_by(AucExport.export_id.desc()).limit(limit))]
    ids = [export for export, *_ in rows]
    counts = await session.execute(
        select(SimIdentity.export_id, SimIdentity.auc, func.count())
        .where(SimIdentity.city_id == city_id, SimIdentity.export_id == any_(literal(ids, ARRAY(BigInteger))))
        .group_by(SimIdentity.export_id, SimIdentity.auc)
    )
    states: dict[int | None, dict[str, int]] = {}
    for found, auc, count in counts:
        states.setdefault(found, {})[auc] = count
    whole: list[tuple[Any, ...]] = [(*row, states.get(row[0], {})) for row in rows]
    return [ExportRow(*row) for row in whole]


async def vendor_keys_of(session: AsyncSession, *, city_id: int, export_id: int) -> list[str]:
    """Return the indexes of the vendors' transport keys that the card keys of an export lie under, in order."""
    query = (
        select(CardSecret.transport_key_index)
        .distinct()
        .select_from(SimIdentity)
        .join(Sim, tuple_(Sim.city_id, Sim.item_no) == tuple_(SimIdentity.city_id, SimIdentity.item_no))
        .join(CardSecret, _SECRET_OF_CARD)
        .where(SimIdentity.city_id == city_id, SimIdentity.export_id == export_id)
        .order_by(CardSecret.transport_key_index)
    )
    return list(await session.scalars(query))


def stream_told(session: AsyncSession, *, city_id: int, export_id: int) -> Stream[ToldRow]:
    """Give the identities of an export in the order of stock, with the number each card has or is promised with."""
    own, promised = aliased(Number), aliased(Number)
    columns: tuple[Any, ...] = (
        SimIdentity.imsi,
        Sim.iccid,
        func.coalesce(own.number, promised.number),
        SimIdentity.hlr_code,
        Sim.kind_code,
        SimIdentity.sqn,
        CardSecret.transport_key_index,
        CardSecret.ki,
        CardSecret.opc,
    )
    query = (
        select(*columns)
        .join(Sim, tuple_(Sim.city_id, Sim.item_no) == tuple_(SimIdentity.city_id, SimIdentity.item_no))
        .join(CardSecret, _SECRET_OF_CARD)
        .outerjoin(HoldRow, tuple_(HoldRow.city_id, HoldRow.hold_id) == tuple_(Sim.city_id, Sim.hold_id))
        .outerjoin(own, tuple_(own.city_id, own.item_no) == tuple_(SimIdentity.city_id, SimIdentity.number_item_no))
        .outerjoin(
            promised,
            tuple_(promised.city_id, promised.item_no) == tuple_(HoldRow.city_id, HoldRow.number_item_no),
        )
        .where(SimIdentity.city_id == city_id, SimIdentity.export_id == export_id)
        .order_by(SimIdentity.item_no, SimIdentity.slot)
    )
    return in_batches(session, query, ToldRow)


async def lock_identities(session: AsyncSession, *, city_id: int, imsis: Sequence[str]) -> dict[str, KnownRow]:
    """Return those of these identities that the city has, by IMSI, locked in the order of stock."""
    columns = (getattr(SimIdentity, name) for name in KnownRow.__dataclass_fields__)
    query = (
        select(*columns)
        .where(SimIdentity.city_id == city_id, among(imsis))
        .order_by(SimIdentity.item_no, SimIdentity.slot)
        .with_for_update(key_share=True)
    )
    rows = [KnownRow(*row) for row in await session.execute(query)]
    return {row.imsi: row for row in rows}


async def serving(session: AsyncSession, *, city_id: int, imsis: Sequence[str]) -> set[str]:
    """Return those of these identities that serve a number which is sold; they are locked."""
    number = tuple_(Number.city_id, Number.item_no) == tuple_(SimIdentity.city_id, SimIdentity.number_item_no)
    sold = Number.state.in_((NumberState.COMPLETING, NumberState.IN_USE))
    query = select(SimIdentity.imsi).join(Number, number).where(SimIdentity.city_id == city_id, among(imsis), sold)
    return set(await session.scalars(query))


async def set_auc(session: AsyncSession, imsis: Sequence[str], auc: AucState, *, city_id: int) -> None:
    """Set what the network knows of these identities, by its own word."""
    here = (SimIdentity.city_id == city_id, among(imsis))
    await session.execute(update(SimIdentity).where(*here).values(auc=auc, to_delete=False))


async def retire_data(
    session: AsyncSession, imsis: Sequence[str], *, city_id: int, now: datetime
) -> list[tuple[int, int, int | None]]:
    """Retire the data of identities that the network has deleted; return number, version and card of each unit."""
    unit = SubscriptionData
    statement = (
        update(unit)
        .where(unit.city_id == city_id, _any_of(unit.imsi, imsis), unit.state == DataState.BOUND)
        .values(
            state=DATA_LIFECYCLE.advance(DataState.BOUND, DataEvent.NETWORK_DELETED),
            version=unit.version + 1,
            updated_at=now,
        )
        .returning(unit.data_no, unit.version, unit.sim_item_no)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]


def among(imsis: Sequence[str]) -> ColumnElement[bool]:
    """Ask for one of these identities."""
    return _any_of(SimIdentity.imsi, imsis)


def _any_of(column: InstrumentedAttribute[str], imsis: Sequence[str]) -> ColumnElement[bool]:
    """Ask for one of these in a single parameter: a statement has room for 65,535."""
    return column == any_(literal(list(imsis), ARRAY(CodeText)))

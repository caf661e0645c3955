"""What a write job touches beside itself: the kit, its card with kind and sealed keys, its data unit, the identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, not_, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import AucState, DataState, IdentityState
from inventory.store.schema import (
    CardKind,
    CardSecret,
    Hlr,
    HoldRow,
    Identifier,
    Number,
    Sim,
    SimIdentity,
    SubscriptionData,
    TransportKey,
)

SLOT = 1
"""The first slot of a card; cards with several identities come later."""
APPLICATION = "USIM"


@dataclass(frozen=True)
class Kit:
    """A hold as a write job sees it; `number` and `number_kind` are None for a card without a number."""

    city_id: int
    hold_id: int
    state: str
    expires_at: datetime
    job_id: int | None
    sim_item_no: int | None
    data_no: int | None
    number_item_no: int | None
    order_ref: str | None
    number: str | None
    number_kind: str | None


@dataclass(frozen=True)
class Card:
    """A SIM of stock with what its kind says: profile, and the network in the profile's own form."""

    city_id: int
    item_no: int
    iccid: str | None
    serial: str | None
    state: str
    version: int
    holder_id: int
    hold_id: int | None
    generation: int
    adm_refused: bool
    kind_code: str
    profile: str
    network: dict[str, Any]


@dataclass(frozen=True)
class SealedKeys:
    """A card's secrets as they lie at rest: Ki and OPc under the vendor's key, that key and ADM1 in envelopes."""

    index: str
    algorithm: str
    wrapped: bytes = field(repr=False)
    ki: bytes = field(repr=False)
    opc: bytes = field(repr=False)
    adm1: bytes = field(repr=False)


@dataclass(frozen=True)
class DataUnit:
    """A unit of subscription data with its HLR's message centre (`+` and digits)."""

    city_id: int
    data_no: int
    imsi: str
    hlr_code: str
    smsc: str
    state: str
    version: int
    hold_id: int | None


async def find_kit(session: AsyncSession, *, city_id: int, hold_id: int, lock: bool = False) -> Kit | None:
    """Return the kit, or None; `lock` keeps the hold as it is until the end of the transaction."""
    query = (
        select(
            HoldRow.city_id,
            HoldRow.hold_id,
            HoldRow.state,
            HoldRow.expires_at,
            HoldRow.job_id,
            HoldRow.sim_item_no,
            HoldRow.data_no,
            HoldRow.number_item_no,
            HoldRow.order_ref,
            Number.number,
            Number.kind,
        )
        .outerjoin(Number, tuple_(Number.city_id, Number.item_no) == tuple_(HoldRow.city_id, HoldRow.number_item_no))
        .where(HoldRow.city_id == city_id, HoldRow.hold_id == hold_id)
    )
    row = (await session.execute(query.with_for_update(of=HoldRow) if lock else query)).one_or_none()
    return None if row is None else Kit(*row)


async def set_hold_job(session: AsyncSession, kit: Kit, job_id: int | None) -> None:
    """Tie the kit to its open job, or untie it."""
    await session.execute(
        update(HoldRow).where(HoldRow.city_id == kit.city_id, HoldRow.hold_id == kit.hold_id).values(job_id=job_id)
    )


async def keep_kit_until(session: AsyncSession, kit: Kit, moment: datetime) -> None:
    """Move the end of the hold and of its items to the moment, unless it is later already."""
    if kit.expires_at >= moment:
        return
    await session.execute(
        update(HoldRow).where(HoldRow.city_id == kit.city_id, HoldRow.hold_id == kit.hold_id).values(expires_at=moment)
    )
    for table, item_no in ((Number, kit.number_item_no), (Sim, kit.sim_item_no)):
        await session.execute(
            update(table)
            .where(table.city_id == kit.city_id, table.item_no == item_no, table.hold_id == kit.hold_id)
            .values(hold_until=moment)
        )


_CARD: tuple[Any, ...] = (
    Sim.city_id,
    Sim.item_no,
    Sim.iccid,
    Sim.serial,
    Sim.state,
    Sim.version,
    Sim.holder_id,
    Sim.hold_id,
    Sim.generation,
    Sim.adm_refused,
    Sim.kind_code,
    CardKind.profile,
    CardKind.network,
)


async def find_card(
    session: AsyncSession,
    *,
    city_id: int,
    item_no: int | None = None,
    iccid: str | None = None,
    serial: str | None = None,
    lock: bool = False,
) -> Card | None:
    """Return the card of stock with this item number, or ICCID, or (for a card without ICCID) chip serial; or None."""
    query = select(*_CARD).join(CardKind, CardKind.code == Sim.kind_code).where(Sim.city_id == city_id)
    if item_no is not None:
        query = query.where(Sim.item_no == item_no)
    elif iccid:
        query = query.where(Sim.iccid == iccid)
    else:
        query = query.where(Sim.iccid.is_(None), Sim.serial == serial)
    row = (await session.execute(query.with_for_update(of=Sim) if lock else query)).one_or_none()
    return None if row is None else Card(*row)


async def set_adm_refused(session: AsyncSession, *, city_id: int, item_no: int) -> None:
    """Set the tombstone: this card refused its ADM key."""
    await session.execute(update(Sim).where(Sim.city_id == city_id, Sim.item_no == item_no).values(adm_refused=True))


async def register_iccid(session: AsyncSession, card: Card, iccid: str) -> None:
    """Enter the ICCID read back from a card that had none in stock; it may exist once across all cities."""
    await session.execute(insert(Identifier).values(kind="iccid", value=iccid, city_id=card.city_id))
    await session.execute(
        update(Sim).where(Sim.city_id == card.city_id, Sim.item_no == card.item_no).values(iccid=iccid)
    )


async def sealed_keys(session: AsyncSession, card: Card) -> SealedKeys | None:
    """Return the sealed secrets of the card's present generation, or None."""
    query = (
        select(
            TransportKey.index,
            TransportKey.algorithm,
            TransportKey.wrapped,
            CardSecret.ki,
            CardSecret.opc,
            CardSecret.adm1,
        )
        .join(TransportKey, TransportKey.index == CardSecret.transport_key_index)
        .where(
            CardSecret.city_id == card.city_id,
            CardSecret.item_no == card.item_no,
            CardSecret.generation == card.generation,
        )
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else SealedKeys(*row)


async def add_transport_key(session: AsyncSession, *, index: str, algorithm: str, wrapped: bytes, kcv: bytes) -> bool:
    """Enter a wrapped transport key; False when its index is taken."""
    statement = (
        upsert(TransportKey)
        .values(index=index, algorithm=algorithm, wrapped=wrapped, kcv=kcv)
        .on_conflict_do_nothing()
        .returning(TransportKey.index)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def find_data(session: AsyncSession, *, city_id: int, data_no: int) -> DataUnit | None:
    """Return the data unit, locked, or None."""
    query = (
        select(
            SubscriptionData.city_id,
            SubscriptionData.data_no,
            SubscriptionData.imsi,
            SubscriptionData.hlr_code,
            Hlr.smsc,
            SubscriptionData.state,
            SubscriptionData.version,
            SubscriptionData.hold_id,
        )
        .join(Hlr, Hlr.code == SubscriptionData.hlr_code)
        .where(SubscriptionData.city_id == city_id, SubscriptionData.data_no == data_no)
        .with_for_update(of=SubscriptionData)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else DataUnit(*row)


async def move_data(session: AsyncSession, unit: DataUnit, to_state: DataState, *, now: datetime, **also: Any) -> bool:
    """Move the unit's state by compare-and-set with the columns in `also`; False: someone else moved it first."""
    statement = (
        update(SubscriptionData)
        .where(
            SubscriptionData.city_id == unit.city_id,
            SubscriptionData.data_no == unit.data_no,
            SubscriptionData.state == unit.state,
            SubscriptionData.version == unit.version,
        )
        .values(state=to_state, version=unit.version + 1, updated_at=now, **also)
        .returning(SubscriptionData.data_no)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def lease_identity(session: AsyncSession, card: Card, unit: DataUnit) -> None:
    """Enter what the card is about to become; the key on (city, IMSI) keeps an IMSI from a second card."""
    await session.execute(
        insert(SimIdentity).values(
            city_id=card.city_id,
            item_no=card.item_no,
            slot=SLOT,
            application=APPLICATION,
            imsi=unit.imsi,
            hlr_code=unit.hlr_code,
            state=IdentityState.LEASED,
            auc=AucState.NONE,
        )
    )


async def identity_state(session: AsyncSession, card: Card) -> IdentityState:
    """Return the state of the identity in the card's slot; NONE when it has none."""
    state = await session.scalar(
        select(SimIdentity.state).where(
            SimIdentity.city_id == card.city_id, SimIdentity.item_no == card.item_no, SimIdentity.slot == SLOT
        )
    )
    return IdentityState(state) if state else IdentityState.NONE


async def has_identity(session: AsyncSession, *, city_id: int, item_no: int, finished: bool) -> bool:
    """Whether an IMSI is on the card or may be: an identity, or a data unit that went to it.

    A `finished` card is delivered with one; that counts only once a number is bound to it.
    """
    identity = select(SimIdentity.item_no).where(
        SimIdentity.city_id == city_id, SimIdentity.item_no == item_no, SimIdentity.state != IdentityState.NONE
    )
    if finished:
        untouched = and_(SimIdentity.state == IdentityState.VERIFIED, SimIdentity.number_item_no.is_(None))
        identity = identity.where(not_(untouched))
    unit = select(SubscriptionData.data_no).where(
        SubscriptionData.city_id == city_id,
        SubscriptionData.sim_item_no == item_no,
        SubscriptionData.state.in_([DataState.LEASED, DataState.QUARANTINED, DataState.BOUND]),
    )
    return bool(await session.scalar(select(or_(identity.exists(), unit.exists()))))


async def set_identity(session: AsyncSession, card: Card, state: IdentityState) -> None:
    """Set the state of the identity in the card's slot; NONE takes it away."""
    here = (SimIdentity.city_id == card.city_id, SimIdentity.item_no == card.item_no, SimIdentity.slot == SLOT)
    if state is IdentityState.NONE:
        await session.execute(delete(SimIdentity).where(*here))
    else:
        await session.execute(update(SimIdentity).where(*here).values(state=state))

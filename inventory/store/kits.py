"""What a write job touches beside itself: the kit, its card with kind and sealed keys, its data unit, the identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, not_, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.identifiers import format_public_id
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
"""The slot that a hall writes; further ones come with finished cards alone (docs/adr/0036)."""
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
    sim_wish: dict[str, Any] | None
    number: str | None
    number_kind: str | None
    number_hlr: str | None
    old_sim_item_no: int | None
    business: str

    @property
    def name(self) -> str:
        """Its public id."""
        return format_public_id("h", self.city_id, self.hold_id)


@dataclass(frozen=True)
class Card:
    """A SIM of stock with what its kind says: profile, the network in the profile's own form, the algorithm."""

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
    adm_sent: bool
    kind_code: str
    profile: str
    network: dict[str, Any]
    algorithm: dict[str, Any]


@dataclass(frozen=True)
class SealedKeys:
    """A card's secrets as they lie at rest: its keys under the vendor's key, that key and ADM1 in envelopes."""

    index: str
    algorithm: str
    wrapped: bytes = field(repr=False)
    ki: bytes = field(repr=False)
    opc: bytes = field(repr=False)
    adm1: bytes = field(repr=False)
    scp_enc: bytes | None = field(repr=False)
    scp_mac: bytes | None = field(repr=False)
    batch_id: int | None
    row: int | None
    bound_to: str | None


@dataclass(frozen=True)
class DataUnit:
    """A unit of subscription data with its HLR's message centre (`+` and digits), and an ICCID for a card without."""

    city_id: int
    data_no: int
    imsi: str
    iccid: str | None
    hlr_code: str
    smsc: str
    state: str
    version: int
    hold_id: int | None
    fetched: bool
    """From an operator's own system, for one card and no other."""


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
            HoldRow.sim_wish,
            Number.number,
            Number.kind,
            Number.hlr_code,
            HoldRow.old_sim_item_no,
            HoldRow.business,
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


async def set_card(session: AsyncSession, kit: Kit, *, sim_item_no: int, data_no: int | None) -> None:
    """Give the kit this card and data unit; it has no job then."""
    await session.execute(
        update(HoldRow)
        .where(HoldRow.city_id == kit.city_id, HoldRow.hold_id == kit.hold_id)
        .values(sim_item_no=sim_item_no, data_no=data_no, job_id=None)
    )


async def set_data(session: AsyncSession, kit: Kit, data_no: int | None) -> None:
    """Give the kit this data unit, or none."""
    here = (HoldRow.city_id == kit.city_id, HoldRow.hold_id == kit.hold_id)
    await session.execute(update(HoldRow).where(*here).values(data_no=data_no))


async def untie_card(session: AsyncSession, card: Card) -> None:
    """Take a card out of its kit; its state stays."""
    await session.execute(
        update(Sim)
        .where(Sim.city_id == card.city_id, Sim.item_no == card.item_no)
        .values(hold_id=None, hold_until=None)
    )


async def keep_kit_until(session: AsyncSession, kit: Kit, moment: datetime) -> None:
    """Move the end of the hold and of its items to the moment, unless it is later already."""
    if kit.expires_at >= moment:
        return
    await session.execute(
        update(HoldRow).where(HoldRow.city_id == kit.city_id, HoldRow.hold_id == kit.hold_id).values(expires_at=moment)
    )
    for table, item_no in ((Number, kit.number_item_no), (Sim, kit.sim_item_no), (Sim, kit.old_sim_item_no)):
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
    Sim.adm_sent,
    Sim.kind_code,
    CardKind.profile,
    CardKind.network,
    CardKind.algorithm,
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
    """Set the tombstone: this card refused its ADM key, so it is known what came of it."""
    here = (Sim.city_id == city_id, Sim.item_no == item_no)
    await session.execute(update(Sim).where(*here).values(adm_refused=True, adm_sent=False))


async def forget_adm_sent(session: AsyncSession, *, city_id: int, item_no: int) -> None:
    """Take away the mark that an ADM key is under way: it is known what came of it, or a person has decided."""
    await session.execute(
        update(Sim).where(Sim.city_id == city_id, Sim.item_no == item_no, Sim.adm_sent).values(adm_sent=False)
    )


async def register_iccid(session: AsyncSession, card: Card, iccid: str) -> None:
    """Enter the ICCID read back from a card that had none in stock; it may exist once across all cities."""
    await session.execute(insert(Identifier).values(kind="iccid", value=iccid, city_id=card.city_id))
    await _set_iccid(session, card, iccid)


async def hand_over_iccid(session: AsyncSession, unit: DataUnit, card: Card) -> None:
    """Enter the ICCID of a data unit that was read back from its card: it is the card's alone from now on."""
    here = (SubscriptionData.city_id == unit.city_id, SubscriptionData.data_no == unit.data_no)
    await session.execute(update(SubscriptionData).where(*here).values(iccid=None))
    await _set_iccid(session, card, unit.iccid)


async def _set_iccid(session: AsyncSession, card: Card, iccid: str | None) -> None:
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
            CardSecret.scp_enc,
            CardSecret.scp_mac,
            CardSecret.batch_id,
            CardSecret.row,
            CardSecret.bound_to,
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


async def has_transport_key(session: AsyncSession, index: str) -> bool:
    """Whether a transport key has this index."""
    return await session.scalar(select(TransportKey.index).where(TransportKey.index == index)) is not None


@dataclass(frozen=True)
class KeyLetter:
    """What the letter of a transport key said beside the key; `kcv` is three bytes."""

    index: str
    algorithm: str
    kcv: bytes
    purpose: str


async def transport_key_letters(session: AsyncSession) -> list[KeyLetter]:
    """Return what the letters of all transport keys said, by index."""
    query = select(TransportKey.index, TransportKey.algorithm, TransportKey.kcv, TransportKey.purpose)
    return [KeyLetter(*row) for row in await session.execute(query.order_by(TransportKey.index))]


async def add_transport_key(
    session: AsyncSession, *, index: str, algorithm: str, wrapped: bytes, kcv: bytes, purpose: str = "vendor"
) -> bool:
    """Enter a wrapped transport key; False when its index is taken."""
    statement = (
        upsert(TransportKey)
        .values(index=index, algorithm=algorithm, wrapped=wrapped, kcv=kcv, purpose=purpose)
        .on_conflict_do_nothing()
        .returning(TransportKey.index)
    )
    return (await session.execute(statement)).one_or_none() is not None


_UNIT_COLUMNS: tuple[Any, ...] = (
    SubscriptionData.city_id,
    SubscriptionData.data_no,
    SubscriptionData.imsi,
    SubscriptionData.iccid,
    SubscriptionData.hlr_code,
    Hlr.smsc,
    SubscriptionData.state,
    SubscriptionData.version,
    SubscriptionData.hold_id,
    SubscriptionData.batch_id.is_(None),
)
_UNIT = select(*_UNIT_COLUMNS).join(Hlr, Hlr.code == SubscriptionData.hlr_code)


async def find_data(session: AsyncSession, *, city_id: int, data_no: int) -> DataUnit | None:
    """Return the data unit, locked, or None."""
    query = _UNIT.where(SubscriptionData.city_id == city_id, SubscriptionData.data_no == data_no)
    row = (await session.execute(query.with_for_update(of=SubscriptionData))).one_or_none()
    return None if row is None else DataUnit(*row)


async def free_unit(
    session: AsyncSession, *, city_id: int, hlr_code: str, start: int, numbered: bool
) -> DataUnit | None:
    """Return a free unit of the HLR that nobody is just taking, locked: the first from `start` on, or before it.

    `numbered` asks for one with an ICCID, else it has none.
    """
    free = _UNIT.where(
        SubscriptionData.city_id == city_id,
        SubscriptionData.hlr_code == hlr_code,
        SubscriptionData.state == DataState.FREE,
        SubscriptionData.iccid.is_not(None) if numbered else SubscriptionData.iccid.is_(None),
    ).order_by(SubscriptionData.data_no)
    for part in (SubscriptionData.data_no >= start, SubscriptionData.data_no < start):
        query = free.where(part).limit(1).with_for_update(of=SubscriptionData, skip_locked=True)
        row = (await session.execute(query)).one_or_none()
        if row is not None:
            return DataUnit(*row)
    return None


async def untie_data(session: AsyncSession, unit: DataUnit) -> None:
    """Take a data unit that is with a card out of its kit; its state stays."""
    await session.execute(
        update(SubscriptionData)
        .where(SubscriptionData.city_id == unit.city_id, SubscriptionData.data_no == unit.data_no)
        .values(hold_id=None)
    )


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

    A `finished` card is delivered with one, and its unit bound; that counts only once a number is or was bound to it.
    """
    identity = select(SimIdentity.item_no).where(
        SimIdentity.city_id == city_id, SimIdentity.item_no == item_no, SimIdentity.state != IdentityState.NONE
    )
    if finished:
        untouched = and_(
            SimIdentity.state == IdentityState.VERIFIED,
            SimIdentity.number_item_no.is_(None),
            SimIdentity.auc != AucState.DELETED,
        )
        identity = identity.where(not_(untouched))
    gone = [DataState.LEASED, DataState.QUARANTINED, *([] if finished else [DataState.BOUND])]
    unit = select(SubscriptionData.data_no).where(
        SubscriptionData.city_id == city_id,
        SubscriptionData.sim_item_no == item_no,
        SubscriptionData.state.in_(gone),
    )
    return bool(await session.scalar(select(or_(identity.exists(), unit.exists()))))


async def set_sqn(session: AsyncSession, card: Card, sqn: int) -> None:
    """Keep the sequence number that the card reported, for the network to begin behind it."""
    here = (SimIdentity.city_id == card.city_id, SimIdentity.item_no == card.item_no, SimIdentity.slot == SLOT)
    await session.execute(update(SimIdentity).where(*here).values(sqn=sqn))


async def set_identity(session: AsyncSession, card: Card, state: IdentityState) -> None:
    """Set the state of the identity in the card's slot; NONE takes it away."""
    here = (SimIdentity.city_id == card.city_id, SimIdentity.item_no == card.item_no, SimIdentity.slot == SLOT)
    if state is IdentityState.NONE:
        await session.execute(delete(SimIdentity).where(*here))
    else:
        await session.execute(update(SimIdentity).where(*here).values(state=state))

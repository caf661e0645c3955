"""Bulk orders, how far they are, the cards they are offered, and the kit of one card."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.bulk import PACE_SPAN, Inserted, NotTaken, Progress
from inventory.domain.calendar import business_day
from inventory.domain.fees import Business
from inventory.domain.identifiers import format_public_id
from inventory.domain.lifecycle import (
    BULK_ORDER_OPEN,
    WRITE_JOB_OPEN,
    BulkOrderState,
    DataState,
    HoldState,
    WriteJobState,
)
from inventory.domain.organisation import Level
from inventory.store.schema import BulkOrder, HoldRow, Organisation, Sim, StationReader, SubscriptionData, WriteJob


@dataclass(frozen=True)
class Bulk:
    """A bulk order as it is now; see `BulkOrder` for the meaning of each field."""

    city_id: int
    bulk_no: int
    station_id: int
    org_id: int
    kind_code: str
    hlr_code: str
    wanted: int
    state: str
    staff_no: str
    interface_no: str
    opened_at: datetime
    ended_at: datetime | None

    @property
    def name(self) -> str:
        """Its public id."""
        return format_public_id("bo", self.city_id, self.bulk_no)


_COLUMNS = tuple(getattr(BulkOrder, column.name) for column in fields(Bulk))


def _bulks() -> Select[Any]:
    return select(*_COLUMNS)


async def add_order(
    session: AsyncSession,
    *,
    city_id: int,
    station_id: int,
    org_id: int,
    kind_code: str,
    hlr_code: str,
    wanted: int,
    staff_no: str,
    interface_no: str,
    now: datetime,
) -> Bulk:
    """Enter a running order; a second open one of the station breaks `uq_bulk_order_of_station`."""
    statement = (
        insert(BulkOrder)
        .values(
            city_id=city_id,
            station_id=station_id,
            org_id=org_id,
            kind_code=kind_code,
            hlr_code=hlr_code,
            wanted=wanted,
            state=BulkOrderState.RUNNING,
            staff_no=staff_no,
            interface_no=interface_no,
            opened_at=now,
        )
        .returning(*_COLUMNS)
    )
    return Bulk(*(await session.execute(statement)).one())


async def find_order(session: AsyncSession, *, city_id: int, bulk_no: int, lock: bool = False) -> Bulk | None:
    """Return the order, or None; `lock` keeps others from changing it until the end of the transaction."""
    query = _bulks().where(BulkOrder.city_id == city_id, BulkOrder.bulk_no == bulk_no)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Bulk(*row)


async def open_order_of(session: AsyncSession, *, city_id: int, station_id: int, lock: bool = False) -> Bulk | None:
    """Return the station's running or paused order, or None."""
    query = _bulks().where(
        BulkOrder.city_id == city_id, BulkOrder.station_id == station_id, BulkOrder.state.in_(BULK_ORDER_OPEN)
    )
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Bulk(*row)


async def is_latest(session: AsyncSession, order: Bulk) -> bool:
    """Whether the station has had no order since this one."""
    later = exists().where(
        BulkOrder.city_id == order.city_id, BulkOrder.station_id == order.station_id, BulkOrder.bulk_no > order.bulk_no
    )
    return not await session.scalar(select(later))


async def orders_of(session: AsyncSession, *, city_id: int, stations: Collection[int], limit: int | None) -> list[Bulk]:
    """Return orders of the stations, the newest first."""
    query = _bulks().where(BulkOrder.city_id == city_id, BulkOrder.station_id.in_(stations))
    rows = await session.execute(query.order_by(BulkOrder.bulk_no.desc()).limit(limit))
    return [Bulk(*row) for row in rows]


async def move_order(session: AsyncSession, order: Bulk, state: BulkOrderState, *, ended_at: datetime | None) -> bool:
    """Move the order's state by compare-and-set; False means that someone else moved it first."""
    statement = (
        update(BulkOrder)
        .where(BulkOrder.city_id == order.city_id, BulkOrder.bulk_no == order.bulk_no, BulkOrder.state == order.state)
        .values(state=state, ended_at=ended_at)
        .returning(BulkOrder.bulk_no)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def progress(session: AsyncSession, order: Bulk, *, now: datetime) -> Progress:
    """Count the order's cards by how they ended."""
    state = WriteJob.state
    verified = state == WriteJobState.VERIFIED
    untouched = state.in_([WriteJobState.NOTHING_WRITTEN, WriteJobState.CANCELLED])
    query = select(
        func.count().filter(verified),
        func.count().filter(state == WriteJobState.DAMAGED),
        func.count().filter(state == WriteJobState.UNKNOWN),
        func.count().filter(untouched),
        func.count().filter(state.in_(WRITE_JOB_OPEN)),
        func.count().filter(and_(verified, WriteJob.finished_at > now - PACE_SPAN)),
        func.min(WriteJob.created_at),
    ).where(WriteJob.city_id == order.city_id, WriteJob.bulk_no == order.bulk_no)
    written, damaged, unknown, left_alone, under_way, recent, first_at = (await session.execute(query)).one()
    return Progress(
        wanted=order.wanted, written=written, damaged=damaged, unknown=unknown, untouched=left_alone,
        under_way=under_way, recent=recent, first_at=first_at,
    )  # fmt: skip


async def inserted(
    session: AsyncSession, order: Bulk, *, item_no: int, station_org: int, now: datetime
) -> Inserted | None:
    """Return the card of stock, locked, as the order sees it; None if it has gone."""
    near = or_(
        Sim.holder_id.in_([station_org, order.org_id]),
        and_(Organisation.parent_id == station_org, Organisation.level == Level.CLERK.name),
    )
    query = (
        select(
            Sim.state,
            Sim.kind_code,
            near.label("here"),
            Sim.hlr_code.is_not(None).label("finished"),
            or_(Sim.transit_id.is_not(None), Sim.recall_id.is_not(None)).label("on_the_way"),
            Sim.legal_hold,
            func.coalesce(Sim.expires_on < business_day(now), False).label("expired"),
            Sim.adm_refused,
            Sim.adm_sent,
        )
        .outerjoin(Organisation, Organisation.id == Sim.holder_id)
        .where(Sim.city_id == order.city_id, Sim.item_no == item_no)
    )
    row = (await session.execute(query.with_for_update(of=Sim))).one_or_none()
    return None if row is None else Inserted(**row._asdict())


async def has_free_data(session: AsyncSession, *, city_id: int, hlr_code: str, numbered: bool) -> bool:
    """Whether the pool of the HLR has a free data unit; `numbered` asks for one with an ICCID, else without."""
    free = exists().where(
        SubscriptionData.city_id == city_id,
        SubscriptionData.hlr_code == hlr_code,
        SubscriptionData.state == DataState.FREE,
        SubscriptionData.iccid.is_not(None) if numbered else SubscriptionData.iccid.is_(None),
    )
    return bool(await session.scalar(select(free)))


async def add_kit(
    session: AsyncSession, order: Bulk, *, item_no: int, data_no: int, lasts: timedelta, now: datetime
) -> int:
    """Enter the hold of one card and its data unit, without a number, and return its number."""
    statement = (
        insert(HoldRow)
        .values(
            city_id=order.city_id,
            state=HoldState.ACTIVE,
            interface_no=order.interface_no,
            staff_no=order.staff_no,
            org_id=order.org_id,
            business=Business.ACTIVATION,
            order_ref=order.name,
            sim_item_no=item_no,
            data_no=data_no,
            quote={},
            expires_at=now + lasts,
            first_seconds=int(lasts.total_seconds()),
            extensions=0,
            created_at=now,
        )
        .returning(HoldRow.hold_id)
    )
    return (await session.execute(statement)).scalar_one()


async def forget_insertions(session: AsyncSession, *, city_id: int, station_id: int) -> None:
    """Forget what former orders did with the cards that are in the station's readers."""
    await session.execute(
        update(StationReader)
        .where(StationReader.city_id == city_id, StationReader.station_id == station_id)
        .values(bulk_job_id=None, bulk_refusal=None)
    )


async def forget_waiting(session: AsyncSession, *, city_id: int, station_id: int) -> bool:
    """Forget that cards in the station's readers were not needed; True if there are any."""
    statement = (
        update(StationReader)
        .where(
            StationReader.city_id == city_id,
            StationReader.station_id == station_id,
            StationReader.bulk_refusal == NotTaken.ENOUGH,
        )
        .values(bulk_refusal=None)
        .returning(StationReader.name)
    )
    return (await session.execute(statement)).first() is not None

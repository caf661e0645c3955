"""Stations, their readers and their enrolment codes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import WRITE_JOB_OPEN, WriteJobState
from inventory.store.schema import EnrolCode, Sim, Station, StationReader, WriteJob


@dataclass(frozen=True)
class StationRow:
    """A station as it is now."""

    city_id: int
    station_id: int
    org_id: int
    name: str
    enrolled_at: datetime
    revoked_at: datetime | None
    online_since: datetime | None
    last_seen_at: datetime | None
    link_id: str | None


@dataclass(frozen=True)
class ReaderRow:
    """A reader as last seen, with what the identify script found on its card and the stock record's state."""

    station_id: int
    name: str
    state: str
    insertion: int
    facts: dict[str, Any] | None
    sim_item_no: int | None
    sim_iccid: str | None
    sim_serial: str | None
    sim_state: str | None
    sim_hlr: str | None
    sim_hold_id: int | None
    sim_holder_id: int | None
    script_id: str | None
    seen_at: datetime
    bulk_job_id: int | None
    bulk_refusal: str | None
    label: str | None
    seat: str | None
    seat_staff: str | None
    seat_at: datetime | None
    dispenser: dict[str, Any] | None
    kiosk_kind: str | None


@dataclass(frozen=True)
class SeatRow:
    """A reader with its label and the seat that it is bound to."""

    station_id: int
    name: str
    label: str | None
    seat: str | None
    staff_no: str | None
    at: datetime | None


@dataclass(frozen=True)
class CodeRow:
    """An enrolment code: whose, until when, and whether it was used."""

    city_id: int
    org_id: int
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    station_id: int | None


_STATION = (
    Station.city_id,
    Station.station_id,
    Station.org_id,
    Station.name,
    Station.enrolled_at,
    Station.revoked_at,
    Station.online_since,
    Station.last_seen_at,
    Station.link_id,
)


async def add_code(
    session: AsyncSession, sha256: bytes, *, city_id: int, org_id: int, created_by: str, expires_at: datetime
) -> None:
    """Keep the digest of a new enrolment code."""
    await session.execute(
        insert(EnrolCode).values(
            code_sha256=sha256, city_id=city_id, org_id=org_id, created_by=created_by, expires_at=expires_at
        )
    )


async def find_code(session: AsyncSession, sha256: bytes) -> CodeRow | None:
    """Return the code with this digest and lock it, or None."""
    query = select(
        EnrolCode.city_id,
        EnrolCode.org_id,
        EnrolCode.created_by,
        EnrolCode.expires_at,
        EnrolCode.used_at,
        EnrolCode.station_id,
    ).where(EnrolCode.code_sha256 == sha256)
    row = (await session.execute(query.with_for_update())).one_or_none()
    return None if row is None else CodeRow(*row)


async def use_code(session: AsyncSession, sha256: bytes, *, station_id: int, now: datetime) -> None:
    """Mark a code as used for the station."""
    await session.execute(
        update(EnrolCode).where(EnrolCode.code_sha256 == sha256).values(used_at=now, station_id=station_id)
    )


async def add_station(
    session: AsyncSession, *, city_id: int, org_id: int, name: str, credential_sha256: bytes, now: datetime
) -> int:
    """Enter a station and return its number."""
    statement = (
        insert(Station)
        .values(city_id=city_id, org_id=org_id, name=name, credential_sha256=credential_sha256, enrolled_at=now)
        .returning(Station.station_id)
    )
    return (await session.execute(statement)).scalar_one()


async def by_credential(session: AsyncSession, sha256: bytes) -> StationRow | None:
    """Return the station whose credential has this digest, or None."""
    row = (await session.execute(select(*_STATION).where(Station.credential_sha256 == sha256))).one_or_none()
    return None if row is None else StationRow(*row)


async def find_station(
    session: AsyncSession, *, city_id: int, station_id: int, lock: bool = False
) -> StationRow | None:
    """Return the station, or None."""
    query = select(*_STATION).where(Station.city_id == city_id, Station.station_id == station_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else StationRow(*row)


async def stations_of(
    session: AsyncSession, *, city_id: int, orgs: Collection[int], revoked_too: bool = False
) -> list[StationRow]:
    """Return the stations of these organisations, by number; `revoked_too` with those that are no more."""
    query = select(*_STATION).where(Station.city_id == city_id, Station.org_id.in_(orgs))
    if not revoked_too:
        query = query.where(Station.revoked_at.is_(None))
    return [StationRow(*row) for row in await session.execute(query.order_by(Station.station_id))]


async def change_station(session: AsyncSession, *, city_id: int, station_id: int, **values: Any) -> None:
    """Set columns of a station."""
    await session.execute(
        update(Station).where(Station.city_id == city_id, Station.station_id == station_id).values(**values)
    )


async def touch(session: AsyncSession, *, city_id: int, station_id: int, link_id: str, now: datetime) -> bool:
    """Note that the link lives; False when another one has taken the station over, or it was revoked."""
    statement = (
        update(Station)
        .where(
            Station.city_id == city_id,
            Station.station_id == station_id,
            Station.link_id == link_id,
            Station.revoked_at.is_(None),
        )
        .values(last_seen_at=now)
        .returning(Station.station_id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def drop_link(session: AsyncSession, *, city_id: int, station_id: int, link_id: str) -> bool:
    """Note that the link has ended; False when another one had taken over."""
    statement = (
        update(Station)
        .where(Station.city_id == city_id, Station.station_id == station_id, Station.link_id == link_id)
        .values(online_since=None, link_id=None)
        .returning(Station.station_id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def silent_since(session: AsyncSession, moment: datetime) -> list[StationRow]:
    """Return the stations not heard since the moment that count as online or have jobs under way, revoked ones too."""
    waiting = exists().where(
        WriteJob.city_id == Station.city_id,
        WriteJob.station_id == Station.station_id,
        WriteJob.state.in_(WRITE_JOB_OPEN),
    )
    query = select(*_STATION).where(Station.last_seen_at < moment, or_(Station.online_since.is_not(None), waiting))
    return [StationRow(*row) for row in await session.execute(query)]


async def forget_cards(session: AsyncSession, *, city_id: int, station_id: int) -> None:
    """Forget what lay in the readers: a station that has just come (back) tells anew."""
    await session.execute(
        update(StationReader)
        .where(StationReader.city_id == city_id, StationReader.station_id == station_id)
        .values(state="lost", facts=None, sim_item_no=None, script_id=None)
    )


async def drop_gone_readers(session: AsyncSession, *, city_id: int, station_id: int, before: datetime) -> None:
    """Drop the station's readers that are gone and were last seen before this, if nobody named, bound or awaits one."""
    unsettled = exists().where(
        WriteJob.city_id == city_id,
        WriteJob.station_id == station_id,
        WriteJob.reader == StationReader.name,
        WriteJob.state.in_((*WRITE_JOB_OPEN, WriteJobState.UNKNOWN)),
    )
    await session.execute(
        delete(StationReader).where(
            StationReader.city_id == city_id,
            StationReader.station_id == station_id,
            StationReader.state == "lost",
            StationReader.seen_at < before,
            StationReader.label.is_(None),
            StationReader.bulk_job_id.is_(None),
            ~unsettled,
        )
    )


_READER = (
    StationReader.station_id,
    StationReader.name,
    StationReader.state,
    StationReader.insertion,
    StationReader.facts,
    StationReader.sim_item_no,
    Sim.iccid,
    Sim.serial,
    Sim.state,
    Sim.hlr_code,
    Sim.hold_id,
    Sim.holder_id,
    StationReader.script_id,
    StationReader.seen_at,
    StationReader.bulk_job_id,
    StationReader.bulk_refusal,
    StationReader.label,
    StationReader.seat,
    StationReader.seat_staff,
    StationReader.seat_at,
    StationReader.dispenser,
    StationReader.kiosk_kind,
)


async def readers_of(session: AsyncSession, *, city_id: int, stations: Collection[int]) -> list[ReaderRow]:
    """Return the readers of the stations, by station and name."""
    query = (
        select(*_READER)
        .outerjoin(Sim, tuple_(Sim.city_id, Sim.item_no) == tuple_(StationReader.city_id, StationReader.sim_item_no))
        .where(StationReader.city_id == city_id, StationReader.station_id.in_(stations))
        .order_by(StationReader.station_id, StationReader.name)
    )
    return [ReaderRow(*row) for row in await session.execute(query)]


async def seats_at(session: AsyncSession, *, city_id: int, org_id: int) -> list[SeatRow]:
    """Return the readers of the stations of a place that are not revoked, locked."""
    here = tuple_(Station.city_id, Station.station_id) == tuple_(StationReader.city_id, StationReader.station_id)
    query = (
        select(
            StationReader.station_id,
            StationReader.name,
            StationReader.label,
            StationReader.seat,
            StationReader.seat_staff,
            StationReader.seat_at,
        )
        .join(Station, here)
        .where(Station.city_id == city_id, Station.org_id == org_id, Station.revoked_at.is_(None))
        .order_by(StationReader.station_id, StationReader.name)
        .with_for_update(of=StationReader)
    )
    return [SeatRow(*row) for row in await session.execute(query)]


async def leave_seat(session: AsyncSession, *, city_id: int, seat: str) -> None:
    """Unbind the readers of a seat; their labels stay."""
    await session.execute(
        update(StationReader)
        .where(StationReader.city_id == city_id, StationReader.seat == seat)
        .values(seat=None, seat_staff=None, seat_at=None)
    )


async def see_reader(
    session: AsyncSession, *, city_id: int, station_id: int, name: str, state: str, insertion: int, now: datetime
) -> None:
    """Enter a reader or its change of state."""
    statement = upsert(StationReader).values(
        city_id=city_id, station_id=station_id, name=name, state=state, insertion=insertion, seen_at=now
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["city_id", "station_id", "name"],
            set_={"state": state, "insertion": insertion, "seen_at": now},
        )
    )


async def change_reader(session: AsyncSession, *, city_id: int, station_id: int, name: str, **values: Any) -> None:
    """Set columns of a reader."""
    await session.execute(
        update(StationReader)
        .where(StationReader.city_id == city_id, StationReader.station_id == station_id, StationReader.name == name)
        .values(**values)
    )

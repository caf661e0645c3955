"""Stations: how a hall PC becomes one, how it ceases to be, and what lies in the readers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import EnrolCodeInvalid, OutsideScope, StationUnknown
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.lifecycle import BulkOrderEvent, SimState
from inventory.domain.organisation import Level
from inventory.services.bulk_ends import move_order
from inventory.services.once import Answer, WriteKey, once
from inventory.store import access, bulk, events, organisation, stations
from inventory.store.events import EventDraft
from inventory.store.notices import Notice, notify
from inventory.store.organisation import Node
from inventory.store.stations import CodeRow, ReaderRow, StationRow
from inventory.vault.enrolment import EnrolKeys, digest, normal

CODE_LIFE = timedelta(minutes=30)
SILENCE = timedelta(seconds=45)
"""A station not heard for so long does not count as connected; it is asked for a word more often."""
_STATION_INTERFACE = "station"
"""What stands in events and logs where a station itself is the caller."""


@dataclass(frozen=True)
class Enrolled:
    """A station and the credential it is known by; only its digest is kept."""

    station_id: str
    name: str
    credential: str = field(repr=False)


async def add_code(
    session: AsyncSession, caller: Caller, write: WriteKey, org_id: int, *, keys: EnrolKeys, now: datetime
) -> Answer:
    """Give a one-time code with which a hall PC becomes a station of the organisation.

    Raises
    ------
    OutsideScope
        The organisation is not in the caller's part.
    """
    code = keys.code(caller.city_id, caller.interface_no, write.key)

    async def work() -> dict[str, Any]:
        if org_id not in caller.scope:
            raise OutsideScope(what=f"organisation {org_id}")
        expires_at = now + CODE_LIFE
        await stations.add_code(
            session,
            digest(normal(code)),
            city_id=caller.city_id,
            org_id=org_id,
            created_by=caller.staff_no,
            expires_at=expires_at,
        )
        return {"org_id": org_id, "expires_at": expires_at.isoformat()}

    answer = await once(session, caller, write, work, now=now)
    return Answer(answer.body | {"code": code}, answer.replayed)


async def enrol(session: AsyncSession, code: str, name: str, *, keys: EnrolKeys, now: datetime) -> Enrolled:
    """Trade a one-time code for a station's own credential.

    Whoever lost the answer may ask again with the same code, until the station has connected for the first time.

    Raises
    ------
    EnrolCodeInvalid
        The code is wrong, used or too old; this is kept as a security event.
    """
    sha256, credential = digest(normal(code)), keys.credential(code)
    async with session.begin():
        row = await stations.find_code(session, sha256)
        if row is not None and row.used_at is None and now < row.expires_at:
            return await _enter(session, row, sha256, name, credential, now=now)
        again = await _unheard(session, row, now=now)
        if again is not None:
            return Enrolled(format_public_id("st", again.city_id, again.station_id), again.name, credential)
        await access.record_refusal(
            session, code=EnrolCodeInvalid.code, interface_no=_STATION_INTERFACE, staff_no=None,
            detail={"name": name}, now=now,
        )  # fmt: skip
    raise EnrolCodeInvalid


async def _enter(
    session: AsyncSession, row: CodeRow, sha256: bytes, name: str, credential: str, *, now: datetime
) -> Enrolled:
    station_id = await stations.add_station(
        session, city_id=row.city_id, org_id=row.org_id, name=name, credential_sha256=digest(credential), now=now
    )
    await stations.use_code(session, sha256, station_id=station_id, now=now)
    draft = EventDraft(name="station.enrolled", kind="station", item_no=station_id, data={"org": row.org_id})
    await events.record(
        session, [draft], city_id=row.city_id, staff_no=row.created_by, interface_no=_STATION_INTERFACE, now=now
    )
    return Enrolled(format_public_id("st", row.city_id, station_id), name, credential)


async def _unheard(session: AsyncSession, row: CodeRow | None, *, now: datetime) -> StationRow | None:
    """Give the station of a used code that is still young, if that station has never connected."""
    if row is None or row.station_id is None or now >= row.expires_at:
        return None
    found = await stations.find_station(session, city_id=row.city_id, station_id=row.station_id)
    return found if found is not None and found.last_seen_at is None and found.revoked_at is None else None


async def revoke(
    session: AsyncSession, caller: Caller, write: WriteKey, station: str, reason: str, *, now: datetime
) -> Answer:
    """End a station: its credential opens nothing any more, its link is closed, and so is its bulk order.

    Raises
    ------
    StationUnknown
        No such station in the caller's part.
    """

    async def work() -> dict[str, Any]:
        row = await visible_station(session, caller, station)
        await stations.change_station(session, city_id=row.city_id, station_id=row.station_id, revoked_at=now)
        draft = EventDraft(name="station.revoked", kind="station", item_no=row.station_id, reason=reason)
        await events.record(
            session, [draft], city_id=row.city_id, staff_no=caller.staff_no, interface_no=caller.interface_no, now=now
        )
        order = await bulk.open_order_of(session, city_id=row.city_id, station_id=row.station_id, lock=True)
        if order is not None:  # no card will ever be put in for it
            who = {"staff_no": caller.staff_no, "interface_no": caller.interface_no}
            await move_order(session, order, BulkOrderEvent.CANCEL, now=now, **who)
        await notify(session, Notice(city_id=row.city_id, station_id=row.station_id))
        return {"id": station, "revoked_at": now.isoformat()}

    return await once(session, caller, write, work, now=now)


async def read_stations(
    session: AsyncSession, caller: Caller, *, seat: str | None = None, now: datetime
) -> list[dict[str, Any]]:
    """Give the stations of the caller's part with their readers, the cards in them, and whether one is the seat's."""
    async with session.begin():
        within = await reach(session, caller)
        found = await stations.stations_of(session, city_id=caller.city_id, orgs=within)
        readers = await stations.readers_of(session, city_id=caller.city_id, stations=[row.station_id for row in found])
    return [
        {
            "id": format_public_id("st", row.city_id, row.station_id),
            "name": row.name,
            "org_id": row.org_id,
            "online": is_online(row, now=now),
            "last_seen_at": None if row.last_seen_at is None else row.last_seen_at.isoformat(),
            "readers": [
                _reader(row.city_id, reader, within, seat) for reader in readers if reader.station_id == row.station_id
            ],
        }
        for row in found
    ]


async def visible_station(
    session: AsyncSession, caller: Caller, station: str, *, revoked_too: bool = False
) -> StationRow:
    """Give a station of the caller's part; one that was revoked only where its past is asked for.

    Raises
    ------
    StationUnknown
        There is none of this id.
    """
    name = parse_public_id(station, "st", field="station")
    found = None
    if name.city_id == caller.city_id:
        found = await stations.find_station(session, city_id=name.city_id, station_id=name.serial)
    if found is None or found.org_id not in await reach(session, caller):
        raise StationUnknown(station=station)
    if found.revoked_at is not None and not revoked_too:
        raise StationUnknown(station=station)
    return found


async def reach(session: AsyncSession, caller: Caller) -> frozenset[int]:
    """Give the organisations whose stations and stock the caller works with: its part, for a clerk the hall too."""
    return reach_from(await organisation.by_id(session, caller.org_id), caller)


def reach_from(node: Node | None, caller: Caller) -> frozenset[int]:
    """Give what `reach` does, from the caller's own node."""
    if node is None or node.level != Level.CLERK.name or node.parent_id is None:
        return caller.scope
    return caller.scope | {node.parent_id}


def is_online(station: StationRow, *, now: datetime) -> bool:
    """Whether the station's link is up and was heard lately."""
    heard = station.last_seen_at
    return station.online_since is not None and heard is not None and now - heard < SILENCE


def _reader(city_id: int, reader: ReaderRow, within: frozenset[int], seat: str | None) -> dict[str, Any]:
    """Give a reader as the API shows it; `stock` is the card's record if it lies within reach or is a customer's."""
    known = reader.sim_holder_id in within or reader.sim_state == SimState.IN_USE
    hold = None if reader.sim_hold_id is None else format_public_id("h", city_id, reader.sim_hold_id)
    return {
        "name": reader.name,
        "label": reader.label,
        "seat": _seat(reader, seat),
        "state": reader.state,
        "looking": reader.script_id is not None,
        "dispenser": _dispenser(reader),
        "kiosk": reader.kiosk_kind,
        "card": reader.facts,
        "stock": (
            {
                "state": reader.sim_state,
                "hold": hold,
                "iccid": reader.sim_iccid,
                "chip_serial": reader.sim_serial,
                "hlr": reader.sim_hlr,
            }
            if known
            else None
        ),
    }


def _dispenser(reader: ReaderRow) -> dict[str, Any] | None:
    """Give how a dispenser stands, without what only the service asks of it."""
    seen = reader.dispenser
    return None if seen is None else {name: value for name, value in seen.items() if name != "moved"}


def _seat(reader: ReaderRow, seat: str | None) -> dict[str, Any] | None:
    """Give who has the reader at its seat and since when; the seat's own name is the browser's alone."""
    if reader.seat is None or reader.seat_at is None:
        return None
    return {"staff_no": reader.seat_staff, "since": reader.seat_at.isoformat(), "mine": reader.seat == seat}

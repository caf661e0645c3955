"""The service's side of a station's link: who is connected, what its readers say, and what its silence means."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.script import ScriptError, is_name, status_word
from inventory.domain.cardjobs import STEPS_PER_SCRIPT, parse_script_ref
from inventory.domain.errors import BadCredentials, DomainError, InvalidIdentifier
from inventory.domain.identifiers import parse_public_id
from inventory.domain.lifecycle import BulkOrderState
from inventory.services.bulk_cards import unseen
from inventory.services.card_data import Workbench
from inventory.services.card_writing import give_up
from inventory.services.looks import order_look
from inventory.services.orders import Order
from inventory.store import access, bulk, cardjobs, stations
from inventory.store.cardjobs import StepRow
from inventory.store.notices import Notice, notify
from inventory.store.stations import StationRow
from inventory.vault.enrolment import digest

PATIENCE = timedelta(seconds=60)
"""How long a station may be silent before what it was given counts as unanswered."""
GONE_FOR = timedelta(days=1)
"""A reader that was last seen so long ago is forgotten when its station comes back without it."""
_CARD, _BUSY = "card", "busy"
_STATES = frozenset({"service_down", "no_card", _CARD, "mute", _BUSY, "lost"})
_MOST_INSERTIONS = 2**53
_INTERFACE = "station"
_NEW_CARD: dict[str, Any] = dict.fromkeys(("facts", "sim_item_no", "script_id", "bulk_job_id", "bulk_refusal"))
"""What is known of a card that was just put in."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ReaderSeen:
    """A reader as its station sees it; `insertion` counts the cards that were put in."""

    name: str
    state: str
    insertion: int

    @classmethod
    def from_wire(cls, wire: Any) -> Self:
        """Read one item of a `readers` message.

        Raises
        ------
        ScriptError
            It is not well formed.
        """
        match wire:
            case {"name": str(name), "state": str(state), "insertion": int(insertion)} if (
                state in _STATES and is_name(name) and 0 <= insertion <= _MOST_INSERTIONS
            ):
                return cls(name, state, insertion)
            case _:
                raise ScriptError("malformed reader")


async def admit_station(session: AsyncSession, credential: str | None, *, now: datetime) -> StationRow:
    """Return the station that the credential belongs to.

    Raises
    ------
    BadCredentials
        There is none, or it was revoked; this is kept as a security event.
    """
    async with session.begin():
        found = await stations.by_credential(session, digest(credential)) if credential else None
        if found is not None and found.revoked_at is None:
            return found
        detail = {"station": None if found is None else found.station_id}
        await access.record_refusal(
            session, code=BadCredentials.code, interface_no=_INTERFACE, staff_no=None, detail=detail, now=now
        )
    raise BadCredentials


async def open_link(session: AsyncSession, station: StationRow, link_id: str, *, now: datetime) -> None:
    """Enter the link as the station's only one; a former one is told by notice that it is over."""
    async with session.begin():
        await stations.change_station(
            session,
            city_id=station.city_id,
            station_id=station.station_id,
            link_id=link_id,
            online_since=now,
            last_seen_at=now,
        )
        await stations.forget_cards(session, city_id=station.city_id, station_id=station.station_id)
        await notify(session, Notice(city_id=station.city_id, station_id=station.station_id, link=link_id))


class LinkState(enum.Enum):
    """Whether a link is still the station's."""

    HELD = "held"
    TAKEN_OVER = "taken_over"
    REVOKED = "revoked"


async def keep_link(session: AsyncSession, station: StationRow, link_id: str, *, now: datetime) -> LinkState:
    """Note that the station was heard, and say whether this link is still its own."""
    place = (station.city_id, station.station_id)
    async with session.begin():
        if await stations.touch(session, city_id=place[0], station_id=place[1], link_id=link_id, now=now):
            return LinkState.HELD
        row = await stations.find_station(session, city_id=place[0], station_id=place[1])
    return LinkState.TAKEN_OVER if row is not None and row.revoked_at is None else LinkState.REVOKED


async def close_link(session: AsyncSession, station: StationRow, link_id: str) -> None:
    """Note that the link has ended, unless another one has taken over; its jobs wait `PATIENCE` for its return."""
    async with session.begin():
        if await stations.drop_link(session, city_id=station.city_id, station_id=station.station_id, link_id=link_id):
            await notify(session, Notice(city_id=station.city_id, station_id=station.station_id))


async def see_readers(
    session: AsyncSession, bench: Workbench, station: StationRow, readers: list[ReaderSeen], *, now: datetime
) -> list[Order]:
    """Keep what the readers show, and order a look at every card that was put in since the last time."""
    orders: list[Order] = []
    async with session.begin():
        rows = await stations.readers_of(session, city_id=station.city_id, stations=[station.station_id])
        known = {row.name: row for row in rows}
        for reader in readers:
            old = known.get(reader.name)
            place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id, "name": reader.name}
            await stations.see_reader(session, **place, state=reader.state, insertion=reader.insertion, now=now)
            same_card = old is not None and old.insertion == reader.insertion and reader.state in {_CARD, _BUSY}
            if not same_card:
                await stations.change_reader(session, **place, **_NEW_CARD)
            looked = same_card and old is not None and (old.facts is not None or old.script_id is not None)
            if reader.state == _CARD and not looked:
                orders.append(await order_look(session, bench, station, reader.name, now=now))
        await notify(session, Notice(city_id=station.city_id, station_id=station.station_id))
    return orders


async def drop_gone_readers(session: AsyncSession, station: StationRow, *, now: datetime) -> None:
    """Forget readers that a station, come back, no longer has: a USB reader at another port has another name.

    One that was there lately, that somebody named or bound to a seat, or whose job is not settled stays in the list.
    """
    async with session.begin():
        await stations.drop_gone_readers(
            session, city_id=station.city_id, station_id=station.station_id, before=now - GONE_FOR
        )


async def look_again(session: AsyncSession, bench: Workbench, station: StationRow, *, now: datetime) -> list[Order]:
    """Order a look at the cards that lay in the readers before the station's bulk order ran, if one runs."""
    place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id}
    async with session.begin():
        order = await bulk.open_order_of(session, **place)
        if order is None or order.state != BulkOrderState.RUNNING:
            return []
        rows = await stations.readers_of(session, city_id=station.city_id, stations=[station.station_id])
        return [await order_look(session, bench, station, name, now=now) for name in unseen(rows)]


async def hear_step(session: AsyncSession, station: StationRow, wire: Mapping[str, Any], *, now: datetime) -> None:
    """Keep one step of a running script for the desk's progress; one that makes no sense is dropped."""
    match wire:
        case {"job": str(job), "script": str(script_id), "index": int(index), "name": str(name), "sw": str(sw)}:
            pass
        case _:
            return
    try:
        city_id, job_id = parse_public_id(job, "j")[1:]
        ref = parse_script_ref(script_id)
        answer = f"{status_word(sw):04x}"
    except (InvalidIdentifier, ScriptError):
        return
    if not is_name(name) or city_id != station.city_id or not 0 <= index < STEPS_PER_SCRIPT:
        return
    async with session.begin():
        row = await cardjobs.find_job(session, city_id=city_id, job_id=job_id)
        if row is None or (row.station_id, row.script_id) != (station.station_id, script_id):
            return
        step = StepRow(ref.ordinal * STEPS_PER_SCRIPT + index, ref.purpose, name, answer, now)
        await cardjobs.add_steps(session, city_id=city_id, job_id=job_id, steps=[step])
        await notify(session, Notice(city_id=city_id, station_id=station.station_id, job_id=job_id))


async def settle_silent(session: AsyncSession, *, now: datetime) -> int:
    """Give up on stations that have been silent too long; give how many. Every process may call it at any time.

    A station whose jobs have moved on under it waits for the next call; the others do not wait for it.
    """
    async with session.begin():
        silent = await stations.silent_since(session, now - PATIENCE)
    settled = 0
    for station in silent:
        try:
            await give_up(session, station, now=now)
        except DomainError as error:
            _log.warning("station_not_settled", station=station.station_id, error=str(error))
            continue
        async with session.begin():
            await stations.change_station(
                session, city_id=station.city_id, station_id=station.station_id, online_since=None
            )
        settled += 1
    return settled

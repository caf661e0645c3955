"""Which reader stands at which seat: a seat is a browser, a reader belongs to one seat at a time and bears a label."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import SHANGHAI
from inventory.domain.errors import InvalidField, ReaderTaken
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stations import visible_station
from inventory.store import events, stations
from inventory.store.events import EventDraft
from inventory.store.notices import Notice, notify
from inventory.store.stations import SeatRow, StationRow

LONGEST_LABEL = 12
"""So much can be read across a hall."""


@dataclass(frozen=True, kw_only=True)
class SeatWish:
    """Which reader a seat binds; without `label` it keeps its own or gets the next number of the place.

    `seat` is the browser's own random name. `take_over` says that whoever had the reader is known to lose it.
    """

    station: str
    reader: str
    seat: str
    label: str | None = None
    take_over: bool = False


async def bind_reader(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: SeatWish, *, now: datetime
) -> Answer:
    """Bind the reader to the seat, which leaves the one it had; answers station, reader and label.

    Raises
    ------
    InvalidField
        The station has no such reader, or the label is too long or another reader's.
    ReaderTaken
        It is another seat's, and nobody said that it is to be taken over.
    StationUnknown
        No such station in the caller's part.
    """

    async def work() -> dict[str, Any]:
        station = await visible_station(session, caller, wish.station)
        places = await stations.seats_at(session, city_id=station.city_id, org_id=station.org_id)
        mine = next((row for row in places if (row.station_id, row.name) == (station.station_id, wish.reader)), None)
        if mine is None:
            raise InvalidField(field="reader", value=wish.reader, reason="the station has no such reader")
        if mine.seat not in {None, wish.seat} and not wish.take_over:
            since = "-" if mine.at is None else f"{mine.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            raise ReaderTaken(reader=mine.label or mine.name, staff=mine.staff_no, since=since)
        label = _label(wish, mine, [row for row in places if row is not mine])
        await stations.leave_seat(session, city_id=station.city_id, seat=wish.seat)
        await stations.change_reader(
            session, city_id=station.city_id, station_id=station.station_id, name=mine.name,
            label=label, seat=wish.seat, seat_staff=caller.staff_no, seat_at=now,
        )  # fmt: skip
        before = mine.staff_no if mine.seat != wish.seat else None
        told = {"reader": mine.name, "label": label, "taken_from": before}
        await _tell(session, caller, station, "station.reader_bound", told, now=now)
        return {"station": wish.station, "reader": mine.name, "label": label}

    return await once(session, caller, write, work, now=now)


async def leave_reader(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: SeatWish, *, now: datetime
) -> Answer:
    """Let the seat leave the reader it has bound; answers station, reader and the label, which stays on the reader.

    Raises
    ------
    InvalidField
        The reader is not this seat's: nothing to leave, or another seat's.
    StationUnknown
        No such station in the caller's part.
    """

    async def work() -> dict[str, Any]:
        station = await visible_station(session, caller, wish.station)
        places = await stations.seats_at(session, city_id=station.city_id, org_id=station.org_id)
        key = (station.station_id, wish.reader, wish.seat)
        mine = next((row for row in places if (row.station_id, row.name, row.seat) == key), None)
        if mine is None:
            raise InvalidField(field="reader", value=wish.reader, reason="this desk has not bound that reader")
        await stations.leave_seat(session, city_id=station.city_id, seat=wish.seat)
        draft = {"reader": mine.name, "label": mine.label}
        await _tell(session, caller, station, "station.reader_left", draft, now=now)
        return {"station": wish.station, "reader": mine.name, "label": mine.label}

    return await once(session, caller, write, work, now=now)


def _label(wish: SeatWish, mine: SeatRow, others: list[SeatRow]) -> str:
    """Return the label that the reader bears from now on: no two readers of a place bear the same."""
    taken = {row.label for row in others}
    wanted = wish.label or mine.label
    if wanted is None:
        return next(label for label in map(str, itertools.count(1)) if label not in taken)
    if len(wanted) > LONGEST_LABEL:
        raise InvalidField(field="label", value=wanted[:40], reason=f"at most {LONGEST_LABEL} characters")
    if wanted in taken:
        raise InvalidField(field="label", value=wanted, reason="another reader of this place bears it")
    return wanted


async def _tell(
    session: AsyncSession, caller: Caller, station: StationRow, name: str, data: dict[str, Any], *, now: datetime
) -> None:
    draft = EventDraft(name=name, kind="station", item_no=station.station_id, data=data)
    await events.record(session, [draft], **acting(caller, now))
    await notify(session, Notice(city_id=station.city_id, station_id=station.station_id))

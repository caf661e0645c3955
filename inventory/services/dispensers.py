"""Card dispensers at stations: how they stand, and their movements for a person who stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.script import ScriptError, is_name
from inventory.access.caller import Caller
from inventory.domain.dispensers import DispenserStop, Movement, must_stay
from inventory.domain.errors import CardMustStay, InvalidField, StationOffline
from inventory.domain.lifecycle import WRITE_JOB_OPEN, WriteJobState
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stations import is_online, visible_station
from inventory.store import cardjobs, events, stations
from inventory.store.events import EventDraft
from inventory.store.notices import Notice, notify
from inventory.store.stations import StationRow

_PLACES = frozenset({"nowhere", "contacts", "gate", None})
_SUPPLIES = frozenset({"empty", "few", "enough", None})
_STOPS = frozenset({*(stop.value for stop in DispenserStop), None})
_MOST_IN_BIN = 10_000
_UNSETTLED = frozenset({*WRITE_JOB_OPEN, WriteJobState.UNKNOWN})


@dataclass(frozen=True)
class DispenserSeen:
    """How a dispenser stands: where its card is, its stack, its bin, and why its last movement ended as it did.

    Place, stack and bin are None while it does not answer.
    """

    card: str | None
    stacker: str | None
    bin_full: bool | None
    in_bin: int | None
    stop: str | None
    moved: str | None = None
    """The name of the last movement, if the service gave it one."""

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Read a link message of type `dispenser`.

        Raises
        ------
        ScriptError
            It is not well formed.
        """
        match wire:
            case {
                "card": str() | None as card,
                "stacker": str() | None as stacker,
                "bin_full": bool() | None as bin_full,
                "in_bin": int() | None as in_bin,
                "stop": str() | None as stop,
            } if card in _PLACES and stacker in _SUPPLIES and stop in _STOPS and 0 <= (in_bin or 0) <= _MOST_IN_BIN:
                moved = wire.get("moved")
                return cls(card, stacker, bin_full, in_bin, stop, moved if is_name(moved) else None)
            case _:
                raise ScriptError("malformed dispenser")


async def hear_dispenser(session: AsyncSession, station: StationRow, wire: Mapping[str, Any]) -> None:
    """Keep how a dispenser stands.

    Raises
    ------
    ScriptError
        The message is not well formed.
    """
    reader, seen = wire.get("reader"), DispenserSeen.from_wire(wire)
    if not isinstance(reader, str) or not is_name(reader):
        raise ScriptError("malformed dispenser")
    place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id}
    async with session.begin():
        await stations.change_reader(session, **place, name=reader, dispenser=asdict(seen))
        await notify(session, Notice(**place))


@dataclass(frozen=True, kw_only=True)
class MoveWish:
    """Which dispenser is to make which movement."""

    station: str
    reader: str
    movement: Movement


async def move_card(session: AsyncSession, caller: Caller, write: WriteKey, wish: MoveWish, *, now: datetime) -> Answer:
    """Ask a dispenser for a movement; how it ends is told by the station and stands with its reader.

    Raises
    ------
    InvalidField
        The station has no such dispenser.
    CardMustStay
        The card is not sold yet, or it is no waste, or nobody knows what is on it.
    StationUnknown, StationOffline
        No such station in the caller's part, or its link is down.
    """

    async def work() -> dict[str, Any]:
        station = await visible_station(session, caller, wish.station)
        place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id}
        readers = await stations.readers_of(session, city_id=station.city_id, stations=[station.station_id])
        row = next((one for one in readers if one.name == wish.reader and one.dispenser is not None), None)
        if row is None:
            raise InvalidField(field="reader", value=wish.reader, reason="the station has no such dispenser")
        if not is_online(station, now=now):
            raise StationOffline(station=wish.station)
        jobs = await cardjobs.jobs_of_station(session, **place, states=_UNSETTLED)
        unsettled = row.script_id is not None or any(job.reader == row.name for job in jobs)
        if must_stay(wish.movement, row.sim_state, unsettled=unsettled):
            raise CardMustStay(movement=wish.movement.value, state=row.sim_state or "-")
        data = {"reader": row.name, "movement": wish.movement.value, "sim_item": row.sim_item_no}
        draft = EventDraft(name="station.card_moved", kind="station", item_no=station.station_id, data=data)
        await events.record(session, [draft], **acting(caller, now))
        await notify(session, Notice(**place, reader=row.name, move=wish.movement.value))
        return {"station": wish.station, "reader": row.name, "movement": wish.movement.value}

    return await once(session, caller, write, work, now=now)

"""The account of cards that writing has spoiled: by station, vendor's load and fault; and the claim for the vendor.

A card counts once, with the first fault it showed: damaged by the judgement of its write job, or its own key refused.
What a holder owes to scrap, whatever spoiled it, is `spoiled`' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import begin_of
from inventory.domain.errors import InvalidField
from inventory.services.stations import reach, visible_station
from inventory.store import spoiled
from inventory.store.spoiled import SpoiledCount, SpoiledFilter


@dataclass(frozen=True, kw_only=True)
class FaultQuery:
    """Which cards are asked for; every part that is given must hold. Days are those of the halls, both included."""

    station: str | None = None
    vendor: str | None = None
    first: date | None = None
    last: date | None = None


async def read_account(session: AsyncSession, caller: Caller, query: FaultQuery) -> list[SpoiledCount]:
    """Count the spoiled cards of the stations of the caller's part, by station, load and fault.

    Raises
    ------
    InvalidField
        A day cannot be.
    StationUnknown
        No such station in the caller's part.
    """
    async with session.begin():
        wanted = await compile_query(session, caller, query)
        return await spoiled.count_spoiled(session, wanted, city_id=caller.city_id)


async def compile_query(session: AsyncSession, caller: Caller, query: FaultQuery) -> SpoiledFilter:
    """Return the conditions that the query stands for, bounded to the caller's part; raises as `read_account`."""
    if query.last == date.max:
        raise InvalidField(field="last", value=query.last.isoformat(), reason="a day that has a next one")
    station = None
    if query.station is not None:
        station = await visible_station(session, caller, query.station, revoked_too=True)
    return SpoiledFilter(
        orgs=await reach(session, caller),
        since=None if query.first is None else begin_of(query.first),
        until=None if query.last is None else begin_of(query.last + timedelta(days=1)),
        station_id=None if station is None else station.station_id,
        vendor=query.vendor,
    )

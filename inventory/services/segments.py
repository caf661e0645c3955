"""The segments (号段) and groups (号群) of a city, with how many of their numbers are in which state (REQ-NUM-12)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.services.stations import reach
from inventory.store import segments
from inventory.store.segments import OwnedSegment, SegmentFilter
from inventory.store.stock import allow_long_statements

FIRST = ""
"""Comes before every prefix."""
PAGE = 25
"""Segments of a page: a quarter of a million numbers to be counted."""


@dataclass(frozen=True)
class SegmentView:
    """A segment, and how many of its numbers the caller's part has in which state."""

    segment: OwnedSegment
    states: dict[str, int]


@dataclass(frozen=True)
class SegmentPage:
    """Segments in the order of their prefixes; `next_after` asks for the page behind."""

    segments: list[SegmentView]
    next_after: str | None


async def read_segments(
    session: AsyncSession, caller: Caller, wanted: SegmentFilter, *, after: str = FIRST, limit: int = PAGE
) -> SegmentPage:
    """Return a page of the segments of the caller's city; numbers are counted in the caller's part."""
    async with session.begin():
        await allow_long_statements(session)
        found = await segments.list_segments(session, wanted, city_id=caller.city_id, after=after, limit=limit)
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        ids = [segment.id for segment in found]
        holders = await reach(session, caller)
        for segment_id, state, count in await segments.states_in(session, ids, city_id=caller.city_id, holders=holders):
            counts[segment_id][state] = count
    views = [SegmentView(segment, counts[segment.id]) for segment in found]
    return SegmentPage(views, found[-1].prefix if len(found) == limit else None)


async def read_groups(session: AsyncSession, caller: Caller) -> list[str]:
    """Return the names of the segment groups of the caller's city."""
    async with session.begin():
        return await segments.groups_of(session, caller.city_id)

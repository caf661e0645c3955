"""Movement of a place, day by day: what came, what went, what was sold, what was found damaged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import begin_of, business_day
from inventory.domain.errors import InvalidField
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.services.custody import place_within
from inventory.store import flow, organisation
from inventory.store.flow import DayCount
from inventory.store.organisation import PSEUDO, Node

SPANS = (7, 30, 90)
"""Days that one may look back on, today included."""


@dataclass(frozen=True)
class Flow:
    """The movement of a kind at a place and all below it, a row for every day, oldest first."""

    place: Node
    kind: ResourceKind
    days: list[DayCount]


async def read_flow(
    session: AsyncSession, caller: Caller, *, resource: str, place: str | None = None, days: int = 30, now: datetime
) -> Flow:
    """Return the movement of the last so many days; by default of the caller's own part.

    Raises
    ------
    InvalidField
        The days are not 7, 30 or 90.
    NotFound
        There is no such kind of stock.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    kind = kind_named(resource)
    if days not in SPANS:
        raise InvalidField(field="days", value=days, reason="7, 30 or 90")
    today = business_day(now)
    calendar = [today - timedelta(days=back) for back in reversed(range(days))]
    async with session.begin():
        top = await place_within(session, caller, place)
        below = [node.id for node in await organisation.subtree(session, top) if node.level not in PSEUDO]
        found = await flow.flow(
            session,
            city_id=caller.city_id,
            holders=below,
            resource=kind.name,
            since=begin_of(calendar[0]),
        )
    by_day = {count.day: count for count in found}
    return Flow(top, kind, [by_day.get(day, DayCount(day)) for day in calendar])

"""What came to a set of places and what left them, day by day, from the ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger

CALENDAR = "Asia/Shanghai"
"""The days are those of the halls."""


@dataclass(frozen=True)
class DayCount:
    """Items of one kind on one day: come from elsewhere, gone elsewhere, sold, found damaged."""

    day: date
    came: int = 0
    went: int = 0
    sold: int = 0
    damaged: int = 0


_FLOW = text("""
    WITH moved AS (
        SELECT (created_at AT TIME ZONE :calendar)::date AS day, kind, item_count,
               from_holder = ANY (:holders) IS TRUE AS from_here, to_holder = ANY (:holders) IS TRUE AS to_here
        FROM movement AS document
        WHERE city_id = :city AND resource = :resource AND created_at >= :since
          AND (kind <> 'INTAKE' OR NOT EXISTS (
              SELECT FROM movement AS undo
              WHERE undo.city_id = document.city_id AND undo.parent_id = document.movement_id AND undo.kind = 'UNDO')))
    SELECT day,
           coalesce(sum(item_count) FILTER (WHERE to_here AND NOT from_here), 0)::bigint,
           coalesce(sum(item_count) FILTER (WHERE from_here AND NOT to_here AND kind <> 'SALE'), 0)::bigint,
           coalesce(sum(item_count) FILTER (WHERE from_here AND kind = 'SALE'), 0)::bigint
    FROM moved WHERE from_here <> to_here GROUP BY day
""").bindparams(bindparam("holders", type_=ARRAY(BigInteger)))
"""What is on its way lies with its receiver (docs/adr/0015): a receipt is from there to there and moves nothing.

A load that was undone has never come.
"""

_DAMAGED = text("""
    SELECT (found.at AT TIME ZONE :calendar)::date AS day, count(*)
    FROM sim CROSS JOIN LATERAL (
        SELECT at FROM event
        WHERE event.city_id = sim.city_id AND event.kind = 'sim' AND event.item_no = sim.item_no
          AND event.to_state = 'DAMAGED'
        ORDER BY event_no DESC LIMIT 1) AS found
    WHERE sim.city_id = :city AND sim.state = 'DAMAGED' AND sim.holder_id = ANY (:holders) AND found.at >= :since
    GROUP BY day
""").bindparams(bindparam("holders", type_=ARRAY(BigInteger)))
"""A damaged card stays on its holder's account until it is scrapped; its last event says since when."""


async def flow(
    session: AsyncSession, *, city_id: int, holders: Collection[int], resource: str, since: datetime
) -> list[DayCount]:
    """Return the days on which something moved at one of the holders, in order; what stays among them moved nowhere."""
    given: dict[str, Any] = {
        "city": city_id, "holders": sorted(holders), "resource": resource, "since": since, "calendar": CALENDAR,
    }  # fmt: skip
    found = {row[0]: DayCount(*row) for row in await session.execute(_FLOW, given)}
    if resource == "sim":
        for day, count in await session.execute(_DAMAGED, given):
            before = found.get(day, DayCount(day))
            found[day] = DayCount(day, before.came, before.went, before.sold, count)
    return [found[day] for day in sorted(found)]

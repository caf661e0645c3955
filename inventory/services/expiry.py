"""End the holds whose time is over: their items are free at once for whoever asks, this makes the pools whole again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.store import approvals, auditing, holds

BATCH = 10_000
"""So many holds end in one statement; each is one transaction, so a sweep may stop or die between any two."""
KEPT_FOR = timedelta(minutes=5)
"""A hold that the network keeps is over so soon once it has let go (N9); until then it can be sold at any time."""


async def sweep(connection: AsyncConnection, *, now: datetime, batch: int = BATCH) -> int:
    """End every hold whose time is over, in batches, and return how many (REQ-RSV-04); and every approval.

    A kit with an open write job is left alone (REQ-RSV-15), and so is one that somebody is changing right now. One
    after a roll back goes on while the network has its identity (N9): nobody else could have its number.
    """
    ended = 0
    for city_id in await auditing.cities(connection):
        while count := await holds.expire_due(connection, city_id=city_id, batch=batch, now=now):
            ended += count
        await holds.keep_on(connection, city_id=city_id, now=now, until=now + KEPT_FOR)
        await holds.end_let_go(connection, city_id=city_id, now=now)
        await approvals.expire_due(connection, city_id=city_id, now=now)
    return ended


async def next_end(connection: AsyncConnection) -> datetime | None:
    """Return when the next hold ends that may, or None if there is no hold."""
    return await holds.next_end(connection)

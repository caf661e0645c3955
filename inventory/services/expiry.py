"""End the holds whose time is over: their items are free at once for whoever asks, this makes the pools whole again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.store import approvals, auditing, holds

BATCH = 10_000
"""So many holds end in one statement; each is one transaction, so a sweep may stop or die between any two."""


async def sweep(connection: AsyncConnection, *, now: datetime, batch: int = BATCH) -> int:
    """End every hold whose time is over, in batches, and return how many (REQ-RSV-04); and every approval.

    A kit with an open write job is left alone (REQ-RSV-15), and so is one after a roll back while the network has its
    identity (N9), and one that somebody is changing right now.
    """
    ended = 0
    for city_id in await auditing.cities(connection):
        while count := await holds.expire_due(connection, city_id=city_id, batch=batch, now=now):
            ended += count
        await holds.end_let_go(connection, city_id=city_id, now=now)
        await approvals.expire_due(connection, city_id=city_id, now=now)
    return ended


async def next_end(connection: AsyncConnection) -> datetime | None:
    """Return when the next hold ends that may, or None if there is no hold."""
    return await holds.next_end(connection)

"""What runs all the time: each loop does its work, then waits for the next moment it is needed or the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from inventory.services import expiry, sealing
from inventory.store.engine import Database

SEAL_SECONDS = 1.0
SWEEP_SECONDS = 5.0
"""Longest rest of the sweeper; it wakes earlier for a hold that ends earlier."""
_SHORTEST_REST = 0.2
AFTER_FAILURE = 5.0
"""Seconds until work that failed is tried again."""

_log = structlog.get_logger(__name__)


async def seal(database: Database, now: datetime) -> float:
    """Seal what can be sealed and return how long to rest."""
    async with database.session() as session:
        sealed = await sealing.seal_all(session, now=now)
    if sealed:
        _log.debug("events sealed", events=sealed)
    return SEAL_SECONDS


async def sweep(database: Database, now: datetime) -> float:
    """End holds whose time is over and return how long to rest: until the next one ends, within bounds."""
    async with database.autocommit() as connection:
        ended = await expiry.sweep(connection, now=now)
        next_end = await expiry.next_end(connection)
    if ended:
        _log.info("holds expired", holds=ended)
    if next_end is None:
        return SWEEP_SECONDS
    return min(max((next_end - now).total_seconds(), _SHORTEST_REST), SWEEP_SECONDS)


async def repeat(
    work: Callable[[Database, datetime], Awaitable[float]],
    database: Database,
    *,
    clock: Callable[[], datetime],
    stop: asyncio.Event,
) -> None:
    """Do the work until `stop` is set, resting as long as it says; a database that is away is tried again."""
    while not stop.is_set():
        try:
            rest = await work(database, clock())
        except (DBAPIError, OSError):
            _log.exception("background work failed and will be tried again")
            rest = AFTER_FAILURE
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), rest)

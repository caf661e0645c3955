"""What runs all the time: each loop does its work, then waits for the next moment it is needed or the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from inventory.operator.adapter import OperatorAdapter
from inventory.services import alerts, expiry, leaving, operator_calls, recall_orders, sealing
from inventory.store.engine import Database
from inventory.vault.envelope import Vault

SEAL_SECONDS = 1.0
SWEEP_SECONDS = 5.0
"""Longest rest of the sweeper; it wakes earlier for a hold that ends earlier."""
RECALL_SECONDS = 5.0
_SHORTEST_REST = 0.2
WATCH_SECONDS = 60.0
"""How often stock is compared with its thresholds: each time counts the city."""
CLOSE_SECONDS = 60.0
CALL_SECONDS = 0.5
"""How often it is asked whether an operator's system is to be called: a customer stands there."""
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


async def recall(database: Database, now: datetime) -> float:
    """Bring home what became free under recall orders and return how long to rest."""
    async with database.session() as session:
        moved = await recall_orders.follow(session, now=now)
    if moved:
        _log.info("recalled items followed", items=moved)
    return RECALL_SECONDS


async def watch(database: Database, now: datetime) -> float:
    """Tell which thresholds of stock were crossed, and which are fine again, and return how long to rest."""
    async with database.session() as session:
        told = await alerts.watch(session, now=now)
    if told:
        _log.info("thresholds of stock told", thresholds=told)
    return WATCH_SECONDS


async def close(database: Database, now: datetime) -> float:
    """Close the accounts of leavers at which nothing is open any more and return how long to rest."""
    del now
    async with database.session() as session:
        closed = await leaving.close_left(session)
    if closed:
        _log.info("accounts of leavers closed", accounts=closed)
    return CLOSE_SECONDS


def calls(
    adapter: OperatorAdapter | None, vault: Vault, clock: Callable[[], datetime]
) -> Callable[[Database, datetime], Awaitable[float]]:
    """Return the work of calling the operator's card-data system about cards that are being written, one at a time."""

    async def call(database: Database, now: datetime) -> float:
        del now  # it is read again when the system has answered
        async with database.session() as session:
            called = await operator_calls.call_next(session, adapter, vault=vault, clock=clock)
        return 0 if called else CALL_SECONDS

    return call


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

"""Wake other processes: small notices on one PostgreSQL channel, sent with the transaction that they tell of."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from psycopg import Error, sql
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.engine import Database, driver_of
from inventory.tasks import end

CHANNEL = "haoka_station"
_PAUSE = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something changed about a station; ids only, whoever wants to know reads the rows.

    `cancel` names a script to be stopped, `link` the connection that has just taken the station over; `look` asks for a
    look at the cards that a bulk order has not seen yet; `move` asks the dispenser `reader` for a movement.
    """

    city_id: int
    station_id: int
    job_id: int | None = None
    cancel: str | None = None
    link: str | None = None
    look: bool = False
    reader: str | None = None
    move: str | None = None


async def notify(session: AsyncSession, notice: Notice) -> None:
    """Send the notice when the transaction commits."""
    await session.execute(
        text("SELECT pg_notify(:channel, :payload)"),
        {"channel": CHANNEL, "payload": json.dumps(asdict(notice), separators=(",", ":"))},
    )


class Notices:
    """All notices of the database for any number of readers in this process, over one connection.

    The connection is held while someone listens. After it was lost everybody gets None: look yourself.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: set[asyncio.Queue[Notice | None]] = set()
        self._listener: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[asyncio.Queue[Notice | None]]:
        """Give a queue that gets every notice sent from now on."""
        queue: asyncio.Queue[Notice | None] = asyncio.Queue()
        self._queues.add(queue)
        if self._listener is None:
            self._ready.clear()
            self._listener = asyncio.create_task(self._listen(), name="notices")
        await self._ready.wait()
        try:
            yield queue
        finally:
            self._queues.discard(queue)
            if not self._queues and self._listener is not None:
                listener, self._listener = self._listener, None
                await end(listener)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (Error, SQLAlchemyError, OSError) as error:
                _log.warning("notices: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE)

    async def _listen_once(self) -> None:
        async with self._database.autocommit() as connection:
            driver = driver_of(connection)
            await driver.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            self._tell(None)
            self._ready.set()
            try:
                async for notification in driver.notifies():
                    self._tell(_read(notification.payload))
            finally:
                await connection.invalidate()  # it still listens: not for the pool

    def _tell(self, notice: Notice | None) -> None:
        for queue in self._queues:
            queue.put_nowait(notice)


def _read(payload: str) -> Notice | None:
    try:
        return Notice(**json.loads(payload))
    except (ValueError, TypeError):
        return None  # of another version of this product: look yourself

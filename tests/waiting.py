"""Wait for what others do in the database, which tells nobody of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from inventory.store.engine import Database
from tests.patience import PATIENCE


async def until(database: Database, question: str, *, unless: asyncio.Task[Any] | None = None) -> None:
    """Return when the database says yes, or when the task that was to bring it about has ended without."""
    async with asyncio.timeout(PATIENCE), database.session() as session:
        while not (await session.scalar(text(question)) or (unless is not None and unless.done())):
            await session.rollback()
            await asyncio.sleep(0.01)


async def until_locked(database: Database, count: int = 1, *, unless: asyncio.Task[Any] | None = None) -> None:
    """Return when so many others wait for a lock, or when the task that was to wait has ended."""
    waiting = f"""SELECT count(*) >= {count} FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    await until(database, waiting, unless=unless)


class PausedAfter:
    """A function of the product that does its work and returns only when it may: the gap in which races lie."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
        self._reached, self._go = asyncio.Event(), asyncio.Event()
        self._work: Callable[..., Awaitable[Any]] = getattr(module, name)
        monkeypatch.setattr(module, name, self._paused)

    async def _paused(self, *args: Any, **rest: Any) -> Any:
        done = await self._work(*args, **rest)
        self._reached.set()
        await self._go.wait()
        return done

    async def meanwhile(self, first: Awaitable[Any], second: Awaitable[Any], database: Database) -> Any:
        """Let `first` come to the gap, begin `second` there, go on when that waits or is done; give what it gave."""
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as both:
            both.create_task(_run(first))
            await self._reached.wait()
            other = both.create_task(_run(second))
            await until_locked(database, unless=other)
            self._go.set()
        return other.result()


async def _run(work: Awaitable[Any]) -> Any:
    return await work

"""Loads that are still to be run to their end: how, from which upload, how far; and that one process runs each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.store.schema import LoadBatch, LoadRun


@dataclass(frozen=True)
class Run:
    """A load's run with what it needs of its batch: see `LoadRun` and `LoadBatch` for the meaning of each field."""

    city_id: int
    batch_id: int
    upload_id: int
    terms: dict[str, Any]
    phase: str
    done: int
    total: int
    phase_began: datetime
    seen_at: datetime
    cancelled: bool
    answer: dict[str, Any] | None
    state: str
    resource: str
    source: str
    sha256: bytes
    staff_no: str
    interface_no: str


_OF_BATCH = ("state", "resource", "source", "sha256", "staff_no", "interface_no")
_RUN = tuple(getattr(LoadBatch if name in _OF_BATCH else LoadRun, name) for name in Run.__dataclass_fields__)


async def add_run(
    session: AsyncSession, *, city_id: int, batch_id: int, upload_id: int, terms: Mapping[str, Any], now: datetime
) -> None:
    """Write the run of a batch; nothing of it is done yet."""
    values = {"city_id": city_id, "batch_id": batch_id, "upload_id": upload_id, "terms": dict(terms)}
    begun = {"phase": "waiting", "done": 0, "total": 0, "phase_began": now, "seen_at": now, "cancelled": False}
    await session.execute(insert(LoadRun).values(**values, **begun))


async def find_run(session: AsyncSession, *, city_id: int, batch_id: int) -> Run | None:
    """Return the run of a load, or None: a load of old, or one that no file brought."""
    query = (
        select(*_RUN)
        .join(LoadBatch, (LoadBatch.city_id == LoadRun.city_id) & (LoadBatch.batch_id == LoadRun.batch_id))
        .where(LoadRun.city_id == city_id, LoadRun.batch_id == batch_id)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Run(*row)


async def claim(session: AsyncSession, *, city_id: int, batch_id: int) -> bool:
    """Keep every other process from running the load until this transaction ends; False if one does already.

    A process that dies in the middle of a long statement leaves its server process at work; that looks for its client
    every second, so that the load can be taken up again at once.
    """
    await session.execute(text("SET LOCAL client_connection_check_interval = '1s'"))
    return bool(
        await session.scalar(
            text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"load/{city_id}/{batch_id}"}
        )
    )


async def say_progress(
    connection: AsyncConnection, *, city_id: int, batch_id: int, phase: str, done: int, total: int, now: datetime
) -> bool:
    """Say how far the load is, seen by all at once; return whether someone has asked to cancel it."""
    began = case((LoadRun.phase == phase, LoadRun.phase_began), else_=now)
    statement = (
        update(LoadRun)
        .where(LoadRun.city_id == city_id, LoadRun.batch_id == batch_id)
        .values(phase=phase, done=done, total=total, phase_began=began, seen_at=now)
        .returning(LoadRun.cancelled)
    )
    return bool((await connection.execute(statement)).scalar_one_or_none())


async def ask_to_cancel(session: AsyncSession, *, city_id: int, batch_id: int) -> None:
    """Ask whoever runs the load to leave it."""
    await session.execute(
        update(LoadRun).where(LoadRun.city_id == city_id, LoadRun.batch_id == batch_id).values(cancelled=True)
    )


async def keep_answer(session: AsyncSession, *, city_id: int, batch_id: int, answer: Mapping[str, Any]) -> None:
    """Keep what the load answers now that it has ended."""
    await session.execute(
        update(LoadRun).where(LoadRun.city_id == city_id, LoadRun.batch_id == batch_id).values(answer=dict(answer))
    )

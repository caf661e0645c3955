"""Loads: the batch and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import LOAD_OPEN, LoadState
from inventory.store.schema import LoadBatch, LoadFault
from inventory.store.streams import Stream, in_batches

ICCID, SERIAL = SIM.identifiers
IMSI = "imsi"
DIGEST_CONSTRAINT = "uq_load_batch_digest"


@dataclass(frozen=True, kw_only=True)
class BatchDraft:
    """A load before it has a number: see `LoadBatch` for the meaning of each field."""

    resource: str
    source: str
    sha256: bytes
    state: str
    vendor: str | None = None
    rows: int
    accepted: int
    rejected: int = 0
    figures: dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """A load as it stands."""

    city_id: int
    batch_id: int
    resource: str
    source: str
    sha256: bytes
    state: str
    vendor: str | None
    rows: int
    accepted: int
    rejected: int
    staff_no: str
    interface_no: str
    created_at: datetime
    finished_at: datetime | None
    figures: dict[str, Any]


_BATCH = tuple(getattr(LoadBatch, name) for name in Batch.__dataclass_fields__)


@dataclass(frozen=True)
class FaultRow:
    """One fault of a load; `value` is empty where it could be a secret, `line` where the row's text is not kept."""

    row: int
    column: str
    value: str
    code: str
    line: str = ""


async def add_batch(
    session: AsyncSession, draft: BatchDraft, *, city_id: int, staff_no: str, interface_no: str, now: datetime
) -> int:
    """Write the batch and return its number; one of a load that is still to be run has no end yet.

    A committed batch with the same digest fails on `DIGEST_CONSTRAINT`.
    """
    ended = None if draft.state in LOAD_OPEN else now
    who = {"city_id": city_id, "staff_no": staff_no, "interface_no": interface_no}
    values = {**who, "created_at": now, "finished_at": ended, **vars(draft)}
    made = await session.execute(insert(LoadBatch).values(values).returning(LoadBatch.batch_id))
    return made.scalar_one()


async def end_batch(
    session: AsyncSession,
    *,
    city_id: int,
    batch_id: int,
    state: LoadState,
    rows: int = 0,
    accepted: int = 0,
    rejected: int = 0,
    figures: Mapping[str, Any],
    now: datetime,
) -> None:
    """Say how a load ended."""
    counts = {"rows": rows, "accepted": accepted, "rejected": rejected}
    await session.execute(
        update(LoadBatch)
        .where(LoadBatch.city_id == city_id, LoadBatch.batch_id == batch_id)
        .values(**counts, state=state, figures=dict(figures), finished_at=now)
    )


async def same_source(session: AsyncSession, *, city_id: int, resource: str, sha256: bytes) -> int | None:
    """Return the number of the batch that loaded a source with this digest, or is loading it, or None."""
    return await session.scalar(
        select(LoadBatch.batch_id).where(
            LoadBatch.city_id == city_id,
            LoadBatch.resource == resource,
            LoadBatch.sha256 == sha256,
            LoadBatch.state.in_((LoadState.COMMITTED, LoadState.RUNNING)),
        )
    )


async def find_batch(session: AsyncSession, *, city_id: int, batch_id: int) -> Batch | None:
    """Return a load of the city, or None."""
    query = select(*_BATCH).where(LoadBatch.city_id == city_id, LoadBatch.batch_id == batch_id)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Batch(*row)


async def list_batches(session: AsyncSession, *, city_id: int, before: int | None, limit: int) -> list[Batch]:
    """Return a page of the city's loads, the newest first, before batch number `before`."""
    query = select(*_BATCH).where(LoadBatch.city_id == city_id).order_by(LoadBatch.batch_id.desc()).limit(limit)
    if before is not None:
        query = query.where(LoadBatch.batch_id < before)
    return [Batch(*row) for row in await session.execute(query)]


async def faults_of(
    session: AsyncSession, *, city_id: int, batch_id: int, after: int, limit: int | None
) -> list[tuple[int, FaultRow]]:
    """Return a page of a load's faults behind fault number `after`, with their numbers; all without a `limit`."""
    rows = await session.execute(
        select(LoadFault.fault_no, LoadFault.row, LoadFault.column, LoadFault.value, LoadFault.code, LoadFault.line)
        .where(LoadFault.city_id == city_id, LoadFault.batch_id == batch_id, LoadFault.fault_no > after)
        .order_by(LoadFault.fault_no)
        .limit(limit)
    )
    return [(number, FaultRow(row, column, value, code, line)) for number, row, column, value, code, line in rows]


def stream_faults(session: AsyncSession, *, city_id: int, batch_id: int) -> Stream[FaultRow]:
    """Give all faults of a load in order, batch by batch."""
    columns = (getattr(LoadFault, name) for name in FaultRow.__dataclass_fields__)
    query = (
        select(*columns)
        .where(LoadFault.city_id == city_id, LoadFault.batch_id == batch_id)
        .order_by(LoadFault.fault_no)
    )
    return in_batches(session, query, FaultRow)

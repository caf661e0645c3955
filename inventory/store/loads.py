"""Loads: the batch, its faults, and the registry of identifiers that are unique across cities."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, any_, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import SIM
from inventory.store.schema import Identifier, LoadBatch, LoadFault
from inventory.store.schema.base import CodeText

COMMITTED, REJECTED = "COMMITTED", "REJECTED"
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


@dataclass(frozen=True)
class FaultRow:
    """One fault of a load; `value` is empty where it could be a secret, `line` where the row's text is not kept."""

    row: int
    column: str
    value: str
    code: str
    line: str = ""


@dataclass(frozen=True)
class Taken:
    """An identifier that exists already, and the city that has it."""

    kind: str
    value: str
    city_id: int


async def add_batch(
    session: AsyncSession, draft: BatchDraft, *, city_id: int, staff_no: str, interface_no: str, now: datetime
) -> int:
    """Write the batch and return its number; a committed batch with the same digest fails on `DIGEST_CONSTRAINT`."""
    made = await session.execute(
        insert(LoadBatch)
        .values(
            city_id=city_id,
            staff_no=staff_no,
            interface_no=interface_no,
            created_at=now,
            finished_at=now,
            **vars(draft),
        )
        .returning(LoadBatch.batch_id)
    )
    return made.scalar_one()


async def committed_batch(session: AsyncSession, *, city_id: int, resource: str, sha256: bytes) -> int | None:
    """Return the number of the batch that loaded a source with this digest, or None."""
    return await session.scalar(
        select(LoadBatch.batch_id).where(
            LoadBatch.city_id == city_id,
            LoadBatch.resource == resource,
            LoadBatch.sha256 == sha256,
            LoadBatch.state == COMMITTED,
        )
    )


async def find_batch(session: AsyncSession, *, city_id: int, batch_id: int) -> Batch | None:
    """Return a load of the city, or None."""
    columns = (getattr(LoadBatch, name) for name in Batch.__dataclass_fields__)
    row = (
        await session.execute(select(*columns).where(LoadBatch.city_id == city_id, LoadBatch.batch_id == batch_id))
    ).one_or_none()
    return None if row is None else Batch(*row)


async def add_faults(session: AsyncSession, faults: Sequence[FaultRow], *, city_id: int, batch_id: int) -> None:
    """Keep the faults of a load, in order."""
    rows = [
        {"city_id": city_id, "batch_id": batch_id, "fault_no": number, **vars(fault)}
        for number, fault in enumerate(faults, start=1)
    ]
    await session.execute(insert(LoadFault), rows)


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


async def identifiers_taken(session: AsyncSession, kind: str, values: Collection[str]) -> list[Taken]:
    """Return which of the identifiers exist already, in any city (REQ-SIM-04)."""
    rows = await session.execute(
        select(Identifier.kind, Identifier.value, Identifier.city_id).where(
            Identifier.kind == kind, Identifier.value == any_(literal(list(values), ARRAY(CodeText)))
        )
    )
    return [Taken(*row) for row in rows]

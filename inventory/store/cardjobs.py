"""Write jobs and their steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import WriteJobState
from inventory.store.schema import HoldRow, WriteJob, WriteStep


@dataclass(frozen=True)
class Job:
    """A write job as it is now; see `WriteJob` for the meaning of each field."""

    city_id: int
    job_id: int
    hold_id: int
    station_id: int
    reader: str
    sim_item_no: int
    data_no: int | None
    state: str
    script_id: str | None
    rand: bytes | None = field(repr=False)
    delivered_at: datetime | None
    write_until: datetime | None
    steps_total: int | None
    facts: dict[str, Any] | None = field(repr=False)
    content: dict[str, Any] | None = field(repr=False)
    verdict: dict[str, Any] | None
    left_kit: bool
    bulk_no: int | None
    staff_no: str
    interface_no: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class StepRow:
    """One step as reported: place in the job, what its script was for, name, status word (hex), time."""

    step_no: int
    script: str
    name: str
    sw: str
    at: datetime


_COLUMNS = tuple(getattr(WriteJob, column.name) for column in fields(Job))


def _jobs() -> Select[Any]:
    return select(*_COLUMNS)


async def add_job(
    session: AsyncSession,
    *,
    city_id: int,
    hold_id: int,
    station_id: int,
    reader: str,
    sim_item_no: int,
    data_no: int | None,
    staff_no: str,
    interface_no: str,
    bulk_no: int | None = None,
    now: datetime,
) -> int:
    """Enter a job and return its number; a second open job of the hold breaks `uq_write_job_of_kit`."""
    statement = (
        insert(WriteJob)
        .values(
            city_id=city_id,
            hold_id=hold_id,
            station_id=station_id,
            reader=reader,
            sim_item_no=sim_item_no,
            data_no=data_no,
            state=WriteJobState.CREATED,
            staff_no=staff_no,
            interface_no=interface_no,
            bulk_no=bulk_no,
            created_at=now,
        )
        .returning(WriteJob.job_id)
    )
    return (await session.execute(statement)).scalar_one()


async def find_job(session: AsyncSession, *, city_id: int, job_id: int, lock: bool = False) -> Job | None:
    """Return the job, or None; `lock` keeps others from changing it until the end of the transaction."""
    query = _jobs().where(WriteJob.city_id == city_id, WriteJob.job_id == job_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Job(*row)


async def last_job_of_hold(session: AsyncSession, *, city_id: int, hold_id: int) -> Job | None:
    """Return the newest job on the card that the hold has now, or None."""
    present = (HoldRow.city_id, HoldRow.hold_id, HoldRow.sim_item_no)
    query = (
        _jobs()
        .join(HoldRow, tuple_(*present) == tuple_(WriteJob.city_id, WriteJob.hold_id, WriteJob.sim_item_no))
        .where(WriteJob.city_id == city_id, WriteJob.hold_id == hold_id)
    )
    row = (await session.execute(query.order_by(WriteJob.job_id.desc()).limit(1))).one_or_none()
    return None if row is None else Job(*row)


async def has_later_job(session: AsyncSession, job: Job) -> bool:
    """Tell whether the job's card has had another job since."""
    query = select(WriteJob.job_id).where(
        WriteJob.city_id == job.city_id, WriteJob.job_id > job.job_id, WriteJob.sim_item_no == job.sim_item_no
    )
    return (await session.execute(query.limit(1))).one_or_none() is not None


async def jobs_of_station(
    session: AsyncSession, *, city_id: int, station_id: int, states: Collection[WriteJobState]
) -> list[Job]:
    """Return the station's jobs in these states, oldest first, locked."""
    query = (
        _jobs()
        .where(WriteJob.city_id == city_id, WriteJob.station_id == station_id, WriteJob.state.in_(states))
        .order_by(WriteJob.job_id)
        .with_for_update()
    )
    return [Job(*row) for row in await session.execute(query)]


async def unknown_job_of(session: AsyncSession, *, city_id: int, sim_item_no: int) -> Job | None:
    """Return the job that left the card unknown, locked, or None."""
    query = (
        _jobs()
        .where(
            WriteJob.city_id == city_id,
            WriteJob.sim_item_no == sim_item_no,
            WriteJob.state == WriteJobState.UNKNOWN,
        )
        .with_for_update()
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Job(*row)


async def open_job_of(session: AsyncSession, *, city_id: int, sim_item_no: int) -> Job | None:
    """Return the job whose script is over and that waits for a word on the card, locked, or None."""
    waits = (WriteJobState.VERIFYING, WriteJobState.UNKNOWN)
    query = _jobs().where(WriteJob.city_id == city_id, WriteJob.sim_item_no == sim_item_no, WriteJob.state.in_(waits))
    row = (await session.execute(query.with_for_update())).one_or_none()
    return None if row is None else Job(*row)


async def change_job(session: AsyncSession, job: Job, **values: Any) -> bool:
    """Set columns of the job by compare-and-set on its state; False means that someone else moved it first."""
    statement = (
        update(WriteJob)
        .where(WriteJob.city_id == job.city_id, WriteJob.job_id == job.job_id, WriteJob.state == job.state)
        .values(**values)
        .returning(WriteJob.job_id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def leave_kit(session: AsyncSession, *, city_id: int, job_id: int) -> bool:
    """Note that the kit of this unknown job took another card; False if it is not unknown, or is just being changed.

    It waits for nobody: who changes a job goes on to lock its kit, which the caller has.
    """
    key = (WriteJob.city_id == city_id, WriteJob.job_id == job_id)
    query = select(WriteJob.job_id).where(*key, WriteJob.state == WriteJobState.UNKNOWN)
    if (await session.execute(query.with_for_update(skip_locked=True))).one_or_none() is None:
        return False
    await session.execute(update(WriteJob).where(*key).values(left_kit=True))
    return True


async def add_steps(session: AsyncSession, *, city_id: int, job_id: int, steps: Sequence[StepRow]) -> None:
    """Enter steps; those already entered stay as they are, so a repeated report adds nothing."""
    if not steps:
        return
    rows = [{"city_id": city_id, "job_id": job_id, **vars(step)} for step in steps]
    await session.execute(upsert(WriteStep).on_conflict_do_nothing(), rows)


async def steps_of(session: AsyncSession, *, city_id: int, job_id: int) -> list[StepRow]:
    """Return the job's steps in order."""
    query = (
        select(WriteStep.step_no, WriteStep.script, WriteStep.name, WriteStep.sw, WriteStep.at)
        .where(WriteStep.city_id == city_id, WriteStep.job_id == job_id)
        .order_by(WriteStep.step_no)
    )
    return [StepRow(*row) for row in await session.execute(query)]


async def count_steps(session: AsyncSession, *, city_id: int, job_id: int, first: int) -> int:
    """Count the job's steps from the number `first` on."""
    query = select(func.count()).where(
        WriteStep.city_id == city_id, WriteStep.job_id == job_id, WriteStep.step_no >= first
    )
    return (await session.execute(query)).scalar_one()

"""Cards that writing has spoiled, or that refused their own key: each once, with its load, its fault, its station."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import WriteJobState
from inventory.store.schema import LoadBatch, Sim, Station, WriteJob
from inventory.store.schema.stations import SPOILED
from inventory.store.streams import Stream, in_batches


@dataclass(frozen=True)
class SpoiledFilter:
    """Stations of these organisations, from `since` to before `until`; None asks for any."""

    orgs: Collection[int]
    since: datetime | None
    until: datetime | None
    station_id: int | None
    vendor: str | None


@dataclass(frozen=True)
class SpoiledCount:
    """So many cards with a fault at a station, of a load; a load without a vendor has an empty one."""

    station_id: int
    station: str
    batch_id: int
    vendor: str
    fault: str
    count: int


@dataclass(frozen=True)
class SpoiledCard:
    """One card with the answer that spoiled it: step and status word (hex), None where no single one did."""

    iccid: str | None
    serial: str | None
    kind_code: str
    batch_id: int
    vendor: str
    source: str | None
    fault: str
    step: str | None
    sw: str | None
    station: str
    reader: str
    at: datetime


_vendor: ColumnElement[str] = func.coalesce(LoadBatch.vendor, "")


async def count_spoiled(session: AsyncSession, wanted: SpoiledFilter, *, city_id: int) -> list[SpoiledCount]:
    """Count the cards by station, load and fault, in this order."""
    jobs = _first_jobs(city_id)
    fault = _fault(jobs)
    columns: tuple[Any, ...] = (Station.station_id, Station.name, Sim.batch_id, _vendor, fault)
    query = _joined(select(*columns, func.count()), jobs, wanted).group_by(*columns)
    order = (Station.name, Station.station_id, _vendor, Sim.batch_id, func.count().desc(), fault)
    return [SpoiledCount(*row) for row in await session.execute(query.order_by(*order))]


def stream_spoiled(session: AsyncSession, wanted: SpoiledFilter, *, city_id: int) -> Stream[SpoiledCard]:
    """Give the cards one by one, in the order in which they were spoiled."""
    jobs = _first_jobs(city_id)
    columns: tuple[Any, ...] = (
        Sim.iccid, Sim.serial, Sim.kind_code, Sim.batch_id, _vendor, LoadBatch.source, _fault(jobs),
        jobs.c.verdict["step"].astext, jobs.c.verdict["sw"].astext, Station.name, jobs.c.reader, jobs.c.finished_at,
    )  # fmt: skip
    query = _joined(select(*columns), jobs, wanted).order_by(jobs.c.finished_at, jobs.c.job_id)
    return in_batches(session, query, SpoiledCard)


def _first_jobs(city_id: int) -> Subquery:
    """Give the first job of each card in which the card itself showed its fault.

    A card that refused its key is refused by us ever after, and one whose key is in doubt before it was asked.
    """
    damaged = WriteJob.state == WriteJobState.DAMAGED
    answered = WriteJob.verdict["sw"].astext.is_not(None)
    return (
        select(
            WriteJob.city_id,
            WriteJob.job_id,
            WriteJob.sim_item_no,
            WriteJob.station_id,
            WriteJob.reader,
            WriteJob.verdict,
            WriteJob.finished_at,
        )
        .ext(distinct_on(WriteJob.sim_item_no))
        .where(WriteJob.city_id == city_id, text(SPOILED), or_(damaged, answered))
        .order_by(WriteJob.sim_item_no, WriteJob.job_id)
        .subquery("spoiled")
    )


def _fault(jobs: Subquery) -> ColumnElement[str]:
    return func.coalesce(jobs.c.verdict["failure"].astext, "")


def _joined(query: Select[Any], jobs: Subquery, wanted: SpoiledFilter) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [Station.org_id.in_(wanted.orgs)]
    if wanted.since is not None:
        conditions.append(jobs.c.finished_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(jobs.c.finished_at < wanted.until)
    if wanted.station_id is not None:
        conditions.append(Station.station_id == wanted.station_id)
    if wanted.vendor is not None:
        conditions.append(_vendor == wanted.vendor)
    return (
        query.select_from(jobs)
        .join(Station, tuple_(Station.city_id, Station.station_id) == tuple_(jobs.c.city_id, jobs.c.station_id))
        .join(Sim, tuple_(Sim.city_id, Sim.item_no) == tuple_(jobs.c.city_id, jobs.c.sim_item_no))
        .outerjoin(LoadBatch, tuple_(LoadBatch.city_id, LoadBatch.batch_id) == tuple_(Sim.city_id, Sim.batch_id))
        .where(*conditions)
    )

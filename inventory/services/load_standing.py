"""Loads as they stand: the list of them, and of one that runs how far it is, how fast, and for how much longer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import NotFound
from inventory.domain.identifiers import parse_public_id
from inventory.domain.lifecycle import LOAD_OPEN
from inventory.store import list_mappings, load_runs, loads, uploads
from inventory.store.list_mappings import Mapping
from inventory.store.load_runs import Run
from inventory.store.loads import Batch, FaultRow


@dataclass(frozen=True)
class LoadProgress:
    """How far a load is: `done` of `total` bytes (`reading`) or rows (`taking`), a second, and seconds left if known.

    The other phases, `waiting` for a worker and `checking`, count nothing.
    """

    phase: str
    done: int
    total: int
    rate: float
    seconds_left: int | None


@dataclass(frozen=True)
class Standing:
    """A load, and how far it is if it runs; `cancelling` if someone has asked to leave it."""

    batch: Batch
    progress: LoadProgress | None = None
    cancelling: bool = False


async def read_load(session: AsyncSession, caller: Caller, *, public_id: str) -> Batch:
    """Return a load of the caller's city.

    Raises
    ------
    InvalidIdentifier
        The id is not a load's.
    NotFound
        The city has none with it.
    """
    return (await read_standing(session, caller, public_id=public_id)).batch


async def read_standing(session: AsyncSession, caller: Caller, *, public_id: str) -> Standing:
    """Return a load of the caller's city with its progress.

    Raises
    ------
    InvalidIdentifier, NotFound
        As for `read_load`.
    """
    wanted = parse_public_id(public_id, "b")
    async with session.begin():
        batch = run = None
        if wanted.city_id == caller.city_id:
            batch = await loads.find_batch(session, city_id=caller.city_id, batch_id=wanted.serial)
        if batch is not None and batch.state in LOAD_OPEN:
            run = await load_runs.find_run(session, city_id=caller.city_id, batch_id=wanted.serial)
    if batch is None:
        raise NotFound(what="load", value=public_id)
    return Standing(batch) if run is None else Standing(batch, _progress(run), run.cancelled)


async def has_file(session: AsyncSession, batch: Batch) -> bool:
    """Tell whether the file of a load lies here still, so that it can be loaded without being sent again."""
    async with session.begin():
        run = await load_runs.find_run(session, city_id=batch.city_id, batch_id=batch.batch_id)
        if run is None:
            return False
        return await uploads.find_upload(session, city_id=run.city_id, upload_id=run.upload_id) is not None


async def known_columns(session: AsyncSession, caller: Caller) -> list[Mapping]:
    """Return where the columns of the city's vendors' lists were the last time someone said so."""
    async with session.begin():
        return await list_mappings.mappings_of(session, city_id=caller.city_id)


async def list_loads(session: AsyncSession, caller: Caller, *, before: int | None, limit: int) -> list[Batch]:
    """Return a page of the city's loads, the newest first, before batch number `before`."""
    async with session.begin():
        return await loads.list_batches(session, city_id=caller.city_id, before=before, limit=limit)


async def read_faults(
    session: AsyncSession, caller: Caller, *, public_id: str, after: int, limit: int
) -> list[tuple[int, FaultRow]]:
    """Return a page of the faults of a load, with their numbers, behind fault number `after`.

    Raises
    ------
    InvalidIdentifier, NotFound
        As for `read_load`.
    """
    batch = await read_load(session, caller, public_id=public_id)
    async with session.begin():
        return await loads.faults_of(session, city_id=batch.city_id, batch_id=batch.batch_id, after=after, limit=limit)


def _progress(run: Run) -> LoadProgress:
    seconds = (run.seen_at - run.phase_began).total_seconds()
    rate = run.done / seconds if seconds else 0.0
    left = round((run.total - run.done) / rate) if rate else None
    return LoadProgress(run.phase, run.done, run.total, rate, left)

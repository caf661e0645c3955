"""A load runs: its file is read into the stage, checked against all that exists, and taken, in one transaction.

Until that commits nothing of it is there, so a process or a server that dies at any moment has done nothing: the load
is still to be run, from its upload, and ends the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.errors import Busy, DomainError, DuplicateIdentifier, NotFound
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import NUMBER, SIM
from inventory.domain.lifecycle import LOAD_LIFECYCLE, LOAD_OPEN, LoadEvent, LoadState
from inventory.domain.loading import BadRow, CardRow
from inventory.services.acting import Acting
from inventory.services.card_intake import CardIntake
from inventory.services.data_intake import DataIntake
from inventory.services.file_reading import Item, Reading, read_file
from inventory.services.intake import Delivery, Intake, Progress, Taken, Tell
from inventory.services.load_stream import may_stream, stream
from inventory.services.load_terms import DATA, LoadTerms
from inventory.services.number_intake import NumberIntake
from inventory.services.stored_file import stored_file
from inventory.store import load_runs, loads, staging, stock, uploads
from inventory.store.events import EventDraft, record
from inventory.store.load_runs import Run
from inventory.store.loads import BatchDraft, FaultRow
from inventory.store.staging import NOTHING_FOUND, Found
from inventory.store.uploads import StoredUpload
from inventory.vault.envelope import Vault

FIRST_FAULTS = 100
"""Faults that a trial's answer lists; a load keeps all of them."""
_CHUNK = 2_000
"""Rows between two turns of the event loop: they are all that is in memory at once."""
_REST = timedelta(seconds=0.5)
"""Between two words about the same phase."""
_TABLES = {
    SIM.name: ("sim", "identifier"),
    NUMBER.name: (NUMBER.table,),
    DATA: ("subscription_data", "identifier"),
}
"""What has several ways to a row; secrets are found by their key alone."""


class LoadRef(NamedTuple):
    """Names a load."""

    city_id: int
    batch_id: int


class LoadCancelled(Exception):
    """Someone has asked to leave the load; raised where its progress is told."""


async def in_silence(progress: Progress) -> None:
    """Tell nobody how far a load is."""
    del progress


async def run_load(
    session: AsyncSession,
    load: LoadRef,
    *,
    vault: Vault,
    now: datetime,
    tell: Tell = in_silence,
    aside: AsyncSession | None = None,
) -> LoadState | None:
    """Run a load to its end and return how it ended, or None if it had ended before.

    With `aside`, a session of its own to read the file by, a large delivery is taken while it is read.

    Raises
    ------
    Busy
        Another process runs it, or takes one of its items just now.
    DomainError
        The file as a whole is refused; the load keeps why.
    NotFound
        There is no such load.
    """
    try:
        async with session.begin():
            run = await _claimed(session, load)
            if run is None:
                return None
            state = await _run(session, aside, run, vault=vault, now=now, tell=tell)
    except Busy:
        raise
    except LoadCancelled:
        await _end(session, load, LoadEvent.CANCEL, {}, now=now)
        return LoadState.CANCELLED
    except DomainError as refusal:
        await _end(session, load, LoadEvent.REFUSE, {"refusal": _kept(refusal)}, now=now)
        raise
    if state is LoadState.COMMITTED:
        async with session.begin():
            await stock.refresh_statistics(session, _TABLES[run.resource])
    return state


async def run_watched(
    session: AsyncSession,
    aside: AsyncSession,
    beside: AsyncConnection,
    load: LoadRef,
    *,
    vault: Vault,
    clock: Callable[[], datetime],
) -> LoadState | None:
    """Run a load as `run_load` does, its progress told to all over another connection, until someone cancels it."""
    last = Progress("", 0, 0)
    told = clock() - _REST

    async def tell(progress: Progress) -> None:
        nonlocal last, told
        now = clock()
        if progress.phase == last.phase and progress.done < progress.total and now - told < _REST:
            return
        last, told = progress, now
        if await load_runs.say_progress(beside, **load._asdict(), **progress._asdict(), now=now):
            raise LoadCancelled

    return await run_load(session, load, vault=vault, now=clock(), tell=tell, aside=aside)


async def take_card(
    session: AsyncSession,
    draft: BatchDraft,
    terms: LoadTerms,
    card: CardRow,
    transport_key: str,
    who: Acting,
    *,
    vault: Vault,
) -> dict[str, Any]:
    """Take one card that no file brought, in the open transaction, and return the load and its document.

    Raises
    ------
    Busy
        Another load is taking the card just now.
    DuplicateIdentifier
        It exists already, here or in another city.
    NotFound
        The card product or transport key is unknown.
    """
    batch_id = await loads.add_batch(session, draft, **who)
    reading = Reading(items=iter(()), card_kind=terms.card_kind, transport_key=transport_key)
    intake = CardIntake(Delivery(batch_id=batch_id, terms=terms, who=who, vault=vault), reading)
    await staging.open_stage(session, intake.stage)
    await _stage(session, intake, iter([card]), partial(in_silence, Progress("reading", 1, 1)))
    await intake.find_taken(session)
    for fault in await staging.first_found(session, 1):
        raise DuplicateIdentifier(kind=fault.column, value=fault.value, where=fault.code)
    taken = await intake.take(session, 1, in_silence)
    state = LOAD_LIFECYCLE.advance(LoadState(draft.state), LoadEvent.TAKE)
    figures = {**taken.figures, "pool": terms.pool}
    ref = {"city_id": who["city_id"], "batch_id": batch_id}
    await loads.end_batch(session, **ref, state=state, rows=1, accepted=1, figures=figures, now=who["now"])
    await _record_loaded(session, draft.resource, batch_id, draft.source, 1, taken, who)
    return _taken(LoadRef(who["city_id"], batch_id), draft.resource, 1, taken, NOTHING_FOUND)


async def fail_load(session: AsyncSession, load: LoadRef, *, now: datetime) -> None:
    """End a load that cannot be brought to an end; nothing of it was taken."""
    await _end(session, load, LoadEvent.FAIL, {}, now=now)


async def _claimed(session: AsyncSession, load: LoadRef) -> Run | None:
    """Make sure that nobody else runs the load, and return its run; None if it has ended."""
    await stock.allow_long_statements(session)
    if not await load_runs.claim(session, **load._asdict()):
        raise Busy
    run = await load_runs.find_run(session, **load._asdict())
    if run is None:
        raise NotFound(what="load", value=format_public_id("b", *load))
    return run if run.state in LOAD_OPEN else None


async def _run(
    session: AsyncSession, aside: AsyncSession | None, run: Run, *, vault: Vault, now: datetime, tell: Tell
) -> LoadState:
    """Read, check and take; what is left to do ends with the transaction."""
    upload = await uploads.find_upload(session, city_id=run.city_id, upload_id=run.upload_id)
    if upload is None:
        raise NotFound(what="upload", value=format_public_id("u", run.city_id, run.upload_id))
    terms = LoadTerms.from_json(run.terms)
    who = Acting(city_id=run.city_id, staff_no=run.staff_no, interface_no=run.interface_no, now=now)
    delivery = Delivery(batch_id=run.batch_id, terms=terms, who=who, vault=vault)
    if aside is not None and may_stream(terms, upload.size):
        try:
            _, reading = await _opened(aside, delivery, upload)
        except NoConnectionFree:
            taken = None
        else:
            taken = await stream(session, aside, CardIntake(delivery, reading), reading, tell)
        if taken is not None:
            state, rows = LOAD_LIFECYCLE.advance(LoadState(run.state), LoadEvent.TAKE), reading.declared or 0
            await _conclude(session, run, reading, _Outcome(state, rows, rows, NOTHING_FOUND, taken), who)
            return state
    file, reading = await _opened(session, delivery, upload)
    intake = _intake(delivery, reading)
    await staging.open_stage(session, intake.stage)

    async def tell_read() -> None:
        await tell(Progress("reading", min(file.tell(), upload.size), upload.size))

    rows = await _stage(session, intake, reading.items, tell_read)
    await tell(Progress("checking", 0, 0))
    found = await _check(session, intake, rows)
    good = 0 if found.spoilt else rows - found.rows
    event, taken = LoadEvent.TAKE, Taken(None)
    if terms.dry_run:
        event = LoadEvent.FIND
    elif not good or (found.faults and not terms.keep_good):
        event = LoadEvent.REFUSE
    else:
        taken = await intake.take(session, good, tell)
    state = LOAD_LIFECYCLE.advance(LoadState(run.state), event)
    await _conclude(session, run, reading, _Outcome(state, rows, good, found, taken), who)
    return state


async def _opened(session: AsyncSession, delivery: Delivery, upload: StoredUpload) -> tuple[BinaryIO, Reading]:
    """Open the file, to be read by this session."""
    file = await session.run_sync(lambda sync: stored_file(sync, delivery.vault, upload))
    return file, await session.run_sync(lambda _: read_file(file, delivery.terms))


def _intake(delivery: Delivery, reading: Reading) -> Intake[Any]:
    match delivery.terms.resource:
        case SIM.name:
            return CardIntake(delivery, reading)
        case NUMBER.name:
            return NumberIntake(delivery)
        case _:
            return DataIntake(delivery)


async def _stage(
    session: AsyncSession, intake: Intake[Any], items: Iterator[Item], tell_read: Callable[[], Awaitable[None]]
) -> int:
    """Read the whole file into the stage, a chunk at a time, and return how many rows it has."""
    rows, last = 0, 0
    while chunk := await session.run_sync(lambda _: list(islice(items, _CHUNK))):
        good = [item for item in chunk if not isinstance(item, FaultRow | BadRow)]
        found = [item for item in chunk if isinstance(item, FaultRow)]
        names = (intake.staged_names(item) for item in chunk if isinstance(item, BadRow))
        staged, more = await intake.staged(session, good) if good else (iter(()), [])
        await staging.add_rows(session, intake.stage, chain(staged, names), intake.ascent)
        await intake.put_aside(session, [item for item in chunk if not isinstance(item, FaultRow)])
        if found or more:
            await staging.add_found(session, chain(found, more))
        for item in chunk:
            if item.row > last:
                rows, last = rows + 1, item.row
        await tell_read()
    return rows


async def _check(session: AsyncSession, intake: Intake[Any], rows: int) -> Found:
    """Find what stands twice, in the file or beside what exists, and count all that is wrong."""
    if rows:
        await staging.look_over(session, intake.stage)
        for name in () if intake.ascent.rising else intake.stage.names:
            await staging.find_repeated(session, intake.stage, name)
        await intake.find_taken(session)
    found = await staging.count_found(session)
    if rows or found.faults:
        return found
    await staging.add_found(session, [FaultRow(0, "", "", "empty")])
    return await staging.count_found(session)


class _Outcome(NamedTuple):
    """How a load ended: of its `rows` so many are `good`."""

    state: LoadState
    rows: int
    good: int
    found: Found
    taken: Taken


async def _conclude(session: AsyncSession, run: Run, reading: Reading, outcome: _Outcome, who: Acting) -> None:
    """Write down how the load ended: the batch, its faults, its event, its answer."""
    load = LoadRef(run.city_id, run.batch_id)
    accepted = outcome.good if outcome.state is LoadState.COMMITTED else 0
    if outcome.found.faults:
        await staging.keep_faults(session, **load._asdict())
    await loads.end_batch(
        session,
        **load._asdict(),
        state=outcome.state,
        rows=outcome.rows,
        accepted=accepted,
        rejected=outcome.rows - outcome.good if outcome.found.spoilt else outcome.found.rows,
        figures={**reading.figures, **outcome.taken.figures, "pool": run.terms["pool"], "faults": outcome.found.faults},
        now=who["now"],
    )
    if outcome.state is LoadState.COMMITTED:
        await _record_loaded(session, run.resource, run.batch_id, run.source, accepted, outcome.taken, who)
        await uploads.drop_upload(session, city_id=run.city_id, upload_id=run.upload_id)
    await load_runs.keep_answer(session, **load._asdict(), answer=await _answer(session, run, reading, outcome))


async def _answer(session: AsyncSession, run: Run, reading: Reading, outcome: _Outcome) -> dict[str, Any]:
    """Give what the load answers: what it took, what a trial found, or how many rows are refused and why the first."""
    name, found = format_public_id("b", run.city_id, run.batch_id), outcome.found
    if outcome.state is LoadState.COMMITTED:
        return _taken(LoadRef(run.city_id, run.batch_id), run.resource, outcome.good, outcome.taken, found)
    first = await staging.first_found(session, FIRST_FAULTS)
    if outcome.state is LoadState.REJECTED:
        of_first = f"line {first[0].row}, {first[0].column}: {first[0].code}"
        return {"rows": outcome.rows if found.spoilt else found.rows, "first": of_first, "batch": name}
    return {
        "dry_run": True,
        "id": name,
        "good": outcome.good,
        "bad": outcome.rows - outcome.good,
        "columns": list(reading.columns),
        "faults": [
            {"no": number, "row": fault.row, "column": fault.column, "value": fault.value, "code": fault.code}
            for number, fault in enumerate(first, start=1)
        ],
    }


def _taken(load: LoadRef, resource: str, count: int, taken: Taken, found: Found) -> dict[str, Any]:
    """Give what a load answers that took something."""
    movement = None if taken.movement_id is None else format_public_id("m", load.city_id, taken.movement_id)
    name = format_public_id("b", *load)
    return {"id": name, "movement": movement, "resource": resource, "rows": count, "rejected": found.rows}


async def _record_loaded(
    session: AsyncSession, resource: str, batch_id: int, source: str, count: int, taken: Taken, who: Acting
) -> None:
    data = {"source": source, "count": count, **taken.figures}
    await record(session, [EventDraft(name=f"{resource}.loaded", kind="load", item_no=batch_id, data=data)], **who)


async def _end(
    session: AsyncSession, load: LoadRef, event: LoadEvent, figures: Mapping[str, Any], *, now: datetime
) -> None:
    """End a load of which nothing was taken, unless it has ended."""
    async with session.begin():
        run = await _claimed(session, load)
        if run is not None:
            state = LOAD_LIFECYCLE.advance(LoadState(run.state), event)
            await loads.end_batch(session, **load._asdict(), state=state, figures=figures, now=now)


def _kept(refusal: DomainError) -> dict[str, Any]:
    """Give what a load keeps of why its file was refused as a whole."""
    return {"code": refusal.code, "params": {name: str(value) for name, value in refusal.params.items()}}

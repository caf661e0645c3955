"""Loads in the background: begun in one process, run by another, watched, left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from inventory.domain.errors import AlreadyLoaded, Busy, LoadNotRunning, NotFound, UploadIncomplete
from inventory.domain.identifiers import parse_public_id
from inventory.services import intake
from inventory.services.intake import Progress
from inventory.services.load_runs import LoadRef, fail_load, run_load, run_watched
from inventory.services.load_standing import has_file, known_columns, list_loads, read_faults, read_load, read_standing
from inventory.services.loading import TASK, FileKind, LoadTerms, cancel_load, load_again, start_load
from inventory.store import load_runs
from tests.services.files import iccid, vendor_file
from tests.services.test_uploads import begun, send
from tests.services.town import CARD, CITY, NOW, POOL, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TERMS = LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD, pool=POOL, keep_good=True)


async def started(town: Town, content: bytes, terms: LoadTerms = TERMS) -> LoadRef:
    """Send a file and begin to load it."""
    upload = await begun(town, content)
    await send(town, upload, 0, content)
    async with town.database.session() as session:
        answer = await start_load(session, town.admin, fresh_key(), upload, terms, now=NOW)
    return LoadRef(CITY, parse_public_id(answer.body["id"], "b").serial)


async def run(town: Town, load: LoadRef) -> None:
    """Run it as a worker does."""
    database = town.database
    async with database.session() as session, database.session() as aside, database.autocommit() as beside:
        await run_watched(session, aside, beside, load, vault=town.vault, clock=lambda: NOW)


async def state(town: Town, load: LoadRef) -> str:
    async with town.database.session() as session:
        standing = await read_standing(session, town.admin, public_id=f"b-{load.city_id}-{load.batch_id}")
    return standing.batch.state


async def test_load_is_begun_with_its_job_and_takes_nothing_before_it_is_run(town: Town) -> None:
    load = await started(town, vendor_file(range(5)))

    assert await state(town, load) == "RUNNING"
    assert await town.value("SELECT count(*) FROM sim") == 0
    jobs = await town.rows("SELECT task_name, args FROM procrastinate.procrastinate_jobs WHERE status = 'todo'")
    assert [tuple(job) for job in jobs] == [(TASK, {"city_id": CITY, "batch_id": load.batch_id})]


async def test_lost_answer_is_given_again_when_the_load_has_long_ended(town: Town) -> None:
    content, write = vendor_file(range(5)), fresh_key()
    upload = await begun(town, content)
    await send(town, upload, 0, content)
    async with town.database.session() as session:
        first = await start_load(session, town.admin, write, upload, TERMS, now=NOW)
    await run(town, LoadRef(CITY, parse_public_id(first.body["id"], "b").serial))

    async with town.database.session() as session:
        again = await start_load(session, town.admin, write, upload, TERMS, now=NOW)
    assert (again.body, again.replayed) == (first.body, True)


async def test_run_load_is_in_stock_with_its_faults(town: Town) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    load = await started(town, vendor_file(range(5)).replace(iccid(3).encode(), b"77"))

    await run(town, load)

    assert await state(town, load) == "COMMITTED"
    assert await town.value("SELECT count(*) FROM sim") == 4
    async with town.database.session() as session:
        found = await read_faults(session, town.admin, public_id=f"b-{CITY}-{load.batch_id}", after=0, limit=9)
    assert [(fault.row, fault.column, fault.code) for _, fault in found] == [(15, "iccid", "malformed")]


async def test_load_that_has_ended_is_not_run_again(town: Town) -> None:
    load = await started(town, vendor_file(range(5)))
    await run(town, load)

    await run(town, load)

    assert await town.value("SELECT count(*) FROM sim") == 5
    assert await town.value("SELECT count(*) FROM event WHERE name = 'sim.loaded'") == 1


async def test_same_file_is_not_begun_twice_while_it_runs(town: Town) -> None:
    await started(town, vendor_file(range(5)))

    with pytest.raises(AlreadyLoaded):
        await started(town, vendor_file(range(5)))


async def test_file_that_is_not_whole_is_not_loaded(town: Town) -> None:
    upload = await begun(town, b"abc")
    await send(town, upload, 0, b"a")

    async with town.database.session() as session:
        with pytest.raises(UploadIncomplete):
            await start_load(session, town.admin, fresh_key(), upload, TERMS, now=NOW)


async def in_the_middle(town: Town, load: LoadRef, act: Callable[[], Awaitable[None]]) -> None:
    """Run the load and act once when its rows are read and its transaction is open."""
    waiting = [act]

    async def tell(progress: Progress) -> None:
        if progress.phase == "checking" and waiting:
            await waiting.pop()()

    async with town.database.session() as session:
        await run_load(session, load, vault=town.vault, now=NOW, tell=tell)


async def test_two_workers_never_run_the_same_load(town: Town) -> None:
    load = await started(town, vendor_file(range(5)))

    async def other_worker() -> None:
        with pytest.raises(Busy):
            await run(town, load)

    await in_the_middle(town, load, other_worker)
    assert await town.value("SELECT count(*) FROM sim") == 5


async def test_without_the_claim_two_workers_would_run_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: without the claim the second worker takes everything and the first one says that it is refused."""
    load = await started(town, vendor_file(range(5)))

    async def everybody(*_: object, **__: object) -> bool:
        return True

    async def other_worker() -> None:
        await run(town, load)

    monkeypatch.setattr(load_runs, "claim", everybody)
    await in_the_middle(town, load, other_worker)
    assert await town.value("SELECT count(*) FROM sim") == 5
    assert await state(town, load) == "REJECTED"


async def test_progress_is_seen_while_the_transaction_is_open(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 2)
    load = await started(town, vendor_file(range(5)))
    seen: list[tuple[str, int, int]] = []
    say = load_runs.say_progress

    async def say_and_look(*arguments: Any, **named: Any) -> bool:
        cancelled = await say(*arguments, **named)
        async with town.database.session() as session:
            standing = await read_standing(session, town.admin, public_id=f"b-{CITY}-{load.batch_id}")
        assert standing.progress is not None
        seen.append((standing.progress.phase, standing.progress.done, standing.progress.total))
        return cancelled

    monkeypatch.setattr(load_runs, "say_progress", say_and_look)
    await run(town, load)

    size = len(vendor_file(range(5)))
    assert seen == [("reading", size, size), ("checking", 0, 0), ("taking", 0, 5), ("taking", 5, 5)]


async def test_waiting_load_is_cancelled_at_once(town: Town) -> None:
    load = await started(town, vendor_file(range(5)))
    name = f"b-{CITY}-{load.batch_id}"

    async with town.database.session() as session:
        await cancel_load(session, town.admin, public_id=name, now=NOW)
        with pytest.raises(LoadNotRunning):
            await cancel_load(session, town.admin, public_id=name, now=NOW)
    await run(town, load)

    assert await state(town, load) == "CANCELLED"
    assert await town.value("SELECT count(*) FROM sim") == 0
    assert (await started(town, vendor_file(range(5)))).batch_id > load.batch_id


async def test_load_that_runs_is_left_when_it_next_tells_how_far_it_is(town: Town) -> None:
    load = await started(town, vendor_file(range(5)))
    say = load_runs.say_progress

    async def say_and_cancel(*arguments: Any, **named: Any) -> bool:
        async with town.database.session() as session:
            await cancel_load(session, town.admin, public_id=f"b-{CITY}-{load.batch_id}", now=NOW)
        return await say(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load_runs, "say_progress", say_and_cancel)
        await run(town, load)

    assert await state(town, load) == "CANCELLED"
    assert await town.value("SELECT count(*) FROM sim") == 0


async def test_file_refused_as_a_whole_says_why_with_its_load(town: Town) -> None:
    load = await started(town, vendor_file(range(5), key="99"))

    with pytest.raises(NotFound):
        await run(town, load)

    async with town.database.session() as session:
        batch = (await list_loads(session, town.admin, before=None, limit=1))[0]
    assert (batch.state, batch.figures["refusal"]["code"]) == ("REJECTED", "not_found")


async def test_load_that_cannot_be_ended_has_failed_and_takes_nothing(town: Town) -> None:
    load = await started(town, vendor_file(range(5)))

    async with town.database.session() as session:
        await fail_load(session, load, now=NOW)
    await run(town, load)

    assert await state(town, load) == "FAILED"
    assert await town.value("SELECT count(*) FROM sim") == 0


async def test_load_of_another_city_is_not_listed(town: Town) -> None:
    await started(town, vendor_file(range(5)))
    async with town.database.session() as session:
        assert len(await list_loads(session, town.admin, before=None, limit=9)) == 1
        assert await list_loads(session, town.admin, before=1, limit=9) == []


async def test_file_of_a_trial_is_taken_without_being_sent_again(town: Town) -> None:
    trial = await started(town, vendor_file(range(5)), replace(TERMS, dry_run=True))
    await run(town, trial)
    name = f"b-{CITY}-{trial.batch_id}"

    async with town.database.session() as session:
        assert await has_file(session, await read_load(session, town.admin, public_id=name))
        answer = await load_again(session, town.admin, fresh_key(), public_id=name, keep_good=False, now=NOW)
    await run(town, LoadRef(CITY, parse_public_id(answer.body["id"], "b").serial))

    assert await town.value("SELECT count(*) FROM sim") == 5
    assert await town.value("SELECT count(*) FROM upload") == 0
    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await load_again(session, town.admin, fresh_key(), public_id=name, keep_good=False, now=NOW)


async def test_what_was_said_about_a_vendors_columns_is_remembered(town: Town) -> None:
    await town.load(f"{iccid(1)},{iccid(2)}\n".encode(), FileKind.CARD_LIST, columns="iccid=1", vendor="V1")
    await town.load(f"{iccid(3)},{iccid(4)}\n".encode(), FileKind.CARD_LIST, columns="iccid=2", vendor="V1")

    async with town.database.session() as session:
        known = await known_columns(session, town.admin)
    assert [(one.vendor, one.kind, one.columns) for one in known] == [("V1", "card_list", "iccid=2")]

"""The worker as a process: it ends holds and seals events by itself, stops when asked, and may be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from inventory.services.auditing import audit
from tests.promises.conftest import NUMBERS, Counter
from tests.promises.test_ending import rows, swept
from tests.waiting import until, until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio, pytest.mark.e2e]

SLOW_SWEEP = """
import asyncio, os
from datetime import UTC, datetime
from inventory.services.expiry import sweep
from inventory.store.engine import connect

async def main():
    async with connect(os.environ["HAOKA_DATABASE_URL"]).autocommit() as connection:
        await sweep(connection, now=datetime(2100, 1, 1, tzinfo=UTC), batch=1)

asyncio.run(main())
"""


@asynccontextmanager
async def running(database_url: str, data_dir: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run Python with the arguments on the database; it is killed at the end if it still runs."""
    env = {**os.environ, "HAOKA_DATABASE_URL": database_url, "HAOKA_DATA_DIR": str(data_dir)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=env, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def past_holds(counter: Counter, numbers: tuple[str, ...]) -> None:
    """Hold the numbers at a time that has long been over."""
    past = Counter(counter.database, counter.caller, datetime(2026, 1, 1, tzinfo=UTC))
    for number in numbers:
        await past.hold(number)


async def test_worker_frees_what_is_over_and_seals_and_stops_cleanly(
    counter: Counter, database_url: str, tmp_path: Path
) -> None:
    """REQ-RSV-04: by itself."""
    await past_holds(counter, NUMBERS[:3])
    async with running(database_url, tmp_path, "-m", "inventory.worker") as worker:
        await until(counter.database, "SELECT count(*) = 3 FROM hold WHERE state = 'EXPIRED'")
        await until(counter.database, "SELECT count(*) = 12 FROM sealed_event")
        worker.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0


async def test_sweep_killed_in_the_middle_has_ended_whole_holds_only(
    counter: Counter, database_url: str, tmp_path: Path
) -> None:
    """REQ-RSV-05: what it left is ended by the next one, each hold once."""
    await past_holds(counter, NUMBERS)
    async with counter.database.session() as blocker, blocker.begin():
        # The sweep stops at this number, in the middle of a statement, and dies there.
        await blocker.execute(text("SELECT FROM number WHERE item_no = 4 FOR UPDATE"))
        async with running(database_url, tmp_path, "-c", SLOW_SWEEP) as sweep:
            await until(counter.database, "SELECT count(*) = 4 FROM hold WHERE state = 'EXPIRED'")
            await until_locked(counter.database)
            sweep.send_signal(signal.SIGKILL)
            await sweep.wait()
    await until(
        counter.database,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'",
    )
    async with counter.database.session() as session:
        assert (await audit(session, now=counter.now)).ok
    ended = (await rows(counter, "SELECT count(*) FROM hold WHERE state = 'EXPIRED'"))[0][0]
    assert await swept(counter) == len(NUMBERS) - ended
    assert await rows(counter, "SELECT count(*) FROM event WHERE name = 'hold.expired'") == [(8,)]

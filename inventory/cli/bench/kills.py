"""`haoka bench load --kills K`: a file with planted faults, loaded by a worker that is killed, and so is the server.

Worker or database get SIGKILL at random moments of the load. In the end exactly the planted faults are reported, all
other cards are in stock, and the audit finds nothing; and the worker's memory has not grown with the file.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError

from inventory.cli.bench.copying import copy_names
from inventory.cli.bench.faulty_file import KINDS, Fault, FaultyFile, delivery
from inventory.cli.bench.ground import Ground, fresh_key
from inventory.cli.bench.report import BenchFailed, Measurement, against_raw
from inventory.cli.demo.vendor import CARD_KIND
from inventory.domain.lifecycle import LOAD_OPEN, LoadState
from inventory.services.auditing import audit
from inventory.services.load_standing import Standing, read_faults, read_standing
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.loading import FileWish, load_file, start_load
from inventory.services.organisation import HALL_POOL
from inventory.services.sealing import seal_all
from inventory.services.uploads import Piece, UploadWish, append, begin_upload
from inventory.store.engine import may_pass

FAULTS: Final = 1000
TARGET: Final = 0.45
_OTHER_CITY: Final = 530100
_PIECE: Final = 8 * 1024 * 1024
_LOOK_SECONDS: Final = 0.05
_PATIENCE: Final = 3600.0
"""Seconds that one run of a load may take, and the server to come back."""
_MARKS: Final = (0.1, 0.5, 1.0)
_TABLES: Final = ("identifier", "sim", "card_secret")
_T = TypeVar("_T")


@dataclass
class Watch:
    """What is seen of a load from outside: kills done, and the worker's peak memory (MiB) at parts of its way."""

    chance: random.Random
    kills: int
    killed: list[str] = field(default_factory=list)
    peaks: dict[str, float] = field(default_factory=dict)
    began: float = 0.0
    seconds: float = 0.0
    way: float = 1.0


async def measure(ground: Ground, *, rows: int, kills: int) -> AsyncIterator[Measurement]:
    """Load `rows` cards through `kills` SIGKILLs and yield the figures.

    Raises
    ------
    BenchFailed
        What was reported or taken is not exactly what it must be.
    """
    file = FaultyFile(rows, min(FAULTS, rows // 50 // KINDS * KINDS))
    load = await _begun(ground, file)
    watch = Watch(random.Random(rows), kills)  # noqa: S311 - when to kill is no secret
    await _worked_off(ground, load, watch)
    await _compare(ground, load, file)
    raw = await asyncio.to_thread(_raw_seconds, ground)
    good = rows - file.faults
    sizes = {"rows": rows, "faults": file.faults, "killed": watch.killed, "peak_mib": watch.peaks}
    yield against_raw("load.killed", target=TARGET, ours=rows / watch.seconds, raw=good / raw, unit="rows/s", **sizes)


async def _begun(ground: Ground, file: FaultyFile) -> str:
    """Put there what the file's duplicates meet, send the file, and begin the load; return its id."""
    path = ground.folder / "delivery.out"
    await asyncio.to_thread(file.write, path)
    before = FileWish(
        kind=FileKind.SIM_VENDOR, name="before", content=delivery(file.in_stock_before()), card_kind=CARD_KIND
    )
    async with ground.at_once() as session:
        await copy_names(session, file.elsewhere_before(), _OTHER_CITY)
    terms = LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD_KIND, pool=HALL_POOL, keep_good=True)
    async with ground.database.session() as session:
        await load_file(session, ground.caller, fresh_key(), before, vault=ground.vault, now=ground.now)
        wish = UploadWish(name=path.name, size=path.stat().st_size)
        begun = await begin_upload(session, ground.caller, fresh_key(), wish, now=ground.now)
        upload, offset = str(begun.body["id"]), 0
        with path.open("rb") as content:
            while piece := content.read(_PIECE):
                given = Piece(offset=offset, content=piece)
                await append(session, ground.caller, upload, given, vault=ground.vault, now=ground.now)
                offset += len(piece)
        load = await start_load(session, ground.caller, fresh_key(), upload, terms, now=ground.now)
    return str(load.body["id"])


async def _worked_off(ground: Ground, load: str, watch: Watch) -> None:
    """Let workers run the load to its end, killing as often as is wished: each kill may cost a whole run."""
    end = time.monotonic() + _PATIENCE * (watch.kills + 1)
    while True:
        async with _worker(ground) as worker:
            await _watched(ground, load, worker, watch)
            if not watch.killed or watch.killed[-1] != "worker" or worker.returncode is None:
                return
        if time.monotonic() > end:
            raise BenchFailed("the load does not come to its end")


async def _watched(ground: Ground, load: str, worker: asyncio.subprocess.Process, watch: Watch) -> None:
    """Watch the load until it has ended, or the worker was killed; the server may be killed meanwhile."""
    target = watch.chance.uniform(0.0, 0.95)
    while True:
        standing = await _asked(lambda: _standing(ground, load))
        if standing.batch.state not in LOAD_OPEN:
            watch.seconds = time.monotonic() - watch.began
            watch.peaks["1.0"] = _peak(worker.pid)
            return
        way = _way(standing)
        _look(watch, worker.pid, way)
        if len(watch.killed) < watch.kills and way >= target:
            sort = watch.chance.choice(("worker", "server"))
            watch.killed.append(sort)
            if sort == "worker":
                worker.kill()
                await worker.wait()
                return
            await _kill_server(ground)
            target = watch.chance.uniform(0.0, 0.95)
        await asyncio.sleep(_LOOK_SECONDS)


def _look(watch: Watch, pid: int, way: float) -> None:
    """Note the peak memory of the worker as it passes a mark; a load that begins anew is timed anew."""
    if way < watch.way:
        watch.began = time.monotonic()
        watch.peaks.clear()
    watch.way = way
    for mark in _MARKS[:-1]:
        if way >= mark and str(mark) not in watch.peaks:
            watch.peaks[str(mark)] = _peak(pid)


def _way(standing: Standing) -> float:
    """Say how far the load is, from 0 to 1: one half is reading, the other taking."""
    progress = standing.progress
    if progress is None or progress.phase == "waiting":
        return 0.0
    if progress.phase == "checking":
        return 0.5
    return (progress.done / progress.total + (progress.phase == "taking")) / 2


async def _standing(ground: Ground, load: str) -> Standing:
    async with ground.database.session() as session:
        return await read_standing(session, ground.caller, public_id=load)


async def _kill_server(ground: Ground) -> None:
    """Kill the server process that works for the load: the whole server falls over and recovers from its log."""
    question = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'haoka worker' AND state <> 'idle'"
        " ORDER BY xact_start NULLS LAST LIMIT 1"
    )
    found = (await asyncio.to_thread(ground.engine.sql, question)).strip()
    if found:
        os.kill(int(found), signal.SIGKILL)


async def _asked(question: Callable[[], Awaitable[_T]]) -> _T:
    """Ask until the server is there to answer."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return await question()
        except (DBAPIError, OSError) as error:
            if not may_pass(error) or time.monotonic() > end:
                raise
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def _worker(ground: Ground) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker process on the bench's database; it ends with the block."""
    environment = {
        **os.environ,
        "HAOKA_DATABASE_URL": ground.engine.url,
        "HAOKA_DATA_DIR": str(ground.folder),
        "HAOKA_KEY_FILE": str(ground.folder / "vault.key"),
        "HAOKA_DATABASE_POOL": "4",
    }
    with (ground.folder / "worker.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "inventory.worker", env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _peak(pid: int) -> float:
    """Return the most memory (MiB) that the process had at once: its resident high-water mark (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM:")), 0.0)


async def _compare(ground: Ground, load: str, file: FaultyFile) -> None:
    """Hold what came of the load against what was planted."""
    async with ground.database.session() as session:
        batch = (await read_standing(session, ground.caller, public_id=load)).batch
        found = await read_faults(session, ground.caller, public_id=load, after=0, limit=2 * FAULTS)
        await seal_all(session, now=ground.now)
        done = await audit(session, now=ground.now)
    stocked_before = len(file.in_stock_before())
    told = [Fault(fault.row, fault.column, fault.code) for _, fault in found]
    wrong = {
        "state": batch.state != LoadState.COMMITTED,
        "faults not planted": set(told) - file.expected(),
        "faults not reported": file.expected() - set(told),
        "faults reported twice": len(told) - len(set(told)),
        "cards missing": file.rows - file.faults - batch.accepted,
        "cards in stock": int(ground.engine.sql("SELECT count(*) FROM sim")) - batch.accepted - stocked_before,
        "audit": done.findings,
    }
    if any(wrong.values()):
        raise BenchFailed(f"the load is not what it must be: { {name: what for name, what in wrong.items() if what} }")


def _raw_seconds(ground: Ground) -> float:
    """Let the raw engine copy the rows that the load made into the emptied tables; return its seconds."""
    files = [(table, ground.folder / f"{table}.copy") for table in _TABLES]
    for table, path in files:
        ground.engine.copy_out(table, path)
    ground.engine.sql(f"TRUNCATE {', '.join(_TABLES)} CASCADE", "CHECKPOINT")
    return ground.engine.copy_in(*files)

"""SIGKILL of worker and server while a large file is loaded: the same code as `haoka bench load --kills`, small."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.cli.bench import kills
from inventory.cli.bench.engine import Engine
from inventory.cli.bench.faulty_file import KINDS, FaultyFile
from inventory.cli.bench.ground import prepared
from inventory.cli.bench.report import BenchFailed, Measurement
from inventory.store.embedded import EmbeddedServer
from inventory.store.migrate import upgrade
from tests.store.servers import QUICK

pytestmark = [pytest.mark.database, pytest.mark.e2e]
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def loaded(folder: Path, *, rows: int, times: int) -> Measurement:
    """Run the bench on a server of its own, for it is killed."""

    async def measured(server: EmbeddedServer) -> Measurement:
        async with prepared(Engine(server.url, server.bin_dir), folder, now=NOW) as ground:
            return await anext(kills.measure(ground, rows=rows, kills=times))

    with EmbeddedServer(folder / "server", settings=QUICK) as server:
        upgrade(server.url)
        return asyncio.run(measured(server))


@pytest.mark.parametrize(("rows", "killed"), [(12_000, "server"), (16_000, "worker")])
def test_load_through_kills_reports_exactly_the_planted_faults_and_takes_all_else(
    tmp_path: Path, rows: int, killed: str
) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason.

    The rows are also what the kills are drawn from: with these the first one comes in the first half, while the file is
    still read, and a load that is quick cannot outrun it.
    """
    found = loaded(tmp_path, rows=rows, times=1)

    assert found.figures["faults"] == rows // 50
    assert found.figures["killed"] == [killed]


def test_faults_are_of_every_kind_and_stand_apart() -> None:
    planted = FaultyFile(5000, 5 * KINDS).planted()

    assert len(set(planted.values())) == KINDS
    assert all(place + 1 not in planted for place in planted)


def test_fault_that_was_not_planted_fails_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker is shown a broken case: a file with one fault that nobody expects."""
    expected = FaultyFile.expected
    monkeypatch.setattr(FaultyFile, "expected", lambda file: set(sorted(expected(file))[1:]))

    with pytest.raises(BenchFailed, match="faults not planted"):
        loaded(tmp_path, rows=1000, times=0)

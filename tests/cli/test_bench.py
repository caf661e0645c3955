"""Each bench at a tiny size: it runs, says what it found in one form, and sees a target missed. Nothing is timed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cardwriter import measure as card_path
from cardwriter.station.journal import Journal
from cardwriter.virtual.uicc import VirtualUicc
from drivers.virtual import VirtualSource
from inventory.cli import main
from inventory.cli.bench import card, hold, issue, ledger, load, search
from inventory.cli.bench.engine import Engine
from inventory.cli.bench.ground import Ground, bench_database, prepared
from inventory.cli.bench.report import BenchFailed, Lines, Measurement, against_raw, machine_facts
from inventory.cli.bench.search import Pattern
from inventory.domain.search import SearchWish
from inventory.settings import Settings
from inventory.store.embedded import EmbeddedServer, packaged_bin_dir
from inventory.store.migrate import upgrade
from tests.conftest import ROOT, Databases

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
HEAD = ["name", "ratio", "target", "ok"]
FAST, SLOW = 1e-9, 1e9
"""Seconds that no real side needs."""


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def ground(database_url: str, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Ground]:
    """Found the bench's operator in a database of this test's own."""
    del anyio_backend
    async with prepared(Engine(database_url, packaged_bin_dir()), tmp_path, now=NOW) as ground:
        yield ground


def copies_take(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the raw engine copy as it does and say that it took so long."""
    copy_in = Engine.copy_in

    def says(self: Engine, *files: tuple[str, Path]) -> float:
        copy_in(self, *files)
        return seconds

    monkeypatch.setattr(Engine, "copy_in", says)


def said(found: Measurement) -> dict[str, Any]:
    """Read a measurement back from its line."""
    line: dict[str, Any] = json.loads(found.line(machine_facts("18.6", date="2026-11-22")))
    assert list(line)[:4] == HEAD
    assert {"ours", "raw", "unit"} <= set(line)
    assert line["machine"]["date"] == "2026-11-22"
    return line


def test_a_ratio_below_its_target_is_not_ok() -> None:
    found = [against_raw("x", target=0.5, ours=ours, raw=10.0, unit="rows/s") for ours in (4.0, 5.0)]
    assert [(one.ratio, one.ok) for one in found] == [(0.4, False), (0.5, True)]


def test_a_line_is_one_object_with_the_figures_and_the_machine() -> None:
    line = said(against_raw("x", target=0.5, ours=123456.7, raw=200000.0, unit="rows/s", size=20))
    assert (line["ratio"], line["ours"], line["size"], line["machine"]["postgresql"]) == (0.6173, 123500.0, 20, "18.6")


def test_lines_are_kept_only_when_the_run_has_ended_well(tmp_path: Path) -> None:
    kept = tmp_path / "x.jsonl"
    found = Measurement("x", 1.0, 0.5)

    def run(times: int) -> None:
        with Lines("x", {}, lambda _: None, tmp_path) as lines:
            lines.add(found)
            if times > 1:
                raise BenchFailed("no more")

    with pytest.raises(BenchFailed):
        run(2)
    assert not kept.exists()
    run(1)
    assert [json.loads(line)["name"] for line in kept.read_text().splitlines()] == ["x"]


@pytest.mark.database
@pytest.mark.anyio
@pytest.mark.parametrize(("seconds", "ok"), [(FAST, False), (SLOW, True)])
async def test_loads_are_held_against_the_raw_copy(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, *, seconds: float, ok: bool
) -> None:
    copies_take(monkeypatch, seconds)
    found = [said(one) async for one in load.measure(ground, rows=30, segments=1, rounds=1)]
    assert [(line["name"], line["rows"]) for line in found] == [
        ("load.copy", 30),
        ("load.file", 30),
        ("load.segments", 10_000),
    ]
    assert [line["ok"] for line in found] == [ok] * 3


@pytest.mark.database
@pytest.mark.anyio
async def test_both_sides_of_a_load_write_the_same_rows(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[tuple[str, ...]] = []
    copy_in = Engine.copy_in

    def watched(self: Engine, *files: tuple[str, Path]) -> float:
        seconds = copy_in(self, *files)
        counts = (self.sql(f"SELECT count(*) FROM {table}").strip() for table, _ in files)
        copied.append(tuple(counts))
        return seconds

    monkeypatch.setattr(Engine, "copy_in", watched)
    async for _ in load.measure(ground, rows=30, segments=1, rounds=1):
        pass
    assert copied == [("60", "30", "30"), ("60", "30", "30"), ("10000",)]


@pytest.mark.database
@pytest.mark.e2e
@pytest.mark.anyio
@pytest.mark.parametrize(("rate", "ok"), [(SLOW, False), (FAST, True)])
async def test_holds_are_held_against_pgbench(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, *, rate: float, ok: bool
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    real = Engine.rate

    def says(self: Engine, script: str, variables: Mapping[str, object], *, clients: int, transactions: int) -> float:
        assert real(self, script, variables, clients=clients, transactions=transactions) > 0
        return rate

    monkeypatch.setattr(Engine, "rate", says)
    found = [said(one) async for one in hold.measure(ground, each=3, http_each=2, clients=2, rounds=1)]
    assert [line["name"] for line in found] == ["hold.service.number", "hold.service.kit", "hold.http.kit"]
    assert [line["ok"] for line in found] == [ok] * 3
    held = ground.engine.sql("SELECT count(*), count(number_item_no), count(sim_item_no), count(data_no) FROM hold")
    assert held.strip() == "32|32|20|20"


@pytest.mark.database
@pytest.mark.anyio
async def test_a_statement_that_holds_nothing_is_no_measurement(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "hold_statement", lambda: "SELECT 1")
    with pytest.raises(BenchFailed, match="did not hold"):
        async for _ in hold.measure(ground, each=2, http_each=2, clients=2, rounds=1):
            pass


@pytest.mark.database
@pytest.mark.anyio
async def test_pages_are_held_against_their_limits(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = SearchWish(ends="88")
    patterns = (
        Pattern("loose", wish, p50=SLOW, p99=SLOW),
        Pattern("p50", wish, p50=FAST, p99=SLOW),
        Pattern("p99", wish, p50=SLOW, p99=FAST),
    )
    monkeypatch.setattr(search, "PATTERNS", patterns)
    found = [said(one) async for one in search.measure(ground, numbers=20_000, pages=2)]
    assert [(line["name"], line["ok"]) for line in found] == [
        (f"search.{place}.{name}", name == "loose") for place in ("city", "hall") for name in ("loose", "p50", "p99")
    ]
    assert {line["numbers_a_page"] for line in found if line["name"].startswith("search.city")} == {20.0}


@pytest.mark.database
@pytest.mark.e2e
@pytest.mark.database
@pytest.mark.anyio
@pytest.mark.parametrize(("limit", "ok"), [(FAST, True), (SLOW, False)])
async def test_documents_are_held_against_what_a_warehouse_expects(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, limit: float, *, ok: bool
) -> None:
    monkeypatch.setattr(issue, "LIMIT", limit)
    found = [said(one) async for one in issue.measure(ground, sizes=[500], rounds=1)]
    assert [(line["name"], line["ok"], line["items"]) for line in found] == [
        ("issue.issue.500", ok, 500),
        ("issue.recall.500", ok, 500),
    ]


@pytest.mark.database
@pytest.mark.anyio
async def test_lives_are_read_from_the_whole_ledger(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_ITEMS", 10_000)
    found = [said(one) async for one in ledger.measure(ground, movements=20_000, lives=20)]
    assert [(line["name"], line["movements"], line["lives"]) for line in found] == [("ledger.life", 20_000, 20)]
    assert found[0]["entries_a_life"] == 3  # the intake and two of the lines


def test_the_command_prints_lines_and_keeps_them(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAOKA_DATABASE_URL", databases.admin_url)
    arguments = ["--rows", "20", "--segments", "1", "--rounds", "1", "--date", "2026-11-22", "--out", str(tmp_path)]

    assert main(["bench", "load", *arguments]) == 0
    printed = capfd.readouterr().out
    assert [json.loads(line)["name"] for line in printed.splitlines()] == ["load.copy", "load.file", "load.segments"]
    assert (tmp_path / "load.jsonl").read_text() == printed


@pytest.mark.card
@pytest.mark.e2e
def test_the_card_path_is_measured_in_real_readers() -> None:
    found = [said(one) for one in card.measure(rounds=1, readers=[1, 2], wire="16/32")]
    serial = [f"card.{figure}.{driver}" for driver in ("at", "crt", "phoenix") for figure in ("apdus", "overhead")]
    in_pcsc = ["card.apdus", "card.overhead", "card.readers_1", "card.readers_2"]
    assert [line["name"] for line in found] == [*in_pcsc, *serial]
    assert found[0]["ok"]


@pytest.mark.card
@pytest.mark.e2e
def test_a_card_path_that_cannot_be_measured_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "card", "--wire", "fast"]) == 1
    assert "cardwriter.measure ended" in capfd.readouterr().err


def virtual_desk(folder: Path) -> card_path.Desk:
    """Give a desk with a card in this process."""
    return card_path.Desk(VirtualSource(VirtualUicc(card_path.blank(1))), "virtual", Journal(folder))


@pytest.mark.parametrize(("bare", "ok"), [(FAST, False), (SLOW, True)])
def test_our_time_is_held_against_the_bare_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, bare: float, ok: bool
) -> None:
    desk = virtual_desk(tmp_path)
    real = card_path._seconds
    monkeypatch.setattr(card_path, "_seconds", lambda work: real(work) if work == desk.round else bare)
    found = card_path.overhead(desk, lambda: None, rounds=2)
    desk.journal.close()
    assert (found["name"], found["ok"]) == ("card.overhead", ok)


@pytest.mark.parametrize(("cpu", "ok"), [(0.1, False), (0.99, True)])
def test_readers_that_bring_too_little_are_excused_only_by_a_full_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cpu: float, ok: bool
) -> None:
    monkeypatch.setattr(card_path._Busy, "share", lambda _: cpu)
    desks = [virtual_desk(tmp_path / name) for name in "ab"]
    found, _ = card_path.parallel(desks, rounds=1, alone=SLOW)
    for desk in desks:
        desk.journal.close()
    assert (found["name"], found["ok"], found["cpu_full"]) == ("card.readers_2", ok, ok)


def test_a_card_that_does_not_end_verified_is_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = virtual_desk(tmp_path)
    desk.identify()
    monkeypatch.setattr(card_path, "_OPC", card_path._K)
    with pytest.raises(RuntimeError, match="damaged"):
        desk.round()
    desk.journal.close()


@pytest.mark.database
def test_bench_begins_anew_after_one_that_was_killed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=None)
    with EmbeddedServer(tmp_path / "bench") as server:
        upgrade(server.url)
        Engine(server.url, server.bin_dir).sql("CREATE TABLE left_behind ()")

    with bench_database(settings) as engine:
        assert engine.sql("SELECT to_regclass('left_behind') IS NULL").strip() == "t"

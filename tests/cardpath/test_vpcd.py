"""The whole way to a virtual card: pyscard, a real PC/SC daemon, vpcd's wire, the card process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cardwriter.crypto.milenage import Milenage
from cardwriter.profiles import (
    CardFacts,
    Expectation,
    Kind,
    Verdict,
    challenge,
    identify_script,
    profile,
    read_facts,
    settle,
)
from cardwriter.script import Outcome, Report, Script
from cardwriter.virtual.bench import Bench, BenchError, running
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.vpcd import OrderRefused, order
from tests.cardwriter.samples import EXPIRES, ICCID, OPC, RAND, K, a_blank, some_data
from tests.patience import PATIENCE

pytestmark = pytest.mark.card

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
FAMILY = profile("preset_key")
KEYS = Milenage(K, OPC)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One daemon with two readers for all tests of this file."""
    with running(readers=2) as started:
        yield started


class Desk:
    """A client process on one reader."""

    def __init__(self, bench: Bench, reader: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cardpath.client", reader],
            cwd=ROOT,
            env={**os.environ, "PCSCLITE_CSOCK_NAME": str(bench.socket)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, script: Script) -> Report:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(script.to_wire()) + "\n")
        self._process.stdin.flush()
        return Report.from_wire(json.loads(self._process.stdout.readline()))

    def identify(self) -> CardFacts:
        """Identify as soon as the daemon has seen the card."""
        report = wait_for(
            lambda: self.run(identify_script("identify", EXPIRES)), lambda one: one.outcome is Outcome.COMPLETED
        )
        return read_facts(report)

    def sees_none(self) -> None:
        """Wait until the daemon has seen the card go: it may miss a swap that a reset falls into."""
        wait_for(lambda: self.run(identify_script("none", EXPIRES)), lambda one: one.error == "no_card")

    def write(self, facts: CardFacts) -> Verdict:
        script = FAMILY.write_script(facts, some_data(), "write", EXPIRES)
        return FAMILY.judge_write(script, self.run(script))

    def verify(self, facts: CardFacts) -> Verdict:
        asked = challenge(KEYS, RAND)
        script = FAMILY.verify_script(facts, some_data(), asked, "verify", EXPIRES)
        return FAMILY.judge_verify(script, self.run(script), Expectation(facts, some_data(), KEYS, asked))

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)


def wait_for(act: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Repeat until the result is good; the daemon looks at its readers every 400 ms."""
    end = time.monotonic() + PATIENCE
    while not good(result := act()):
        assert time.monotonic() < end, result
        time.sleep(0.05)
    return result


@pytest.fixture
def desk(bench: Bench) -> Iterator[Desk]:
    client = Desk(bench, bench.slots[0].reader)
    yield client
    bench.slots[0].remove()
    client.close()


def put_in(bench: Bench, folder: Path, **changes: Any) -> Path:
    """Insert a fresh card into the first reader and return its image file."""
    path = folder / "card.json"
    faults = changes.pop("faults", [])
    image = a_blank(**changes)
    image.faults = faults
    image.save(path)
    bench.slots[0].insert(path)
    return path


def test_blank_card_is_written_and_proven_through_a_real_daemon(bench: Bench, desk: Desk, tmp_path: Path) -> None:
    """REQ-HW-09: a simulated reader and card are part of the product's tests."""
    path = put_in(bench, tmp_path)
    facts = desk.identify()
    assert facts.iccid == ICCID
    assert desk.write(facts).kind is Kind.UNKNOWN
    assert desk.verify(facts).kind is Kind.VERIFIED
    written = CardImage.load(path).file("7fff/6f07")
    assert written is not None
    assert written.content.hex() == "084906002143658709"


@pytest.mark.parametrize("kind", [FaultKind.DIE_BEFORE, FaultKind.DIE_AFTER])
def test_card_torn_out_at_its_last_command_is_settled_by_putting_it_back(
    bench: Bench, desk: Desk, tmp_path: Path, kind: FaultKind
) -> None:
    """REQ-HW-08: re-inserting and reading decides."""
    path = put_in(bench, tmp_path, faults=[Fault(kind, at=11, ins=0xD6)])
    torn = desk.write(desk.identify())
    assert torn.kind is Kind.UNKNOWN
    desk.sees_none()
    bench.slots[0].insert(path)
    facts = desk.identify()
    settled = settle(facts, None if facts.blank else desk.verify(facts))
    assert settled.kind is (Kind.NOTHING_WRITTEN if kind is FaultKind.DIE_BEFORE else Kind.VERIFIED)


def test_card_that_falls_silent_is_lost_and_settled_after_being_put_back(
    bench: Bench, desk: Desk, tmp_path: Path
) -> None:
    path = put_in(bench, tmp_path, faults=[Fault(FaultKind.MUTE, at=3, ins=0xD6)])
    assert desk.write(desk.identify()).kind is Kind.UNKNOWN
    bench.slots[0].remove()
    desk.sees_none()
    bench.slots[0].insert(path)
    assert settle(desk.identify(), None).kind is Kind.NOTHING_WRITTEN


def test_file_that_is_no_card_is_refused_and_the_reader_stays_empty(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(OrderRefused, match="not a card"):
        bench.slots[1].insert(tmp_path / "card.json")
    assert order(bench.slots[1].control, "status") == "ok empty"
    with pytest.raises(OrderRefused, match="expected"):
        order(bench.slots[1].control, "dance")


def test_two_benches_run_side_by_side_and_leave_nothing_behind(bench: Bench) -> None:
    with running(readers=1) as other:
        assert other.socket != bench.socket
        folder = other.socket.parent
    assert not folder.exists()
    assert bench.socket.exists()


def test_bench_falls_back_to_free_ports_where_namespaces_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with running(readers=1) as exposed:
        assert not exposed.isolated
    assert "no namespaces here" in capfd.readouterr().err


def test_bench_that_cannot_start_says_why() -> None:
    with pytest.raises(BenchError, match="ended with"), running(readers=99):
        pass

"""What a power cut leaves of the journal: only what was synced, and that is enough (docs/adr/0034)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cardwriter.script import Outcome, StepResult
from cardwriter.station.journal import KILLED, Filed, Journal
from tests.station.power_cut import DONE, JOB

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("keep_what_is_synced.c")
Cut = Callable[..., tuple[Filed, ...]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build what keeps a copy of each file as it was last synced."""
    path = tmp_path_factory.mktemp("preload") / "keep.so"
    compiler = shutil.which("gcc")
    assert compiler is not None, "gcc is among the build packages that the haoka script names"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, SOURCE], check=True)
    return path


@pytest.fixture
def cut(library: Path, tmp_path: Path) -> Cut:
    """Write a card until the power goes, and give what the station reports after it."""

    def until(command: str, *options: str) -> tuple[Filed, ...]:
        kept = tmp_path / "kept"
        kept.mkdir()
        environment = os.environ | {"LD_PRELOAD": str(library), "KEPT": str(kept)}
        program = [sys.executable, "-m", "tests.station.power_cut", str(tmp_path / "data"), command, *options]
        subprocess.run(program, cwd=ROOT, env=environment, check=True)
        journal = Journal(kept)
        journal.settle()
        filed = journal.unacknowledged()
        journal.close()
        return filed

    return until


def test_before_the_first_change_the_card_is_known_to_be_unchanged(cut: Cut) -> None:
    (filed,) = cut("select EF.AD")
    assert (filed.report.outcome, filed.report.error, filed.report.changed) == (Outcome.LOST, KILLED, False)


@pytest.mark.parametrize("command", ["verify ADM", "write EF.AD", "select EF.IMSI", "write EF.IMSI"])
def test_from_the_first_change_on_the_card_counts_as_changed(cut: Cut, command: str) -> None:
    """REQ-HW-08: reading the card again decides."""
    (filed,) = cut(command)
    assert (filed.report.outcome, filed.report.error, filed.report.changed) == (Outcome.LOST, KILLED, True)


def test_what_became_of_the_try_is_known_before_the_card_is_written(cut: Cut) -> None:
    (filed,) = cut("write EF.AD")
    assert filed.report.results[-1] == StepResult(name="verify ADM", sw=0x9000)


def test_the_report_of_a_written_card_is_there(cut: Cut) -> None:
    (filed,) = cut(DONE)
    assert filed.report.outcome is Outcome.COMPLETED
    assert [result.name for result in filed.report.results] == [one.name for one in JOB.steps]


def test_a_journal_that_is_not_synced_would_be_caught(cut: Cut) -> None:
    assert cut("write EF.IMSI", "--no-sync") == ()

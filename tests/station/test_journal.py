from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from cardwriter.script import Outcome, Report, StepResult
from cardwriter.station.journal import KILLED, Entry, Journal
from tests.station.scripts import IDENTIFY, WRITE
from tests.station.tiny_card import ADM, SECRET_ANSWER


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def opened(journal: Journal) -> Entry:
    entry = journal.open(WRITE, job="job-1", reader="Reader A", insertion=3)
    assert entry is not None
    return entry


def reopened(journal: Journal, folder: Path) -> Journal:
    """Open the journal as the next process would, without this one's memory."""
    journal.close()
    after = Journal(folder)
    after.settle()
    return after


def test_a_script_is_taken_once(journal: Journal) -> None:
    opened(journal)
    assert journal.open(WRITE, job="job-2", reader="Reader B", insertion=1) is None


def test_an_entry_open_at_restart_is_lost_and_unchanged_if_nothing_was_sent(journal: Journal, tmp_path: Path) -> None:
    opened(journal)
    (filed,) = reopened(journal, tmp_path).unacknowledged()
    assert (filed.job, filed.reader, filed.insertion) == ("job-1", "Reader A", 3)
    assert filed.report == Report(script_id=WRITE.id, outcome=Outcome.LOST, results=(), error=KILLED, changed=False)


def test_an_entry_open_at_restart_counts_as_changed_from_the_first_change(journal: Journal, tmp_path: Path) -> None:
    entry = opened(journal)
    verified = StepResult(name="verify ADM", sw=0x9000, data=ADM)
    selected = StepResult(name="select EF.AD", sw=0x9000, data=b"\x62\x00")
    entry.after(verified, secret=True)
    entry.after(selected, secret=False)
    entry.before_change(2)
    (still_open,) = journal.lines()
    assert (still_open.done, still_open.step, still_open.steps) == (2, "write EF.AD", 5)
    (filed,) = reopened(journal, tmp_path).unacknowledged()
    assert (filed.report.error, filed.report.changed) == (KILLED, True)
    assert filed.report.results == (StepResult(name="verify ADM", sw=0x9000), selected)


def test_an_ended_entry_survives_a_restart_as_it_was(journal: Journal, tmp_path: Path) -> None:
    entry = opened(journal)
    entry.after(StepResult(name="select EF.AD", sw=0x6A82, data=b"ab"), secret=False)
    report = Report(
        script_id=WRITE.id,
        outcome=Outcome.STOPPED,
        results=(StepResult(name="select EF.AD", sw=0x6A82, data=b"ab"),),
        atr=b"\x3b\x00",
        changed=False,
    )
    entry.close(report)
    (filed,) = reopened(journal, tmp_path).unacknowledged()
    assert filed.report == report
    assert filed.to_wire()["report"] == report.to_wire()


def test_a_secret_answer_stays_whole_in_memory_until_acknowledged(journal: Journal) -> None:
    entry = opened(journal)
    proof = StepResult(name="authenticate", sw=0x9000, data=SECRET_ANSWER)
    entry.after(proof, secret=True)
    report = Report(script_id=WRITE.id, outcome=Outcome.COMPLETED, results=(proof,), changed=False)
    entry.close(report)
    filed = journal.find(WRITE.id)
    assert filed is not None
    assert filed.report == report


class Watched(Journal):
    """A journal at which another thread tries to get a look in after each write."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.got_in: list[bool] = []

    @override
    def write(
        self, statement: str, values: tuple[Any, ...], results: Iterable[tuple[Any, ...]], *, synced: bool
    ) -> None:
        """Write, then let the other thread try."""
        super().write(statement, values, results, synced=synced)
        other = threading.Thread(target=self._look_in)
        other.start()
        other.join()

    def _look_in(self) -> None:
        self.got_in.append(self._lock.acquire(blocking=False))
        if self.got_in[-1]:
            self._lock.release()


def test_nobody_sees_an_ended_script_without_its_secret_answers(tmp_path: Path) -> None:
    """A hello built between the two would hand the service a report that lacks the card's proof."""
    journal = Watched(tmp_path)
    entry = opened(journal)
    entry.before_change(0)
    entry.close(Report(script_id=WRITE.id, outcome=Outcome.COMPLETED, results=()))
    journal.close()
    assert journal.got_in == [True, False]


def test_an_acknowledged_report_is_forgotten_and_an_open_one_is_not(journal: Journal) -> None:
    entry = opened(journal)
    running = journal.open(IDENTIFY, job=None, reader="Reader A", insertion=3)
    entry.close(Report(script_id=WRITE.id, outcome=Outcome.COMPLETED, results=()))
    journal.acknowledge(WRITE.id)
    journal.acknowledge(IDENTIFY.id)
    assert running is not None
    assert journal.unacknowledged() == ()
    assert [line.script for line in journal.lines()] == [IDENTIFY.id]


def test_the_journal_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Journal(folder).close()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_failed_write_leaves_the_journal_usable(journal: Journal) -> None:
    entry = opened(journal)
    with pytest.raises(Exception, match="UNIQUE"):
        journal.write(
            "UPDATE script SET changed = 1 WHERE id = ?", (WRITE.id,), [(WRITE.id, 0, "a", 0, b"")] * 2, synced=True
        )
    assert [line.changed for line in journal.lines()] == [False]
    entry.before_change(2)

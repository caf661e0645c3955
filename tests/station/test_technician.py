"""The technician's commands, as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from cardwriter.script import Outcome, Purpose, Report, StepResult
from cardwriter.station import technician
from cardwriter.station.journal import Journal
from cardwriter.station.texts import DRIVER, WORDS, Language, explain
from drivers.base import Presence, ReaderState
from drivers.errors import DriverError
from drivers.virtual import VirtualConnection, VirtualSource
from tests.station.scripts import IDENTIFY, IMSI, WRITE
from tests.station.shown_readers import Held, Shown, down
from tests.station.test_cli import TINY, invoke
from tests.station.tiny_card import ADM, ATR, TinyCard


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Give a data folder whose journal holds a torn write and a script that runs."""
    journal = Journal(tmp_path)
    entry = journal.open(WRITE, job="job-1", reader="Reader A", insertion=1)
    assert entry is not None
    entry.after(StepResult(name="verify ADM", sw=0x9000, data=ADM), secret=True)
    entry.before_change(4)
    entry.after(StepResult(name="write EF.IMSI", sw=0x6581, data=IMSI), secret=False)
    entry.close(Report(script_id=WRITE.id, outcome=Outcome.LOST, results=(), error="card_removed"))
    journal.open(IDENTIFY, job=None, reader="Reader B", insertion=1)
    journal.close()
    return tmp_path


def test_the_journal_shows_what_the_service_has_not_acknowledged(written: Path) -> None:
    code, output = invoke("journal", "--data", str(written), "--lang", "en")
    assert code == 0
    for word in (WRITE.id, "job-1", "write EF.IMSI", "6581", "lost", "card_removed", IDENTIFY.id, "0/2", "running"):
        assert word in output


def test_the_journal_speaks_the_language_of_the_hall(written: Path) -> None:
    _, output = invoke("journal", "--data", str(written), "--lang", "zh")
    for word in ("读卡器", "卡已改动", "写卡", "中断", "识别", "进行中", "是", "否"):
        assert word in output
    for word in ("outcome", "lost", "running", "yes"):
        assert word not in output


@pytest.mark.parametrize("code", [*Purpose, *Outcome])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_purpose_and_end_of_a_script_has_its_word(code: str, language: Language) -> None:
    assert WORDS[code][language]


def test_the_journal_for_programs_holds_no_contents(written: Path) -> None:
    code, output = invoke("journal", "--data", str(written), "--json")
    torn, running = json.loads(output)
    assert code == 0
    assert torn | {"started_at": ""} == {
        "script": WRITE.id,
        "job": "job-1",
        "purpose": "write",
        "reader": "Reader A",
        "started_at": "",
        "done": 2,
        "steps": 5,
        "step": "write EF.IMSI",
        "sw": "6581",
        "outcome": "lost",
        "error": "card_removed",
        "changed": True,
    }
    assert (running["sw"], running["outcome"]) == (None, None)
    assert IMSI.hex() not in output


def test_a_journal_at_rest_says_so_and_a_folder_without_one_promises_nothing(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    assert invoke("journal", "--data", str(tmp_path), "--lang", "en") == (0, "Nothing waits for the service.\n")
    code, output = invoke("journal", "--data", str(tmp_path / "elsewhere"), "--lang", "en")
    assert (code, "No station has run in" in output) == (1, True)


def test_a_spoiled_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("no journal " * 100)
    code, output = invoke("journal", "--data", str(tmp_path), "--lang", "en")
    assert (code, "cannot be used" in output, str(tmp_path) in output) == (1, True, True)


def test_readers_for_programs() -> None:
    code, output = invoke("readers", "--readers", TINY, "--json")
    assert code == 0
    assert lines(output) == [
        {"name": "virtual", "state": "card", "atr": ATR.hex(), "insertion": 1, "held_by": None},
    ]


def shown(source: VirtualSource, monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[int, str]:
    monkeypatch.setattr(technician, "open_readers", lambda *_: source)
    return invoke("readers", "--lang", "en", *options)


def test_who_holds_a_reader_in_use_is_guessed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "likely held by: 0x8010000B, likely scdaemon" in shown(Held(), monkeypatch)[1]


def test_a_reader_let_go_meanwhile_names_nobody() -> None:
    source = VirtualSource(TinyCard())
    source.holder = VirtualConnection(source)
    source.remove()
    found = technician.reader_facts(source, ReaderState("virtual", Presence.BUSY))
    assert found["held_by"] is None


class Watched(VirtualSource):
    """The person's hands while somebody watches: each look sees the next thing, then comes Ctrl-C."""

    def __init__(self) -> None:
        super().__init__(TinyCard())
        self.acts = [self.remove, lambda: self.insert(TinyCard()), self.unplug]
        self.gone = False

    def unplug(self) -> None:
        """Take the reader away."""
        self.gone = True

    @override
    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """Show the readers, after the next act."""
        if timeout:
            if not self.acts:
                raise KeyboardInterrupt
            self.acts.pop(0)()
        return () if self.gone else super().wait(0)


def test_watching_prints_each_change_until_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = shown(Watched(), monkeypatch, "--watch", "--json")
    assert code == 0
    assert [(line["state"], line["insertion"]) for line in lines(output)] == [
        ("card", 1),
        ("no_card", 1),
        ("card", 2),
        ("lost", 2),
    ]


@pytest.mark.parametrize(("source", "words"), [(down(), "is not running"), (Shown(), "No card reader")])
def test_no_readers_is_an_error_with_advice(source: VirtualSource, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = shown(source, monkeypatch)
    assert (code, words in output) == (1, True)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_selftest_says_each_line_in_words(lang: str, tmp_path: Path) -> None:
    code, output = invoke("selftest", "--readers", TINY, "--data", str(tmp_path), "--lang", lang)
    assert code == 0
    assert output.count("[ok]" if lang == "en" else "[正常]") == 5
    assert ("not enrolled" if lang == "en" else "尚未登记") in output


def test_a_failed_selftest_is_an_error_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(technician, "open_readers", lambda *_: Held())
    code, output = invoke("selftest", "--data", str(tmp_path), "--lang", "zh")
    assert code == 1
    assert "[异常] virtual：卡不能用：另一个程序占用了读卡器，请关闭它" in output


def test_the_selftest_for_programs_has_figures(tmp_path: Path) -> None:
    code, output = invoke("selftest", "--readers", TINY, "--data", str(tmp_path), "--json", "--lang", "en")
    found = {line["check"]: line for line in lines(output)}
    assert code == 0
    assert found["apdus"]["values"]["count"] == 100
    assert "median" in found["apdus"]["text"]


class Obeyed(VirtualSource):
    """A hand takes the card out once somebody waits for that."""

    @override
    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """Take the card out, unless this is but a look."""
        if timeout:
            self.remove()
        return super().wait(timeout)


def test_removal_is_asked_for_on_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(technician, "open_readers", lambda *_: Obeyed(TinyCard()))
    code, output = invoke("selftest", "--data", str(tmp_path), "--removal", "--lang", "en")
    assert code == 0
    assert "Take the card out of virtual" in output
    assert "removal showed" in output


def kinds(kind: type[DriverError]) -> list[type[DriverError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in kinds(below))]


@pytest.mark.parametrize("code", sorted({kind.code for kind in kinds(DriverError)} | DRIVER.keys()))
def test_a_drivers_error_has_a_meaning_in_both_languages(code: str) -> None:
    assert code in {kind.code for kind in kinds(DriverError)}
    assert explain(code, "zh") != explain(code, "en")

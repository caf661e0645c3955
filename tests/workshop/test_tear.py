"""Everything that can go wrong at every command of a write, and that the checker would see a wrong end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from cardwriter.crypto.secret import Secret
from cardwriter.profiles import PROFILES, CardFacts, CardFamily, CardProfile, Failure, Kind, Personalisation, Verdict
from cardwriter.script import Report, Script
from cardwriter.workshop import killed, tear
from cardwriter.workshop.doomed import Moment
from cardwriter.workshop.samples import Sample, data_for
from cardwriter.workshop.tear import Row, matrix
from cardwriter.workshop.torn import Cut
from inventory.cli import main

WAYS = len(Cut)
STRIDES = {"preset_key": 1, "sysmo_isim_sja5": WAYS}
"""Families whose stride holds for all they do: the first is cut everywhere; a product that asks for every file there is
takes four times as many commands, each of which is cut in one way. The bench cuts them all in every way."""
LIKE = PROFILES[0]
"""What the others do as this one does is cut in one way of ten; what is their own in every way."""


@pytest.mark.parametrize("family", PROFILES, ids=lambda one: one.name)
def test_whatever_goes_wrong_at_any_command_the_job_ends_right(family: CardProfile, memory_folder: Path) -> None:
    """REQ-HW-08, REQ-HW-09: no wrong verdict, no IMSI on two cards, no try of ADM1 spent, no key in any output."""
    like, stride = (None, STRIDES[family.name]) if family.name in STRIDES else (LIKE, WAYS)
    rows = [row.to_json() for row in matrix(memory_folder, [family], stride=stride, like=like)]
    assert [row["name"] for row in rows] == [f"tear.{family.name}.{cut}" for cut in Cut]
    assert [row for row in rows if not row["ok"]] == []
    assert {row["unknown"] for row in rows} == {0}
    assert sum(row["raw"] - 1 for row in rows) > WAYS // stride * 60, (
        "fewer commands than identifying, writing and reading back take"
    )
    assert all(row["verified"] for row in rows)


def test_what_a_family_does_alone_is_cut_in_every_way(memory_folder: Path) -> None:
    (serial_only,) = (family for family in PROFILES if family.name == "serial_only")
    (seldom,) = matrix(memory_folder, [serial_only], [Cut.TORN_AFTER], stride=1000)
    (memory_folder / f"serial_only-{Cut.TORN_AFTER}").rename(memory_folder / "seldom")
    (row,) = matrix(memory_folder, [serial_only], [Cut.TORN_AFTER], stride=1000, like=LIKE)
    assert seldom.cells == 2
    assert 10 < row.cells < 40


def one_row(folder: Path, family: CardProfile) -> Row:
    (row,) = matrix(folder, [family], [Cut.TORN_AFTER], stride=2)
    return row


class Hasty(CardFamily):
    """A family whose judge takes every unclear end for an unwritten card."""

    @override
    def judge_write(self, script: Script, report: Report) -> Verdict:
        """Judge without reading the card."""
        found = super().judge_write(script, report)
        lost = found.kind is Kind.UNKNOWN and found.failure is not Failure.NOT_PROVEN
        return replace(found, kind=Kind.NOTHING_WRITTEN) if lost else found


class Trusting(CardFamily):
    """A family whose judge takes a script that was begun for a good card."""

    @override
    def judge_write(self, script: Script, report: Report) -> Verdict:
        """Believe."""
        del script, report
        return Verdict(kind=Kind.VERIFIED)


class Strict(CardFamily):
    """A family whose judge throws away whatever was disturbed."""

    @override
    def judge_write(self, script: Script, report: Report) -> Verdict:
        """Despair."""
        found = super().judge_write(script, report)
        return found if found.failure is Failure.NOT_PROVEN else replace(found, kind=Kind.DAMAGED)


class Talkative(CardFamily):
    """A family that says a code in its verdict."""

    @override
    def write_script(self, facts: CardFacts, data: Personalisation, script_id: str, expires_at: int) -> Script:
        """Name a step after the code."""
        script = super().write_script(facts, data, script_id, expires_at)
        first, *others = script.steps
        return replace(script, steps=(replace(first, name=data.adm1.reveal().decode()), *others))


@pytest.mark.parametrize("family", [Hasty(name="preset_key"), Trusting(name="preset_key"), Strict(name="preset_key")])
def test_a_judge_that_guesses_is_seen(family: CardProfile, memory_folder: Path) -> None:
    row = one_row(memory_folder, family)
    assert row.wrong
    assert not row.to_json()["ok"]


def test_data_that_come_back_too_early_end_on_two_cards(memory_folder: Path) -> None:
    assert one_row(memory_folder, Hasty(name="preset_key")).imsi_twice


def test_a_code_that_is_said_is_seen(memory_folder: Path) -> None:
    assert one_row(memory_folder, Talkative(name="preset_key")).keys_shown


def test_a_try_that_is_spent_is_seen(memory_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_wrong_code(family: CardProfile, of: Sample, imsi: str) -> Personalisation:
        return replace(data_for(family, of, imsi), adm1=Secret(b"00000000"))

    monkeypatch.setattr(tear, "data_for", with_wrong_code)
    row = one_row(memory_folder, PROFILES[0])
    assert row.tries_spent
    assert any("nothing disturbed it" in why for why in row.wrong)


@pytest.mark.card
def test_whenever_a_stations_process_is_killed_reading_the_card_settles_it(memory_folder: Path) -> None:
    """REQ-HW-07, REQ-HW-08: a real SIGKILL over a real PC/SC daemon; the journal and the card are all that is left."""
    before, after = (row.to_json() for row in killed.matrix(memory_folder, stride=9))
    for row in (before, after):
        assert row["ok"], row
        assert row["unknown"] == row["damaged"] == 0
        assert row["verified"] >= 1
    assert before["nothing_written"] == before["raw"] - 1
    assert after["raw"] == before["raw"] >= 3


@pytest.mark.card
def test_the_command_prints_a_table_and_keeps_the_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "tear", "--stride", "1000", "--date", "2026-11-22", "--out", str(tmp_path)]) == 0
    lines = [json.loads(line) for line in (tmp_path / "tear.jsonl").read_text().splitlines()]
    assert len(lines) == len(PROFILES) * len(Cut) + len(Moment)
    assert all(line["ok"] for line in lines)
    assert "preset_key.station_killed" in capfd.readouterr().out

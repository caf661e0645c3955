"""A city is set up from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inventory.cli import main
from inventory.cli.client import connect
from tests.builders import PASSWORD, Operator

pytestmark = pytest.mark.database


def shown(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.usefixtures("shell")
def test_hlrs_are_added_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-CFG-01: HLRs are appended and disabled."""
    assert main(["hlrs", "add", "LJ2", "--name", "丽江二", "--smsc", "+8613800888501"]) == 0
    assert main(["hlrs", "close", "LJ2"]) == 0
    found = shown(capsys, "hlrs")["hlrs"]
    assert {row["code"]: row["active"] for row in found} == {"LJ1": True, "LJ2": False}
    assert main(["hlrs"]) == 0
    assert "+8613800888501" in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_plan_is_loaded_from_a_table_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-NUM-13: a version of the number plan is loaded from a file."""
    table = tmp_path / "plan.csv"
    table.write_text("prefix,province,city,carrier\n1388840,云南,丽江,mobile\n", encoding="utf-8")
    assert main(["plan"]) == 0
    assert main(["plan", "load", str(table), "--version", "2607", "--dated", "2026-07-01"]) == 0
    told = shown(capsys, "plan")
    assert (told["in_force"]["version"], told["city"][0]["segments"]) == ("2607", 1)


@pytest.mark.usefixtures("shell")
def test_place_is_added_below_the_one_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-SIM-07: the custody tree."""
    assert main(["places", "add", "LI-D2", "--below", "530700", "--name-zh", "玉龙", "--name-en", "Yulong"]) == 0
    found = {node["code"]: node["level"] for node in shown(capsys, "places")["nodes"]}
    assert found["LI-D2"] == "DISTRICT"
    assert main(["places"]) == 0
    assert main(["places", "add", "LI-X", "--below", "nowhere", "--name-zh", "某", "--name-en", "X"]) == 2


def test_person_signs_in_at_the_command_line(
    shell: pytest.MonkeyPatch, operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.setattr("getpass.getpass", lambda *_args, **_words: PASSWORD)
    shell.setattr("click.termui.hidden_prompt_func", lambda *_words: PASSWORD)
    assert main(["sign-in", operator.clerk.interface_no, operator.clerk.staff_no]) == 0
    printed = dict(line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert printed["HAOKA_STAFF"] == operator.clerk.staff_no
    assert printed["HAOKA_SECRET"].startswith("hs_")


@pytest.mark.usefixtures("shell")
def test_segments_are_listed_and_taken_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-NUM-12: the segments of the city."""
    wish = {"prefixes": ["1388804"], "carrier": "mobile", "hlr": "LJ1", "group": "LJ"}
    connect().write("/v1/segments", wish)
    assert shown(capsys, "segments", "--group", "LJ")["segments"][0]["states"] == {"UNUSED": 10_000}
    assert main(["segments"]) == 0
    assert "UNUSED 10000" in capsys.readouterr().out
    assert main(["segments", "--csv", str(tmp_path / "segments.csv")]) == 0
    assert "1388804,LJ" in (tmp_path / "segments.csv").read_text(encoding="utf-8-sig")

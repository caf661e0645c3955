from __future__ import annotations

import json

import pytest

from inventory.cli import main

pytestmark = pytest.mark.database


@pytest.mark.usefixtures("shell")
def test_hlr_is_added_listed_and_never_added_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-CFG-01: code tables are appended to."""
    added = ["hlrs", "add", "LJ9", "--name", "丽江九", "--smsc", "+8613800888509"]
    assert main([*added, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["city"] == 530700
    assert main(added) != 0
    assert "duplicate_identifier" in capsys.readouterr().err
    assert main(["hlrs"]) == 0
    assert "LJ9" in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_reason_is_added_renamed_closed_opened_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-CFG-01."""
    named = ["--zh", "进水", "--en", "Water damage"]
    assert main(["reasons", "add", "water_damage", *named, "--for", "release", "--for", "scrap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["purposes"] == ["release", "scrap"]
    assert main(["reasons", "rename", "water_damage", "--zh", "泡水", "--en", "Wet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name_zh"] == "泡水"
    for verb, active in (("close", False), ("open", True)):
        assert main(["reasons", verb, "water_damage", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["active"] is active
    assert main(["reasons"]) == 0
    assert "hall_needs" in capsys.readouterr().out
    assert main(["reasons", "count", "--days", "7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"counts": []}


@pytest.mark.usefixtures("shell")
def test_kind_of_numbers_is_renamed_closed_and_opened(capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-CFG-01."""
    assert main(["number-kinds", "rename", "iot", "--zh", "物联", "--en", "Things", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name_en"] == "Things"
    for verb, intake in (("close", False), ("open", True)):
        assert main(["number-kinds", verb, "iot", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["intake"] is intake
    assert main(["number-kinds", "close", "none"]) != 0
    capsys.readouterr()
    assert main(["number-kinds"]) == 0
    assert "Things" in capsys.readouterr().out

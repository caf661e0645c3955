from __future__ import annotations

import json
from pathlib import Path

import pytest

from inventory.cli import main

pytestmark = pytest.mark.database


@pytest.mark.usefixtures("shell")
def test_products_are_listed_added_from_a_file_and_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-CFG-01: a product says how its cards authenticate; it is closed, never changed."""
    product = {
        "code": "5G-T", "name_zh": "白卡", "name_en": "Blank", "profile": "preset_key", "capacity_kb": 256,
        "algorithm": {"name": "tuak"}, "fee_fen": 0,
    }  # fmt: skip
    file = tmp_path / "kind.json"
    file.write_text(json.dumps(product), encoding="utf-8")
    assert main(["kinds", "add", str(file)]) == 0
    assert main(["kinds", "close", "5G-T"]) == 0
    capsys.readouterr()
    assert main(["kinds", "--json"]) == 0
    found = {row["code"]: row for row in json.loads(capsys.readouterr().out)["card_kinds"]}
    assert (found["5G-T"]["algorithm"], found["5G-T"]["active"]) == ({"name": "tuak"}, False)
    assert found["4G-P"]["algorithm"] == {"name": "milenage"}
    assert main(["kinds"]) == 0
    assert "milenage" in capsys.readouterr().out
    file.write_text("{", encoding="utf-8")
    assert main(["kinds", "add", str(file)]) == 2

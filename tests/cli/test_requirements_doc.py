from __future__ import annotations

from pathlib import Path

import pytest

from inventory.cli.requirements_doc import LIST, ids, page


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lay a checkout with two requirements, one of them proven by two tests."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / LIST).write_text('[NUM]\ntitle = "Numbers"\n04 = "A number exists once."\n05 = "Three levels."\n')
    (tmp_path / "tests/test_a.py").write_text('def test_b() -> None:\n    """REQ-NUM-04: once."""\n')
    (tmp_path / "tests/test_c.py").write_text('class TestC:\n    """REQ-NUM-04, again."""\n')
    return tmp_path


def test_proven_requirement_names_its_tests_and_an_unproven_one_is_open(tree: Path) -> None:
    lines = page(tree).splitlines()

    assert "| REQ-NUM-04 | A number exists once. | `test_a.py::test_b`<br>`test_c.py::TestC` |" in lines
    assert "| REQ-NUM-05 | Three levels. | *open* |" in lines


def test_id_that_nobody_listed_is_named_with_its_test(tree: Path) -> None:
    (tree / "tests/test_a.py").write_text('def test_b() -> None:\n    """REQ-NUM-77."""\n')

    with pytest.raises(ValueError, match=r"REQ-NUM-77, named in test_a.py::test_b"):
        page(tree)


def test_range_names_every_id_in_it() -> None:
    found = list(ids("REQ-NUM-09..11 and REQ-IF-04, REQ-IF-04"))

    assert found == ["REQ-NUM-09", "REQ-NUM-10", "REQ-NUM-11", "REQ-IF-04"]

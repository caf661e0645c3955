"""pytest's closing line speaks for failed checks and uncovered pure cores; runs pytest on tiny checkouts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.e2e

CODE = "def fee(free: bool) -> int:\n    return 0 if free else 100\n\n\ndef other() -> int:\n    return 1\n"
HALF_TEST = "from inventory.domain.money import fee\n\n\ndef test_fee() -> None:\n    assert fee(True) == 0\n"
FULL_TEST = (
    HALF_TEST.replace("import fee", "import fee, other") + "    assert fee(False) == 100\n    assert other() == 1\n"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lay a checkout with one module of the domain."""
    (tmp_path / "pyproject.toml").write_text('[tool.coverage.run]\nbranch = true\nsource = ["inventory"]\n')
    for folder in ("inventory/domain", "tests/domain", "tests/services"):
        (tmp_path / folder).mkdir(parents=True)
    for package in ("inventory", "inventory/domain"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "inventory/domain/money.py").write_text(CODE)
    return tmp_path


def run_pytest(tree: Path, *options: str) -> tuple[int, str]:
    """Give exit status and output of pytest with the gate."""
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_", "PYTEST"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.gate", "-p", "no:cacheprovider", *options],
        cwd=tree,
        env=outside | {"PYTHONPATH": f"{tree}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_failed_check_counts_in_the_closing_line(tree: Path) -> None:
    (tree / "tests/domain/test_it.py").write_text(HALF_TEST)
    status, said = run_pytest(tree, "--failed-check=types")

    assert status == 1
    assert "FAILED check::types" in said
    assert "1 failed, 1 passed" in said.splitlines()[-1]


def test_core_with_an_untested_line_fails_and_names_it(tree: Path) -> None:
    (tree / "tests/domain/test_it.py").write_text(HALF_TEST)
    status, said = run_pytest(tree, "--cov", "--cov-report=", "--coverage-gate")

    assert status == 1
    assert "FAILED check::coverage of pure cores" in said
    assert "inventory/domain/money.py" in said


def test_covered_checkout_passes(tree: Path) -> None:
    (tree / "tests/domain/test_it.py").write_text(FULL_TEST)
    status, said = run_pytest(tree, "--cov", "--cov-report=", "--coverage-gate")

    assert (status, "1 passed" in said.splitlines()[-1]) == (0, True)


def test_core_that_only_other_tests_reach_fails(tree: Path) -> None:
    (tree / "tests/domain/test_it.py").write_text(HALF_TEST)
    (tree / "tests/services/test_all.py").write_text(FULL_TEST)

    assert run_pytest(tree, "--cov", "--cov-report=", "--coverage-gate")[0] == 1
    assert run_pytest(tree, "--cov", "--cov-report=")[0] == 0


def test_several_processes_speak_with_one_voice(tree: Path) -> None:
    (tree / "tests/domain/test_it.py").write_text(FULL_TEST)
    status, said = run_pytest(tree, "-n", "2", "--cov", "--cov-report=", "--coverage-gate", "--failed-check=types")

    assert status == 1
    assert "1 failed, 1 passed" in said.splitlines()[-1]


def test_gate_without_a_measurement_fails(tree: Path) -> None:
    (tree / "tests/domain/test_it.py").write_text(FULL_TEST)

    assert run_pytest(tree, "--coverage-gate")[0] == 1

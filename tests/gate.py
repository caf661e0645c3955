"""Makes pytest's closing line speak for what is not a test: the checks before it, and the coverage floor."""

from __future__ import annotations

import io
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
from coverage import Coverage
from coverage.exceptions import CoverageException

PURE_CORES = (
    "inventory/domain/*",
    "cardwriter/usim/*",
    "cardwriter/crypto/*",
    "cardwriter/profiles/*",
    "cardwriter/script.py",
    "drivers/apdu.py",
    "drivers/iso7816_3.py",
)
FLOORS: Mapping[str, tuple[tuple[str, ...], float]] = {
    "pure cores": (PURE_CORES, 100.0),
    "everything": (("*",), 90.0),
}
"""Branch coverage that may rise and never fall: name, files, percent."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options that `haoka test` gives, and the one that freezes what tests compare with anew."""
    parser.addoption("--update-test-data", action="store_true", help="rewrite the frozen documents in tests/")
    group = parser.getgroup("haoka")
    group.addoption("--failed-check", action="append", default=[], help="a check before pytest that failed")
    group.addoption("--coverage-gate", action="store_true", help="hold the measured coverage against its floors")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Report failed checks as failed tests, after the tests and once pytest-cov has saved what it measured."""
    result = yield
    if hasattr(session.config, "workerinput"):  # one of several processes: the one that started them speaks
        return result
    failures = dict.fromkeys(session.config.getoption("failed_check"), "its words are above, before pytest's")
    if session.config.getoption("coverage_gate") and not session.config.option.collectonly:
        failures |= coverage_failures(Coverage(config_file=str(session.config.rootpath / "pyproject.toml")))
    for name, reason in failures.items():
        session.config.hook.pytest_runtest_logreport(report=_failure(name, reason))
    return result


def coverage_failures(
    coverage: Coverage, floors: Mapping[str, tuple[tuple[str, ...], float]] = FLOORS
) -> dict[str, str]:
    """Compare the saved measurement with the floors: for each one missed, the table of files that lack something."""
    coverage.load()
    failures = {}
    for name, (files, floor) in floors.items():
        table = io.StringIO()
        try:
            reached = coverage.report(include=list(files), skip_covered=True, show_missing=True, file=table)
        except CoverageException as nothing:
            reached, table = 0.0, io.StringIO(str(nothing))
        if reached < floor:
            failures[f"coverage of {name}"] = f"{reached:.2f} % is less than {floor:.0f} %\n{table.getvalue()}"
    return failures


def _failure(name: str, reason: str) -> pytest.TestReport:
    place = (str(Path(__file__).name), None, name)
    return pytest.TestReport(f"check::{name}", place, {}, "failed", reason, "call")

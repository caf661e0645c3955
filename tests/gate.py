"""Makes pytest's closing line speak for what is not a test: the checks before it, and whether the cores are covered."""

from __future__ import annotations

import io
from collections.abc import Generator
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
    "cardwriter/signing.py",
    "drivers/apdu.py",
    "drivers/at_lines.py",
    "drivers/crt_frames.py",
    "drivers/iso7816_3/*",
)
"""What has no I/O, and is covered whole, branches too, by its own tests alone."""
CORE_TESTS = ("tests/domain", "tests/cardwriter", "tests/drivers")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options that `haoka test` gives, and the one that freezes what tests compare with anew."""
    parser.addoption("--update-test-data", action="store_true", help="rewrite the frozen documents in tests/")
    group = parser.getgroup("haoka")
    group.addoption("--failed-check", action="append", default=[], help="a check before pytest that failed")
    group.addoption("--coverage-gate", action="store_true", help="the pure cores must be covered by their tests")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the tests of the pure cores only: being traced, all others would take twice their time."""
    measuring = item.config.pluginmanager.getplugin("_cov") if item.config.getoption("coverage_gate") else None
    of_a_core = any(item.path.is_relative_to(item.config.rootpath / folder) for folder in CORE_TESTS)
    if of_a_core or measuring is None or measuring.cov_controller is None:
        return (yield)
    measuring.cov_controller.pause()
    try:
        return (yield)
    finally:
        measuring.cov_controller.resume()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Report failed checks as failed tests, after the tests and once pytest-cov has saved what it measured."""
    result = yield
    if hasattr(session.config, "workerinput"):  # one of several processes: the one that started them speaks
        return result
    failures = dict.fromkeys(session.config.getoption("failed_check"), "its words are above, before pytest's")
    if session.config.getoption("coverage_gate") and not session.config.option.collectonly:
        lacking = uncovered(Coverage(config_file=str(session.config.rootpath / "pyproject.toml")))
        failures |= {"coverage of pure cores": lacking} if lacking else {}
    for name, reason in failures.items():
        session.config.hook.pytest_runtest_logreport(report=_failure(name, reason))
    return result


def uncovered(coverage: Coverage) -> str:
    """Give the table of the files of the pure cores that lack something by the saved measurement, or nothing."""
    coverage.load()
    table = io.StringIO()
    try:
        reached = coverage.report(include=list(PURE_CORES), skip_covered=True, show_missing=True, file=table)
    except CoverageException as nothing:
        return str(nothing)
    return table.getvalue() if reached < 100 else ""


def _failure(name: str, reason: str) -> pytest.TestReport:
    place = (str(Path(__file__).name), None, name)
    return pytest.TestReport(f"check::{name}", place, {}, "failed", reason, "call")

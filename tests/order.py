"""The order of a run: tests that share a running product keep together, so that few processes have to start one."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the demo's tests first and the browser's in the middle, each in the random order that they have got.

    Each of several processes gets a piece of the list to begin with, and takes from the end of another's when its own
    is done. Shuffled among all others, every process would start a product of its own, and keep it to the end.
    """
    tests = config.rootpath / "tests"
    demo = [item for item in items if item.path.is_relative_to(tests / "e2e")]
    hall = [item for item in items if item.path.is_relative_to(tests / "browser")]
    others = [item for item in items if not any(item.path.is_relative_to(tests / part) for part in ("e2e", "browser"))]
    middle = max(len(items) // 2 - len(demo), 0)
    items[:] = [*demo, *others[:middle], *hall, *others[middle:]]

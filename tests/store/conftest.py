"""What these tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.store.embedded import EmbeddedServer

collect_ignore = [] if os.getuid() == 0 else ["test_embedded_as_root.py"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a data folder; whatever the test left in it or in its refuge is erased."""
    data = tmp_path / "data 号卡"
    yield data
    EmbeddedServer(data).erase()

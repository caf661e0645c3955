"""One demo that has sold a line, made once; every test works on a copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.demos import Demo, demo_in
from tests.e2e.shop import Shop, open_shop


@pytest.fixture(scope="session")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Give a demo that began with nothing and has ended after its sale."""
    with demo_in(tmp_path_factory.mktemp("sold") / "号卡 demo") as demo:
        assert demo.run() == 0, demo.said
        yield demo


@pytest.fixture
def demo(sold: Demo, tmp_path: Path) -> Iterator[Demo]:
    """Give a copy of it for this test."""
    with demo_in(tmp_path / "copy", like=sold) as copy:
        yield copy


@pytest.fixture
def remembering(sold: Demo, tmp_path: Path) -> Iterator[Demo]:
    """Give one that remembers all that it did, but whose own database is not there."""
    with demo_in(tmp_path / "notes") as notes:
        notes.data.mkdir()
        shutil.copy(sold.data / "demo.json", notes.data)
        yield notes


@pytest.fixture(scope="session")
def _open_shop(sold: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(ROOT))
        with demo_in(tmp_path_factory.mktemp("shop") / "copy", like=sold) as copy, open_shop(copy.data) as shop:
            yield shop


@pytest.fixture
def shop(_open_shop: Shop) -> Iterator[Shop]:
    """Give a running shop whose books agree before and after."""
    yield _open_shop
    assert _open_shop.findings() == []

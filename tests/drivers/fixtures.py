"""Fixtures around the bench, for the folders that test on real readers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.bench import Bench


@pytest.fixture(scope="session")
def pcsc_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One service for the run: libpcsclite reads the socket's name once per process."""
    with tempfile.TemporaryDirectory(prefix="pcsc-") as short:
        os.environ["PCSCLITE_CSOCK_NAME"] = os.fspath(Path(short) / "socket")
        bench = Bench(tmp_path_factory.mktemp("pcscd"), Path(short) / "socket")
        bench.start()
        yield bench
        bench.stop()


@pytest.fixture
def bench(pcsc_service: Bench) -> Iterator[Bench]:
    """Two empty virtual readers of a real PC/SC service."""
    yield pcsc_service
    pcsc_service.remove_all()

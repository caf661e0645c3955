"""Fixtures around the bench, for all tests on real readers: a plugin that tests/conftest.py loads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardwriter.virtual.phoenix_face import PhoenixFace
from drivers.base import Presence
from drivers.pcsc import PcscSource
from tests.drivers.bench import Bench, wait_until


@pytest.fixture(scope="session")
def pcsc_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One service for the run: libpcsclite reads the socket's name once per process, and never sees a second one."""
    assert "PCSCLITE_CSOCK_NAME" not in os.environ, "this process talks to another service for the rest of its life"
    with tempfile.TemporaryDirectory(prefix="pcsc-") as short, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PCSCLITE_CSOCK_NAME", os.fspath(Path(short) / "socket"))
        bench = Bench(tmp_path_factory.mktemp("pcscd"), Path(short) / "socket")
        bench.start()
        _until_empty()
        yield bench
        bench.stop()


def _until_empty() -> None:
    """Wait until the service has seen every reader empty: what comes next is seen as an insertion, not as a swap."""
    source = PcscSource()
    wait_until(lambda: all(state.presence is Presence.NO_CARD for state in source.wait(1.0)), "both readers are empty")
    source.close()


@pytest.fixture
def bench(pcsc_service: Bench) -> Iterator[Bench]:
    """Two empty virtual readers of a real PC/SC service, which has seen the cards of the test before go."""
    yield pcsc_service
    pcsc_service.remove_all()
    _until_empty()


@pytest.fixture(scope="module")
def phoenix_face() -> Iterator[PhoenixFace]:
    """Give one Phoenix interface to all tests of a file."""
    face = PhoenixFace()
    yield face
    face.close()


@pytest.fixture
def phoenix(phoenix_face: PhoenixFace) -> PhoenixFace:
    """Give an empty Phoenix interface behind a remote serial port."""
    phoenix_face.remove()
    return phoenix_face

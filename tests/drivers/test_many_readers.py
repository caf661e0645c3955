"""How many readers a station serves: none, and more than PC/SC can ask about at once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from drivers.pcsc import MAX_READERS
from tests.drivers.bench import ROOT, Bench

pytestmark = pytest.mark.card


def list_readers(pairs: int, folder: Path) -> tuple[int, list[str]]:
    """List the readers of a service of its own, in a process of its own: a process knows one service only."""
    with tempfile.TemporaryDirectory(prefix="pcsc-") as short:
        bench = Bench(folder / "pcscd", Path(short) / "socket", pairs=pairs)
        bench.start()
        try:
            result = subprocess.run(
                [sys.executable, "-m", "cardwriter.station", "readers", "--lang", "en"],
                cwd=ROOT,
                env=os.environ | {"PCSCLITE_CSOCK_NAME": os.fspath(bench.socket)},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            bench.stop()
    return result.returncode, (result.stdout + result.stderr).splitlines()


def test_a_service_without_readers_says_so(tmp_path: Path) -> None:
    code, (said,) = list_readers(0, tmp_path)
    assert (code, said.startswith("No card reader at “pcsc:”: plug it in")) == (1, True)


def test_of_sixteen_readers_fifteen_are_served(tmp_path: Path) -> None:
    """At sixteen, asking for changes together with the plug-and-play reader is refused by pcsc-lite."""
    code, lines = list_readers(8, tmp_path)
    assert (code, len(lines)) == (0, MAX_READERS)

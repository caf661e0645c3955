"""The bench's own card: one that forgot its rights whenever the daemon looks at it would fail tests by chance."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.drivers.bench import ROOT
from tests.drivers.commands import VERIFY_ADM
from tests.patience import PATIENCE
from tests.station.tiny_card import ATR

ON, RESET, ASK_ATR = b"\x01", b"\x02", b"\x04"
WRITE = bytes.fromhex("00d6000001ff")
DONE, NO_RIGHT = b"\x90\x00", b"\x69\x82"


class Reader:
    """The reader's end of the wire: two bytes of length, then the payload."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._stream = wire.makefile("rb")

    def say(self, payload: bytes) -> None:
        """Send a control or a command."""
        self._wire.sendall(len(payload).to_bytes(2, "big") + payload)

    def ask(self, payload: bytes) -> bytes:
        """Send what is answered, and return the answer."""
        self.say(payload)
        return self._stream.read(int.from_bytes(self._stream.read(2), "big"))


@pytest.fixture
def reader() -> Iterator[Reader]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "tests.drivers.card_process", str(port)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as card:
            listener.settimeout(PATIENCE)
            wire, _ = listener.accept()
            with wire:
                yield Reader(wire)
            card.kill()


def test_asking_for_the_atr_takes_no_rights(reader: Reader) -> None:
    reader.say(ON)
    assert reader.ask(VERIFY_ADM) == DONE
    assert reader.ask(ASK_ATR) == ATR
    assert reader.ask(WRITE) == DONE


def test_a_reset_takes_them(reader: Reader) -> None:
    assert reader.ask(VERIFY_ADM) == DONE
    reader.say(RESET)
    assert reader.ask(WRITE) == NO_RIGHT

"""Devices on serial lines: a pseudo-terminal or a socket, behind which an emulated device takes and gives bytes.

`python -m cardwriter.virtual.serial_bench KIND CARD` is a reader of that kind with a card in it, as a process of its
own; it prints the address for pyserial and ends with its standard input.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import socket
import sys
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.modem import Modem
from cardwriter.virtual.phoenix_card import Card, CharacterCard
from cardwriter.virtual.phoenix_face import PhoenixFace
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.virtual.vpcd import Wire


class SerialDevice(Protocol):
    """What an emulated device must do; called from the bench's thread."""

    def receive(self, data: bytes) -> bytes:
        """Take what came over the line, return what goes back."""
        ...


class PtyBench:
    """A device on a pseudo-terminal; `unplug` closes its end, as pulling a USB plug does."""

    def __init__(self, device: SerialDevice) -> None:
        self._master, self._slave = os.openpty()  # our own grip on the slave keeps the line up between two openings
        tty.setraw(self._slave)
        self.url = os.ttyname(self._slave)
        self._device = device
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Take the device off the line; a second time does nothing."""
        if self._thread.is_alive():
            os.close(self._stopped)
            self._thread.join()
            os.close(self._stop)

    def say(self, data: bytes) -> None:
        """Let the device speak unasked."""
        os.write(self._master, data)

    def _serve(self) -> None:
        while self._master in select.select([self._master, self._stop], [], [])[0]:
            answer = self._device.receive(os.read(self._master, 4096))
            os.write(self._master, answer)
        os.close(self._master)
        os.close(self._slave)


class SocketBench:
    """A device behind `socket://`, one caller at a time; can be plugged in again at the same place."""

    def __init__(self, device: SerialDevice) -> None:
        self._device = device
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self.url = f"socket://127.0.0.1:{self._port}"
        self._caller: socket.socket | None = None
        self._serve()

    def unplug(self) -> None:
        """Take the device away."""
        self._listener.close()
        if self._caller is not None:
            self._caller.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def plug_in(self) -> None:
        """Put the device back."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._serve()

    def _serve(self) -> None:
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(0.05)
        while listener.fileno() >= 0:
            try:
                self._caller, _ = listener.accept()
            except OSError:
                continue
            with self._caller as caller, contextlib.suppress(OSError):  # unplugged while it speaks
                while data := caller.recv(4096):
                    caller.sendall(self._device.receive(data))
            self._caller = None


class PacedCard:
    """A card that takes as long for each exchange as a wire of this speed."""

    def __init__(self, card: Card, wire: Wire) -> None:
        self._card = card
        self._wire = wire

    def reset(self) -> bytes:
        """Power up; return the answer to reset."""
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        """Answer, not before the wire has carried both."""
        began = time.monotonic()
        answer = self._card.transmit(apdu)
        time.sleep(max(0.0, began + self._wire.seconds(apdu, answer) - time.monotonic()))
        return answer


def _modem(card: Card) -> str:
    return PtyBench(Modem(card)).url


def _dispenser(card: Card) -> str:
    return PtyBench(Dispenser(contacts=card)).url


def _phoenix(card: Card) -> str:
    face = PhoenixFace()
    face.insert(CharacterCard(card))
    return face.url


SERVERS: Final[dict[str, Callable[[Card], str]]] = {"at": _modem, "crt": _dispenser, "phoenix": _phoenix}
"""Scheme of the driver to what starts a reader for it in this process, with a card in it; gives its address."""


def main() -> None:
    """Serve one reader until standard input ends."""
    parser = argparse.ArgumentParser(description="A virtual UICC in a reader on a serial line.")
    parser.add_argument("kind", choices=SERVERS)
    parser.add_argument("card", type=Path, help="card image")
    parser.add_argument("--wire", type=Wire.parse, required=True, help="pretend this wire speed, as F/D: 512/32 …")
    options = parser.parse_args()
    card = PacedCard(VirtualUicc(CardImage.load(options.card)), options.wire)
    sys.stdout.write(f"{SERVERS[options.kind](card)}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""A virtual card's face for vpcd, the virtual reader of a real PC/SC daemon: `python -m cardwriter.virtual.vpcd`.

The card is a process of its own (in a client's process both would wait for each other at exit). It connects to the
reader's port as soon as there is one; its control socket takes the orders `insert [FILE]`, `remove` and `status`.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import Muted, Torn, VirtualUicc

_RETRY_SECONDS: Final = 0.05
_SWAP_SECONDS: Final = 0.6
"""No hand swaps cards faster. The daemon looks every 400 ms: a swap between two looks that a client's reset falls into
leaves it with a card that it calls absent until that card is pulled.
"""
_LENGTH_SIZE: Final = 2
_GET_ATR: Final = 4
"""Control codes of vpcd's wire are payloads of one byte: 0 off, 1 on, 2 reset, 4 asks for the ATR."""
_LINE: Final = 4096
_CLOCK_HZ: Final = 3_571_200
_CHARACTER_ETU, _TURN_ETU = 12, 16


@dataclass(frozen=True)
class Wire:
    """The speed of a real card's wire: clock rate conversion F and baud rate adjustment D (ISO/IEC 7816-3 §8.1)."""

    f: int
    d: int

    @classmethod
    def parse(cls, text: str) -> Wire:
        """Return the speed written as "512/32".

        Raises
        ------
        ValueError
            The text is not two positive numbers.
        """
        f, d = (int(part) for part in text.split("/"))
        if min(f, d) < 1:
            raise ValueError("F and D are positive")
        return cls(f, d)

    def seconds(self, command: bytes, answer: bytes) -> float:
        """Return how long one T=0 exchange takes: header, procedure byte, data, status word (ISO/IEC 7816-3 §10.3)."""
        header = 5
        incoming = len(command) > header
        characters = max(header, len(command)) + 1 + len(answer)
        turns = 4 if incoming else 2
        return (characters * _CHARACTER_ETU + turns * _TURN_ETU) * self.f / self.d / _CLOCK_HZ


class Face:
    """One slot: a card or none, on one port of vpcd. What a `forgetful` one writes is gone when it is pulled."""

    def __init__(self, port: int, control: Path | None, wire: Wire | None, *, forgetful: bool = False) -> None:
        self._port = port
        self._forgetful = forgetful
        self._wire = wire
        self._path: Path | None = None
        self._card: VirtualUicc | None = None
        self._reader: socket.socket | None = None
        self._received = b""
        self._empty_since = float("-inf")
        self._selector = selectors.DefaultSelector()
        self._orders = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if control is not None:
            # It appears under its name only when it listens, so whoever sees it can connect.
            draft = control.with_name(control.name + ".new")
            draft.unlink(missing_ok=True)
            self._orders.bind(str(draft))
            self._orders.listen()
            draft.replace(control)
            self._watch(self._orders, self._take_order)

    def insert(self, path: Path) -> None:
        """Put the card of this image file in, in place of any other.

        Raises
        ------
        OSError, ValueError, KeyError, TypeError
            The file cannot be read, or is not a card.
        """
        image = CardImage.load(path)
        self.remove()
        self._path = path
        self._card = VirtualUicc(image) if self._forgetful else VirtualUicc(image, lambda changed: changed.save(path))

    def remove(self) -> None:
        """Pull the card out; its image keeps what was written, if it is kept at all."""
        self._card = None
        self._hang_up()

    def turn(self) -> None:
        """Connect to the reader if there is a card for it, then answer whatever came from reader or orders."""
        self._plug_in()
        for key, _ in self._selector.select(_RETRY_SECONDS):
            key.data()

    def close(self) -> None:
        """Let go of reader and control socket."""
        self.remove()
        self._selector.close()
        self._orders.close()

    def _watch(self, one: socket.socket, act: Callable[[], None]) -> None:
        self._selector.register(one, selectors.EVENT_READ, act)

    def _plug_in(self) -> None:
        if self._card is None or self._reader is not None or time.monotonic() - self._empty_since < _SWAP_SECONDS:
            return
        with contextlib.suppress(OSError):
            reader = socket.create_connection(("127.0.0.1", self._port))
            self._reader, self._received = reader, b""
            self._card.reset()
            self._watch(reader, self._listen)

    def _hang_up(self) -> None:
        if self._reader is not None:
            self._selector.unregister(self._reader)
            self._reader.close()
            self._reader, self._empty_since = None, time.monotonic()

    def _listen(self) -> None:
        if self._reader is None:  # an order in the same round pulled the card
            return
        try:
            # vpcd sends length and payload apart; without an immediate ACK each command waits 44 ms. Not sticky.
            self._reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._reader.recv(_LINE)
        except OSError:
            part = b""
        if not part:
            self._hang_up()
            return
        self._received += part
        while len(self._received) >= _LENGTH_SIZE:
            end = _LENGTH_SIZE + int.from_bytes(self._received[:_LENGTH_SIZE], "big")
            if len(self._received) < end:
                return
            payload, self._received = self._received[_LENGTH_SIZE:end], self._received[end:]
            self._answer(payload)

    def _answer(self, payload: bytes) -> None:
        if self._card is None:
            return
        if len(payload) == 1:
            # Off, on and reset end in a fresh session and get no answer. Asking for the ATR, which the daemon does at
            # every look, is no reset.
            if payload[0] == _GET_ATR:
                self._send(self._card.image.atr)
            else:
                self._card.reset()
            return
        started = time.monotonic()
        try:
            answer = self._card.transmit(payload)
        except Torn:
            self.remove()
        except Muted:
            pass
        else:
            if self._wire is not None:
                time.sleep(max(0.0, self._wire.seconds(payload, answer) - time.monotonic() + started))
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if self._reader is not None:
            try:
                self._reader.sendall(len(answer).to_bytes(_LENGTH_SIZE, "big") + answer)
            except OSError:
                self._hang_up()

    def _take_order(self) -> None:
        client, _ = self._orders.accept()
        with client:
            client.settimeout(1.0)
            with contextlib.suppress(OSError):
                client.sendall(self.obey(client.recv(_LINE).decode("utf-8", "replace").strip()).encode() + b"\n")

    def obey(self, order: str) -> str:
        """Carry out `insert [FILE]`, `remove` or `status`; return `ok in FILE`, `ok empty` or `error …`."""
        verb, _, argument = order.partition(" ")
        path = Path(argument) if argument else self._path
        if verb == "insert" and path is not None:
            try:
                self.insert(path)
            except (OSError, ValueError, KeyError, TypeError) as error:
                return f"error {path} is not a card: {type(error).__name__}"
        elif verb == "remove":
            self.remove()
        elif verb != "status":
            return "error expected insert FILE, remove or status"
        return f"ok in {self._path}" if self._card is not None else "ok empty"


class OrderRefused(RuntimeError):
    """A card process did not do as it was told; the message is its answer."""


def order(control: Path, text: str) -> str:
    """Send `insert FILE`, `insert`, `remove` or `status` to a card process and return its answer.

    Raises
    ------
    OrderRefused
        The process refused.
    OSError
        No process listens there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5.0)
        client.connect(str(control))
        client.sendall(text.encode() + b"\n")
        answer = client.recv(_LINE).decode().strip()
    if not answer.startswith("ok"):
        raise OrderRefused(answer)
    return answer


def main() -> None:
    """Serve one slot until ended."""
    parser = argparse.ArgumentParser(description="A virtual UICC in a vpcd reader.")
    parser.add_argument("--port", type=int, required=True, help="the reader's TCP port on loopback")
    parser.add_argument("--card", type=Path, help="card image to insert at once")
    parser.add_argument("--control", type=Path, help="unix socket for insert, remove, status")
    parser.add_argument("--wire", type=Wire.parse, help="pretend this wire speed, as F/D: 372/1, 512/32 …")
    parser.add_argument("--forgetful", action="store_true", help="leave the image files as they are")
    options = parser.parse_args()
    face = Face(options.port, options.control, options.wire, forgetful=options.forgetful)
    if options.card is not None:
        face.insert(options.card)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            face.turn()


if __name__ == "__main__":
    main()

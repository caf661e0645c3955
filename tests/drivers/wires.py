"""Playing a machine of ISO 7816-3 against whatever is at the other end of its wire."""

from __future__ import annotations

from typing import Protocol, TypeVar

from drivers.iso7816_3 import line
from drivers.iso7816_3.line import Machine, Turn

T = TypeVar("T")


class Wire(Protocol):
    def take(self, sent: bytes, count: int) -> bytes:
        """Take what was sent; return `count` bytes, fewer when silence follows."""
        ...


def play(machine: Machine[T], wire: Wire) -> T:
    """Run a machine to its end; what is missing on the wire reaches it as silence."""

    def take(turn: Turn) -> bytes:
        heard = wire.take(turn.send, turn.count)
        if len(heard) < turn.count:
            raise TimeoutError
        return heard

    return line.play(machine, take)


class Tape:
    """Plays bytes that were fixed before, and keeps what it was sent, which echoes."""

    def __init__(self, answer: bytes, *, echo: bool = True) -> None:
        self.ahead = answer
        self.sent = b""
        self.echo = echo

    def take(self, sent: bytes, count: int) -> bytes:
        self.sent += sent
        if sent:
            return sent if self.echo else b""
        heard, self.ahead = self.ahead[:count], self.ahead[count:]
        return heard

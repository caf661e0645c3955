"""What happens on the one wire: turns, the two conventions, and the echo of all that is sent."""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from drivers.errors import CardUnresponsiveError, EchoError

T = TypeVar("T")

ETU_PER_CHARACTER: Final = 12
"""Start bit, eight data bits, parity and a pause of two (§7.2); a UART sends it as 8E2."""

_MIRRORED = bytes(int(f"{byte ^ 0xFF:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Turn:
    """Send these bytes, then hear exactly `count`, each within `cycles` of the card's clock after the one before."""

    send: bytes = field(repr=False)
    count: int
    cycles: int


Machine = Generator[Turn, bytes, T]


class Convention(enum.Enum):
    """How bits stand on the wire (§8.1); the value is the initial character TS as a UART hears it."""

    DIRECT = 0x3B
    """Low bit first, high state is one: what a UART does by itself."""
    INVERSE = 0x03
    """High bit first, low state is one; to the card it is 3F. Parity, inverted with the rest, is odd to a UART."""

    def translate(self, data: bytes) -> bytes:
        """Turn the UART's bytes into the card's, or the card's into the UART's: it is the same mirror."""
        return data if self is Convention.DIRECT else data.translate(_MIRRORED)


def play(machine: Machine[T], take: Callable[[Turn], bytes]) -> T:
    """Run a machine to its end; `take` carries out one turn and raises TimeoutError for silence."""
    try:
        turn = next(machine)
        while True:
            try:
                heard = take(turn)
            except TimeoutError as silence:
                turn = machine.throw(silence)
            else:
                turn = machine.send(heard)
    except StopIteration as end:
        result: T = end.value
        return result


def say(data: bytes) -> Machine[None]:
    """Send bytes and take back their echo.

    Raises
    ------
    EchoError
        Nothing, or something else, came back.
    """
    try:
        echo = yield Turn(data, len(data), 0)
    except TimeoutError:
        raise EchoError(detail="nothing came back") from None
    if echo != data:
        raise EchoError(detail="something else came back")


def hear(count: int, cycles: int) -> Machine[bytes]:
    """Return the next `count` bytes of the card.

    Raises
    ------
    CardUnresponsiveError
        The card was silent for longer than it may.
    """
    try:
        return (yield Turn(b"", count, cycles))
    except TimeoutError:
        raise CardUnresponsiveError(detail="silent for longer than its waiting time") from None

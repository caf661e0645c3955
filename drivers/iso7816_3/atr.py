"""The answer to reset (§8): read from the wire byte by byte, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from drivers.errors import BadAtrError, MuteCardError
from drivers.iso7816_3.line import Convention, Machine, Turn

START_CYCLES: Final = 40_000
"""The answer begins within these after the reset (§6.2.2)."""
LONGEST: Final = 33
"""TS and at most 32 characters (§8.2.1)."""
GLOBAL: Final = 15
"""T=15 is no protocol: it qualifies global interface bytes (§8.2.3)."""

_GLITCH: Final = frozenset({b"\x00", b"\xff"})
"""What a UART makes of a line that moves as power or reset changes; no answer begins so."""
_GLITCHES: Final = 3
_WI = 10  # §10.2: waiting time integer when TC2 is absent
_NO_EXTRA_GUARD = 0xFF  # §8.3: with T=0 the same as none

# §8.3, tables 7 and 8: clock rate conversion with the highest clock in Hz, and baud rate adjustment; None is reserved.
_F: Final = (
    *((372, 4_000_000), (372, 5_000_000), (558, 6_000_000), (744, 8_000_000)),
    *((1116, 12_000_000), (1488, 16_000_000), (1860, 20_000_000), None),
    *(None, (512, 5_000_000), (768, 7_500_000), (1024, 10_000_000)),
    *((1536, 15_000_000), (2048, 20_000_000), None, None),
)
_D: Final = (None, 1, 2, 4, 8, 16, 32, 64, 12, 20, None, None, None, None, None, None)


@dataclass(frozen=True)
class Rate:
    """A speed: one bit lasts f/d cycles of a clock that may run at `fastest` Hz."""

    f: int = 372  # §8.1: Fd, Dd
    d: int = 1
    fastest: int = 5_000_000  # §5.2.3, class A

    @classmethod
    def of(cls, ta1: int) -> Rate | None:
        """Return the speed that TA1 or PPS1 stands for, None where it is reserved."""
        f, d = _F[ta1 >> 4], _D[ta1 & 0x0F]
        return None if f is None or d is None else cls(f[0], d, f[1])

    def baud(self, clock: int) -> int:
        """Return the bits a second at a clock of so many Hz."""
        return round(clock * self.d / self.f)


INITIAL: Final = Rate()
CHARACTER_CYCLES: Final = 9600 * INITIAL.f
"""The initial waiting time between two characters, 9600 initial bits (§8.1)."""


@dataclass(frozen=True)
class AnswerToReset:
    """What a card says of itself; `interface` holds the interface bytes by name, such as TA1."""

    raw: bytes
    """As the card means it: the first byte is 3B or 3F."""
    convention: Convention
    interface: Mapping[str, int]
    protocols: tuple[int, ...]
    """The protocols it offers, its own choice first."""
    historical: bytes

    @property
    def rate(self) -> Rate:
        """The speed it can do; the initial one where it names none or a reserved one."""
        return Rate.of(self.interface.get("TA1", 0x11)) or INITIAL

    @property
    def extra_guard(self) -> int:
        """Bits to wait between two characters sent to it, beyond the usual pause (§8.3, TC1)."""
        return self.interface.get("TC1", 0) % _NO_EXTRA_GUARD

    @property
    def waiting(self) -> int:
        """Cycles it may be silent in T=0 (§10.2)."""
        return 960 * (self.interface.get("TC2", _WI) or _WI) * self.rate.f


def read_atr() -> Machine[AnswerToReset]:
    """Hear an answer to reset as a UART at the initial speed does.

    Raises
    ------
    MuteCardError
        Nothing came.
    BadAtrError
        It breaks off, is too long, or TS or TCK is wrong.
    """
    first = yield from _begin()
    for _ in range(_GLITCHES):
        if first not in _GLITCH:
            break
        first = yield from _begin()
    if first[0] not in {convention.value for convention in Convention}:
        raise BadAtrError(detail="it begins with neither 3B nor 3F")
    answer = _Answer(Convention(first[0]))
    (t0,) = yield from answer.hear(1)
    interface: dict[str, int] = {}
    named: list[int] = []
    present, group = t0 >> 4, 1
    while present:
        names = [f"T{letter}{group}" for bit, letter in enumerate("ABCD") if present >> bit & 1]
        interface |= zip(names, (yield from answer.hear(len(names))), strict=True)
        following = interface.get(f"TD{group}")
        present = 0
        if following is not None:
            present = following >> 4
            named.append(following & 0x0F)
        group += 1
    historical = yield from answer.hear(t0 & 0x0F)
    if any(named):  # §8.2.5: T=0 alone has no check byte
        yield from answer.hear(1)
        if reduce(xor, answer.raw[1:]):
            raise BadAtrError(detail="its check byte is wrong")
    protocols = tuple(dict.fromkeys(protocol for protocol in named if protocol != GLOBAL)) or (0,)
    return AnswerToReset(bytes(answer.raw), answer.convention, interface, protocols, historical)


def _begin() -> Machine[bytes]:
    """Hear one byte that may be the first of an answer."""
    try:
        return (yield Turn(b"", 1, START_CYCLES))
    except TimeoutError:
        raise MuteCardError from None


class _Answer:
    """The characters so far."""

    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self.raw = bytearray(convention.translate(bytes([convention.value])))

    def hear(self, count: int) -> Machine[bytes]:
        if not count:
            return b""
        if len(self.raw) + count > LONGEST:
            raise BadAtrError(detail="it is too long")
        try:
            heard = yield Turn(b"", count, CHARACTER_CYCLES)
        except TimeoutError:
            raise BadAtrError(detail="it breaks off") from None
        part = self.convention.translate(heard)
        self.raw += part
        return part

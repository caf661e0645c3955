"""How a Phoenix or smartmouse interface is wired, as its URL says it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

from drivers.errors import UnknownSchemeError
from drivers.serial_line import Input, Output, check_url

CLOCK: Final = 3_571_200
"""Hz; the usual quartz, in whose time 372 cycles are one bit at 9600 baud."""
_CLOCKS: Final = range(1_000_000, 20_000_001)
"""What a card may be given (ISO/IEC 7816-3 §5.2.3, table 7): a quartz is not told in MHz."""

_RESETS: Final[dict[str, tuple[Output, bool]]] = {
    "rts": ("rts", True),
    "rts-inverted": ("rts", False),
    "dtr": ("dtr", True),
    "dtr-inverted": ("dtr", False),
}
_DETECTS: Final[dict[str, tuple[Input, bool] | None]] = {
    "none": None,
    "cts": ("cts", True),
    "cts-inverted": ("cts", False),
    "dsr": ("dsr", True),
    "dsr-inverted": ("dsr", False),
    "cd": ("cd", True),
    "cd-inverted": ("cd", False),
}
_SPEEDS: Final = {"initial": False, "best": True}
_CHOICES: Final[dict[str, Collection[str]]] = {"reset": _RESETS, "detect": _DETECTS, "speed": _SPEEDS}
_DEFAULTS: Final = {"clock": str(CLOCK), "reset": "rts", "detect": "none", "speed": "initial"}


@dataclass(frozen=True)
class Wiring:
    """One interface: where it is, its clock in Hz, and its lines, each with the level that means yes.

    `reset` holds the card in reset; `detect` is there while a card is in, None where the interface has no such line.
    `faster` asks cards for their best speed.
    """

    port: str
    clock: int
    reset: tuple[Output, bool]
    detect: tuple[Input, bool] | None
    faster: bool

    @property
    def reader(self) -> str:
        """The reader's name."""
        return f"phoenix:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PORT?clock=HZ&reset=LINE&detect=LINE&speed=best`, where PORT is what pyserial opens.

        Options that are none of these stay with the port, if that is a URL.

        Raises
        ------
        UnknownSchemeError
            There is no port, it is of a kind that pyserial does not know, or an option makes no sense.
        """
        port, _, query = text.partition("?")
        given = dict(_DEFAULTS)
        foreign = []
        for option in filter(None, query.split("&")):
            name, _, value = option.partition("=")
            if name in given:
                given[name] = value
            else:
                foreign.append(option)
        clock = given["clock"]
        if (
            not (port and clock.isascii() and clock.isdigit() and int(clock) in _CLOCKS)
            or (foreign and "://" not in port)
            or any(given[name] not in known for name, known in _CHOICES.items())
        ):
            options = ", ".join(f"{name}={'|'.join(known)}" for name, known in _CHOICES.items())
            raise UnknownSchemeError(detail=f"{text!r}; expected PORT?OPTION&OPTION with clock=HZ, {options}")
        reset, detect, faster = _RESETS[given["reset"]], _DETECTS[given["detect"]], _SPEEDS[given["speed"]]
        url = check_url("phoenix", port + ("?" + "&".join(foreign) if foreign else ""))
        return cls(url, int(clock), reset, detect, faster)

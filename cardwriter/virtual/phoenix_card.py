"""The card's side of ISO/IEC 7816-3 on a serial wire: answer to reset, PPS, T=0, in both conventions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from cardwriter.virtual.uicc import Muted, Torn

_HEADER: Final = 5
_NULL: Final = 0x60  # ISO/IEC 7816-3 §10.3.3
_PPSS: Final = 0xFF  # §9.2
_PPS1: Final = 0x10
_PPSS_PPS0_PCK: Final = 3
_TAKES_DATA: Final = frozenset(
    {
        *(0xA4, 0xD6, 0xDC, 0xA2, 0x32),  # SELECT, UPDATE BINARY and RECORD, SEARCH RECORD, INCREASE: TS 102 221 §11.1
        *(0x20, 0x24, 0x26, 0x28, 0x2C),  # VERIFY, CHANGE, DISABLE, ENABLE, UNBLOCK PIN
        *(0x88, 0x89, 0x10, 0x14, 0xC2),  # AUTHENTICATE, TERMINAL PROFILE and RESPONSE, ENVELOPE
        *(0xE2, 0xD8, 0x50, 0x82),  # STORE DATA, PUT KEY, INITIALIZE UPDATE, EXTERNAL AUTHENTICATE
    }
)
"""Instructions whose P3 counts bytes to come; of all others it counts bytes to go."""
# §8.3, tables 7 and 8
_F: Final = {0: 372, 1: 372, 2: 558, 3: 744, 4: 1116, 5: 1488, 6: 1860, 9: 512, 10: 768, 11: 1024, 12: 1536, 13: 2048}
_D: Final = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 12, 9: 20}


class Card(Protocol):
    """A card that answers whole commands of T=0."""

    def reset(self) -> bytes:
        """Power up; return the answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Answer a command; nothing, or `Torn`, when power went away, `Muted` when no answer ever comes."""
        ...


@dataclass
class CharacterCard:
    """A card, character by character, as a UART hears and is heard.

    `nulls` are said before each procedure byte; with `one_by_one` each byte of data is asked for by itself.
    """

    card: Card
    inverse: bool = False
    nulls: int = 0
    one_by_one: bool = False
    clock: int = 3_571_200
    baud: int = field(init=False)
    powered: bool = field(default=False, init=False)
    _heard: bytes = field(default=b"", init=False, repr=False)
    _fresh: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.baud = self.clock // 372

    @property
    def parity(self) -> str:
        """The parity it is understood with: seen by a UART, that of the inverse convention is odd."""
        return "O" if self.inverse else "E"

    def reset(self) -> bytes:
        """Return the answer to reset; an inverse card's begins with 3F instead of 3B."""
        self.baud = self.clock // 372
        self.powered, self._fresh, self._heard = True, True, b""
        atr = self.card.reset()
        return self._wire(b"\x3f" + atr[1:] if self.inverse else atr)

    def hear(self, sent: bytes) -> bytes:
        """Take bytes from the wire; return what the card says to them.

        Raises
        ------
        Torn
            Power went away.
        """
        said = b""
        for byte in self._wire(sent):
            if self.powered:
                self._heard += bytes([byte])
                said += self._pps() if self._fresh and self._heard[0] == _PPSS else self._command()
        return self._wire(said)

    def _pps(self) -> bytes:
        """Agree to any speed, and switch to it."""
        wanted = _PPSS_PPS0_PCK + bool(len(self._heard) > 1 and self._heard[1] & _PPS1)
        if len(self._heard) < wanted:
            return b""
        answer, self._heard, self._fresh = self._heard, b"", False
        if wanted > _PPSS_PPS0_PCK:
            self.baud = self.clock * _D[answer[2] & 15] // _F[answer[2] >> 4]
        return answer

    def _command(self) -> bytes:
        heard = self._heard
        if len(heard) < _HEADER:
            return b""
        ins, p3 = heard[1], heard[4]
        came, wanted = len(heard) - _HEADER, p3 if ins in _TAKES_DATA else 0
        if came < wanted:
            return self._ask(ins) if self.one_by_one or not came else b""
        self._heard, self._fresh = b"", False
        try:
            answer = self.card.transmit(heard)
        except Muted:
            self.powered = False
            return b""
        if not answer:
            raise Torn
        data, status = answer[:-2], bytes([_NULL]) * self.nulls + answer[-2:]
        if self.one_by_one:
            return b"".join(self._ask(ins) + bytes([byte]) for byte in data) + status
        return (self._ask(ins) + data if data else b"") + status

    def _ask(self, ins: int) -> bytes:
        return bytes([_NULL]) * self.nulls + bytes([ins ^ 0xFF if self.one_by_one else ins])

    def _wire(self, data: bytes) -> bytes:
        if not self.inverse:
            return data
        return bytes(int(f"{byte ^ 0xFF:08b}"[::-1], 2) for byte in data)

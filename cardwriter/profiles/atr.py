"""The historical bytes of an answer to reset, by which a maker tells its cards apart (ISO/IEC 7816-3 §8.2)."""

from __future__ import annotations

from dataclasses import dataclass

_COUNT, _PRESENT = 0x0F, 0xF0
_TD = 0x80
_TS_AND_T0 = 2


def historical_bytes(atr: bytes) -> bytes:
    """Return the historical bytes; of an ATR that is cut off, those that are there."""
    if len(atr) < _TS_AND_T0:
        return b""
    at, follows = _TS_AND_T0, atr[1] & _PRESENT
    while follows:
        at += follows.bit_count()
        if not follows & _TD or at > len(atr):
            break
        follows = atr[at - 1] & _PRESENT
    return atr[at : at + (atr[1] & _COUNT)]


@dataclass(frozen=True)
class HistoricalMask:
    """What the historical bytes begin with: hex digits, `x` for any."""

    pattern: str

    def matches(self, atr: bytes) -> bool:
        """Whether the ATR's historical bytes begin so."""
        text = historical_bytes(atr).hex()
        return len(text) >= len(self.pattern) and all(
            mask in ("x", digit) for mask, digit in zip(self.pattern, text, strict=False)
        )

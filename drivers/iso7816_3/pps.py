"""Which protocol and speed are spoken after an answer to reset (§6.3, §9)."""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import Final

from drivers.errors import ProtocolError
from drivers.iso7816_3.atr import CHARACTER_CYCLES, INITIAL, AnswerToReset, Rate
from drivers.iso7816_3.line import Machine, hear, say

_PPSS: Final = 0xFF  # §9.2
_WITH_PPS1: Final = 0x10  # §9.2: bit 5 of PPS0
_TA2_IMPLICIT: Final = 0x10  # §8.3: bit 5 of TA2, parameters are not those of TA1


def settle(atr: AnswerToReset, *, clock: int, faster: bool) -> Machine[Rate]:
    """Bring a card that was just reset to T=0, at its best speed if `faster`; return the speed to use from now on.

    Raises
    ------
    ProtocolError
        The card speaks no T=0, or did not keep to the rules of the exchange.
    """
    if 0 not in atr.protocols:
        raise ProtocolError(detail="the card offers no T=0")
    fixed = atr.interface.get("TA2")  # §6.3.1: present, the card is in specific mode and takes no exchange
    if fixed is not None:
        if fixed & 0x0F:
            raise ProtocolError(detail="the card insists on another protocol than T=0")
        return INITIAL if fixed & _TA2_IMPLICIT else atr.rate
    better = faster and atr.rate.baud(clock) > INITIAL.baud(clock) and clock <= atr.rate.fastest
    if not better and atr.protocols[0] == 0:
        return INITIAL
    return (yield from _exchange(atr.interface["TA1"] if better else None))


def _exchange(ta1: int | None) -> Machine[Rate]:
    """Ask for T=0, with a speed or without."""
    asked = bytes([_PPSS, 0x00]) if ta1 is None else bytes([_PPSS, _WITH_PPS1, ta1])
    yield from say(_checked(asked))
    start = yield from hear(2, CHARACTER_CYCLES)
    if start == bytes([_PPSS, 0x00]):  # §9.3: without PPS1 the initial speed stays
        rest, agreed = b"", INITIAL
    elif ta1 is not None and start == asked[:2]:
        rest, agreed = (yield from hear(1, CHARACTER_CYCLES)), Rate.of(ta1) or INITIAL
    else:
        raise ProtocolError(detail="the card chose what it was not asked for")
    check = yield from hear(1, CHARACTER_CYCLES)
    if start + rest + check != _checked(asked if rest else start):
        raise ProtocolError(detail="the card did not repeat what it was asked for")
    return agreed


def _checked(data: bytes) -> bytes:
    """Append PCK, which makes the exclusive-or of all zero (§9.2)."""
    return data + bytes([reduce(xor, data)])

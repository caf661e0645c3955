"""T=0, the protocol of characters (§10): one command, carried procedure byte by procedure byte."""

from __future__ import annotations

from typing import Final

from drivers.errors import MalformedApduError, ProtocolError
from drivers.iso7816_3.line import Machine, hear, say

HEADER: Final = 5
NULL: Final = 0x60
"""Wait on: the card is at work (§10.3.3, table 11)."""

_STATUS: Final = frozenset({0x60, 0x90})  # §10.3.3: SW1 is 6X, but not 60, or 9X
_ALL: Final = 256  # §10.3.2: P3 zero, towards the interface


def carry(tpdu: bytes, *, waiting: int) -> Machine[bytes]:
    """Carry one command of at least five bytes to the card and return its data and status word.

    P3 counts the data that follow it, or else the bytes wanted, zero for 256; a card that has none answers with its
    status word at once. `waiting` is how many clock cycles the card may be silent.

    Raises
    ------
    MalformedApduError
        The instruction looks like a status byte; nothing was sent.
    EchoError, CardUnresponsiveError, ProtocolError
        The card may have acted.
    """
    header, data = tpdu[:HEADER], tpdu[HEADER:]
    ins = header[1]
    if ins & 0xF0 in _STATUS:  # §10.3.2
        raise MalformedApduError(detail="an instruction 6X or 9X cannot be told from a status byte")
    left = len(data) or header[4] or _ALL
    answer = b""
    yield from say(header)
    while True:
        (procedure,) = yield from hear(1, waiting)
        if procedure == NULL:
            continue
        if procedure & 0xF0 in _STATUS:
            return answer + bytes([procedure]) + (yield from hear(1, waiting))
        if procedure not in {ins, ins ^ 0xFF} or not left:
            raise ProtocolError(detail="unexpected procedure byte")
        count = left if procedure == ins else 1
        if data:
            yield from say(data[len(data) - left :][:count])
        else:
            answer += yield from hear(count, waiting)
        left -= count

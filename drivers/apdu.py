"""Short command APDUs and the exchange that makes every reader look alike (ISO 7816-3 §12.2, TS 102 221 §7.3.1.1).

A TPDU-level reader hands 61xx and 6Cxx through, an APDU-level reader and a T=1 card hide them. Callers of `transceive`
see one behaviour: the whole answer and the final status word.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Final, Self

from drivers.errors import AnswerLostError, ForbiddenCommandError, MalformedApduError, ProtocolError

HEADER_LENGTH: Final = 4
MAX_CHAIN: Final = 10
"""GET RESPONSE commands followed for one command; the largest answer of 256 bytes needs a few."""

FORBIDDEN_INS: Final = {
    0xD4: "RESIZE FILE",  # TS 102 222 §6.10
    0xE0: "CREATE FILE",  # TS 102 222 §6.3
    0xE4: "DELETE FILE",  # TS 102 222 §6.4
    0xE6: "TERMINATE DF",  # TS 102 222 §6.7
    0xE8: "TERMINATE EF",  # TS 102 222 §6.8
    0xFE: "TERMINATE CARD USAGE",  # TS 102 222 §6.9
}
"""Instructions that never leave a driver, in any class: what they do cannot be undone in a hall."""

_GET_RESPONSE = 0xC0  # TS 102 221 §7.3.1.1.4 (T=0); GSM class: TS 51.011 §9.2.18
_MORE_DATA = frozenset({0x61, 0x9F})  # TS 102 221 §10.2.1.1; 9Fxx: TS 51.011 §9.4.1
_WRONG_LE = 0x6C  # ISO 7816-4 §5.6
_FETCHED = frozenset({0x90, 0x91, 0x92, 0x62, 0x63})
"""SW1 of a GET RESPONSE that did its work: success, proactive command waiting, success after retries, warnings."""
_MAX_LE = 256
_SW_SIZE = 2  # SW1 and SW2, ISO 7816-4 §5.1


@dataclass(frozen=True)
class CommandAPDU:
    """One short command (ISO 7816-4 §5.1): `le` is the number of bytes wanted, 1 to 256, or None."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    le: int | None = None

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Take a command apart.

        Raises
        ------
        MalformedApduError
            Too short, longer than its Lc says, or an extended length.
        """
        if len(raw) < HEADER_LENGTH:
            raise MalformedApduError(detail=f"{len(raw)} bytes")
        cla, ins, p1, p2 = raw[:HEADER_LENGTH]
        body = raw[HEADER_LENGTH:]
        if len(body) <= 1:
            return cls(cla, ins, p1, p2, le=(body[0] or _MAX_LE) if body else None)
        lc, rest = body[0], body[1:]
        if lc == 0 or len(rest) not in (lc, lc + 1):
            raise MalformedApduError(detail=f"Lc says {lc}, {len(rest)} bytes follow")
        return cls(cla, ins, p1, p2, data=rest[:lc], le=(rest[lc] or _MAX_LE) if len(rest) > lc else None)

    @property
    def case(self) -> int:
        """The command's case: 1 nothing, 2 answer only, 3 data only, 4 both (ISO 7816-3 §12.1.2)."""
        return 1 + (self.le is not None) + 2 * bool(self.data)

    def to_bytes(self) -> bytes:
        """Return the command as ISO 7816-4 writes it, Le included."""
        return self._without_le() + (b"" if self.le is None else bytes([self.le % _MAX_LE]))

    def to_tpdu(self) -> bytes:
        """Return the command as T=0 carries it: P3 always there, no Le after data (ISO 7816-3 §12.2)."""
        if self.data:
            return self._without_le()
        return self.to_bytes() if self.le is not None else self.to_bytes() + b"\x00"

    def _without_le(self) -> bytes:
        head = bytes([self.cla, self.ins, self.p1, self.p2])
        return head + bytes([len(self.data)]) + self.data if self.data else head


@dataclass(frozen=True)
class ResponseAPDU:
    """An answer: its data and the two status bytes."""

    data: bytes = field(repr=False)
    sw: int

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Take an answer apart.

        Raises
        ------
        AnswerLostError
            Fewer than two bytes: the reader gave up in the middle, the command may have been carried out.
        """
        if len(raw) < _SW_SIZE:
            raise AnswerLostError(detail="no status word")
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))

    @property
    def sw1(self) -> int:
        """The first status byte."""
        return self.sw >> 8

    @property
    def sw2(self) -> int:
        """The second status byte."""
        return self.sw & 0xFF


def exchange(command: CommandAPDU, *, t0: bool) -> Generator[bytes, ResponseAPDU, ResponseAPDU]:
    """Run one command as a conversation without I/O: yields what to send, is sent answers, returns the final answer.

    A wrong Le (6Cxx) is corrected once; 61xx and 9Fxx are followed with GET RESPONSE in the command's own class. When
    a GET RESPONSE fails, the command's own status word stands: the command has already been carried out.

    Raises
    ------
    ProtocolError
        The card announces more data after `MAX_CHAIN` answers.
    """
    answer = yield from _with_right_length(command, t0=t0)
    verdict, data = answer.sw, answer.data
    for _ in range(MAX_CHAIN):
        if answer.sw1 not in _MORE_DATA:
            return ResponseAPDU(data, answer.sw)
        fetch = CommandAPDU(command.cla, _GET_RESPONSE, 0, 0, le=answer.sw2 or _MAX_LE)
        answer = yield from _with_right_length(fetch, t0=t0)
        if answer.sw1 not in _FETCHED | _MORE_DATA:
            return ResponseAPDU(data, verdict)
        data += answer.data
    if answer.sw1 in _MORE_DATA:
        raise ProtocolError(detail=f"more than {MAX_CHAIN} answers to one command")
    return ResponseAPDU(data, answer.sw)


def _with_right_length(command: CommandAPDU, *, t0: bool) -> Generator[bytes, ResponseAPDU, ResponseAPDU]:
    """Send one command, once more with the length the card names; T=0 with data has no Le to correct."""
    answer = yield (command.to_tpdu() if t0 else command.to_bytes())
    if answer.sw1 == _WRONG_LE and not (t0 and command.data):
        answer = yield replace(command, le=answer.sw2 or _MAX_LE).to_bytes()
    return answer


def check_allowed(command: CommandAPDU) -> None:
    """Refuse what may never reach a card.

    Raises
    ------
    ForbiddenCommandError
        The instruction is in `FORBIDDEN_INS`.
    """
    if command.ins in FORBIDDEN_INS:
        raise ForbiddenCommandError(detail=FORBIDDEN_INS[command.ins])


def transceive(raw: bytes, send: Callable[[bytes], bytes], *, t0: bool) -> tuple[bytes, int]:
    """Carry one command to its final answer; every driver's `transmit` is this call.

    Parameters
    ----------
    raw
        The whole command APDU, Le included where its case has one.
    send
        Moves one unit to the card and returns the raw answer with its status word.
    t0
        Whether units are TPDUs of T=0.

    Raises
    ------
    MalformedApduError, ForbiddenCommandError
        Nothing was sent.
    AnswerLostError, ProtocolError
        The card may have acted.
    """
    command = CommandAPDU.parse(raw)
    check_allowed(command)
    conversation = exchange(command, t0=t0)
    unit = next(conversation)
    while True:
        answer = ResponseAPDU.parse(send(unit))
        try:
            unit = conversation.send(answer)
        except StopIteration as end:
            final: ResponseAPDU = end.value
            return final.data, final.sw

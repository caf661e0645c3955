"""The line protocol of Creator's CRT-571 and CRT-591 card dispensers, without I/O.

Frames, half duplex, 8N1 (communication protocol of the CRT-591-M001, v1.0):
`F2 address length(2) 'C' command parameter data 03 bcc`, answered by `'P' command parameter st0 st1 st2 data` or by
`'E' command parameter e1 e0 data`; the length counts from the type byte to the end of the data, bcc is the XOR of all
before it. Each frame is acknowledged (ACK) or asked for again (NAK); EOT clears the line and is answered by EOT.

A frame has no number. What may be done twice is sent again when the device is silent; what may not (a command to the
card, a movement) is sent again only when the device says NAK, which means that it did not take it.
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass, field
from typing import Final

from drivers import errors

STX, ETX, EOT, ACK, NAK = 0xF2, 0x03, 0x04, 0x06, 0x15
ACK_SECONDS: Final = 0.3
"""How long the device may take to acknowledge, and how long it waits for us."""
TRIES: Final = 3
"""Times that one frame is sent, and that one is asked for."""
MAX_DATA: Final = 512

_COMMAND, _GOOD, _BAD = 0x43, 0x50, frozenset({0x45, 0x4E})  # the manual's text says 'N', its drawings 'E'
_HEAD = 4  # STX, address, length
_TAIL = 2  # ETX, BCC
_LONGEST = 1024
_MOST = 8 * _LONGEST  # bytes heard within one exchange: more than all tries of the longest answer
_STATUS = 3  # st0 st1 st2 after a good command
_CODE = 2  # e1 e0 after a bad one
_SHORTEST = 3  # type, command, parameter

NOT_INITIALISED: Final = "B0"
ERRORS: Final[dict[str, tuple[type[errors.DriverError], str]]] = {
    "00": (errors.ReaderFailureError, "undefined command"),
    "01": (errors.ReaderFailureError, "parameter"),
    "02": (errors.ReaderFailureError, "sequence"),
    "03": (errors.ReaderFailureError, "not supported by this device"),
    "04": (errors.ReaderFailureError, "data"),
    "05": (errors.CardJamError, "contacts not released"),
    "10": (errors.CardJamError, "card jam"),
    "12": (errors.ReaderFailureError, "sensor"),
    "13": (errors.CardJamError, "card too long"),
    "14": (errors.CardJamError, "card too short"),
    "16": (errors.CardRemovedError, "card moved by hand"),
    "40": (errors.CardJamError, "card moved while going to the bin"),
    "41": (errors.ReaderFailureError, "magnet of the contacts"),
    "43": (errors.CardJamError, "cannot reach the contacts"),
    "45": (errors.CardRemovedError, "card moved by hand"),
    "50": (errors.BinFullError, "counter of the bin overflows"),
    "51": (errors.ReaderFailureError, "motor"),
    "60": (errors.MuteCardError, "short circuit"),
    "61": (errors.MuteCardError, "activation failed"),
    "62": (errors.ProtocolError, "not supported by the card"),
    "63": (errors.CardUnresponsiveError, "no answer in time"),
    "64": (errors.ProtocolError, "other protocol"),
    "65": (errors.CardResetError, "card not activated"),
    "66": (errors.ProtocolError, "not supported by this card"),
    "67": (errors.AnswerLostError, "transmission"),
    "68": (errors.CardUnresponsiveError, "transmission took too long"),
    "69": (errors.MuteCardError, "answer to reset not of EMV"),
    "A0": (errors.StackerEmptyError, ""),
    "A1": (errors.BinFullError, ""),
    NOT_INITIALISED: (errors.CardResetError, "the dispenser lost its power"),
}
"""e1 e0 of a bad answer, as two characters: what is raised for it, and the manual's word."""


@dataclass(frozen=True)
class Command:
    """One command; `repeatable` says that doing it twice does no harm."""

    cm: int
    pm: int
    data: bytes = field(default=b"", repr=False)
    repeatable: bool = False

    def frame(self, address: int) -> bytes:
        """Return the whole frame for the unit at this address (0 to 15)."""
        body = bytes([_COMMAND, self.cm, self.pm]) + self.data
        frame = bytes([STX, address]) + len(body).to_bytes(2, "big") + body + bytes([ETX])
        return frame + bytes([bcc(frame)])


@dataclass(frozen=True)
class Reply:
    """The answer to one command: `status` is st0 st1 st2 after success, `error` e1 e0 after a failure."""

    cm: int
    pm: int
    status: str = ""
    error: str = ""
    data: bytes = field(default=b"", repr=False)

    def failure(self, reader: str) -> errors.DriverError | None:
        """Return the named error of a failure, or None for success."""
        if not self.error:
            return None
        kind, word = ERRORS.get(self.error, (errors.ReaderFailureError, "unknown"))
        return kind(reader=reader, detail=f"{self.error} {word}".strip())


def bcc(data: bytes) -> int:
    """Return the XOR of all bytes."""
    return functools.reduce(operator.xor, data, 0)


def parse(frame: bytes) -> Reply | None:
    """Take a whole frame apart; None if it is damaged or no answer."""
    body = frame[_HEAD:-_TAIL]
    if frame[-_TAIL] != ETX or bcc(frame) != 0 or len(body) < _SHORTEST:
        return None
    kind, cm, pm = body[:_SHORTEST]
    rest = body[_SHORTEST:]
    if kind == _GOOD and len(rest) >= _STATUS:
        return Reply(cm, pm, status=rest[:_STATUS].decode("latin-1"), data=rest[_STATUS:])
    if kind in _BAD and len(rest) >= _CODE:
        return Reply(cm, pm, error=rest[:_CODE].decode("latin-1").upper(), data=rest[_CODE:])
    return None


class Exchange:
    """One command on its way: send `outgoing`, then `feed` what comes or tell of `silence`, until there is a `reply`.

    Parameters
    ----------
    seconds
        How long the device may take from its ACK to its answer.
    ack_seconds
        How long it may take to acknowledge, and between two bytes.
    """

    def __init__(self, command: Command, *, address: int, seconds: float, ack_seconds: float = ACK_SECONDS) -> None:
        self.outgoing = command.frame(address)
        self.reply: Reply | None = None
        self.clean = True
        """Whether nothing was sent twice or lost, so that no second answer can be on its way."""
        self._command = command
        self._address = address
        self._seconds = seconds
        self._ack_seconds = ack_seconds
        self._acknowledged = False
        self._left = TRIES
        self._input = b""
        self._heard = 0

    @property
    def patience(self) -> float:
        """Seconds to wait for the next byte before `silence` is told."""
        return self._seconds if self._acknowledged and not self._input else self._ack_seconds

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they come and return what to send back, often nothing.

        Raises
        ------
        AnswerLostError
            The line is so bad that the tries are spent, or what is at its other end never rests.
        """
        self._heard += len(data)
        if self._heard > _MOST:
            raise errors.AnswerLostError(detail="the line carries something else than answers")
        self._input += data
        answer = b""
        while self._input and self.reply is None:
            first = self._input[0]
            if first == STX:
                frame = self._cut()
                if frame is None:
                    break
                answer += self._frame(frame)
            else:
                self._input = self._input[1:]
                answer += self._control(first)
        return answer

    def silence(self) -> bytes:
        """Return what to send after `patience` was in vain.

        Raises
        ------
        AnswerLostError
            No ACK and no answer: it is not known whether the device acted.
        CardUnresponsiveError
            The device took the command and never answered.
        """
        self.clean = False
        if self._input:  # a frame that broke off
            self._input = b""
            return self._again(bytes([NAK]))
        if self._acknowledged:
            raise errors.CardUnresponsiveError(detail="the dispenser took the command and did not answer")
        if not self._command.repeatable:
            raise errors.AnswerLostError(detail="the dispenser did not acknowledge")
        return self._again(self.outgoing)

    def _control(self, byte: int) -> bytes:
        if byte == ACK:
            self._acknowledged = True
        elif byte == NAK and not self._acknowledged:
            return self._again(self.outgoing)
        return b""

    def _cut(self) -> bytes | None:
        """Take one frame off the input; None while it is not whole. A length that cannot be true is cut short."""
        if len(self._input) < _HEAD:
            return None
        size = min(_HEAD + int.from_bytes(self._input[2:4], "big") + _TAIL, _LONGEST)
        if len(self._input) < size:
            return None
        frame, self._input = self._input[:size], self._input[size:]
        return frame

    def _frame(self, frame: bytes) -> bytes:
        reply = parse(frame)
        if reply is None:
            self.clean, self._input = False, b""
            return self._again(bytes([NAK]))
        mine = frame[1] == self._address and (reply.cm, reply.pm) == (self._command.cm, self._command.pm)
        if mine and self._acknowledged:
            self.reply = reply
        else:
            self.clean = False  # the answer to an earlier command: acknowledged so that the device goes on
        return bytes([ACK])

    def _again(self, data: bytes) -> bytes:
        self._left -= 1
        if not self._left:
            raise errors.AnswerLostError(detail=f"no whole answer in {TRIES} tries")
        return data

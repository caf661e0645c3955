"""The words of a modem's AT port, without I/O: commands, answers and what may stand between them.

Sources: 3GPP TS 27.007 §5 (commands and final results), §8.7 +CPIN, §8.2 +CFUN, §8.17 +CSIM, §9.2 CME errors; V.250.
An answer has no number that would tie it to its command. `Conversation` therefore takes lines only in their order and
knows the head of the line it waits for; all else (echo, unsolicited results such as RING or +CREG) is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from drivers import errors

LONGEST_LINE: Final = 2048
"""Bytes without an end of line that are kept; +CSIM needs 516 digits and a head (§8.17)."""
STATUS: Final = bytes.fromhex("80f2000c00")
"""Asks a UICC nothing and selects nothing (TS 102 221 §11.1.2, P2 = 0C): whether a card answers at all."""

_CSIM = re.compile(r'\+CSIM:\s*(\d+)\s*,\s*"?([0-9A-Fa-f]*)"?\s*')
_CME = re.compile(r"\+CM[ES] ERROR:\s*(.*)")
_CFUN = re.compile(r"\+CFUN:\s*\(([^)]*)\)")
_LEVELS = re.compile(r"(\d+)(?:-(\d+))?")
_HIGHEST_LEVEL = 127  # §8.2; those above 4 are the maker's own

NOT_INSERTED: Final = 10
BUSY: Final = 14
CODES_WANTED: Final = frozenset({5, 6, 7, 11, 12, 16, 17, 18})
"""The card is there and wants a PIN, a PUK or its own telephone."""
_CODES_IN_WORDS: Final = {
    "operation not allowed": 3,
    "operation not supported": 4,
    "sim not inserted": NOT_INSERTED,
    "sim pin required": 11,
    "sim puk required": 12,
    "sim failure": 13,
    "sim busy": BUSY,
    "sim wrong": 15,
}
"""For modems that stay with words whatever +CMEE says."""
_ERRORS: Final[dict[int, type[errors.DriverError]]] = {
    3: errors.ModemRefusesError,
    4: errors.ModemRefusesError,
    NOT_INSERTED: errors.NoCardError,
    **dict.fromkeys(CODES_WANTED, errors.ModemRefusesError),
    13: errors.CardUnresponsiveError,
    BUSY: errors.SharingViolationError,
    15: errors.ProtocolError,
}


@dataclass(frozen=True)
class Answer:
    """What a modem said to one command: the line waited for, empty if none came, and how it ended."""

    line: str
    ok: bool
    code: int | None = None
    """The number of `+CME ERROR`; None for a bare `ERROR` or for words not known here."""


class Conversation:
    """One command and the way to its answer: send `outgoing`, then feed what comes until there is an answer.

    Parameters
    ----------
    command
        Without its carriage return.
    head
        How the line waited for begins, such as `+CSIM:`. An `OK` before that line belongs to something else.
    """

    def __init__(self, command: str, head: str = "") -> None:
        self.outgoing = command.encode("ascii") + b"\r"
        self._command = command
        self._head = head
        self._line = ""
        self._rest = b""

    def feed(self, data: bytes) -> Answer | None:
        """Take bytes as they come; return the answer once it is whole."""
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + data)
        self._rest = self._rest[-LONGEST_LINE:]
        for line in lines:
            answer = self._take(line.decode("ascii", "replace").strip())
            if answer is not None:
                return answer
        return None

    def _take(self, line: str) -> Answer | None:
        if line == self._command:
            return None
        if self._head and line.startswith(self._head):
            self._line = line
        elif line == "ERROR":
            return Answer(self._line, ok=False)
        elif line == "OK" and (self._line or not self._head):
            return Answer(self._line, ok=True)
        elif failure := _CME.fullmatch(line):
            return Answer(self._line, ok=False, code=_code(failure[1]))
        return None


def _code(text: str) -> int | None:
    return int(text) if text.isdecimal() else _CODES_IN_WORDS.get(text.strip().lower())


def csim(unit: bytes) -> Conversation:
    """Return the conversation that passes one unit to the card (§8.17)."""
    digits = unit.hex().upper()
    return Conversation(f'AT+CSIM={len(digits)},"{digits}"', "+CSIM:")


def csim_answer(line: str) -> bytes:
    """Return the card's answer in a `+CSIM:` line, status word included.

    Raises
    ------
    AnswerLostError
        The line is torn: its length is not the one it names.
    """
    match = _CSIM.fullmatch(line)
    if match is None or int(match[1]) != len(match[2]) or len(match[2]) % 2:
        raise errors.AnswerLostError(detail="the modem's line is torn")
    return bytes.fromhex(match[2])


def functionality_levels(line: str) -> frozenset[int]:
    """Return the levels in the answer to `AT+CFUN=?`, such as `+CFUN: (0,1,4-6),(0,1)`; none if it makes no sense."""
    match = _CFUN.match(line)
    found: set[int] = set()
    for low, high in _LEVELS.findall(match[1]) if match else ():
        found.update(range(int(low), min(int(high or low), _HIGHEST_LEVEL) + 1))
    return frozenset(found)


def is_off(line: str) -> bool:
    """Whether the answer to `AT+CFUN?` says that the modem, and with it its card, has no power (§8.2)."""
    return line.removeprefix("+CFUN:").partition(",")[0].strip() == "0"


def error_of(answer: Answer, reader: str) -> errors.DriverError:
    """Return the named error of an answer that is not OK."""
    if answer.code is None:
        return errors.ModemRefusesError(reader=reader, detail="ERROR")
    return _ERRORS.get(answer.code, errors.ReaderFailureError)(reader=reader, detail=f"+CME ERROR: {answer.code}")

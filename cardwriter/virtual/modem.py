"""An emulated modem: the AT commands around a card, with the manners and the faults of real ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cardwriter.virtual.phoenix_card import Card

_HEADER: Final = 5
"""CLA INS P1 P2 P3 of T=0."""


@dataclass
class Modem:
    """Holds a card or none; every fault is a field that a test sets."""

    card: Card | None = None
    echo: bool = True
    errors: int = 0
    """+CMEE: 0 says ERROR alone, 1 numbers."""
    level: int = 1
    """+CFUN: 0 is off, 4 off the air."""
    levels: str = "(0,1,4),(0,1)"
    refused: frozenset[str] = frozenset()
    """Commands, without AT, that it does not know."""
    refused_ins: frozenset[int] = frozenset()
    """Instructions that its +CSIM does not pass on."""
    keeps_power: bool = False
    failure_when_on_again: int | None = None
    mute_when_off: bool = False
    dead: bool = False
    """Takes everything and says nothing."""
    failure: int | None = None
    """A +CME ERROR for whatever the card is asked."""
    starting: int = 0
    """Questions to the card that are answered "SIM busy" after the modem was switched on."""
    silent_on: int | None = None
    """The instruction whose answer is kept back; it goes out before the answer to the next command."""
    torn: bool = False
    """Whether a part of each +CSIM line is lost."""
    chatter: bytes = b""
    """Unsolicited lines in the midst of every answer."""
    heard: list[str] = field(default_factory=list)
    _typed: bytes = b""
    _kept: bytes = b""
    _starting: int = 0

    def receive(self, data: bytes) -> bytes:
        """Take what the host types, return what the modem says."""
        *commands, self._typed = (self._typed + data).split(b"\r")
        return b"".join(self._command(command.decode("ascii")) for command in commands)

    def _command(self, command: str) -> bytes:
        self.heard.append(command)
        if self.dead or (self.mute_when_off and self.level == 0 and command.startswith("AT+CSIM=")):
            return b""
        echo = f"{command}\r".encode() if self.echo else b""
        kept, self._kept = self._kept, b""
        answer = echo + self.chatter + self._answer(command.removeprefix("AT"))
        if self.silent_on is not None and command.startswith("AT+CSIM=") and f'"00{self.silent_on:02X}' in command:
            self._kept, self.silent_on = answer, None
            return b""
        return kept + answer

    def _answer(self, command: str) -> bytes:
        if command in self.refused:
            return self._error(4)
        name, _, value = command.partition("=")
        told = {
            "+CMEE?": f"+CMEE: {self.errors}",
            "+CPIN?": "+CPIN: READY" if self.card else "",
            "+CFUN=?": f"+CFUN: {self.levels}",
            "+CFUN?": f"+CFUN: {self.level}",
        }
        if command in told:
            return line(told[command]) + line("OK") if told[command] else self._error(10)
        if name == "+CSIM" and value != "?":
            return self._csim(value)
        self._obey(name, value)
        return line("OK")

    def _obey(self, name: str, value: str) -> None:
        if name == "E0":
            self.echo = False
        if name == "+CMEE":
            self.errors = int(value)
        if name == "+CFUN":
            self._switch(int(value))

    def _switch(self, level: int) -> None:
        if level == 0 and self.card is not None and not self.keeps_power:
            self.card.reset()
        if self.level == 0:
            self._starting = self.starting
            self.failure = self.failure_when_on_again
        self.level = level

    def _csim(self, rest: str) -> bytes:
        length, _, quoted = rest.partition(",")
        unit = bytes.fromhex(quoted.strip('"'))
        well_formed = int(length) == 2 * len(unit) and (len(unit) == _HEADER or unit[4] == len(unit) - _HEADER)
        code = self._fault() or (None if well_formed and unit[1] not in self.refused_ins else 3)
        answer = b"" if code or self.card is None else self.card.transmit(unit)
        if not answer:
            return self._error(code or 13)
        digits = answer.hex().upper()
        return line(f'+CSIM: {len(digits)},"{digits[2:] if self.torn else digits}"') + line("OK")

    def _fault(self) -> int | None:
        """Tell why nothing reaches the card, as a +CME ERROR."""
        if self.level == 0 and not self.keeps_power:
            return 13
        if self.card is None:
            return 10
        if self._starting:
            self._starting -= 1
            return 14
        return self.failure

    def _error(self, code: int) -> bytes:
        return line(f"+CME ERROR: {code}" if self.errors else "ERROR")


def line(text: str) -> bytes:
    """Return a line as a modem frames it (V.250 §5.7.1)."""
    return f"\r\n{text}\r\n".encode()

"""The card in a modem, through AT+CSIM (3GPP TS 27.007 §8.17), on any port that pyserial can open.

What a modem cannot do, and what this driver does about it:

- It tells no ATR: `atr` is empty, and cards are recognised by what is read from them.
- It has no command to reset a card. `+CFUN=0` takes the card's power on most modems; whether it did is asked of the
  card itself, and where the card still answers, `ResetUnavailableError` says so, since rights would outlive the reset.
  Afterwards the modem is left off the air (`+CFUN=4`) where it can be: a blank has no business on the network.
- It uses the card itself, so a file selected in one command may be another in the next; scripts read back what they
  write, and before each one the card's identity is compared.
- AT+CRSM (§8.18) is not used: it has no VERIFY, so it cannot write anything that ADM protects, and it reads nothing
  that +CSIM does not. A modem whose +CSIM refuses UPDATE cannot write cards at all.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Final

from drivers import errors
from drivers.at_lines import (
    BUSY,
    CODES_WANTED,
    NOT_INSERTED,
    STATUS,
    Answer,
    Conversation,
    csim,
    csim_answer,
    error_of,
    functionality_levels,
    is_off,
)
from drivers.base import Presence
from drivers.polled import PolledSource
from drivers.serial_line import SerialLine, check_url

DEADLINE: Final = 20.0
"""Seconds a card may take for one command; an honest SIM answers within about one."""
QUICK: Final = 3.0
"""Seconds for a command that the modem answers by itself."""
RESET_DEADLINE: Final = 30.0
"""Seconds until a card must answer after its modem was switched on again; most take less than ten."""
BAUD_RATES: Final = (115200, 9600)
"""Tried in turn; a USB modem takes any."""
_PAUSE: Final = 0.2

_OFF, _ON, _OFF_AIR = 0, 1, 4  # +CFUN, TS 27.007 §8.2


@dataclass(frozen=True)
class Patience:
    """Seconds that each kind of silence may last."""

    card: float = DEADLINE
    modem: float = QUICK
    restart: float = RESET_DEADLINE


class AtModem:
    """One modem as a `Device`; the port is opened at the first look and again after each loss."""

    t0 = True
    """§8.17 passes TPDUs: modems compare P3 with the length of what follows, and refuse an Le after data."""

    def __init__(self, url: str, *, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._url = url
        self._reader = f"at:{url}"
        self._line: SerialLine | None = None
        self._in_step = False
        self._last = Presence.NO_CARD

    def look(self) -> Presence:
        """Ask the card itself for a sign of life: +CPIN is answered from memory, and wrongly for many a blank.

        Raises
        ------
        DriverError
            The port or the modem behind it does not answer, or another program holds it.
        """
        answer = self._ask(csim(STATUS), self.patience.card)
        if answer.ok or answer.code in CODES_WANTED:
            self._last = Presence.CARD
        elif answer.code == NOT_INSERTED or (answer.code != BUSY and self._says_not_inserted()):
            self._last = Presence.NO_CARD
        elif answer.code != BUSY:
            self._last = Presence.MUTE
        return self._last

    def power_up(self) -> bytes:
        """Return the empty ATR: a modem powers its card by itself."""
        return b""

    def reset(self) -> bytes:
        """Take the card's power and give it back; return the empty ATR.

        Raises
        ------
        ResetUnavailableError
            The modem cannot, or did not.
        DriverError
            The card or the modem did not come back.
        """
        on = self._level_on()
        try:
            self._switch_off_and_on(on)
        except errors.DriverError:
            self.close()  # it may be off still: opened anew, it is switched on
            raise
        return b""

    def send(self, unit: bytes) -> bytes:
        """Pass one unit to the card.

        Raises
        ------
        CardUnresponsiveError
            No answer within the deadline, or the modem says "SIM failure": the card may have acted.
        DriverError
            As `at_lines.error_of` names them, or the port is gone.
        """
        answer = self._ask(csim(unit), self.patience.card)
        if not answer.ok:
            raise error_of(answer, self._reader)
        return csim_answer(answer.line)

    def close(self) -> None:
        """Give the port back."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _level_on(self) -> int:
        """Find out at which level its card has power: off the air where it can be."""
        levels = functionality_levels(self._ask(Conversation("AT+CFUN=?", "+CFUN:"), self.patience.modem).line)
        return _OFF_AIR if _OFF_AIR in levels else _ON

    def _switch_on(self) -> None:
        """Give the card of a modem its power back that a reset cut short has left off; which level, it may not tell."""
        with contextlib.suppress(errors.CardUnresponsiveError):
            if is_off(self._ask(Conversation("AT+CFUN?", "+CFUN:"), self.patience.modem).line):
                self._ask(Conversation(f"AT+CFUN={self._level_on()}"), self.patience.card)

    def _switch_off_and_on(self, on: int) -> None:
        if not self._ask(Conversation(f"AT+CFUN={_OFF}"), self.patience.card).ok:
            raise errors.ResetUnavailableError(reader=self._reader, detail="AT+CFUN=0 refused")
        still_powered = self._card_answers()
        answer = self._ask(Conversation(f"AT+CFUN={on}"), self.patience.card)
        if not answer.ok:
            raise error_of(answer, self._reader)
        if still_powered:
            raise errors.ResetUnavailableError(reader=self._reader, detail="the card kept its power")
        self._await_card()

    def _card_answers(self) -> bool:
        """Whether the card in a modem that is switched off still answers."""
        try:
            return self._ask(csim(STATUS), self.patience.modem).ok
        except errors.CardUnresponsiveError:
            return False

    def _says_not_inserted(self) -> bool:
        answer = self._ask(Conversation("AT+CPIN?", "+CPIN:"), self.patience.modem)
        return answer.code == NOT_INSERTED or "NOT INSERTED" in answer.line

    def _await_card(self) -> None:
        """Wait until the card answers again; a modem says all manner of things while it starts."""
        end = time.monotonic() + self.patience.restart
        while (presence := self.look()) is not Presence.CARD:
            if time.monotonic() >= end:
                kind = errors.MuteCardError if presence is Presence.MUTE else errors.NoCardError
                raise kind(reader=self._reader)
            time.sleep(_PAUSE)

    def _ask(self, conversation: Conversation, seconds: float) -> Answer:
        """Have one conversation, on a line that is open and in step."""
        line = self._line or self._open()
        try:
            if not self._in_step:
                self._find_step(line)
            return self._talk(line, conversation, seconds)
        except errors.ReaderLostError:
            self.close()
            raise

    def _talk(self, line: SerialLine, conversation: Conversation, seconds: float) -> Answer:
        end = time.monotonic() + seconds
        self._in_step = False
        line.write(conversation.outgoing)
        while time.monotonic() < end and (data := line.read(end)):  # a port that is none of a modem's may never rest
            answer = conversation.feed(data)
            if answer is not None:
                self._in_step = True
                return answer
        raise errors.CardUnresponsiveError(reader=self._reader)

    def _open(self) -> SerialLine:
        """Open the port at the speed that the modem answers at.

        Raises
        ------
        NoReaderError, SharingViolationError
            No port, no modem that passes commands on, or another program has it.
        """
        self._line = line = SerialLine(self._url, reader=self._reader, baudrate=BAUD_RATES[0])
        for baudrate in BAUD_RATES:
            try:
                line.set_baudrate(baudrate)
                self._find_step(line)
                if self._talk(line, Conversation("AT+CSIM=?"), self.patience.modem).ok:
                    self._switch_on()
                    return line
            except (errors.CardUnresponsiveError, errors.ReaderFailureError):
                continue
            except errors.ReaderLostError:
                break
        self.close()
        raise errors.NoReaderError(reader=self._reader, detail="no modem with AT+CSIM answers at this port")

    def _find_step(self, line: SerialLine) -> None:
        """Make sure that the next answer belongs to the next command: late answers come before the one to +CMEE?."""
        for command in ("ATE0", "AT+CMEE=1"):
            self._talk(line, Conversation(command), self.patience.modem)
        if not self._talk(line, Conversation("AT+CMEE?", "+CMEE:"), self.patience.modem).line:
            self._in_step = False
            raise errors.CardUnresponsiveError(reader=self._reader)


def open_modem(url: str, *, patience: Patience | None = None) -> PolledSource:
    """Open the modem at a pyserial URL, such as `/dev/ttyUSB2` or `socket://127.0.0.1:7000`.

    Raises
    ------
    UnknownSchemeError
        pyserial knows no such kind of URL.
    """
    return PolledSource(f"at:{check_url('at', url)}", AtModem(url, patience=patience))

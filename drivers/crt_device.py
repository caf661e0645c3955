"""Card dispensers of the Creator CRT-571 and CRT-591 family: one serial device that moves a card and speaks to it.

The device finds its speed at the first command, wants to be initialised before anything else, and forgets that when it
loses its power. It is initialised without moving a card: one that is inside may still have to be settled.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Final

from drivers import errors
from drivers.base import DispenserState, Place, Presence, Supply
from drivers.crt_frames import ACK_SECONDS, EOT, NOT_INITIALISED, Command, Exchange, Reply
from drivers.serial_line import SerialLine

DEADLINE: Final = 20.0
"""Seconds a card may take for one command; the device gives up long before."""
MOVING: Final = 30.0
"""Seconds for a movement, with the device's own tries to free a card."""
QUICK: Final = 3.0
"""Seconds for what the device tells by itself."""
BAUD_RATES: Final = (38400, 9600, 19200, 57600)
"""Tried in turn: a device that was spoken to since it has its power stays with its speed."""

_INITIALISE = Command(0x30, 0x33)  # leave a card where it is
_STATUS = Command(0x31, 0x30, repeatable=True)
_MOVES: Final = {
    Place.GATE: (Command(0x32, 0x30), {Place.GATE, Place.NOWHERE}),
    Place.CONTACTS: (Command(0x32, 0x31), {Place.CONTACTS}),
    None: (Command(0x32, 0x33), {Place.NOWHERE}),
}
"""The command to each place, None the bin, and where the card may be seen once it was carried out."""
_POWER_OFF = Command(0x51, 0x31, repeatable=True)
_WARM_RESET = Command(0x51, 0x38)
_COLD_RESETS = (Command(0x51, 0x30, b"\x35"), Command(0x51, 0x30, b"\x33"))
"""At 3 V, which every UICC takes (TS 102 221 §5), then at 5 V for cards of the first generation; ISO 7816-3 both."""
_T0, _T1 = 0x33, 0x34  # parameter of a command to the card
_T0_TYPE: Final = b"\x30"
_OF_THE_CARD: Final = "6"
"""How the codes begin of whatever the device has against a card's chip (`crt_frames.ERRORS`)."""
_BIN_COUNT = Command(0xA5, 0x30, repeatable=True)

_CLEARED: Final = bytes([EOT])
_SILENT: Final = 0.3
"""Seconds without a byte after which nothing of an earlier command is on its way."""

_PLACES: Final = {"0": Place.NOWHERE, "1": Place.GATE, "2": Place.CONTACTS}
_SUPPLIES: Final = {"0": Supply.EMPTY, "1": Supply.FEW, "2": Supply.ENOUGH}


@dataclass(frozen=True)
class Patience:
    """Seconds that each kind of silence may last."""

    card: float = DEADLINE
    movement: float = MOVING
    device: float = QUICK
    acknowledgement: float = ACK_SECONDS


class CrtDevice:
    """One dispenser on its line, as a `Device` and with the commands that move cards."""

    def __init__(self, url: str, *, address: int = 0, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._url = url
        self._reader = f"crt:{url}"
        self._address = address
        self._line: SerialLine | None = None
        self._in_step = False
        self._mute = False
        self.t0 = True

    def look(self) -> Presence:
        """Tell whether a card is at the contacts, and whether it answered to its reset.

        Raises
        ------
        DriverError
            The dispenser does not answer, or another program holds its line.
        """
        if self.state().card is not Place.CONTACTS:
            self._mute = False
            return Presence.NO_CARD
        return Presence.MUTE if self._mute else Presence.CARD

    def power_up(self) -> bytes:
        """Reset the card cold and return its ATR.

        Raises
        ------
        MuteCardError
            It answers at no voltage, or not so that the dispenser could speak to it.
        DriverError
            The dispenser does not answer.
        """
        for command in _COLD_RESETS:
            self._mute = True
            try:
                reply = self._ask(command, self.patience.card)
            except errors.CardUnresponsiveError:
                continue
            failure = reply.failure(self._reader)
            if reply.error[:1] == _OF_THE_CARD:
                continue
            if failure is not None:
                raise failure
            self._mute = False
            self.t0 = reply.data[:1] == _T0_TYPE
            return reply.data[1:]
        raise errors.MuteCardError(reader=self._reader)

    def reset(self) -> bytes:
        """Reset the card warm, or cold when that fails, and return its ATR.

        Raises
        ------
        DriverError
            As `power_up` does.
        """
        try:
            reply = self._ask(_WARM_RESET, self.patience.card)
        except errors.CardUnresponsiveError:
            return self.power_up()
        if reply.error:  # whatever it is, a cold one tells whether it is the card's
            return self.power_up()
        self._mute = False
        return reply.data[1:]

    def send(self, unit: bytes) -> bytes:
        """Pass one unit to the card.

        Raises
        ------
        AnswerLostError, CardUnresponsiveError
            The card may have acted; it is never sent a second time.
        DriverError
            As `crt_frames.ERRORS` names them, or the line is gone.
        """
        return self._do(Command(0x51, _T0 if self.t0 else _T1, unit), self.patience.card).data

    def state(self) -> DispenserState:
        """Return where the card is and how stacker and bin stand.

        Raises
        ------
        DriverError
            The dispenser does not answer.
        """
        reply = self._do(_STATUS, self.patience.device)
        card, stacker, bin_full = tuple(reply.status)
        if card not in _PLACES or stacker not in _SUPPLIES:
            raise errors.ReaderFailureError(reader=self._reader, detail=f"status {reply.status!r}")
        return DispenserState(_PLACES[card], _SUPPLIES[stacker], bin_full == "1")

    def move(self, place: Place | None) -> None:
        """Bring the card to the gate or the contacts (there from the stacker, too), or into the bin: None.

        A movement whose answer was lost is not tried again: where the card has come to is asked instead. It may have
        been taken from the gate by then.

        Raises
        ------
        DriverError
            As named in `base.Dispenser`.
        """
        command, arrived = _MOVES[place]
        if self.state().card is Place.CONTACTS:
            with contextlib.suppress(errors.CardResetError, errors.MuteCardError):  # it has no power to take
                self._do(_POWER_OFF, self.patience.device)
        self._mute = False
        try:
            self._do(command, self.patience.movement)
        except (errors.AnswerLostError, errors.CardUnresponsiveError) as error:
            if self.state().card not in arrived:
                raise errors.CardJamError(reader=self._reader, detail=error.detail) from None

    def rejected(self) -> int:
        """Return the bin's counter.

        Raises
        ------
        DriverError
            The dispenser does not answer, or not with a number.
        """
        digits = self._do(_BIN_COUNT, self.patience.device).data
        if not digits.isdigit():
            raise errors.ReaderFailureError(reader=self._reader, detail="counter of the bin")
        return int(digits)

    def close(self) -> None:
        """Give the line back; a card inside stays powered."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _do(self, command: Command, seconds: float) -> Reply:
        """Run one command as `_ask` does, and raise what the device says is wrong."""
        reply = self._ask(command, seconds)
        failure = reply.failure(self._reader)
        if failure is not None:
            raise failure
        return reply

    def _ask(self, command: Command, seconds: float) -> Reply:
        """Run one command on a device that is open and initialised, and return its answer, good or bad.

        One that lost its power refuses everything until it is initialised again; its card then says "not activated".
        """
        line = self._line or self._open()
        try:
            reply = self._exchange(line, command, seconds)
            if reply.error == NOT_INITIALISED:
                self._initialise(line)
                reply = self._exchange(line, command, seconds)
        except errors.ReaderLostError:
            self.close()
            raise
        return reply

    def _initialise(self, line: SerialLine) -> None:
        self._mute = False
        failure = self._exchange(line, _INITIALISE, self.patience.movement).failure(self._reader)
        if failure is not None:
            raise failure

    def _open(self) -> SerialLine:
        """Open the line at the speed that the device listens to, and initialise the device.

        Raises
        ------
        NoReaderError, SharingViolationError
            No port, no dispenser behind it, or another program has it.
        """
        self._line = line = SerialLine(self._url, reader=self._reader, baudrate=BAUD_RATES[0])
        self._in_step = True
        for baudrate in BAUD_RATES:
            try:
                line.set_baudrate(baudrate)
                self._exchange(line, _STATUS, self.patience.device)
                self._initialise(line)
            except (errors.AnswerLostError, errors.CardUnresponsiveError):
                self._in_step = True
            except errors.DriverError:
                self.close()
                raise
            else:
                return line
        self.close()
        raise errors.NoReaderError(reader=self._reader, detail="no dispenser answers at this port")

    def _exchange(self, line: SerialLine, command: Command, seconds: float) -> Reply:
        """Send one command and return the device's answer to it, good or bad."""
        if not self._in_step:
            self._clear(line)
        exchange = Exchange(command, address=self._address, seconds=seconds, ack_seconds=self.patience.acknowledgement)
        self._in_step = False
        line.write(exchange.outgoing)
        while exchange.reply is None:
            data = line.read(time.monotonic() + exchange.patience)
            back = exchange.feed(data) if data else exchange.silence()
            if back:
                line.write(back)
        self._in_step = exchange.clean
        return exchange.reply

    def _clear(self, line: SerialLine) -> None:
        """Cancel what may be on its way: all that comes before the line falls silent is dropped."""
        line.write(_CLEARED)
        last = b""
        end = time.monotonic() + self.patience.device
        while time.monotonic() < end and (
            data := line.read(
                time.monotonic() + (_SILENT if last.endswith(_CLEARED) else self.patience.acknowledgement)
            )
        ):
            last = data
        if not last.endswith(_CLEARED):
            raise errors.CardUnresponsiveError(reader=self._reader, detail="the dispenser does not answer")

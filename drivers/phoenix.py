"""Phoenix and smartmouse readers: a serial port whose lines reset the card and, on most, tell whether one is in.

Where no line tells, an empty reader is asked by a reset at each look, and a card that is in by STATUS, which changes
nothing on it. A card that went astray counts as taken out: only the reset of a new insertion brings it back, so that
nobody goes on with rights that are gone.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Final

from drivers import errors
from drivers.base import Presence
from drivers.phoenix_wire import GLANCE, PhoenixWire
from drivers.phoenix_wiring import Wiring
from drivers.polled import INTERVAL, PolledSource

DEADLINE: Final = 20.0
"""Seconds a card may take for one command, however often it asks for patience; an honest SIM takes about one."""
LATENCY: Final = 0.2
"""Seconds that a USB port or a network may add to an answer."""

_STATUS: Final = bytes.fromhex("80f2000c00")  # TS 102 221 §11.1.2: no answer but the status word


class _Card(enum.Enum):
    """What is known of the card."""

    NONE = enum.auto()
    """Nothing: there is none, or none that was reset."""
    READY = enum.auto()
    """It waits for a command."""
    MUTE = enum.auto()
    """It gave no answer to reset, or none to go by."""
    ASTRAY = enum.auto()
    """It fell silent within a command, or the wire said what it should not."""


class PhoenixReader:
    """One interface as a `Device`; the port is opened at the first look and again after each loss."""

    t0 = True

    def __init__(self, wiring: Wiring, *, deadline: float = DEADLINE, latency: float = LATENCY) -> None:
        self._wiring = wiring
        self._deadline = deadline
        self._latency = latency
        self._wire: PhoenixWire | None = None
        self._card = _Card.NONE
        self._atr = b""  # of a card that answered to a look, until it is asked for

    def look(self) -> Presence:
        """See `Device.look`.

        Raises
        ------
        DriverError
            The port is gone or cannot be opened.
        """
        with self._opened() as wire:
            told = wire.present()
            if told is False or self._card is _Card.ASTRAY:
                self._card = _Card.NONE
                return Presence.NO_CARD
            if told is None:
                return self._sign_of_life(wire)
            return self._ask(Presence.MUTE) if self._card is _Card.MUTE else Presence.CARD

    def power_up(self) -> bytes:
        """See `Device.power_up`.

        Raises
        ------
        MuteCardError, BadAtrError
            There is no answer to reset, a damaged one, or it offers no T=0.
        ReaderLostError
            The port is gone.
        """
        atr, self._atr = self._atr, b""
        return atr or self.reset()

    def reset(self) -> bytes:
        """See `Device.reset`.

        Raises
        ------
        DriverError
            As `power_up` names them.
        """
        with self._opened() as wire:
            self._card, self._atr = _Card.MUTE, b""
            try:
                atr = wire.power_up().raw
            except errors.MuteCardError as error:
                raise type(error)(reader=self._wiring.reader, detail=error.detail) from None
            except (errors.ProtocolError, errors.CardUnresponsiveError, errors.EchoError) as error:
                raise errors.BadAtrError(reader=self._wiring.reader, detail=str(error)) from None
            self._card = _Card.READY
            return atr

    def send(self, unit: bytes) -> bytes:
        """See `Device.send`.

        Raises
        ------
        CardRemovedError, MalformedApduError
            Nothing was sent.
        AnswerLostError
            The card was taken out meanwhile.
        CardUnresponsiveError, EchoError, ProtocolError, ReaderLostError
            The card may have acted; it answers to nothing before it is reset.
        """
        with self._opened() as wire:
            if wire.present() is False:
                raise errors.CardRemovedError(reader=self._wiring.reader)
            if self._card is not _Card.READY:
                raise errors.CardUnresponsiveError(reader=self._wiring.reader, detail="reset it first")
            self._card = _Card.ASTRAY
            try:
                answer = wire.carry(unit)
            except errors.MalformedApduError:
                self._card = _Card.READY
                raise
            except errors.CardUnresponsiveError:
                if wire.present() is False:
                    raise errors.AnswerLostError(reader=self._wiring.reader, detail="it was taken out") from None
                raise
            self._card = _Card.READY
            return answer

    def close(self) -> None:
        """Give the port back; the card keeps its power where the interface has its own."""
        self._card, self._atr = _Card.NONE, b""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _sign_of_life(self, wire: PhoenixWire) -> Presence:
        """Find out what is in where no line tells."""
        if self._card is not _Card.READY:
            return self._ask(Presence.NO_CARD)
        try:
            wire.carry(_STATUS)
        except (errors.CardUnresponsiveError, errors.EchoError, errors.ProtocolError):
            self._card = _Card.NONE
            return Presence.NO_CARD
        return Presence.CARD

    def _ask(self, if_silent: Presence) -> Presence:
        """Reset whatever may be in, and keep its answer until somebody wants it."""
        try:
            self._atr = self.reset()
        except errors.BadAtrError:
            return Presence.MUTE
        except errors.MuteCardError:
            self._card = _Card.MUTE if if_silent is Presence.MUTE else _Card.NONE
            return if_silent
        return Presence.CARD

    @contextlib.contextmanager
    def _opened(self) -> Iterator[PhoenixWire]:
        """Give the wire, opened if need be; when the port turns out to be gone, the next look opens it anew."""
        if self._wire is None:
            self._wire = PhoenixWire(self._wiring, deadline=self._deadline, latency=self._latency)
        try:
            yield self._wire
        except (errors.ReaderLostError, errors.ReaderFailureError):
            self.close()
            raise


def open_phoenix(text: str, *, deadline: float = DEADLINE, latency: float = LATENCY) -> PolledSource:
    """Open the interface at a port, with options as `Wiring.parse` reads them.

    Raises
    ------
    UnknownSchemeError
        The text makes no sense.
    """
    wiring = Wiring.parse(text)
    reader = PhoenixReader(wiring, deadline=deadline, latency=latency)
    return PolledSource(wiring.reader, reader, interval=GLANCE if wiring.detect else INTERVAL)

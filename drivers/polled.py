"""Readers that say nothing by themselves: one device on a line, asked now and then what is in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from drivers import errors
from drivers.apdu import transceive
from drivers.base import Presence, ReaderState

T = TypeVar("T")

INTERVAL: Final = 1.0
"""Seconds between two looks at a device while nobody uses it."""


class Device(Protocol):
    """One reader on a line; `PolledSource` calls it from one thread at a time. Each call may raise `DriverError`."""

    @property
    def t0(self) -> bool:
        """Whether the card is spoken to in TPDUs of T=0."""
        ...

    def look(self) -> Presence:
        """Tell what is in: `NO_CARD`, `CARD` or `MUTE`; opens the line when it is not open."""
        ...

    def power_up(self) -> bytes:
        """Make a card that was just put in ready, and return its ATR, empty where the device tells none.

        After a `MuteCardError`, `look` says `MUTE` until the card leaves or answers to a reset.
        """
        ...

    def reset(self) -> bytes:
        """Reset the card and return its ATR, empty where the device tells none."""
        ...

    def send(self, unit: bytes) -> bytes:
        """Move one unit to the card and return its answer with the status word."""
        ...

    def close(self) -> None:
        """Give the line back; the next call opens it again."""
        ...


class PolledSource:
    """A `ReaderSource` of one reader around a device; a swap between two looks shows only where the device sees it."""

    def __init__(self, name: str, device: Device, *, interval: float = INTERVAL) -> None:
        self.name = name
        self.device = device
        self.line = threading.RLock()
        """Held for each exchange with the device."""
        self.insertion = 0
        self.atr = b""
        self.absence: errors.DriverError | None = errors.NoCardError(reader=name)
        """Why no card can be spoken to; None while one is in."""
        self.doubted = False
        """Whether the last command to the device failed, so that what was seen before may hold no more."""
        self._interval = interval
        self._mute: errors.MuteCardError | None = None
        self._holder: PolledConnection | None = None
        self._shown: tuple[ReaderState, ...] | None = None
        self._news = threading.Event()

    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """See `ReaderSource.wait`; a device that does not answer is not among the readers."""
        end = time.monotonic() + timeout
        while True:
            asked = self._news.is_set()
            self._news.clear()
            states = self._states()
            if asked or states != self._shown or time.monotonic() >= end:
                self._shown = states
                return states
            self._news.wait(min(self._interval, max(0.0, end - time.monotonic())))

    def interrupt(self) -> None:
        """See `ReaderSource.interrupt`."""
        self._news.set()

    def connect(self, reader: str) -> PolledConnection:
        """See `ReaderSource.connect`; whether a card seen before is still there, the connection's first use finds out.

        Raises
        ------
        DriverError
            As named there.
        """
        with self.line:
            if reader != self.name:
                raise errors.NoReaderError(reader=reader)
            if self.absence is not None or self._mute is not None or self.doubted:
                self.look_twice()
            if self.absence is not None:
                raise errors.NoCardError(reader=reader)
            if self._mute is not None:
                raise type(self._mute)(reader=reader, detail=self._mute.detail)
            if self._holder is not None:
                raise errors.SharingViolationError(reader=reader, detail="this very program")
            self._holder = PolledConnection(self)
            self.interrupt()
            return self._holder

    def close(self) -> None:
        """See `ReaderSource.close`."""
        self.interrupt()
        with self.line:
            self.device.close()

    def look(self) -> None:
        """Ask the device what is in and note it.

        Raises
        ------
        DriverError
            The device does not answer, or another program holds its line.
        """
        try:
            presence = self.device.look()
            self.doubted = False
            if presence is Presence.NO_CARD:
                self.card_left()
                return
            arrived = self.absence is not None
            recovered = self._mute is not None and presence is Presence.CARD
            muteness = self._mute or errors.MuteCardError(reader=self.name)
            self.absence, self._mute = None, muteness if presence is Presence.MUTE else None
            self.insertion += arrived
            if arrived or recovered:
                self.atr = self.device.power_up()
        except errors.MuteCardError as error:
            self._mute = error
        except errors.DriverError as error:
            self.card_left(error)
            raise

    def look_twice(self) -> None:
        """Look, and once more where no card was seen: a device may take one that fell silent for gone at first.

        Raises
        ------
        DriverError
            As `look` names them.
        """
        self.look()
        if self.absence is not None:
            self.look()

    def answered(self, atr: bytes) -> None:
        """Note what the card that is in answered to a reset."""
        self.atr, self._mute = atr, None

    def card_left(self, absence: errors.DriverError | None = None) -> None:
        """Note that the card is no longer where it can be spoken to: taken out, or the device is gone."""
        self.absence = absence or errors.NoCardError(reader=self.name)
        self._mute, self.atr = None, b""

    def let_go(self, connection: PolledConnection) -> None:
        """End a connection; one that ended before is fine."""
        with self.line:
            if self._holder is connection:
                self._holder = None
                self.interrupt()

    def _states(self) -> tuple[ReaderState, ...]:
        """Look at the reader, or tell what the last look said while a command or a conversation is under way."""
        if not self.line.acquire(timeout=self._interval):
            held = self._holder is not None and self.absence is None
            return (self._state(),) if held else self._shown or ()
        try:
            self.look()
        except errors.SharingViolationError:
            return (ReaderState(self.name, Presence.BUSY, insertion=self.insertion),)
        except errors.DriverError:
            return ()
        else:
            return (self._state(),)
        finally:
            self.line.release()

    def _state(self) -> ReaderState:
        return ReaderState(self.name, self._presence(), self.atr, self.insertion)

    def _presence(self) -> Presence:
        if self.absence is not None:
            return Presence.NO_CARD
        if self._mute is not None:
            return Presence.MUTE
        return Presence.BUSY if self._holder else Presence.CARD


class PolledConnection:
    """The card of a `PolledSource`, held exclusively."""

    def __init__(self, source: PolledSource) -> None:
        self._source = source
        self._insertion = source.insertion
        self._met = False
        """Whether the card was asked for since the connection was opened: the last look may be a while ago."""
        self.atr = source.atr

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `CardConnection.transmit`; nothing else goes over the line until the final answer is there.

        Raises
        ------
        DriverError
            As named there.
        """
        with self._source.line:
            if not self._met:
                self._met = True
                self._source.look_twice()
            self._check()
            return transceive(apdu, self._send, t0=self._source.device.t0)

    def reset(self) -> bytes:
        """See `CardConnection.reset`; takes the card that is in now.

        Raises
        ------
        DriverError
            Card or reader is gone, or the device cannot reset a card.
        """
        with self._source.line:
            if self._source.absence is not None:
                self._source.look_twice()
            self._insertion = self._source.insertion
            self._check()
            try:
                self.atr = self._source.device.reset()
            except errors.DriverError as error:
                raise self._noted(error) from None
            self._source.answered(self.atr)
            self._met = True
            return self.atr

    def converse(self, work: Callable[[], T]) -> T:
        """See `CardConnection.converse`: the line has time-outs of its own.

        Nothing else is asked of the card meanwhile: a command in clear may end a secure channel.
        """
        with self._source.line:
            return work()

    def close(self) -> None:
        """See `CardConnection.close`."""
        self._source.let_go(self)

    def _check(self) -> None:
        """Refuse to speak to any card but the one that was opened."""
        absence = self._source.absence
        if self._insertion != self._source.insertion or isinstance(absence, errors.NoCardError):
            raise errors.CardRemovedError(reader=self._source.name)
        if absence is not None:
            raise errors.ReaderLostError(reader=self._source.name, detail=str(absence))

    def _send(self, unit: bytes) -> bytes:
        try:
            return self._source.device.send(unit)
        except errors.DriverError as error:
            raise self._noted(error) from None

    def _noted(self, error: errors.DriverError) -> errors.DriverError:
        """Give what to raise for a device's error, after noting what it tells of card and reader."""
        self._source.doubted = True
        if isinstance(error, errors.NoCardError | errors.CardRemovedError):
            self._source.card_left()
            return errors.CardRemovedError(reader=self._source.name)
        if isinstance(error, errors.ReaderLostError | errors.NoReaderError):
            self._source.card_left(error)
            return errors.ReaderLostError(reader=self._source.name, detail=error.detail)
        return error

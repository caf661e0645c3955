"""PC/SC readers (pcsc-lite, WinSCard): the only importer of `smartcard`.

The raw SCard calls are used, not pyscard's classes: those power the card down when collected, keep one context for the
process that stays broken after the service restarts, and watch readers with monitors that end silently.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from smartcard import scard

from drivers import errors
from drivers.apdu import transceive
from drivers.base import Presence, ReaderState
from drivers.deadline import Lane

T = TypeVar("T")

DEADLINE: Final = 20.0
"""Seconds a card may take for one command; an honest SIM answers within about one."""
MAX_READERS: Final = 15
"""pcsc-lite serves 16, but a status question holds 16 names in all and one of them asks for new readers."""

_PLUG_AND_PLAY = "\\\\?PnP?\\Notification"
_COUNTER_SHIFT = 16  # the upper half of dwEventState counts insertions and removals (for plug and play: readers)
_CLOSING = 2.0

_ERRORS: Final[dict[int, type[errors.DriverError]]] = {
    scard.SCARD_E_NO_SERVICE: errors.ServiceDownError,
    scard.SCARD_E_SERVICE_STOPPED: errors.ServiceDownError,
    scard.SCARD_E_INVALID_HANDLE: errors.ServiceDownError,
    scard.SCARD_E_NO_READERS_AVAILABLE: errors.NoReaderError,
    scard.SCARD_E_UNKNOWN_READER: errors.NoReaderError,
    scard.SCARD_E_READER_UNAVAILABLE: errors.ReaderLostError,
    scard.SCARD_E_NO_SMARTCARD: errors.NoCardError,
    scard.SCARD_W_REMOVED_CARD: errors.CardRemovedError,
    scard.SCARD_W_RESET_CARD: errors.CardResetError,
    scard.SCARD_W_UNPOWERED_CARD: errors.MuteCardError,
    scard.SCARD_W_UNRESPONSIVE_CARD: errors.MuteCardError,
    scard.SCARD_W_UNSUPPORTED_CARD: errors.ProtocolError,
    scard.SCARD_E_PROTO_MISMATCH: errors.ProtocolError,
    scard.SCARD_E_SHARING_VIOLATION: errors.SharingViolationError,
    scard.SCARD_E_NOT_TRANSACTED: errors.AnswerLostError,
    scard.SCARD_E_COMM_DATA_LOST: errors.AnswerLostError,
    scard.SCARD_F_COMM_ERROR: errors.AnswerLostError,
}
_HOLDERS: Final = frozenset({"scdaemon", "firefox", "chrome", "chromium", "pcsc_scan", "opensc-notify"})
_USUAL_HOLDERS: Final = ["gpg's scdaemon", "a browser", "the vendor's tray tool", "another station"]


def _check(result: int, reader: str = "") -> None:
    """Raise the named error of a PC/SC result other than success."""
    if result == scard.SCARD_S_SUCCESS:
        return
    kind = _ERRORS.get(result, errors.ReaderFailureError)
    detail = f"0x{result & 0xFFFFFFFF:08X}"
    if kind is errors.SharingViolationError:
        detail += f", likely {', '.join(_likely_holders())}"
    raise kind(reader=reader, detail=detail)


def _likely_holders() -> list[str]:
    """Name programs known to hold readers: those running now, or the usual suspects when none is seen."""
    running = set()
    for name in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            running.add(name.read_text().strip())
    return sorted(running & _HOLDERS) or _USUAL_HOLDERS


def _establish() -> int:
    """Open a context of our own with the service."""
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _check(result)
    return int(context)


class PcscConnection:
    """One card held exclusively; every call to it runs in the connection's own thread, under a deadline.

    Raises `DriverError` as `ReaderSource.connect` does.
    """

    def __init__(self, reader: str, *, deadline: float = DEADLINE, spare: list[int] | None = None) -> None:
        self._reader = reader
        self._deadline = deadline
        self._spare: list[int] = [] if spare is None else spare
        """Contexts that connections before have left: a new one takes as long as two commands to a card."""
        self._closed = False
        self._context: int | None = None
        self._card: int | None = None
        self._protocol: int = scard.SCARD_PROTOCOL_T0
        self._lane = Lane(f"card in {reader}", deadline)
        try:
            self._atr = self._within(self._open)
        except errors.DriverError:
            self.close()
            raise

    @property
    def atr(self) -> bytes:
        """The last answer to reset."""
        return self._atr

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `CardConnection.transmit`.

        Raises
        ------
        DriverError
            `CardUnresponsiveError` when the card is silent for the deadline; the connection is dead then.
        """
        return transceive(apdu, self._send, t0=self._protocol == scard.SCARD_PROTOCOL_T0)

    def reset(self) -> bytes:
        """See `CardConnection.reset`.

        Raises
        ------
        DriverError
            Card or reader is gone.
        """
        self._atr = self._within(self._reset)
        return self._atr

    def converse(self, work: Callable[[], T]) -> T:
        """See `CardConnection.converse`.

        Raises
        ------
        CardUnresponsiveError
            The card was silent for the deadline; the connection is dead then.
        """
        try:
            return self._lane.converse(work)
        except TimeoutError:
            raise self._unresponsive() from None

    def close(self) -> None:
        """See `CardConnection.close`."""
        if not self._closed:
            self._closed = True
            self._lane.close(self._release, _CLOSING)

    def _send(self, unit: bytes) -> bytes:
        return self._within(lambda: self._transmit(unit))

    def _within(self, work: Callable[[], T]) -> T:
        try:
            return self._lane.call(work)
        except TimeoutError:
            raise self._unresponsive() from None

    def _unresponsive(self) -> errors.DriverError:
        return errors.CardUnresponsiveError(reader=self._reader, detail=f"{self._deadline:g} s")

    # From here on: only ever called in the lane's thread.

    def _open(self) -> bytes:
        with contextlib.suppress(IndexError):  # cards of several readers are opened at once: no asking before
            self._context = self._spare.pop()
        if self._context is not None:
            try:
                return self._power()
            except errors.ServiceDownError:  # the service that knew this context is gone; another may run by now
                scard.SCardReleaseContext(self._context)
                self._context = None
        self._context = _establish()
        return self._power()

    def _power(self) -> bytes:
        try:
            self._connect(scard.SCARD_PROTOCOL_T0)
        except errors.ProtocolError:
            self._connect(scard.SCARD_PROTOCOL_T1)  # the ATR does not offer T=0
        return self._read_atr()

    def _connect(self, protocol: int) -> None:
        result, card, active = scard.SCardConnect(self._context, self._reader, scard.SCARD_SHARE_EXCLUSIVE, protocol)
        _check(result, self._reader)
        self._card, self._protocol = card, active

    def _reset(self) -> bytes:
        exclusive, reset = scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_RESET_CARD
        result, active = scard.SCardReconnect(self._card, exclusive, self._protocol, reset)
        if result == scard.SCARD_E_NO_SMARTCARD:
            raise errors.CardRemovedError(reader=self._reader)
        _check(result, self._reader)
        self._protocol = active  # a reset that failed names none: the next one asks for this card's again
        return self._read_atr()

    def _read_atr(self) -> bytes:
        result, _reader, _state, _protocol, atr = scard.SCardStatus(self._card)
        _check(result, self._reader)
        return bytes(atr)

    def _transmit(self, unit: bytes) -> bytes:
        header = scard.SCARD_PCI_T0 if self._protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        result, answer = scard.SCardTransmit(self._card, header, list(unit))
        _check(result, self._reader)
        return bytes(answer)

    def _release(self) -> None:
        """Leave the card powered: a reset under another connection's feet would look like a fault there."""
        left = None if self._card is None else scard.SCardDisconnect(self._card, scard.SCARD_LEAVE_CARD)
        if self._context is None:
            return
        if left == scard.SCARD_S_SUCCESS and len(self._spare) < MAX_READERS:
            self._spare.append(self._context)
        else:
            scard.SCardReleaseContext(self._context)


class PcscSource:
    """All readers of the PC/SC service, or those whose name holds `name_part`; at most `MAX_READERS`."""

    def __init__(self, name_part: str = "", *, deadline: float = DEADLINE) -> None:
        self._name_part = name_part
        self._deadline = deadline
        self._context: int | None = None
        self._interrupted = threading.Event()
        self._seen: dict[str, int] = {}
        self._insertions: dict[str, int] = {}
        self._spare: list[int] = []

    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """See `ReaderSource.wait`.

        Raises
        ------
        ServiceDownError
            The PC/SC service is gone; the next call builds a new context.
        """
        try:
            with contextlib.suppress(errors.NoReaderError):  # one was unplugged between its listing and the question
                return self._wait(timeout)
            return self._wait(timeout)
        except errors.DriverError as error:
            self._forget()
            if isinstance(error, errors.ServiceDownError):
                raise
            raise errors.ServiceDownError(detail=str(error)) from None

    def interrupt(self) -> None:
        """See `ReaderSource.interrupt`."""
        self._interrupted.set()
        if self._context is not None:
            scard.SCardCancel(self._context)

    def connect(self, reader: str) -> PcscConnection:
        """See `ReaderSource.connect`.

        Raises
        ------
        DriverError
            As named there.
        """
        return PcscConnection(reader, deadline=self._deadline, spare=self._spare)

    def close(self) -> None:
        """See `ReaderSource.close`."""
        self.interrupt()
        self._forget()
        while self._spare:
            scard.SCardReleaseContext(self._spare.pop())

    def _forget(self) -> None:
        """Drop the context; whatever is in a reader after this counts as newly inserted."""
        context, self._context = self._context, None
        self._seen.clear()
        if context is not None:
            scard.SCardReleaseContext(context)  # says "invalid handle" when the service went first: as good

    def _wait(self, timeout: float) -> tuple[ReaderState, ...]:
        if self._context is None:
            self._context = _establish()
        names = self._list(self._context)
        states = [(name, self._seen.get(name, scard.SCARD_STATE_UNAWARE)) for name in names]
        news = len(names) != len(self._seen) or any(name not in self._seen for name in names)
        milliseconds = 0 if news or self._interrupted.is_set() else int(timeout * 1000)
        self._interrupted.clear()
        question = [*states, (_PLUG_AND_PLAY, scard.SCARD_STATE_UNAWARE)]
        result, answer = scard.SCardGetStatusChange(self._context, milliseconds, question)
        if result not in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED):
            _check(result)
        looked = [self._look(name, state, bytes(atr)) for name, state, atr in answer if name != _PLUG_AND_PLAY]
        self._seen = {name: self._seen[name] for name in names if name in self._seen}
        return tuple(state for state in looked if state is not None)

    def _list(self, context: int) -> list[str]:
        result, names = scard.SCardListReaders(context, [])
        if result == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        _check(result)
        return [name for name in names if self._name_part in name][:MAX_READERS]

    def _look(self, name: str, event: int, atr: bytes) -> ReaderState | None:
        """Turn one event state into a reader's state; None for a reader that left since it was listed."""
        if event & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            self._seen.pop(name, None)
            return None
        before = self._seen.get(name)
        self._seen[name] = event & ~scard.SCARD_STATE_CHANGED
        if not event & scard.SCARD_STATE_PRESENT:
            return ReaderState(name, Presence.NO_CARD, insertion=self._insertions.get(name, 0))
        if before is None or before >> _COUNTER_SHIFT != event >> _COUNTER_SHIFT:
            self._insertions[name] = self._insertions.get(name, 0) + 1
        return ReaderState(name, _presence(event), atr, self._insertions[name])


def _presence(event: int) -> Presence:
    """Name what a reader with a card in it is like."""
    if event & scard.SCARD_STATE_MUTE:
        return Presence.MUTE
    if event & (scard.SCARD_STATE_EXCLUSIVE | scard.SCARD_STATE_INUSE):
        return Presence.BUSY
    return Presence.CARD

"""One serial port, or whatever stands behind a pyserial URL, with this package's errors."""

from __future__ import annotations

import contextlib
import errno
import re
import time
from collections.abc import Iterator
from typing import Final, Literal

import serial

from drivers import errors

Output = Literal["rts", "dtr"]
Input = Literal["cts", "dsr", "cd"]

_SLICE: Final = 0.05
"""Seconds of one read: a port's time-out is set once, since changing it speaks to the far end of an rfc2217 URL."""
_WRITING: Final = 5.0
_HELD: Final = {errno.EAGAIN, errno.EACCES, errno.EBUSY}
_NO_SUCH_LINE: Final = {errno.ENOTTY, errno.EINVAL}
"""What a pseudo-terminal says to modem lines."""
_NEVER_TOLD: Final = "NOTIFY_MODEMSTATE"  # pyserial's words for a remote port that keeps its modem lines to itself

_FAULTS: tuple[type[Exception], ...] = (serial.SerialException, OSError)
with contextlib.suppress(ImportError):  # there is none on Windows
    import termios

    _FAULTS = (*_FAULTS, termios.error)  # pyserial lets it pass where a port cannot do what it is set to
_REFUSALS: tuple[type[Exception], ...] = (ValueError, *_FAULTS)  # ValueError: a remote port refuses
_NONSENSE: Final = (KeyError, TypeError, ValueError)
"""What the options in a URL may raise in pyserial, which looks at some of them only when it opens the port."""


def check_url(scheme: str, url: str) -> str:
    """Return the URL if pyserial knows how to open its kind; whether anything is there now is no matter.

    Raises
    ------
    UnknownSchemeError
        It is empty or of a kind that pyserial does not know.
    """
    try:
        known = bool(url) and serial.serial_for_url(url, do_not_open=True)
    except serial.SerialException:
        known = True  # hwgrep:// looks for its port at once: it may be plugged in later
    except (*_NONSENSE, OSError, re.error):  # OSError: spy:// opens its log; re.error: hwgrep:// takes a pattern
        known = False
    if not known:
        raise errors.UnknownSchemeError(detail=f"{scheme}:{url}: expected a port such as {scheme}:/dev/ttyUSB0")
    return url


class SerialLine:
    """An open port with eight data bits, held exclusively where the system can; the modem lines are set as it opens.

    Raises
    ------
    NoReaderError
        The port is not there or cannot be opened.
    SharingViolationError
        Another program holds it.
    ReaderFailureError
        It cannot be set up so.
    """

    def __init__(
        self,
        url: str,
        *,
        reader: str,
        baudrate: int,
        parity: str = "N",
        stop_bits: int = 1,
        rts: bool = True,
        dtr: bool = True,
    ) -> None:
        self._reader = reader
        try:
            self._port = serial.serial_for_url(
                url, do_not_open=True, baudrate=baudrate, parity=parity, stopbits=stop_bits, timeout=_SLICE
            )
            self._port.exclusive = True
            self._port.write_timeout = None if url.startswith("rfc2217:") else _WRITING  # a remote port has none
            self._port.rts, self._port.dtr = rts, dtr
            self._port.open()
        except _NONSENSE as error:
            raise errors.ReaderFailureError(reader=reader, detail=str(error)) from None
        except _FAULTS as error:
            if isinstance(error, OSError) and error.errno in _HELD and "lock" in str(error):
                raise errors.SharingViolationError(reader=reader) from None
            raise errors.NoReaderError(reader=reader, detail=str(error)) from None

    def read(self, until: float) -> bytes:
        """Return what has come, at least one byte; nothing once `time.monotonic()` reaches `until`.

        Raises
        ------
        ReaderLostError
            The port is gone.
        """
        with self._lost():
            while not (first := self._port.read(1)):
                if time.monotonic() >= until:
                    return b""
            return bytes(first + self._port.read(self._port.in_waiting))

    def write(self, data: bytes) -> None:
        """Send the bytes.

        Raises
        ------
        ReaderLostError
            The port is gone or takes nothing.
        """
        with self._lost():
            self._port.write(data)

    def drain(self) -> None:
        """Forget what came in unasked.

        Raises
        ------
        ReaderLostError
            The port is gone.
        """
        with self._lost():
            while waiting := self._port.in_waiting:
                if not self._port.read(max(1, waiting - 1)):  # a remote port's last word when its connection ended
                    raise serial.SerialException

    def set_baudrate(self, baudrate: int) -> None:
        """Change the speed.

        Raises
        ------
        ReaderFailureError
            A remote port refuses it.
        ReaderLostError
            The port is gone.
        """
        try:
            with self._lost():
                self._port.baudrate = baudrate
        except ValueError as error:
            raise errors.ReaderFailureError(reader=self._reader, detail=str(error)) from None

    def set_up(self, *, baudrate: int, parity: str) -> None:
        """Change speed and parity, where they are others.

        Raises
        ------
        ReaderFailureError
            The port cannot do that.
        """
        try:
            if self._port.baudrate != baudrate:
                self._port.baudrate = baudrate
            if self._port.parity != parity:
                self._port.parity = parity
        except _REFUSALS as error:
            raise errors.ReaderFailureError(reader=self._reader, detail=str(error)) from None

    def put(self, line: Output, *, asserted: bool) -> None:
        """Set a modem line; nothing happens on a port that has none.

        Raises
        ------
        ReaderLostError
            The port is gone.
        """
        with self._lost(lineless=True), contextlib.suppress(ValueError):
            setattr(self._port, line, asserted)

    def get(self, line: Input) -> bool | None:
        """Return whether a modem line is asserted, None on a port that cannot tell.

        Raises
        ------
        ReaderLostError
            The port is gone.
        """
        with self._lost(lineless=True):
            return bool(getattr(self._port, line))
        return None

    def close(self) -> None:
        """Give the port back; never raises."""
        far_end = getattr(self._port, "_socket", None)  # pyserial leaves it open when the far end went first
        with contextlib.suppress(*_FAULTS):
            self._port.close()
        if far_end is not None:
            far_end.close()

    @contextlib.contextmanager
    def _lost(self, *, lineless: bool = False) -> Iterator[None]:
        """Name a failure of the port; with `lineless`, pass over one that only says that it has no modem lines."""
        try:
            yield
        except _FAULTS as error:
            number = error.errno if isinstance(error, OSError) else None
            if not lineless or not (number in _NO_SUCH_LINE or _NEVER_TOLD in str(error)):
                raise errors.ReaderLostError(reader=self._reader, detail=type(error).__name__) from None

"""A trace of what goes to a card and comes back, fit for a log: nothing that could be a key, a code or an identity.

By default only headers, lengths, status words and the names of selected files are shown. `show_data` is for cards of a
test bench; even then the commands that carry codes, and the answer of AUTHENTICATE, stay hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from drivers.apdu import HEADER_LENGTH, CommandAPDU
from drivers.base import CardConnection
from drivers.errors import DriverError

T = TypeVar("T")

_SELECT = 0xA4
_HIDDEN_COMMAND: Final = frozenset(
    {
        0x20,  # VERIFY PIN, TS 102 221 §11.1.9
        0x24,  # CHANGE PIN, §11.1.10
        0x26,  # DISABLE PIN, §11.1.11
        0x28,  # ENABLE PIN, §11.1.12
        0x2C,  # UNBLOCK PIN, §11.1.13
    }
)
_HIDDEN_ANSWER: Final = frozenset({0x88, 0x89})  # AUTHENTICATE, TS 102 221 §11.1.16; RUN GSM ALGORITHM is 88 too


def describe(apdu: bytes, data: bytes, sw: int, *, show_data: bool = False) -> str:
    """Return one line about a command and its answer, such as `00a40004 2fe2 > 9000`."""
    command = CommandAPDU.parse(apdu)
    show_command = command.ins == _SELECT or (show_data and command.ins not in _HIDDEN_COMMAND)
    show_answer = show_data and command.ins not in _HIDDEN_ANSWER
    sent = _shown(command.data, show=show_command)
    got = _shown(data, show=show_answer)
    return f"{apdu[:HEADER_LENGTH].hex()}{sent} >{got} {sw:04x}"


def _shown(data: bytes, *, show: bool) -> str:
    if not data:
        return ""
    return f" {data.hex()}" if show else f" [{len(data)} bytes]"


class TracingConnection:
    """A connection that tells `sink` one line per command; closing it closes the one inside."""

    def __init__(self, inner: CardConnection, sink: Callable[[str], None], *, show_data: bool = False) -> None:
        self._inner = inner
        self._sink = sink
        self._show_data = show_data

    @property
    def atr(self) -> bytes:
        """The last answer to reset."""
        return self._inner.atr

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `CardConnection.transmit`.

        Raises
        ------
        DriverError
            What the inner connection raised, after it was traced.
        """
        try:
            data, sw = self._inner.transmit(apdu)
        except DriverError as error:
            self._sink(f"{apdu[:HEADER_LENGTH].hex()} > {error.code}")
            raise
        self._sink(describe(apdu, data, sw, show_data=self._show_data))
        return data, sw

    def reset(self) -> bytes:
        """See `CardConnection.reset`.

        Raises
        ------
        DriverError
            What the inner connection raised.
        """
        atr = self._inner.reset()
        self._sink(f"reset > {atr.hex()}")
        return atr

    def converse(self, work: Callable[[], T]) -> T:
        """See `CardConnection.converse`; a command that the card never answered is not traced.

        Raises
        ------
        CardUnresponsiveError
            As named there.
        """
        return self._inner.converse(work)

    def close(self) -> None:
        """See `CardConnection.close`."""
        self._inner.close()

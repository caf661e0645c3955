"""All that the rest of the world knows about readers and cards in them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol


class Presence(enum.StrEnum):
    """What a reader holds, as far as one look tells."""

    SERVICE_DOWN = "service_down"
    """The service behind the readers does not answer; the reader was there before."""
    NO_CARD = "no_card"
    CARD = "card"
    MUTE = "mute"
    """A card that gives no answer to reset."""
    BUSY = "busy"
    """A card that some program, perhaps this one, is connected to."""
    LOST = "lost"
    """The reader was there before and is gone."""


@dataclass(frozen=True)
class ReaderState:
    """One reader at one moment.

    `insertion` rises with every card put in since the source was opened, also when card left and came between two
    looks: the same number means the very same insertion.
    """

    name: str
    presence: Presence
    atr: bytes = b""
    insertion: int = 0


class CardConnection(Protocol):
    """One card, held exclusively until `close`."""

    @property
    def atr(self) -> bytes:
        """The last answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Send one command APDU; return the answer's data and the final status word.

        61xx, 9Fxx and 6Cxx are already followed.

        Raises
        ------
        DriverError
            One of `drivers.errors`. For `MalformedApduError` and `ForbiddenCommandError` nothing was sent; for all
            others the card may have acted.
        """
        ...

    def reset(self) -> bytes:
        """Reset the card and return its ATR; selected file and verified rights are gone.

        If the card was swapped meanwhile this may succeed on the new one: read its identity again.

        Raises
        ------
        DriverError
            Card or reader is gone.
        """
        ...

    def close(self) -> None:
        """Let go of the card and leave it powered as it is. Never raises, may be called twice."""
        ...


class ReaderSource(Protocol):
    """Where readers come from: lists them, watches them, opens cards."""

    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """Block until a reader changes against the last call, or `timeout` seconds pass; return all readers by name.

        The first call returns at once.

        Raises
        ------
        ServiceDownError
            The service behind the readers is gone; call again later.
        """
        ...

    def interrupt(self) -> None:
        """Make a `wait` in another thread return now."""
        ...

    def connect(self, reader: str) -> CardConnection:
        """Open the card in this reader, exclusively.

        Raises
        ------
        DriverError
            `NoReaderError`, `ReaderLostError`, `NoCardError`, `MuteCardError`, `SharingViolationError`,
            `ServiceDownError` and others of `drivers.errors`.
        """
        ...

    def close(self) -> None:
        """Let go of the service; a `wait` under way returns."""
        ...

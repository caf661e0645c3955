"""All that the rest of the world knows about readers and cards in them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


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

    def converse(self, work: Callable[[], T]) -> T:
        """Run `work`, which talks to the card by this connection, and return its result or raise what it raised.

        A driver with a thread of its own for the card runs it there, so that its commands follow each other without a
        change of threads. When the card falls silent in it, nothing more of `work` is run.

        Raises
        ------
        CardUnresponsiveError
            The card fell silent; `work` itself may not have heard of it.
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


class Place(enum.StrEnum):
    """Where in a dispenser a card lies."""

    NOWHERE = "nowhere"
    """No card between stacker and gate."""
    CONTACTS = "contacts"
    """Where it can be read and written; with one that can be connected to the presence is `CARD`."""
    GATE = "gate"
    """Held at the gate for the customer to take."""


class Supply(enum.StrEnum):
    """How many blanks a stacker holds."""

    EMPTY = "empty"
    FEW = "few"
    ENOUGH = "enough"


@dataclass(frozen=True)
class DispenserState:
    """One look at a card dispenser."""

    card: Place
    stacker: Supply
    bin_full: bool


@runtime_checkable
class Dispenser(ReaderSource, Protocol):
    """A reader that moves its cards itself: stacker, contacts, gate, and a bin for spoiled ones.

    Each movement ends every connection to the card that was at the contacts, and raises a `DriverError` when the card
    did not arrive; where it lies is then told by `state`.
    """

    def state(self) -> DispenserState:
        """Return where the card is and how stacker and bin stand.

        Raises
        ------
        DriverError
            The dispenser does not answer.
        """
        ...

    def feed(self) -> None:
        """Bring a card from the stacker to the contacts.

        Raises
        ------
        CardInsideError, StackerEmptyError, CardJamError
            One is inside already, none came, or it got stuck.
        DriverError
            The dispenser does not answer.
        """
        ...

    def hand_out(self) -> None:
        """Bring the card to the gate and hold it there until the customer takes it.

        Raises
        ------
        NoCardError, CardJamError
            There is none, or it got stuck.
        DriverError
            The dispenser does not answer.
        """
        ...

    def reject(self) -> None:
        """Drop the card, at the contacts or at the gate, into the bin.

        Raises
        ------
        NoCardError, BinFullError, CardJamError
            There is none, it does not fit, or it got stuck.
        DriverError
            The dispenser does not answer.
        """
        ...

    def rejected(self) -> int:
        """Return how many cards the bin counts since it was emptied.

        Raises
        ------
        DriverError
            The dispenser does not answer.
        """
        ...

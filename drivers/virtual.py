"""A reader without hardware: one slot in this process, around any object that answers like a card."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Protocol, Self, TypeVar, runtime_checkable

from drivers import errors
from drivers.apdu import transceive
from drivers.base import Presence, ReaderState

T = TypeVar("T")


@runtime_checkable
class VirtualCard(Protocol):
    """What a virtual card must do: answer as on the wire of T=0."""

    def reset(self) -> bytes:
        """Forget the selected file and verified rights; return the answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one command with data and status word; an empty answer means that power went away."""
        ...


class VirtualSource:
    """One reader of this process; `insert` and `remove` are the hands."""

    def __init__(self, card: VirtualCard | None = None, *, name: str = "virtual") -> None:
        self.name = name
        self.changed = threading.Condition()
        self.card: VirtualCard | None = None
        self.atr = b""
        self.insertion = 0
        self.holder: VirtualConnection | None = None
        self._news = True
        if card is not None:
            self.insert(card)

    @classmethod
    def of(cls, target: str) -> Self:
        """Make a source from `package.module:callable`, which returns the card in it.

        Raises
        ------
        UnknownSchemeError
            The target is not of that form, cannot be found, or returns no card.
        """
        module, _, attribute = target.partition(":")
        try:
            card = getattr(importlib.import_module(module), attribute)()
        except (ImportError, AttributeError, TypeError, ValueError) as error:  # TypeError: a relative name, no callable
            raise errors.UnknownSchemeError(detail=f"virtual:{target}: {error}") from None
        if not isinstance(card, VirtualCard):
            raise errors.UnknownSchemeError(detail=f"virtual:{target}: returns no card")
        return cls(card)

    def insert(self, card: VirtualCard) -> None:
        """Put a card in, in place of the one there."""
        with self.changed:
            self.card, self.atr = card, card.reset()
            self.insertion += 1
            self._tell()

    def remove(self) -> None:
        """Take the card out."""
        with self.changed:
            self.card = None
            self._tell()

    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """See `ReaderSource.wait`."""
        with self.changed:
            self.changed.wait_for(lambda: self._news, timeout)
            self._news = False
            return (ReaderState(self.name, self._presence(), self.atr if self.card else b"", self.insertion),)

    def interrupt(self) -> None:
        """See `ReaderSource.interrupt`."""
        with self.changed:
            self._tell()

    def connect(self, reader: str) -> VirtualConnection:
        """See `ReaderSource.connect`.

        Raises
        ------
        NoReaderError, NoCardError, SharingViolationError
            The slot has another name, is empty, or is held already.
        """
        with self.changed:
            if reader != self.name:
                raise errors.NoReaderError(reader=reader)
            if self.card is None:
                raise errors.NoCardError(reader=reader)
            if self.holder is not None:
                raise errors.SharingViolationError(reader=reader, detail="this very program")
            self.holder = VirtualConnection(self)
            self._tell()
            return self.holder

    def let_go(self, connection: VirtualConnection) -> None:
        """End a connection; one that ended before is fine."""
        with self.changed:
            if self.holder is connection:
                self.holder = None
                self._tell()

    def close(self) -> None:
        """See `ReaderSource.close`."""
        self.interrupt()

    def _tell(self) -> None:
        self._news = True
        self.changed.notify_all()

    def _presence(self) -> Presence:
        if self.card is None:
            return Presence.NO_CARD
        return Presence.BUSY if self.holder else Presence.CARD


class VirtualConnection:
    """The card of a `VirtualSource`, held exclusively."""

    def __init__(self, source: VirtualSource) -> None:
        self._source = source
        self._insertion = source.insertion
        self.atr = source.atr

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `CardConnection.transmit`.

        Raises
        ------
        DriverError
            As named there.
        """
        return transceive(apdu, self._send, t0=True)

    def reset(self) -> bytes:
        """See `CardConnection.reset`; like a real reader it takes the card that is there now.

        Raises
        ------
        CardRemovedError
            The slot is empty.
        """
        self._insertion = self._source.insertion
        self.atr = self._card().reset()
        return self.atr

    def converse(self, work: Callable[[], T]) -> T:
        """See `CardConnection.converse`."""
        return work()

    def close(self) -> None:
        """See `CardConnection.close`."""
        self._source.let_go(self)

    def _card(self) -> VirtualCard:
        card = self._source.card
        if card is None or self._source.insertion != self._insertion:
            raise errors.CardRemovedError(reader=self._source.name)
        return card

    def _send(self, unit: bytes) -> bytes:
        return self._card().transmit(unit)

"""Readers that show what a test says."""

from __future__ import annotations

from typing_extensions import override

from drivers.base import Presence, ReaderState
from drivers.errors import DriverError, ServiceDownError, SharingViolationError
from drivers.virtual import VirtualConnection, VirtualSource
from tests.station.tiny_card import TinyCard


class Shown(VirtualSource):
    """Readers as given, or an error instead of them."""

    def __init__(self, *states: ReaderState, error: DriverError | None = None) -> None:
        super().__init__()
        self.states, self.error = states, error

    @override
    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """Show them."""
        if self.error is not None:
            raise self.error
        return self.states


class Held(VirtualSource):
    """A reader whose card another program keeps."""

    def __init__(self) -> None:
        super().__init__(TinyCard())
        self.holder = VirtualConnection(self)

    @override
    def connect(self, reader: str) -> VirtualConnection:
        """Say who may have it."""
        raise SharingViolationError(reader=reader, detail="0x8010000B, likely scdaemon")


def down() -> Shown:
    """Make readers behind a service that is not there."""
    return Shown(error=ServiceDownError())


def with_cards(*names: str) -> Shown:
    """Make readers of these names, each with a card."""
    return Shown(*(ReaderState(name, Presence.CARD, b"\x3b\x00", 1) for name in names))

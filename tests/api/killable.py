"""A reader for a station process that is killed: its card is a file, and stands still where it is to be caught."""

from __future__ import annotations

import os
import time
from pathlib import Path

from typing_extensions import override

from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from tests.cards.hall import InSlot

CARD = "HAOKA_TEST_CARD"
STANDS = "HAOKA_TEST_STANDS"
"""Before which command it stands still, if before any: `UPDATE 4` is the fourth that writes."""
STOOD = "the card stands still"
_COMMANDS = {"UPDATE": frozenset({0xD6, 0xDC}), "AUTHENTICATE": frozenset({0x88})}


class StandingSlot(InSlot):
    """Stands still for good before one command, and says so; the file has every change before the answer."""

    def __init__(self, card: VirtualUicc, before: str) -> None:
        super().__init__(card)
        name, _, count = before.partition(" ")
        self._commands, self._left = _COMMANDS.get(name, frozenset[int]()), int(count or 0)

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer, unless it stands still."""
        if apdu[1] in self._commands:
            self._left -= 1
            if self._left == 0:
                print(STOOD, flush=True)  # noqa: T201 - to the log of the station's process
                time.sleep(3600)
        return super().transmit(apdu)


def slot() -> StandingSlot:
    """Give the card of the file that the environment names."""
    path = Path(os.environ[CARD])
    card = VirtualUicc(CardImage.load(path), save=lambda image: image.save(path))
    return StandingSlot(card, os.environ.get(STANDS, ""))

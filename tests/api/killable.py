"""A reader for a station process that is killed: its card is a file, slow enough to be caught in the act."""

from __future__ import annotations

import os
import time
from pathlib import Path

from typing_extensions import override

from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from tests.cards.hall import InSlot

CARD = "HAOKA_TEST_CARD"
_UPDATES = frozenset({0xD6, 0xDC})
_AUTHENTICATE = 0x88
_SLOW_SECONDS = 0.15


class SlowSlot(InSlot):
    """Takes a moment before each update and before AUTHENTICATE; the file has every change before the answer."""

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer after a while."""
        if apdu[1] in _UPDATES or apdu[1] == _AUTHENTICATE:
            time.sleep(_SLOW_SECONDS)
        return super().transmit(apdu)


def slot() -> SlowSlot:
    """Give the card of the file that the environment names."""
    path = Path(os.environ[CARD])
    return SlowSlot(VirtualUicc(CardImage.load(path), save=lambda image: image.save(path)))

"""Tiny cards with a fault, to be named in a `virtual:` address."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tests.station.tiny_card import AUTHENTICATE, UPDATE, TinyCard

HANGS = "the card hangs"


class Faulty:
    """A tiny card that does something else when it is told to write or to authenticate."""

    def __init__(self, fault: Callable[[], None]) -> None:
        self._card = TinyCard()
        self._fault = fault

    def reset(self) -> bytes:
        """Forget selection and rights."""
        return self._card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one TPDU, or not."""
        if apdu[1] in {UPDATE, AUTHENTICATE}:
            self._fault()
        return self._card.transmit(apdu)


def hanging() -> Faulty:
    """Make a card that never answers its first change."""

    def hang() -> None:
        sys.stdout.write(HANGS)
        sys.stdout.flush()
        time.sleep(3600)

    return Faulty(hang)


def failing() -> Faulty:
    """Make a card that breaks the program that talks to it."""

    def fail() -> None:
        raise RuntimeError("a fault in the station")

    return Faulty(fail)

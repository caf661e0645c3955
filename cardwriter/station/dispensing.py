"""The movements of a card dispenser, each made only if nothing speaks against it.

Which card goes where is the service's decision: it alone knows what is on a card and whose it is.
"""

from __future__ import annotations

import enum
from typing import Final

from drivers.base import Dispenser, DispenserState, Place, Supply
from drivers.errors import BinFullError, CardJamError, DriverError, StackerEmptyError


class Movement(enum.StrEnum):
    """What the service may ask of a dispenser."""

    FEED = "feed"
    HAND_OUT = "hand_out"
    BIN = "bin"


class Stop(enum.StrEnum):
    """How a movement ended where there is something to say of it."""

    HANDED_OUT = "handed_out"
    """The card is at the gate."""
    CARD_INSIDE = "card_inside"
    """An earlier card is still at the contacts; nothing was taken."""
    CARD_AT_GATE = "card_at_gate"
    """An earlier customer's card was not taken away; nothing was taken."""
    STACKER_EMPTY = "stacker_empty"
    BIN_FULL = "bin_full"
    """A bad card would have nowhere to go, or has: it is still at the contacts then."""
    CARD_JAM = "card_jam"
    DISPENSER_FAILED = "dispenser_failed"
    """The dispenser does not answer or fails otherwise; the driver's error code names it."""


def move(dispenser: Dispenser, movement: Movement) -> tuple[Stop | None, str | None]:
    """Make one movement.

    Returns
    -------
    tuple
        What there is to say of its end, None when a card was fed or binned and all is well; the driver's error code.
    """
    try:
        match movement:
            case Movement.FEED:
                return _take(dispenser), None
            case Movement.HAND_OUT:
                dispenser.hand_out()
                return Stop.HANDED_OUT, None
            case Movement.BIN:
                dispenser.reject()
                return None, None
    except DriverError as error:
        return _REASONS.get(type(error), Stop.DISPENSER_FAILED), error.code


def _take(dispenser: Dispenser) -> Stop | None:
    """Bring a card to the contacts unless something speaks against it."""
    stop = _obstacle(dispenser.state())
    if stop is None:
        dispenser.feed()
    return stop


def _obstacle(state: DispenserState) -> Stop | None:
    obstacles = {
        Stop.CARD_INSIDE: state.card is Place.CONTACTS,
        Stop.CARD_AT_GATE: state.card is Place.GATE,
        Stop.BIN_FULL: state.bin_full,
        Stop.STACKER_EMPTY: state.stacker is Supply.EMPTY,
    }
    return next((stop for stop, found in obstacles.items() if found), None)


_REASONS: Final[dict[type[DriverError], Stop]] = {
    StackerEmptyError: Stop.STACKER_EMPTY,
    BinFullError: Stop.BIN_FULL,
    CardJamError: Stop.CARD_JAM,
}

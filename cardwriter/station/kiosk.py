"""Serving one customer from a card dispenser: take a card, write it, hand it out; a spoiled one goes into the bin.

No clerk stands by, so nothing is guessed: a card whose verdict is unknown stays at the contacts. At the gate a customer
would carry off a line that may or may not work; in the bin nobody could read the card, which alone settles what is on
it (and frees its data). The kiosk stops instead, and `settle` moves the card on once reading it has given a verdict.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drivers.base import Dispenser, DispenserState, Place, Supply
from drivers.errors import BinFullError, CardJamError, DriverError, StackerEmptyError


class Movement(enum.StrEnum):
    """What the service may ask of a dispenser for a person who stands beside it."""

    FEED = "feed"
    HAND_OUT = "hand_out"
    BIN = "bin"


TRIES: Final = 3
"""Cards taken for one customer: more than this many bad ones in a row are no accident."""


class Fate(enum.StrEnum):
    """The service's verdict on one card."""

    VERIFIED = "verified"
    NOTHING_WRITTEN = "nothing_written"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"


class Stop(enum.StrEnum):
    """Why the kiosk is done with a customer."""

    HANDED_OUT = "handed_out"
    """A verified card is at the gate."""
    TRIES_SPENT = "tries_spent"
    """Each card of `TRIES` was bad and is in the bin: look at the stacker's batch, or at what writes the cards."""
    UNKNOWN_CARD = "unknown_card"
    """A card is held at the contacts until reading it has settled what is on it."""
    CARD_INSIDE = "card_inside"
    """An earlier card is still at the contacts; nothing was taken."""
    CARD_AT_GATE = "card_at_gate"
    """An earlier customer's card was not taken away; nothing was taken."""
    STACKER_EMPTY = "stacker_empty"
    BIN_FULL = "bin_full"
    """A bad card would have nowhere to go, or has: it is still at the contacts then."""
    CARD_JAM = "card_jam"
    DISPENSER_FAILED = "dispenser_failed"
    """The dispenser does not answer or fails otherwise; `Served.error` names it."""


@dataclass(frozen=True)
class Served:
    """How it went: the fate of each card taken, in order, why it ended, and the driver's error code where one did.

    Unless the stop is `HANDED_OUT` or `TRIES_SPENT`, the last card may still be inside.
    """

    stop: Stop
    fates: tuple[Fate, ...] = ()
    error: str | None = None


def serve(dispenser: Dispenser, write: Callable[[], Fate], *, tries: int = TRIES) -> Served:
    """Serve one customer; ends with a verified card at the gate or with a reason.

    Parameters
    ----------
    write
        Writes the card at the contacts and returns its verdict. What it raises passes through, and the card stays at
        the contacts. A cause that lies not in the card (no data, no link) should be raised, or good cards are binned.
    tries
        Cards taken at most.
    """
    fates: list[Fate] = []
    while len(fates) < tries:
        stop, error = _tried(lambda: _take(dispenser))
        if stop is None:
            fates.append(write())
            stop, error = settle(dispenser, fates[-1])
        if stop is not None:
            return Served(stop, tuple(fates), error)
    return Served(Stop.TRIES_SPENT, tuple(fates))


def move(dispenser: Dispenser, movement: Movement) -> tuple[Stop | None, str | None]:
    """Make one movement, a card only if nothing speaks against it; returns as `settle` does."""
    match movement:
        case Movement.FEED:
            return _tried(lambda: _take(dispenser))
        case Movement.HAND_OUT:
            return settle(dispenser, Fate.VERIFIED)
        case Movement.BIN:
            return settle(dispenser, Fate.DAMAGED)


def settle(dispenser: Dispenser, fate: Fate) -> tuple[Stop | None, str | None]:
    """Move the card at the contacts to where a card of this fate belongs.

    Returns
    -------
    tuple
        Why the kiosk stops, None when the card went into the bin and another may be taken; and the driver's error code.
    """
    return _tried(lambda: _place(dispenser, fate))


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


def _place(dispenser: Dispenser, fate: Fate) -> Stop | None:
    match fate:
        case Fate.VERIFIED:
            dispenser.hand_out()
            return Stop.HANDED_OUT
        case Fate.NOTHING_WRITTEN | Fate.DAMAGED:
            dispenser.reject()
            return None
        case Fate.UNKNOWN:
            return Stop.UNKNOWN_CARD


def _tried(movement: Callable[[], Stop | None]) -> tuple[Stop | None, str | None]:
    """Make a movement; an error of the dispenser becomes the reason to stop."""
    try:
        return movement(), None
    except DriverError as error:
        return _REASONS.get(type(error), Stop.DISPENSER_FAILED), error.code


_REASONS: Final[dict[type[DriverError], Stop]] = {
    StackerEmptyError: Stop.STACKER_EMPTY,
    BinFullError: Stop.BIN_FULL,
    CardJamError: Stop.CARD_JAM,
}

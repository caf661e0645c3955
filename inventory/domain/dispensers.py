"""Card dispensers: what a person may have one do with its card, and what stops it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from inventory.domain.lifecycle import SimState


class Movement(StrEnum):
    """What a dispenser does: a card from the stack to the contacts, from there to the customer, or into the bin."""

    FEED = "feed"
    HAND_OUT = "hand_out"
    BIN = "bin"


class DispenserStop(StrEnum):
    """How a movement ended; all but `HANDED_OUT` want a person."""

    HANDED_OUT = "handed_out"
    CARD_INSIDE = "card_inside"
    CARD_AT_GATE = "card_at_gate"
    STACKER_EMPTY = "stacker_empty"
    BIN_FULL = "bin_full"
    CARD_JAM = "card_jam"
    FAILED = "dispenser_failed"


_SOLD: Final = frozenset({SimState.COMPLETING, SimState.IN_USE})
_NOT_WASTE: Final = _SOLD | {SimState.WRITING, SimState.WRITE_UNKNOWN, SimState.WRITTEN}


def must_stay(movement: Movement, state: str | None, *, unsettled: bool) -> bool:
    """Whether a card in this state of its stock record must not make the movement; None when no record is known.

    A customer gets a card when its sale is confirmed. What holds an identity is no waste, and a card of which nobody
    knows what is on it stays where it can be read; `unsettled` says that a job at this reader does not know.
    """
    if movement is Movement.FEED:
        return False
    if movement is Movement.HAND_OUT:
        return state not in _SOLD
    return state in _NOT_WASTE or (state is None and unsettled)

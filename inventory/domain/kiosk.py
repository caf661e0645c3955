"""A self-service machine: what its dispenser does next, decided from what is seen, read top to bottom.

Nothing is guessed, since no clerk stands by: a card that holds an identity, or may hold one, goes to the customer whose
sale is confirmed or stays at the contacts; any other that does not serve the kit goes into the bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from inventory.domain.cardjobs import NextStep, next_step
from inventory.domain.dispensers import DispenserStop, Movement, must_stay
from inventory.domain.lifecycle import WRITE_JOB_OPEN, KioskState, SimState, WriteJobState

IDLE: Final = timedelta(minutes=2)
"""A kit whose customer has done nothing for so long before anything was fed is given back."""
CHECKING: Final = timedelta(minutes=8)
"""So long a customer who has accepted the terms has for the identity check and for paying."""
STALLED: Final = timedelta(minutes=2)
"""A machine from which nothing has come for so long does not finish by itself."""
TAKE_BACK: Final = timedelta(minutes=2)
"""A sold card that lies at the gate for so long is drawn in again, unless it is set otherwise."""
SHOWN: Final = timedelta(seconds=60)
"""So long the end of a sale stays on the screen."""


class KioskStop(StrEnum):
    """Why a machine sends its customer to the counter."""

    TRIES_SPENT = "tries_spent"
    """As many cards as may be tried were bad and are in the bin."""
    UNKNOWN_CARD = "unknown_card"
    """Reading it did not settle what is on the card; it stays at the contacts."""
    CARD_MUST_STAY = "card_must_stay"
    """A card with an identity on it, not of this sale, came from the stack."""
    NO_DATA = "no_data"
    """There are no data for the card, or its ending asks for a keeper."""
    KIT_ENDED = "kit_ended"
    """The kit ran out, or was ended from outside."""
    NO_ANSWER = "no_answer"
    """Nothing came from the machine for a while."""
    CARD_INSIDE = "card_inside"
    CARD_AT_GATE = "card_at_gate"
    STACKER_EMPTY = "stacker_empty"
    BIN_FULL = "bin_full"
    CARD_JAM = "card_jam"
    FAILED = "dispenser_failed"


class Act(StrEnum):
    """What is done next."""

    WAIT = "wait"
    FEED = "feed"
    TAKE = "take"
    """Put the card at the contacts into the kit."""
    WRITE = "write"
    CONFIRM = "confirm"
    HAND_OUT = "hand_out"
    BIN = "bin"
    FINISH = "finish"
    TAKE_BACK = "take_back"
    """Note that a sold card lies in the bin."""
    LEAVE = "leave"
    STOP = "stop"


@dataclass(frozen=True)
class Step:
    """What is done next, and why where it is the end."""

    act: Act
    stop: KioskStop | None = None


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What is seen of a sale and its machine at one moment.

    `moving` says that a movement was asked for and is not over; `fed` that one was fed for this sale and the reader has
    seen it come. `read` is False for a card that gives no answer or cannot be read, None while it is being looked at.
    `card` and `kit` are item numbers; `card_state` is the stock's, None if the stock does not know the card. `job` is
    the newest one on the kit's present card. `drawn_in` says that the last movement asked for was one into the bin; a
    sold card makes it after `take_back` at the gate, None for never. `resting` is how long nothing has happened.
    """

    state: KioskState
    kit_alive: bool = True
    accepted: bool = False
    checked: bool = False
    moving: bool = False
    place: str | None = None
    stop: str | None = None
    handed_out: bool = False
    drawn_in: bool = False
    take_back: timedelta | None = TAKE_BACK
    fed: bool = False
    cards: int = 0
    most: int = 3
    read: bool | None = None
    card: int | None = None
    card_state: SimState | None = None
    finished: bool = False
    kit: int | None = None
    job: WriteJobState | None = None
    failure: str | None = None
    unsettled: bool = False
    resting: timedelta = timedelta()


_WAIT = Step(Act.WAIT)
_TROUBLE: Final = frozenset(DispenserStop) - {DispenserStop.HANDED_OUT}
_KEEPER: Final = frozenset({NextStep.CALL_KEEPER, NextStep.ASK_OPERATOR})
_AGAIN: Final = frozenset({NextStep.TRY_AGAIN, NextStep.INSERT_CARD})


def decide(sight: Sight) -> Step:
    """Say what is done next."""
    match sight.state:
        case KioskState.WAITING:
            return _waiting(sight)
        case KioskState.SERVING:
            return _serving(sight)
        case KioskState.SOLD:
            return _sold(sight)
        case _:
            return _WAIT


def _waiting(sight: Sight) -> Step:
    if not sight.kit_alive:
        return Step(Act.STOP, KioskStop.KIT_ENDED)
    if sight.accepted and sight.checked:
        return Step(Act.FEED)
    patience = CHECKING if sight.accepted else IDLE
    return Step(Act.LEAVE) if sight.resting >= patience else _WAIT


def _sold(sight: Sight) -> Step:
    """Bring a sold card to its customer: whatever stops the machine, nothing else is done with it.

    A movement of which nothing is heard for long was never made, or a person made another one meanwhile: where the card
    lies decides then. One that was to be drawn in and is nowhere lies in the bin, unless the machine found it gone.
    """
    if sight.place is None or (sight.moving and sight.resting < STALLED):
        return _WAIT
    if sight.place == "nowhere":
        in_bin = sight.drawn_in and (sight.moving or sight.stop is None)
        return Step(Act.TAKE_BACK if in_bin else Act.FINISH)
    if sight.drawn_in:
        return _WAIT
    if sight.place == "contacts":
        return _WAIT if sight.handed_out else Step(Act.HAND_OUT)
    forgotten = sight.take_back is not None and sight.resting >= sight.take_back
    return Step(Act.BIN) if forgotten else _WAIT


def _serving(sight: Sight) -> Step:
    stop = _over(sight)
    if stop is not None:
        return Step(Act.STOP, stop)
    if sight.moving or sight.job in WRITE_JOB_OPEN or sight.place is None:
        return _WAIT
    if sight.stop in _TROUBLE:
        return Step(Act.STOP, KioskStop(sight.stop))
    if sight.place == "nowhere":
        return Step(Act.FEED) if sight.cards < sight.most else Step(Act.STOP, KioskStop.TRIES_SPENT)
    return Step(Act.STOP, KioskStop.CARD_AT_GATE) if sight.place == "gate" else _at_contacts(sight)


def _over(sight: Sight) -> KioskStop | None:
    """Say why the customer need not wait any longer, if so; a card that is being written is written to its end."""
    if sight.job in WRITE_JOB_OPEN:
        return None
    if not sight.kit_alive:
        return KioskStop.KIT_ENDED
    if sight.resting < STALLED:
        return None
    return KioskStop.UNKNOWN_CARD if sight.job is WriteJobState.UNKNOWN else KioskStop.NO_ANSWER


def _at_contacts(sight: Sight) -> Step:
    if not sight.fed or sight.read is None:
        return _WAIT
    if not sight.read:
        return _bin(sight)
    if sight.card is not None and sight.card == sight.kit:
        return _of_the_kit(sight)
    return Step(Act.TAKE) if sight.card_state is SimState.AVAILABLE else _bin(sight)


def _of_the_kit(sight: Sight) -> Step:
    sold = {SimState.WRITTEN, SimState.COMPLETING, SimState.IN_USE}  # confirmed, but the row was not kept: once more
    if sight.card_state in sold or (sight.finished and sight.card_state is SimState.HELD):
        return Step(Act.CONFIRM)
    if sight.job is None:
        return Step(Act.WRITE)
    if sight.job is WriteJobState.UNKNOWN:
        return _WAIT  # the look that follows settles it, or the rest becomes too long
    todo = next_step(sight.job, sight.failure)
    if todo in _KEEPER:
        return Step(Act.STOP, KioskStop.NO_DATA)
    return Step(Act.WRITE) if todo in _AGAIN and sight.cards < sight.most else _bin(sight)


def _bin(sight: Sight) -> Step:
    if must_stay(Movement.BIN, sight.card_state, unsettled=sight.unsettled):
        return Step(Act.STOP, KioskStop.CARD_MUST_STAY)
    return Step(Act.BIN)


def refused_for_the_card(code: str) -> bool:
    """Whether a kit did not take a card for a reason that another card of the stack need not have."""
    return code in _CARD_REFUSALS


_CARD_REFUSALS: Final = frozenset(
    {
        "card_unknown",
        "outside_scope",
        "sim_not_free",
        "hlr_mismatch",
        "card_kind_differs",
        "adm_in_doubt",
        "invalid_field",
    }
)

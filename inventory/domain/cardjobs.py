"""What the end of a write job means for the card, its data and its identity: one table, read top to bottom.

The judging of a card's answers is `cardwriter.profiles`'; here a verdict becomes moves of the life cycles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.lifecycle import (
    DATA_LIFECYCLE,
    DataEvent,
    DataState,
    IdentityEvent,
    SimEvent,
    WriteJobEvent,
    WriteJobState,
)

LEASE = timedelta(minutes=30)
"""How long a kit is kept once its card is being written; the open job itself keeps it beyond (REQ-RSV-15)."""
_FIRST_REST, _LONGEST_REST = timedelta(seconds=15), timedelta(minutes=10)
STEPS_PER_SCRIPT = 1000
"""Step numbers of a job's n-th script begin at n times this."""
_SCRIPT = re.compile(r"(j-\d{6}-[1-9]\d{0,18})\.([1-9]\d{0,5})\.(identify|write|verify)", re.ASCII)


class Ending(StrEnum):
    """How a job leaves its card; a card ends in exactly one of these."""

    VERIFIED = "verified"
    NOTHING_WRITTEN = "nothing_written"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"


class NextStep(StrEnum):
    """What the person at the desk does next; the catalogue has the sentence."""

    WAIT = "wait"
    CONFIRM_SALE = "confirm_sale"
    TRY_AGAIN = "try_again"
    INSERT_CARD = "insert_card"
    TAKE_ANOTHER_CARD = "take_another_card"
    SWAP_CARD = "swap_card"
    READ_AGAIN = "read_again"
    CALL_KEEPER = "call_keeper"
    ASK_OPERATOR = "ask_operator"
    TAKE_OUT = "take_out"
    INSERT_AGAIN = "insert_again"
    PUT_ASIDE = "put_aside"


class ScriptRef(NamedTuple):
    """A script's id taken apart: the public id of its job, its place among the job's scripts, what it is for."""

    job: str
    ordinal: int
    purpose: str

    @property
    def text(self) -> str:
        """The id as it travels."""
        return f"{self.job}.{self.ordinal}.{self.purpose}"


def parse_script_ref(value: str) -> ScriptRef:
    """Read a script id such as `j-530700-12.2.write`.

    Raises
    ------
    InvalidIdentifier
        It is not of this form.
    """
    found = _SCRIPT.fullmatch(value)
    if found is None:
        raise InvalidIdentifier(field="script", value=value, reason="it looks like j-530700-12.2.write")
    return ScriptRef(found[1], int(found[2]), found[3])


@dataclass(frozen=True)
class Consequence:
    """The moves that follow from a verdict; `data` in order, possibly none; `identity` None leaves it as it is."""

    job: WriteJobEvent
    sim: SimEvent
    data: tuple[DataEvent, ...]
    identity: tuple[IdentityEvent, ...]


def consequence(
    ending: Ending, data: DataState, *, hold_alive: bool, by_reading: bool, fetched: bool = False
) -> Consequence:
    """Say what a verdict on a delivered script does (state table S5 to S9; subscription data table).

    `data` is the unit's state now: LEASED, or QUARANTINED when the card was unknown before. `hold_alive` sends an
    unused unit back to its kit instead of the pool. `by_reading` says that the card itself was read and found blank.
    Data that were `fetched` from an operator's own system for this card are used up at once: what does not end on it
    is retired, never given again.
    """
    if fetched and ending in {Ending.NOTHING_WRITTEN, Ending.DAMAGED}:
        kept = consequence(ending, data, hold_alive=hold_alive, by_reading=by_reading)
        return replace(kept, data=(DataEvent.CONSUME,))
    match ending:
        case Ending.VERIFIED:
            proven = (IdentityEvent.WRITE, IdentityEvent.VERIFY)
            return Consequence(WriteJobEvent.VERIFIED, SimEvent.PROVEN, (DataEvent.PROVEN,), proven)
        case Ending.NOTHING_WRITTEN:
            sim = SimEvent.NOTHING_WRITTEN if hold_alive else SimEvent.NOTHING_WRITTEN_HOLD_GONE
            back = DataEvent.READ_BLANK if by_reading else DataEvent.NEVER_DELIVERED
            moves = (back, DataEvent.RESERVE) if hold_alive else (back,)
            return Consequence(WriteJobEvent.NOTHING_WRITTEN, sim, moves, (IdentityEvent.TAKE_BACK,))
        case Ending.DAMAGED:
            return Consequence(WriteJobEvent.DAMAGED, SimEvent.SPOILED, _quarantine(data), ())
        case _:
            return Consequence(WriteJobEvent.UNKNOWN, SimEvent.OUTCOME_UNKNOWN, _quarantine(data), ())


FAILING_AFTER: Final = 6
"""So many calls about one card that failed, some eight minutes, are told as an event: a person has to look."""


def rest_before(try_no: int) -> timedelta:
    """Give how long an operator's system that did not take a card's answer is left alone before it is told again.

    `try_no` is 1 after the first; the rest doubles up to ten minutes, and there is no last try.
    """
    return min(_FIRST_REST * (1 << min(try_no - 1, 10)), _LONGEST_REST)


def _quarantine(data: DataState) -> tuple[DataEvent, ...]:
    return (DataEvent.QUARANTINE,) if (data, DataEvent.QUARANTINE) in DATA_LIFECYCLE.table else ()


_AFTER_FAILURE = {
    "not_inserted": NextStep.INSERT_CARD,
    "reader_lost": NextStep.TRY_AGAIN,
    "report_failed": NextStep.TRY_AGAIN,
    "cancelled": NextStep.TRY_AGAIN,
    "refused": NextStep.TRY_AGAIN,
    "write_error": NextStep.TRY_AGAIN,
    "not_blank": NextStep.TAKE_ANOTHER_CARD,
    "wrong_kind": NextStep.TAKE_ANOTHER_CARD,
    "another_card": NextStep.TAKE_ANOTHER_CARD,
    "adm_refused": NextStep.TAKE_ANOTHER_CARD,
    "pin_enabled": NextStep.TAKE_ANOTHER_CARD,
    "data_not_available": NextStep.CALL_KEEPER,
    "operator_silent": NextStep.TRY_AGAIN,
    "operator_refused": NextStep.TAKE_ANOTHER_CARD,
}


_IN_BULK = {
    NextStep.CONFIRM_SALE: NextStep.TAKE_OUT,
    NextStep.SWAP_CARD: NextStep.PUT_ASIDE,
    NextStep.TAKE_ANOTHER_CARD: NextStep.PUT_ASIDE,
    NextStep.TRY_AGAIN: NextStep.INSERT_AGAIN,
    NextStep.INSERT_CARD: NextStep.INSERT_AGAIN,
}
"""Where nobody waits for this very card: what is done instead."""


def next_step(state: WriteJobState, failure: str | None, *, in_bulk: bool = False) -> NextStep:
    """Say what to do in this state of a job; `failure` is the class of its verdict (REQ-HW-06)."""
    step = _next_step(state, failure)
    return _IN_BULK.get(step, step) if in_bulk else step


def _next_step(state: WriteJobState, failure: str | None) -> NextStep:
    match state:
        case WriteJobState.VERIFIED:
            return NextStep.CONFIRM_SALE
        case WriteJobState.DAMAGED:
            return NextStep.SWAP_CARD
        case WriteJobState.UNKNOWN:
            return NextStep.ASK_OPERATOR if failure == "operator_silent" else NextStep.READ_AGAIN
        case WriteJobState.NOTHING_WRITTEN | WriteJobState.CANCELLED:
            return _AFTER_FAILURE.get(failure or "", NextStep.TRY_AGAIN)
        case _:
            return NextStep.WAIT

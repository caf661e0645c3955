from __future__ import annotations

import itertools

import pytest

from inventory.domain.cardjobs import Ending, NextStep, ScriptRef, consequence, next_step, parse_script_ref, rest_before
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.lifecycle import (
    DATA_LIFECYCLE,
    IDENTITY_LIFECYCLE,
    SIM_LIFECYCLE,
    WRITE_JOB_LIFECYCLE,
    WRITE_JOB_OPEN,
    DataState,
    IdentityState,
    SimState,
    WriteJobState,
)

LEASED, QUARANTINED = DataState.LEASED, DataState.QUARANTINED
BEFORE = [
    (WriteJobState.WRITING, SimState.WRITING, LEASED),
    (WriteJobState.VERIFYING, SimState.WRITING, LEASED),
    (WriteJobState.UNKNOWN, SimState.WRITE_UNKNOWN, QUARANTINED),
]
POSSIBLE = [
    (before, ending, alive, reading)
    for before, ending, alive, reading in itertools.product(BEFORE, Ending, (True, False), (True, False))
    if not (before[0] is WriteJobState.UNKNOWN and (ending is Ending.UNKNOWN or not reading))
    and not (before[0] is WriteJobState.WRITING and ending is Ending.VERIFIED)
]
AFTER = {
    Ending.VERIFIED: (SimState.WRITTEN, DataState.BOUND),
    Ending.DAMAGED: (SimState.DAMAGED, QUARANTINED),
    Ending.UNKNOWN: (SimState.WRITE_UNKNOWN, QUARANTINED),
}


@pytest.mark.parametrize(("before", "ending", "alive", "reading"), POSSIBLE)
def test_every_verdict_moves_job_card_data_and_identity_by_their_life_cycles(
    before: tuple[WriteJobState, SimState, DataState], ending: Ending, *, alive: bool, reading: bool
) -> None:
    """REQ-HW-08: state table S5 to S9 and the table of subscription data."""
    job, sim, data = before
    moves = consequence(ending, data, hold_alive=alive, by_reading=reading)
    identity = IdentityState.LEASED
    for move in moves.data:
        data = DATA_LIFECYCLE.advance(data, move)
    for step in moves.identity:
        identity = IDENTITY_LIFECYCLE.advance(identity, step)
    nothing = (SimState.HELD, DataState.RESERVED) if alive else (SimState.AVAILABLE, DataState.FREE)
    assert (SIM_LIFECYCLE.advance(sim, moves.sim), data) == AFTER.get(ending, nothing)
    assert WRITE_JOB_LIFECYCLE.advance(job, moves.job).value == ending.value
    assert identity is {
        Ending.VERIFIED: IdentityState.VERIFIED,
        Ending.NOTHING_WRITTEN: IdentityState.NONE,
    }.get(ending, IdentityState.LEASED)


def test_data_in_quarantine_go_back_only_when_the_card_was_read_blank() -> None:
    """A report of writing alone never frees them: the life cycle refuses the move."""
    moves = consequence(Ending.NOTHING_WRITTEN, QUARANTINED, hold_alive=True, by_reading=False)
    assert (QUARANTINED, moves.data[0]) not in DATA_LIFECYCLE.table


@pytest.mark.parametrize("data", [LEASED, QUARANTINED])
@pytest.mark.parametrize("alive", [True, False])
@pytest.mark.parametrize("ending", [Ending.NOTHING_WRITTEN, Ending.DAMAGED])
def test_fetched_data_that_did_not_end_on_their_card_are_used_up(
    ending: Ending, data: DataState, *, alive: bool
) -> None:
    """What an operator's own system gave for one card is never given again, not even to the kit it was fetched for."""
    moves = consequence(ending, data, hold_alive=alive, by_reading=True, fetched=True)
    for move in moves.data:
        data = DATA_LIFECYCLE.advance(data, move)
    assert data is DataState.RETIRED
    ours = consequence(ending, LEASED, hold_alive=alive, by_reading=True)
    assert (moves.job, moves.sim, moves.identity) == (ours.job, ours.sim, ours.identity)


def test_fetched_data_are_bound_once_the_card_is_proven_and_wait_while_it_is_unknown() -> None:
    for ending, wanted in ((Ending.VERIFIED, DataState.BOUND), (Ending.UNKNOWN, QUARANTINED)):
        (move,) = consequence(ending, LEASED, hold_alive=True, by_reading=False, fetched=True).data
        assert DATA_LIFECYCLE.advance(LEASED, move) is wanted


def test_a_script_id_says_its_job_its_place_and_its_purpose() -> None:
    ref = ScriptRef("j-530700-12", 2, "write")
    assert parse_script_ref(ref.text) == ref


@pytest.mark.parametrize(
    "text", ["", "j-530700-12", "j-530700-12.0.write", "j-530700-12.2.erase", "h-530700-12.2.write", "look-00ff"]
)
def test_a_script_id_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_script_ref(text)


@pytest.mark.parametrize("state", WriteJobState)
def test_an_open_job_says_wait_and_an_ended_one_what_to_do(state: WriteJobState) -> None:
    assert (next_step(state, None) is NextStep.WAIT) == (state in WRITE_JOB_OPEN)


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        ("not_inserted", NextStep.INSERT_CARD),
        ("not_blank", NextStep.TAKE_ANOTHER_CARD),
        ("adm_refused", NextStep.TAKE_ANOTHER_CARD),
        ("data_not_available", NextStep.CALL_KEEPER),
        ("operator_silent", NextStep.TRY_AGAIN),
        ("operator_refused", NextStep.TAKE_ANOTHER_CARD),
        (None, NextStep.TRY_AGAIN),
    ],
)
def test_what_to_do_follows_from_the_failure(failure: str | None, advice: NextStep) -> None:
    """REQ-HW-06: each failure class has its next step."""
    assert next_step(WriteJobState.NOTHING_WRITTEN, failure) is advice


def test_an_unknown_card_waits_for_the_operator_only_where_its_system_is_silent() -> None:
    assert next_step(WriteJobState.UNKNOWN, "operator_silent") is NextStep.ASK_OPERATOR
    assert next_step(WriteJobState.UNKNOWN, "reader_lost") is NextStep.READ_AGAIN


def test_a_silent_system_is_left_alone_longer_each_time_but_never_for_good() -> None:
    rests = [rest_before(try_no).total_seconds() for try_no in (1, 2, 3, 7, 10_000)]
    assert rests == [15, 30, 60, 600, 600]

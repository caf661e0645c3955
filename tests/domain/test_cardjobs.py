from itertools import product

import pytest

from inventory.domain.cardjobs import Ending, NextStep, ScriptRef, consequence, next_step, parse_script_ref
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.lifecycle import (
    DATA_LIFECYCLE,
    IDENTITY_LIFECYCLE,
    SIM_LIFECYCLE,
    WRITE_JOB_LIFECYCLE,
    DataState,
    IdentityState,
    SimState,
    WriteJobState,
)

LEASED, QUARANTINED = DataState.LEASED, DataState.QUARANTINED


def after(ending: Ending, data: DataState, *, hold_alive: bool) -> tuple[str, str, str, str]:
    """Make the moves of a verdict through the life cycles; gives the states of job, card, data and identity."""
    moves = consequence(ending, data, hold_alive=hold_alive, by_reading=True)
    unknown_before = data is QUARANTINED
    job = WRITE_JOB_LIFECYCLE.advance(WriteJobState.UNKNOWN if unknown_before else WriteJobState.VERIFYING, moves.job)
    sim = SIM_LIFECYCLE.advance(SimState.WRITE_UNKNOWN if unknown_before else SimState.WRITING, moves.sim)
    for data_event in moves.data:
        data = DATA_LIFECYCLE.advance(data, data_event)
    identity = IdentityState.LEASED
    for identity_event in moves.identity:
        identity = IDENTITY_LIFECYCLE.advance(identity, identity_event)
    return job, sim, data, identity


@pytest.mark.parametrize(("data", "hold_alive"), list(product([LEASED, QUARANTINED], [True, False])))
def test_a_proven_card_binds_its_data_whatever_was_known_before(data: DataState, *, hold_alive: bool) -> None:
    assert after(Ending.VERIFIED, data, hold_alive=hold_alive) == ("verified", "WRITTEN", "BOUND", "VERIFIED")


@pytest.mark.parametrize("data", [LEASED, QUARANTINED])
def test_a_blank_card_gives_its_data_back_to_the_kit_or_the_pool(data: DataState) -> None:
    assert after(Ending.NOTHING_WRITTEN, data, hold_alive=True) == ("nothing_written", "HELD", "RESERVED", "NONE")
    assert after(Ending.NOTHING_WRITTEN, data, hold_alive=False) == ("nothing_written", "AVAILABLE", "FREE", "NONE")


@pytest.mark.parametrize(("data", "hold_alive"), list(product([LEASED, QUARANTINED], [True, False])))
def test_a_spoiled_card_keeps_its_data_out_of_the_pool(data: DataState, *, hold_alive: bool) -> None:
    """REQ-HW-08: verify mismatch makes the card DAMAGED, the IMSI QUARANTINED."""
    assert after(Ending.DAMAGED, data, hold_alive=hold_alive) == ("damaged", "DAMAGED", "QUARANTINED", "LEASED")


def test_an_unknown_card_quarantines_its_data() -> None:
    """REQ-HW-08: loss in mid-write makes the card WRITE_UNKNOWN, the IMSI QUARANTINED."""
    assert after(Ending.UNKNOWN, LEASED, hold_alive=True) == ("unknown", "WRITE_UNKNOWN", "QUARANTINED", "LEASED")


def test_data_of_a_script_that_was_never_delivered_is_free_without_reading_the_card() -> None:
    moves = consequence(Ending.NOTHING_WRITTEN, LEASED, hold_alive=False, by_reading=False)
    assert DATA_LIFECYCLE.advance(LEASED, moves.data[0]) is DataState.FREE


@pytest.mark.parametrize(
    ("state", "failure", "step"),
    [
        (WriteJobState.CREATED, None, NextStep.WAIT),
        (WriteJobState.WRITING, None, NextStep.WAIT),
        (WriteJobState.VERIFIED, None, NextStep.CONFIRM_SALE),
        (WriteJobState.DAMAGED, "verify_mismatch", NextStep.SWAP_CARD),
        (WriteJobState.UNKNOWN, "reader_lost", NextStep.READ_AGAIN),
        (WriteJobState.NOTHING_WRITTEN, "not_blank", NextStep.TAKE_ANOTHER_CARD),
        (WriteJobState.NOTHING_WRITTEN, "not_inserted", NextStep.INSERT_CARD),
        (WriteJobState.NOTHING_WRITTEN, "data_not_available", NextStep.CALL_KEEPER),
        (WriteJobState.CANCELLED, None, NextStep.TRY_AGAIN),
    ],
)
def test_the_desk_is_told_what_to_do_next(state: WriteJobState, failure: str | None, step: NextStep) -> None:
    assert next_step(state, failure) is step


def test_a_script_id_reads_back() -> None:
    reference = ScriptRef("j-530700-12", 2, "write")
    assert reference.text == "j-530700-12.2.write"
    assert parse_script_ref(reference.text) == reference


@pytest.mark.parametrize("value", ["", "j-530700-12.0.write", "j-530700-12.2.erase", "h-530700-12.2.write"])
def test_a_script_id_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_script_ref(value)

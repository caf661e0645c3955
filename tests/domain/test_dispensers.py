"""What a dispenser may do with a card depends on what the card is."""

from __future__ import annotations

import pytest

from inventory.domain.dispensers import Movement, must_stay
from inventory.domain.lifecycle import SimState

SOLD = {SimState.COMPLETING, SimState.IN_USE}
UNSAFE = {SimState.WRITING, SimState.WRITE_UNKNOWN, SimState.WRITTEN}


@pytest.mark.parametrize("state", [*SimState, None])
def test_customer_gets_a_card_only_when_its_sale_is_confirmed(state: SimState | None) -> None:
    assert must_stay(Movement.HAND_OUT, state, unsettled=False) is (state not in SOLD)


@pytest.mark.parametrize("state", [*SimState, None])
def test_card_that_may_hold_an_identity_is_no_waste(state: SimState | None) -> None:
    """REQ-HW-08: a card of unknown outcome stays where it can be read."""
    assert must_stay(Movement.BIN, state, unsettled=False) is (state in SOLD | UNSAFE)


def test_card_that_cannot_be_told_stays_while_a_job_waits_for_it() -> None:
    assert must_stay(Movement.BIN, None, unsettled=True)
    assert not must_stay(Movement.BIN, SimState.DAMAGED, unsettled=True)


def test_feeding_depends_on_the_dispenser_alone() -> None:
    assert not must_stay(Movement.FEED, SimState.WRITE_UNKNOWN, unsettled=True)

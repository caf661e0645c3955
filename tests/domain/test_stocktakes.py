"""What a count finds of each item, for cards and numbers alike."""

from __future__ import annotations

import pytest

from inventory.domain.kinds import NUMBER, SIM, ResourceKind
from inventory.domain.lifecycle import NumberState, SimState
from inventory.domain.stocktakes import EXTRA, SHORT, Finding, of_astray, of_unscanned


@pytest.mark.parametrize(
    ("state", "on_hold", "arrived", "finding"),
    [
        (SimState.AVAILABLE, False, False, Finding.MISSING),
        (SimState.AVAILABLE, True, False, Finding.ON_HOLD),
        (SimState.WRITTEN, True, False, Finding.WRITTEN),
        (SimState.WRITTEN, True, True, Finding.MOVED),
        (NumberState.UNUSED, False, True, Finding.MOVED),
    ],
)
def test_what_was_not_scanned_is_missing_unless_something_explains_it(
    state: str, finding: Finding, *, on_hold: bool, arrived: bool
) -> None:
    assert of_unscanned(state=state, on_hold=on_hold, arrived=arrived) is finding


@pytest.mark.parametrize(
    ("kind", "state", "in_transit", "here_now", "finding"),
    [
        (SIM, SimState.AVAILABLE, False, True, Finding.MOVED),
        (SIM, SimState.AVAILABLE, False, False, Finding.NOT_HOLDER),
        (SIM, SimState.AVAILABLE, True, False, Finding.IN_TRANSIT),
        (SIM, SimState.LOST, False, False, Finding.LOST),
        (SIM, SimState.SHIPPED, False, False, Finding.IN_USE),
        (SIM, SimState.IN_USE, False, False, Finding.IN_USE),
        (SIM, SimState.SCRAPPED, False, False, Finding.ENDED),
        (NUMBER, NumberState.UNUSED, False, False, Finding.NOT_HOLDER),
        (NUMBER, NumberState.IN_USE, False, False, Finding.IN_USE),
    ],
)
def test_what_lies_where_it_should_not_is_told_by_its_state(
    kind: ResourceKind, state: str, finding: Finding, *, in_transit: bool, here_now: bool
) -> None:
    assert of_astray(kind, state=state, in_transit=in_transit, lies_here_now=here_now) is finding


def test_a_finding_is_short_or_extra_or_no_difference_of_number() -> None:
    assert not SHORT & EXTRA
    assert set(Finding) - SHORT - EXTRA == {Finding.MOVED, Finding.DAMAGED_FOUND}

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.bulk import PACE_SPAN, Inserted, NotTaken, Progress, why_not
from inventory.domain.cardjobs import NextStep, next_step
from inventory.domain.lifecycle import SimState, WriteJobState

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
BLANK = Inserted(
    state=SimState.AVAILABLE, kind_code="blank-4g", here=True, finished=False, on_the_way=False, legal_hold=False,
    expired=False, adm_refused=False, adm_sent=False,
)  # fmt: skip


def test_a_free_blank_of_the_kind_that_lies_here_is_taken() -> None:
    assert why_not(BLANK, kind_code="blank-4g") is None


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (None, NotTaken.NOT_IN_STOCK),
        (replace(BLANK, here=False), NotTaken.ELSEWHERE),
        (replace(BLANK, on_the_way=True), NotTaken.ON_THE_WAY),
        (replace(BLANK, legal_hold=True), NotTaken.LEGAL_HOLD),
        (replace(BLANK, kind_code="blank-5g"), NotTaken.WRONG_KIND),
        (replace(BLANK, finished=True), NotTaken.FINISHED),
        (replace(BLANK, expired=True), NotTaken.EXPIRED),
        (replace(BLANK, adm_refused=True), NotTaken.ADM_REFUSED),
        (replace(BLANK, adm_sent=True), NotTaken.ADM_IN_DOUBT),
        (replace(BLANK, state=SimState.DAMAGED), NotTaken.DAMAGED),
        (replace(BLANK, state=SimState.WRITE_UNKNOWN), NotTaken.UNKNOWN),
        (replace(BLANK, state=SimState.WRITTEN), NotTaken.FINISHED),
        (replace(BLANK, state=SimState.IN_USE), NotTaken.FINISHED),
        (replace(BLANK, state=SimState.HELD), NotTaken.NOT_FREE),
    ],
)
def test_any_other_card_is_left_alone_for_a_reason(card: Inserted | None, reason: NotTaken) -> None:
    """REQ-HW-06: each case in words of its own."""
    assert why_not(card, kind_code="blank-4g") is reason


@pytest.mark.parametrize("state", [state for state in SimState if state is not SimState.AVAILABLE])
def test_no_card_that_is_not_available_is_taken(state: SimState) -> None:
    assert why_not(replace(BLANK, state=state), kind_code="blank-4g") is not None


@pytest.mark.parametrize(
    ("progress", "left", "begins"),
    [
        (Progress(wanted=2), 2, True),
        (Progress(wanted=2, written=1, under_way=1), 1, False),
        (Progress(wanted=2, written=1, damaged=3, unknown=2, untouched=1), 1, True),
        (Progress(wanted=2, written=3), 0, False),
    ],
)
def test_a_card_under_way_counts_until_it_fails(progress: Progress, left: int, *, begins: bool) -> None:
    assert (progress.left, progress.begins) == (left, begins)


def test_the_pace_is_that_of_the_last_minutes() -> None:
    begun = replace(Progress(wanted=500), written=400, recent=60, first_at=NOW - timedelta(hours=3))
    assert (begun.pace(NOW), begun.minutes_left(NOW)) == (360, 17)
    young = replace(begun, recent=4, first_at=NOW - PACE_SPAN / 10)
    assert young.pace(NOW) == 240


def test_an_order_that_writes_nothing_has_no_pace() -> None:
    assert Progress(wanted=5).pace(NOW) == 0
    assert Progress(wanted=5, first_at=NOW).pace(NOW) == 0
    assert Progress(wanted=5, first_at=NOW - PACE_SPAN).minutes_left(NOW) is None


@pytest.mark.parametrize(
    ("state", "failure", "step"),
    [
        (WriteJobState.VERIFIED, None, NextStep.TAKE_OUT),
        (WriteJobState.DAMAGED, "wrong_key", NextStep.PUT_ASIDE),
        (WriteJobState.NOTHING_WRITTEN, "not_blank", NextStep.PUT_ASIDE),
        (WriteJobState.NOTHING_WRITTEN, "write_error", NextStep.INSERT_AGAIN),
        (WriteJobState.UNKNOWN, None, NextStep.READ_AGAIN),
        (WriteJobState.WRITING, None, NextStep.WAIT),
    ],
)
def test_in_bulk_nobody_waits_for_this_very_card(state: WriteJobState, failure: str | None, step: NextStep) -> None:
    assert next_step(state, failure, in_bulk=True) is step

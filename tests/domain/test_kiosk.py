"""What a self-service machine does next."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from inventory.domain.kiosk import (
    CHECKING,
    IDLE,
    STALLED,
    TAKE_BACK,
    Act,
    KioskStop,
    Sight,
    Step,
    decide,
    refused_for_the_card,
)
from inventory.domain.lifecycle import KioskState, SimState, WriteJobState

WAITING = Sight(state=KioskState.WAITING)
EMPTY = Sight(state=KioskState.SERVING, place="nowhere", cards=1)
CARD = replace(EMPTY, place="contacts", fed=True, read=True, card=7, card_state=SimState.HELD, kit=7)


def test_machine_feeds_once_terms_are_accepted_and_the_person_was_checked() -> None:
    for accepted, checked in itertools.product((False, True), repeat=2):
        ready = accepted and checked
        assert decide(replace(WAITING, accepted=accepted, checked=checked)).act is (Act.FEED if ready else Act.WAIT)


def test_kit_of_a_customer_who_went_away_is_given_back() -> None:
    assert decide(replace(WAITING, resting=IDLE)) == Step(Act.LEAVE)
    assert decide(replace(WAITING, accepted=True, resting=IDLE)).act is Act.WAIT
    assert decide(replace(WAITING, accepted=True, resting=CHECKING)) == Step(Act.LEAVE)
    assert decide(replace(WAITING, kit_alive=False)) == Step(Act.STOP, KioskStop.KIT_ENDED)


def test_fed_card_is_taken_into_the_kit_then_written_then_sold() -> None:
    """REQ-RSV-18: the card is bound when it is there."""
    other = replace(CARD, kit=None, card_state=SimState.AVAILABLE)
    assert decide(other).act is Act.TAKE
    assert decide(CARD).act is Act.WRITE
    assert decide(replace(CARD, job=WriteJobState.WRITING, card_state=SimState.WRITING)).act is Act.WAIT
    assert decide(replace(CARD, job=WriteJobState.VERIFIED, card_state=SimState.WRITTEN)).act is Act.CONFIRM
    assert decide(replace(CARD, finished=True)).act is Act.CONFIRM


def test_spoiled_card_goes_into_the_bin_and_the_next_is_fed_until_enough_were_tried() -> None:
    """REQ-HW-11, REQ-RSV-16."""
    assert decide(replace(CARD, job=WriteJobState.DAMAGED, card_state=SimState.DAMAGED)).act is Act.BIN
    assert decide(EMPTY).act is Act.FEED
    assert decide(replace(EMPTY, cards=3)) == Step(Act.STOP, KioskStop.TRIES_SPENT)


@pytest.mark.parametrize("state", [SimState.WRITING, SimState.WRITE_UNKNOWN, SimState.WRITTEN, SimState.IN_USE])
def test_card_of_another_sale_that_may_hold_an_identity_is_never_binned(state: SimState) -> None:
    """REQ-HW-08."""
    assert decide(replace(CARD, kit=None, card_state=state)) == Step(Act.STOP, KioskStop.CARD_MUST_STAY)


def test_card_that_nobody_knows_is_binned_unless_a_writing_is_unsettled() -> None:
    stranger = replace(CARD, card=None, card_state=None, kit=None)
    assert decide(stranger).act is Act.BIN
    assert decide(replace(stranger, read=False)).act is Act.BIN
    assert decide(replace(stranger, read=False, unsettled=True)) == Step(Act.STOP, KioskStop.CARD_MUST_STAY)


def test_unknown_card_waits_to_be_read_and_then_stops_the_machine() -> None:
    """REQ-HW-08: nothing is guessed."""
    unknown = replace(CARD, job=WriteJobState.UNKNOWN, card_state=SimState.WRITE_UNKNOWN)
    assert decide(unknown).act is Act.WAIT
    assert decide(replace(unknown, resting=STALLED)) == Step(Act.STOP, KioskStop.UNKNOWN_CARD)


@pytest.mark.parametrize(
    ("failure", "step"),
    [
        ("adm_refused", Step(Act.BIN)),
        ("not_blank", Step(Act.BIN)),
        ("reader_lost", Step(Act.WRITE)),
        ("data_not_available", Step(Act.STOP, KioskStop.NO_DATA)),
    ],
)
def test_what_follows_when_nothing_was_written_depends_on_why(failure: str, step: Step) -> None:
    assert decide(replace(CARD, job=WriteJobState.NOTHING_WRITTEN, failure=failure)) == step


def test_card_that_is_tried_again_and_again_goes_into_the_bin() -> None:
    assert decide(replace(CARD, cards=3, job=WriteJobState.NOTHING_WRITTEN, failure="write_error")).act is Act.BIN


@pytest.mark.parametrize("stop", ["stacker_empty", "bin_full", "card_jam", "dispenser_failed"])
def test_what_stops_the_dispenser_sends_the_customer_to_the_counter(stop: str) -> None:
    assert decide(replace(EMPTY, stop=stop)) == Step(Act.STOP, KioskStop(stop))


def test_nothing_is_done_while_something_is_under_way_or_not_seen_yet() -> None:
    for busy in ({"moving": True}, {"place": None}, {"fed": False}, {"read": None}):
        assert decide(replace(CARD, **busy)).act is Act.WAIT
    assert decide(replace(EMPTY, moving=True, resting=STALLED)) == Step(Act.STOP, KioskStop.NO_ANSWER)
    assert decide(replace(EMPTY, place="gate")) == Step(Act.STOP, KioskStop.CARD_AT_GATE)
    assert decide(replace(EMPTY, kit_alive=False)) == Step(Act.STOP, KioskStop.KIT_ENDED)


def test_sold_card_is_handed_out_once_and_the_sale_ends_when_it_is_gone() -> None:
    sold = replace(CARD, state=KioskState.SOLD, card_state=SimState.IN_USE)
    assert decide(sold).act is Act.HAND_OUT
    assert decide(replace(sold, moving=True)).act is Act.WAIT
    handed = replace(sold, handed_out=True)
    assert [decide(replace(handed, place=place)).act for place in ("contacts", "gate", "nowhere")] == [
        Act.WAIT,
        Act.WAIT,
        Act.FINISH,
    ]
    assert decide(replace(sold, place="gate")).act is Act.WAIT
    assert decide(replace(sold, place=None, resting=STALLED)).act is Act.WAIT
    assert decide(replace(sold, state=KioskState.DONE)).act is Act.WAIT


def test_sold_card_whose_movement_was_lost_is_judged_by_where_it_lies_after_a_while() -> None:
    lost = replace(CARD, state=KioskState.SOLD, card_state=SimState.IN_USE, moving=True, resting=STALLED)
    assert [decide(replace(lost, place=place)).act for place in ("contacts", "gate", "nowhere")] == [
        Act.HAND_OUT,
        Act.BIN,
        Act.FINISH,
    ]


def test_sold_card_that_nobody_takes_is_drawn_in_after_a_while_or_never() -> None:
    """REQ-HW-08, REQ-HW-11: a card that works lies before no stranger, unless the hall wants that."""
    out = replace(CARD, state=KioskState.SOLD, card_state=SimState.IN_USE, place="gate", handed_out=True)
    rested = replace(out, resting=TAKE_BACK)
    assert [decide(sight).act for sight in (out, rested, replace(rested, take_back=None))] == [
        Act.WAIT,
        Act.BIN,
        Act.WAIT,
    ]


def test_card_that_was_drawn_in_is_the_staffs_unless_somebody_was_quicker() -> None:
    drawn_in = replace(CARD, state=KioskState.SOLD, card_state=SimState.IN_USE, place="nowhere", drawn_in=True)
    assert decide(drawn_in).act is Act.TAKE_BACK
    assert decide(replace(drawn_in, stop="dispenser_failed")).act is Act.FINISH
    assert decide(replace(drawn_in, moving=True)).act is Act.WAIT
    assert decide(replace(drawn_in, moving=True, resting=STALLED)).act is Act.TAKE_BACK


@pytest.mark.parametrize("place", ["gate", "contacts"])
def test_card_that_cannot_be_drawn_in_stays_where_it_is(place: str) -> None:
    full = replace(CARD, state=KioskState.SOLD, place=place, drawn_in=True, stop="bin_full", resting=TAKE_BACK)
    assert decide(full).act is Act.WAIT


def test_another_card_helps_only_against_what_the_card_is() -> None:
    assert refused_for_the_card("sim_not_free")
    assert not refused_for_the_card("no_data_unit")

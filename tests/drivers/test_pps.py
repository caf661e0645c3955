from __future__ import annotations

import pytest

from drivers.errors import CardUnresponsiveError, EchoError, ProtocolError
from drivers.iso7816_3.atr import INITIAL, Rate, read_atr
from drivers.iso7816_3.pps import settle
from tests.drivers.wires import Tape, play

CLOCK = 3_571_200
FAST = "3b1096"  # TA1 says 512/32
T1_FIRST = "3b9096" + "8100" + "87"
"""Offers T=1, then T=0, with the same speed."""


def settled(atr: str, answer: str, *, faster: bool = True, clock: int = CLOCK) -> tuple[Rate, str]:
    """Return the speed agreed on and what was sent for it."""
    tape = Tape(bytes.fromhex(answer))
    rate = play(settle(play(read_atr(), Tape(bytes.fromhex(atr))), clock=clock, faster=faster), tape)
    assert not tape.ahead
    return rate, tape.sent.hex()


def test_a_card_that_can_do_more_is_asked_for_it() -> None:
    assert settled(FAST, "ff109679") == (Rate(512, 32, 5_000_000), "ff109679")


def test_a_card_may_stay_at_its_initial_speed() -> None:
    assert settled(FAST, "ff00ff") == (INITIAL, "ff109679")


@pytest.mark.parametrize("atr", ["3b00", "3b1011", "3b1001"])
def test_nothing_is_asked_where_nothing_is_won(atr: str) -> None:
    assert settled(atr, "") == (INITIAL, "")


def test_nothing_is_asked_unless_wished() -> None:
    assert settled(FAST, "", faster=False) == (INITIAL, "")


def test_a_clock_above_what_the_speed_allows_keeps_the_initial_one() -> None:
    assert settled(FAST, "", clock=5_100_000) == (INITIAL, "")


@pytest.mark.parametrize(
    ("faster", "exchange", "rate"),
    [(True, "ff109679", Rate(512, 32, 5_000_000)), (False, "ff00ff", INITIAL)],
)
def test_t0_is_asked_for_when_it_is_the_second_offer(exchange: str, rate: Rate, *, faster: bool) -> None:
    assert settled(T1_FIRST, exchange, faster=faster) == (rate, exchange)


def test_a_card_in_specific_mode_is_taken_as_it_is() -> None:
    assert settled("3b90" + "9610" + "00", "") == (Rate(512, 32, 5_000_000), "")


def test_a_card_in_specific_mode_with_parameters_of_its_own_stays_at_the_initial_speed() -> None:
    assert settled("3b90" + "9610" + "10", "") == (INITIAL, "")


@pytest.mark.parametrize("atr", ["3b8001" + "81", "3b80" + "10" + "01"])
def test_a_card_without_t0_is_refused(atr: str) -> None:
    with pytest.raises(ProtocolError, match="T=0"):
        settled(atr, "")


@pytest.mark.parametrize(
    "answer",
    [
        "ff10957a",  # another speed
        "ff109678",  # a wrong check byte
        "ff00fe",
        "ff119678",  # another protocol
        "ff30967900",  # a parameter that was not asked for
        "3b109679",
    ],
)
def test_an_answer_that_does_not_repeat_the_question_is_refused(answer: str) -> None:
    with pytest.raises(ProtocolError):
        settled(FAST, answer)


def test_a_speed_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(ProtocolError):
        settled(T1_FIRST, "ff109679", faster=False)


@pytest.mark.parametrize("answer", ["", "ff", "ff10", "ff1096", "ff00"])
def test_silence_is_named(answer: str) -> None:
    with pytest.raises(CardUnresponsiveError):
        settled(FAST, answer)


def test_a_lost_echo_is_named() -> None:
    atr = play(read_atr(), Tape(bytes.fromhex(FAST)))
    with pytest.raises(EchoError):
        play(settle(atr, clock=CLOCK, faster=True), Tape(b"", echo=False))

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import errors
from drivers.at_lines import (
    LONGEST_LINE,
    Answer,
    Conversation,
    csim,
    csim_answer,
    error_of,
    functionality_levels,
    is_off,
)

READ = bytes.fromhex("00b000000a")


def test_a_unit_is_written_as_digits_with_their_number() -> None:
    assert csim(READ).outgoing == b'AT+CSIM=10,"00B000000A"\r'


def test_an_answer_is_the_line_waited_for_and_how_it_ended() -> None:
    assert csim(READ).feed(b'\r\n+CSIM: 4,"9000"\r\n\r\nOK\r\n') == Answer('+CSIM: 4,"9000"', ok=True)


@given(cuts=st.lists(st.integers(0, 80), max_size=6))
def test_an_answer_may_come_in_any_pieces(cuts: list[int]) -> None:
    whole = b'AT+CSIM=10,"00B000000A"\r\r\n+CSIM: 4,"9000"\r\n\r\nOK\r\n'
    conversation = csim(READ)
    places = [0, *sorted(cuts), len(whole)]
    answers = [conversation.feed(whole[start:end]) for start, end in itertools.pairwise(places)]
    assert Answer('+CSIM: 4,"9000"', ok=True) in answers


@pytest.mark.parametrize("between", [b"RING\r\n", b"\r\n+CREG: 1\r\n", b"^RSSI: 12\r\n", b"\xff\x00\r\n"])
def test_what_a_modem_says_unasked_is_no_answer(between: bytes) -> None:
    conversation = csim(READ)
    assert conversation.feed(between + b'+CSIM: 4,"9000"\r\n' + between) is None
    assert conversation.feed(b"OK\r\n") == Answer('+CSIM: 4,"9000"', ok=True)


def test_an_ok_before_the_line_waited_for_belongs_to_something_else() -> None:
    conversation = Conversation("AT+CMEE?", "+CMEE:")
    assert conversation.feed(b"OK\r\nOK\r\n") is None
    assert conversation.feed(b"+CMEE: 1\r\nOK\r\n") == Answer("+CMEE: 1", ok=True)


def test_a_command_that_tells_nothing_ends_with_ok() -> None:
    assert Conversation("ATE0").feed(b"ATE0\r\r\nOK\r\n") == Answer("", ok=True)


def test_endless_noise_is_not_kept() -> None:
    conversation = csim(READ)
    for _ in range(10):
        assert conversation.feed(b"\x00" * LONGEST_LINE) is None
    assert conversation.feed(b'\r\n+CSIM: 4,"9000"\r\nOK\r\n') == Answer('+CSIM: 4,"9000"', ok=True)


@pytest.mark.parametrize(
    ("said", "code", "error"),
    [
        ("ERROR", None, errors.ModemRefusesError),
        ("+CME ERROR: 3", 3, errors.ModemRefusesError),
        ("+CME ERROR: 4", 4, errors.ModemRefusesError),
        ("+CME ERROR: 10", 10, errors.NoCardError),
        ("+CME ERROR: SIM not inserted", 10, errors.NoCardError),
        ("+CME ERROR: 11", 11, errors.ModemRefusesError),
        ("+CME ERROR: 13", 13, errors.CardUnresponsiveError),
        ("+CME ERROR: 14", 14, errors.SharingViolationError),
        ("+CME ERROR: 15", 15, errors.ProtocolError),
        ("+CME ERROR: 100", 100, errors.ReaderFailureError),
        ("+CME ERROR: out of cheese", None, errors.ModemRefusesError),
        ("+CMS ERROR: 302", 302, errors.ReaderFailureError),
    ],
)
def test_every_refusal_has_a_name(said: str, code: int | None, error: type[errors.DriverError]) -> None:
    answer = csim(READ).feed(f"\r\n{said}\r\n".encode())
    assert answer is not None
    assert (answer.ok, answer.code) == (False, code)
    assert type(error_of(answer, "at:port")) is error


@pytest.mark.parametrize("line", ['+CSIM: 4,"9000"', "+CSIM: 4,9000", '+CSIM:4 , "9000"'])
def test_a_cards_answer_is_read_however_it_is_spelled(line: str) -> None:
    assert csim_answer(line) == b"\x90\x00"


@pytest.mark.parametrize("line", ['+CSIM: 6,"9000"', '+CSIM: 3,"900"', "+CSIM: 4", '+CSIM: 4,"90ZZ"'])
def test_a_torn_line_is_a_lost_answer(line: str) -> None:
    with pytest.raises(errors.AnswerLostError):
        csim_answer(line)


@pytest.mark.parametrize(
    ("line", "levels"),
    [
        ("+CFUN: (0,1,4),(0,1)", {0, 1, 4}),
        ("+CFUN: (0-1,5-7)", {0, 1, 5, 6, 7}),
        ("+CFUN: (0, x,1-)", {0, 1}),
        ("+CFUN: (0-999)", set(range(128))),
        ("nonsense", set()),
    ],
)
def test_the_levels_of_functionality_are_read(line: str, levels: set[int]) -> None:
    assert functionality_levels(line) == levels


@pytest.mark.parametrize(
    ("line", "off"), [("+CFUN: 0", True), ("+CFUN: 0,0", True), ("+CFUN: 1", False), ("+CFUN: 10", False), ("", False)]
)
def test_a_modem_without_power_is_told_from_one_with(line: str, *, off: bool) -> None:
    assert is_off(line) is off


def test_no_error_tells_what_was_sent() -> None:
    answer = csim(bytes.fromhex("0020000a08") + b"41414141").feed(b"+CME ERROR: 13\r\n")
    assert answer is not None
    assert "41" not in str(error_of(answer, "at:port"))

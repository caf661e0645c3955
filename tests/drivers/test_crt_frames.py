from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.virtual.dispenser import framed
from drivers import errors
from drivers.crt_frames import ACK_SECONDS, ERRORS, TRIES, Command, Exchange, Reply, parse

STATUS = Command(0x31, 0x30, repeatable=True)
APDU = Command(0x51, 0x33, bytes.fromhex("00b000000a"))
ACK, NAK = b"\x06", b"\x15"
GOOD = framed(0, b"P10" + b"220")
CARD_ANSWER = framed(0, b"PQ3" + b"220" + b"\x90\x00")


def on_its_way(command: Command = STATUS) -> Exchange:
    return Exchange(command, address=0, seconds=5.0)


def test_a_command_is_framed_with_length_and_xor() -> None:
    assert STATUS.frame(0).hex(" ") == "f2 00 00 03 43 31 30 03 b0"


def test_a_good_answer_tells_the_three_states_and_data() -> None:
    assert parse(framed(0, b"PQ0" + b"210" + b"0\x3b\x00")) == Reply(0x51, 0x30, status="210", data=b"0\x3b\x00")


@pytest.mark.parametrize("kind", [b"E", b"N"])
def test_a_bad_answer_tells_its_code(kind: bytes) -> None:
    assert parse(framed(0, kind + b"21" + b"a0")) == Reply(0x32, 0x31, error="A0")


@pytest.mark.parametrize("body", [b"", b"P1", b"P1012", b"E10A", b"X10220"])
def test_a_frame_that_is_no_answer_is_not_one(body: bytes) -> None:
    assert parse(framed(0, body)) is None


@given(place=st.integers(0, len(CARD_ANSWER) - 1), flip=st.integers(1, 255))
def test_any_damaged_byte_is_noticed(place: int, flip: int) -> None:
    damaged = bytearray(CARD_ANSWER)
    damaged[place] ^= flip
    assert parse(bytes(damaged)) is None


@given(cuts=st.lists(st.integers(0, 20), max_size=5))
def test_ack_and_answer_may_come_in_any_pieces(cuts: list[int]) -> None:
    whole = ACK + CARD_ANSWER
    exchange = on_its_way(APDU)
    places = [0, *sorted(cuts), len(whole)]
    sent = b"".join(exchange.feed(whole[start:end]) for start, end in itertools.pairwise(places))
    assert (sent, exchange.clean) == (ACK, True)
    assert exchange.reply == Reply(0x51, 0x33, status="220", data=b"\x90\x00")


def test_a_line_that_never_rests_is_given_up() -> None:
    exchange = on_its_way()
    exchange.feed(b"$" * 4096)
    exchange.feed(b"$" * 4096)
    with pytest.raises(errors.AnswerLostError, match="something else"):
        exchange.feed(b"$")


def test_the_wait_is_short_for_the_ack_and_long_for_the_answer() -> None:
    exchange = on_its_way()
    assert exchange.patience == ACK_SECONDS
    exchange.feed(ACK)
    assert exchange.patience == 5.0
    exchange.feed(GOOD[:3])
    assert exchange.patience == ACK_SECONDS


@pytest.mark.parametrize("command", [STATUS, APDU])
def test_a_command_that_was_not_understood_is_sent_again(command: Command) -> None:
    exchange = on_its_way(command)
    assert exchange.feed(NAK) == exchange.outgoing
    with pytest.raises(errors.AnswerLostError):
        exchange.feed(NAK * TRIES)


def test_what_may_be_done_twice_is_sent_again_after_silence() -> None:
    exchange = on_its_way()
    assert [exchange.silence() for _ in range(TRIES - 1)] == [exchange.outgoing] * (TRIES - 1)
    with pytest.raises(errors.AnswerLostError):
        exchange.silence()
    assert not exchange.clean


def test_a_command_to_the_card_is_never_sent_again_after_silence() -> None:
    with pytest.raises(errors.AnswerLostError):
        on_its_way(APDU).silence()


def test_a_device_that_took_the_command_and_stays_silent_is_named() -> None:
    exchange = on_its_way()
    exchange.feed(ACK)
    with pytest.raises(errors.CardUnresponsiveError):
        exchange.silence()


@pytest.mark.parametrize("spoiled", [GOOD[:-1] + b"\x00", framed(0, b"X10220")])
def test_a_spoiled_answer_is_asked_for_again(spoiled: bytes) -> None:
    exchange = on_its_way()
    assert exchange.feed(ACK + spoiled) == NAK
    assert exchange.feed(GOOD) == ACK
    assert exchange.reply is not None
    assert not exchange.clean


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    exchange = on_its_way()
    assert exchange.feed(ACK + GOOD[:7]) == b""
    assert exchange.silence() == NAK
    assert exchange.feed(GOOD) == ACK


@pytest.mark.parametrize(
    "stale",
    [CARD_ANSWER, ACK + framed(0, b"P10220"), ACK + framed(1, b"PQ3220\x90\x00")],
    ids=["before the ACK", "of another command", "of another unit"],
)
def test_an_answer_to_something_else_is_acknowledged_and_passed_over(stale: bytes) -> None:
    exchange = on_its_way(APDU)
    assert exchange.feed(stale) == ACK
    assert exchange.reply is None
    assert not exchange.clean
    exchange.feed(ACK + CARD_ANSWER)
    assert exchange.reply is not None


def test_noise_is_passed_over() -> None:
    exchange = on_its_way()
    assert exchange.feed(b"\x00\xff\x04" + ACK + NAK + GOOD) == ACK
    assert exchange.reply is not None


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_code_of_the_manual_has_its_error(code: str) -> None:
    failure = Reply(0x32, 0x31, error=code).failure("crt:port")
    assert type(failure) is ERRORS[code][0]
    assert code in str(failure)


def test_an_unknown_code_is_a_failure_too() -> None:
    assert type(Reply(0x32, 0x31, error="77").failure("crt:port")) is errors.ReaderFailureError
    assert Reply(0x32, 0x31, status="000").failure("crt:port") is None


def test_no_command_shows_its_data() -> None:
    assert "data" not in repr(APDU)

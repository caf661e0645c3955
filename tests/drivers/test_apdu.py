from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import FORBIDDEN_INS, MAX_CHAIN, CommandAPDU, ResponseAPDU, transceive
from drivers.errors import AnswerLostError, ForbiddenCommandError, MalformedApduError, ProtocolError


class Reader:
    """Plays answers in order and keeps what it was sent."""

    def __init__(self, *answers: str) -> None:
        self.answers = [bytes.fromhex(answer) for answer in answers]
        self.sent: list[str] = []

    def __call__(self, unit: bytes) -> bytes:
        self.sent.append(unit.hex())
        return self.answers.pop(0)


def talk(apdu: str, *answers: str, t0: bool = True) -> tuple[str, str, list[str]]:
    reader = Reader(*answers)
    data, sw = transceive(bytes.fromhex(apdu), reader, t0=t0)
    assert not reader.answers, "the conversation ended before the card's last answer"
    return data.hex(), f"{sw:04x}", reader.sent


@pytest.mark.parametrize(
    ("raw", "case", "data", "le"),
    [
        ("00440000", 1, "", None),
        ("00b000000a", 2, "", 10),
        ("00b0000000", 2, "", 256),
        ("00d6000002abcd", 3, "abcd", None),
        ("00a40004022fe21c", 4, "2fe2", 28),
        ("00a40004022fe200", 4, "2fe2", 256),
    ],
)
def test_a_command_is_taken_apart_by_its_case(raw: str, case: int, data: str, le: int | None) -> None:
    command = CommandAPDU.parse(bytes.fromhex(raw))
    assert (command.case, command.data.hex(), command.le) == (case, data, le)
    assert command.to_bytes().hex() == raw


@pytest.mark.parametrize("raw", ["", "00a400", "00d6000003abcd", "00d6000002abcdef00", "00d600000000ab"])
def test_bytes_that_are_no_short_command_are_refused_unsent(raw: str) -> None:
    reader = Reader()
    with pytest.raises(MalformedApduError):
        transceive(bytes.fromhex(raw), reader, t0=True)
    assert reader.sent == []


header = st.integers(0, 255)


@given(cla=header, ins=header, p1=header, p2=header, data=st.binary(max_size=255), le=st.none() | st.integers(1, 256))
def test_every_command_survives_its_written_form(
    cla: int, ins: int, p1: int, p2: int, data: bytes, le: int | None
) -> None:
    command = CommandAPDU(cla, ins, p1, p2, data, le)
    assert CommandAPDU.parse(command.to_bytes()) == command


@given(cla=header, ins=header, data=st.binary(max_size=255), le=st.none() | st.integers(1, 256))
def test_t0_always_carries_p3_and_never_le_after_data(cla: int, ins: int, data: bytes, le: int | None) -> None:
    tpdu = CommandAPDU(cla, ins, 0, 0, data, le).to_tpdu()
    assert len(tpdu) == 5 + len(data)
    assert tpdu[4] == (len(data) if data else (le or 0) % 256)


def test_a_plain_answer_ends_the_exchange() -> None:
    assert talk("00b000000a", "98681031325476981032 9000") == ("98681031325476981032", "9000", ["00b000000a"])


def test_t0_strips_le_and_fetches_the_announced_answer() -> None:
    data, sw, sent = talk("00a40004022fe200", "6108", "6206800200 0a8801 9000")
    assert (data, sw) == ("62068002000a8801", "9000")
    assert sent == ["00a40004022fe2", "00c0000008"]


def test_t1_keeps_le_and_needs_no_second_command() -> None:
    assert talk("00a40004022fe200", "6200 9000", t0=False) == ("6200", "9000", ["00a40004022fe200"])


def test_gsm_class_is_kept_for_get_response_after_9f() -> None:
    assert talk("a0a40000023f00", "9f02", "abcd 9000")[2] == ["a0a40000023f00", "a0c0000002"]


def test_logical_channel_is_kept_for_get_response() -> None:
    assert talk("01a40004022fe2", "6101", "ab 9000")[2][1] == "01c0000001"


def test_61_00_asks_for_256_bytes() -> None:
    data, _, sent = talk("0088008101ab", "6100", "aa" * 256 + "9000")
    assert sent[1] == "00c0000000"
    assert len(data) == 512


def test_a_chain_of_answers_is_joined() -> None:
    assert talk("0088008101ab", "6102", "aabb6101", "cc9000")[:2] == ("aabbcc", "9000")


def test_a_chain_of_exactly_the_limit_is_followed() -> None:
    answers = ["6101", *["aa6101"] * (MAX_CHAIN - 1), "bb9000"]
    assert talk("0088008101ab", *answers)[:2] == ("aa" * (MAX_CHAIN - 1) + "bb", "9000")


def test_an_endless_chain_is_cut_off() -> None:
    with pytest.raises(ProtocolError):
        talk("0088008101ab", "6101", *["aa6101"] * MAX_CHAIN)


@pytest.mark.parametrize("final", ["9110", "9200", "6281", "63c2"])
def test_success_and_warnings_of_get_response_are_the_final_word(final: str) -> None:
    assert talk("0088008101ab", "6101", f"aa{final}")[:2] == ("aa", final)


def test_a_failing_get_response_leaves_the_commands_own_verdict() -> None:
    assert talk("00a40004022fe2", "6108", "6f00")[:2] == ("", "6108")


def test_data_fetched_before_a_failing_get_response_is_kept() -> None:
    assert talk("00a40004022fe2", "6108", "aabb6102", "6f00")[:2] == ("aabb", "6108")


def test_wrong_le_is_corrected_once() -> None:
    assert talk("00b0000000", "6c0a", "aa" * 10 + "9000")[2] == ["00b0000000", "00b000000a"]


def test_a_second_wrong_le_is_the_answer() -> None:
    assert talk("00b0000000", "6c0a", "6c09")[:2] == ("", "6c09")


def test_wrong_le_of_get_response_is_corrected_too() -> None:
    assert talk("00a40004022fe2", "6100", "6c02", "abcd9000")[2] == ["00a40004022fe2", "00c0000000", "00c0000002"]


def test_wrong_le_00_means_256() -> None:
    assert talk("00b000000a", "6c00", "aa" * 256 + "9000")[2][1] == "00b0000000"


def test_wrong_le_of_a_t1_command_with_data_is_corrected() -> None:
    assert talk("00a40004022fe200", "6c02", "abcd9000", t0=False)[2][1] == "00a40004022fe202"


def test_t0_never_repeats_a_command_that_carried_data() -> None:
    assert talk("00d6000001ff", "6c01")[1:] == ("6c01", ["00d6000001ff"])


def test_case_1_gets_a_p3_on_t0_only() -> None:
    assert talk("00440000", "9000")[2] == ["0044000000"]
    assert talk("00440000", "9000", t0=False)[2] == ["00440000"]


@pytest.mark.parametrize("ins", sorted(FORBIDDEN_INS))
@pytest.mark.parametrize("cla", [0x00, 0x04, 0x40, 0x80, 0xA0])
def test_irreversible_commands_never_leave_the_driver(ins: int, cla: int) -> None:
    reader = Reader()
    with pytest.raises(ForbiddenCommandError, match=FORBIDDEN_INS[ins]):
        transceive(bytes([cla, ins, 0, 0]), reader, t0=True)
    assert reader.sent == []


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_status_word_is_a_lost_answer(answer: str) -> None:
    with pytest.raises(AnswerLostError):
        talk("00b000000a", answer)


def test_data_shows_in_no_repr() -> None:
    assert "3131" not in repr(CommandAPDU(0, 0x20, 0, 1, b"11"))
    assert "b'11'" not in repr(CommandAPDU(0, 0x20, 0, 1, b"11")) + repr(ResponseAPDU(b"11", 0x9000))

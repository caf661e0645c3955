from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadAtrError, MuteCardError
from drivers.iso7816_3.atr import INITIAL, AnswerToReset, Rate, read_atr
from drivers.iso7816_3.line import Convention, Turn
from tests.drivers.wires import Tape, play

SJS1 = "3b9f96801fc78031a073be21136743200718000001a5"


def heard(answer: str) -> AnswerToReset:
    """Read an answer as it stands on the wire of the direct convention."""
    return play(read_atr(), Tape(bytes.fromhex(answer)))


def mirrored(data: bytes) -> bytes:
    """Bit by bit: the last becomes the first, one becomes zero."""
    return bytes(sum(1 << (7 - bit) for bit in range(8) if not byte >> bit & 1) for byte in data)


@dataclass
class Built:
    """An answer put together part by part, as the standard's figures draw it."""

    interface: dict[str, int] = field(default_factory=dict)
    protocols: list[int] = field(default_factory=list)
    body: bytes = b""
    historical: bytes = b""


@st.composite
def answers(draw: st.DrawFn) -> Built:
    historical = draw(st.binary(max_size=15))
    built = Built(historical=historical)
    groups = draw(st.lists(st.dictionaries(st.sampled_from("ABC"), st.integers(0, 255)), max_size=4))
    protocols = [draw(st.integers(0, 15)) for _ in groups[1:]]
    lead = len(historical)
    for number, group in enumerate(groups, 1):
        more = number < len(groups)
        nibble = sum(1 << "ABC".index(letter) for letter in group) | (more << 3)
        built.body += bytes([nibble << 4 | lead, *(group[letter] for letter in sorted(group))])
        built.interface |= {f"T{letter}{number}": value for letter, value in group.items()}
        if more:
            lead = protocols[number - 1]
            built.interface[f"TD{number}"] = 0  # known below, with the nibble of the next group
    if not groups:
        built.body = bytes([lead])
    for number, (protocol, group) in enumerate(zip(protocols, groups[1:], strict=True), 1):
        nibble = sum(1 << "ABC".index(letter) for letter in group) | ((number + 1 < len(groups)) << 3)
        built.interface[f"TD{number}"] = nibble << 4 | protocol
    built.protocols = protocols
    built.body += historical
    if set(protocols) - {0}:
        check = 0
        for byte in built.body:
            check ^= byte
        built.body += bytes([check])
    return built


@given(built=answers(), inverse=st.booleans())
def test_every_answer_is_read_as_it_was_built(built: Built, *, inverse: bool) -> None:
    meant = (b"\x3f" if inverse else b"\x3b") + built.body
    tape = Tape((mirrored(meant) if inverse else meant) + b"next")
    if len(meant) > 33:
        with pytest.raises(BadAtrError):
            play(read_atr(), tape)
        return
    atr = play(read_atr(), tape)
    assert atr.raw == meant
    assert atr.convention is (Convention.INVERSE if inverse else Convention.DIRECT)
    assert atr.interface == built.interface
    assert atr.historical == built.historical
    assert set(atr.protocols) == set(built.protocols) - {15} or atr.protocols == (0,)
    assert tape.ahead == b"next", "not a byte more than the answer was heard"


@given(built=answers(), cut=st.integers(1, 33))
def test_an_answer_that_breaks_off_is_named(built: Built, cut: int) -> None:
    meant = b"\x3b" + built.body
    with pytest.raises(BadAtrError):
        play(read_atr(), Tape(meant[: min(cut, len(meant) - 1)]))


def test_silence_after_a_reset_is_a_mute_card() -> None:
    with pytest.raises(MuteCardError):
        heard("")


@pytest.mark.parametrize("glitch", ["00", "ff", "00ff00"])
def test_what_a_moving_line_makes_a_uart_hear_is_passed_over(glitch: str) -> None:
    assert heard(glitch + SJS1).raw.hex() == SJS1
    with pytest.raises(MuteCardError):
        heard(glitch)


@pytest.mark.parametrize("start", ["3f", "60", "0060", "00000000"])
def test_an_answer_that_begins_otherwise_is_refused(start: str) -> None:
    with pytest.raises(BadAtrError, match="3B nor 3F"):
        heard(start + SJS1[2:])


def test_a_wrong_check_byte_is_refused() -> None:
    with pytest.raises(BadAtrError, match="check byte"):
        heard(SJS1[:-2] + "a4")


def test_an_endless_chain_of_interface_bytes_is_cut_off() -> None:
    with pytest.raises(BadAtrError, match="too long"):
        heard("3b80" + "80" * 40)


def test_a_cards_own_choice_of_protocol_comes_first() -> None:
    assert heard("3b80" + "81" + "00" + "01").protocols == (1, 0)
    assert heard(SJS1).protocols == (0,)
    assert heard("3b00").protocols == (0,)


def test_what_an_answer_says_of_speed_and_pauses() -> None:
    sjs1 = heard(SJS1)
    assert (sjs1.rate, sjs1.extra_guard, sjs1.waiting) == (Rate(512, 32, 5_000_000), 0, 960 * 10 * 512)
    slow = heard("3bc0" + "05" + "40" + "20")
    assert (slow.rate, slow.extra_guard, slow.waiting) == (INITIAL, 5, 960 * 32 * 372)


@pytest.mark.parametrize(("tc1", "guard"), [("00", 0), ("07", 7), ("fe", 254), ("ff", 0)])
def test_the_extra_pause_of_255_is_none(tc1: str, guard: int) -> None:
    assert heard("3b40" + tc1).extra_guard == guard


def test_a_waiting_time_of_nothing_is_the_usual_one() -> None:
    assert heard("3b80" + "40" + "00").waiting == heard("3b00").waiting


@pytest.mark.parametrize(
    ("ta1", "baud"),
    [(0x11, 9600), (0x94, 55800), (0x95, 111600), (0x96, 223200), (0x97, 446400), (0x18, 115200), (0x0A, None)],
)
def test_speeds_at_a_common_clock(ta1: int, baud: int | None) -> None:
    rate = Rate.of(ta1)
    assert (rate and rate.baud(3_571_200)) == baud


@pytest.mark.parametrize("ta1", [0x10, 0x7F, 0x71, 0x81, 0xE1, 0xF1, 0x1A])
def test_reserved_speeds_are_none(ta1: int) -> None:
    assert Rate.of(ta1) is None
    assert heard(f"3b10{ta1:02x}").rate == INITIAL


def test_the_first_character_may_take_40000_cycles_and_the_next_9600_bits() -> None:
    machine = read_atr()
    assert next(machine) == Turn(b"", 1, 40_000)
    assert machine.send(b"\x3b") == Turn(b"", 1, 9600 * 372)

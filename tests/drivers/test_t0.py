from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import CardUnresponsiveError, EchoError, MalformedApduError, ProtocolError
from drivers.iso7816_3.t0 import carry
from tests.drivers.wires import Tape, play

WAITING = 960 * 10 * 372
READ = bytes.fromhex("00b0000003")
UPDATE = bytes.fromhex("00d6000002abcd")


@dataclass
class ModelCard:
    """The card's side, driven by draws: how often it says NULL, and whether it takes one byte or all."""

    draw: st.DataObject
    answer: bytes
    sw: bytes
    expects: int
    """Bytes of data that follow the header."""
    header: bytes = b""
    data: bytes = b""
    ahead: bytearray = field(default_factory=bytearray)
    granted: int = 0

    def take(self, sent: bytes, count: int) -> bytes:
        assert not (sent and self.ahead), "both ends speak at once"
        if not self.header:
            self.header = sent
            self._proceed()
            return sent
        if sent:
            assert len(sent) == self.granted, "the card was sent what it did not ask for"
            self.data += sent
            self._proceed()
            return sent
        assert count <= len(self.ahead), "more is awaited than the card has to say"
        heard = bytes(self.ahead[:count])
        del self.ahead[:count]
        if not self.ahead and not (self.granted and self.expects):
            self._proceed()
        return heard

    def _proceed(self) -> None:
        """Say what comes next: NULLs, then an order for one byte or all, or the status word."""
        left = self.expects - len(self.data) if self.expects else len(self.answer)
        self.ahead += b"\x60" * self.draw.draw(st.integers(0, 3))
        if not left:
            self.ahead += self.sw
            self.granted = 0
            return
        single = self.draw.draw(st.booleans())
        self.granted = 1 if single else left
        self.ahead.append(self.header[1] ^ (0xFF if single else 0))
        if not self.expects:
            self.ahead += self.answer[: self.granted]
            self.answer = self.answer[self.granted :]
            self.granted = 0


instructions = st.integers(0, 255).filter(lambda ins: ins >> 4 not in {6, 9})
status = st.tuples(st.sampled_from([0x90, 0x61, 0x6C, 0x9F, 0x91, 0x63, 0x6A, 0x98]), st.integers(0, 255)).map(bytes)


@given(draw=st.data(), ins=instructions, answer=st.binary(min_size=1, max_size=256), sw=status)
def test_what_a_card_answers_arrives_however_it_doles_it_out(
    draw: st.DataObject, ins: int, answer: bytes, sw: bytes
) -> None:
    tpdu = bytes([0, ins, 0, 0, len(answer) % 256])
    card = ModelCard(draw, answer, sw, 0)
    assert play(carry(tpdu, waiting=WAITING), card) == answer + sw
    assert card.header == tpdu


@given(draw=st.data(), ins=instructions, data=st.binary(min_size=1, max_size=255), sw=status)
def test_what_a_card_is_sent_arrives_however_it_asks_for_it(
    draw: st.DataObject, ins: int, data: bytes, sw: bytes
) -> None:
    card = ModelCard(draw, b"", sw, len(data))
    assert play(carry(bytes([0, ins, 0, 0, len(data)]) + data, waiting=WAITING), card) == sw
    assert card.data == data


@pytest.mark.parametrize("tpdu", ["0044000000", "00b0000000", "00d6000002abcd"])
@pytest.mark.parametrize("nulls", ["", "60", "6060"])
def test_a_status_word_may_come_at_once(tpdu: str, nulls: str) -> None:
    tape = Tape(bytes.fromhex(nulls + "6a82"))
    assert play(carry(bytes.fromhex(tpdu), waiting=WAITING), tape) == b"\x6a\x82"
    assert tape.sent == bytes.fromhex(tpdu)[:5]


def test_a_card_may_end_before_it_gave_or_took_all() -> None:
    assert play(carry(READ, waiting=WAITING), Tape(bytes.fromhex("4f0162" + "81"))) == bytes.fromhex("016281")
    tape = Tape(bytes.fromhex("29" + "6581"))
    assert play(carry(UPDATE, waiting=WAITING), tape) == b"\x65\x81"
    assert tape.sent == UPDATE[:6]


@pytest.mark.parametrize("answer", ["b1", "b0aabbccb0", "b0aabbcc4f", "00"])
def test_any_other_procedure_byte_is_named(answer: str) -> None:
    with pytest.raises(ProtocolError, match="procedure byte"):
        play(carry(READ, waiting=WAITING), Tape(bytes.fromhex(answer)))


@pytest.mark.parametrize("answer", ["", "60", "b0", "b0aabb", "b0aabbcc", "b0aabbcc90", "4f"])
def test_silence_is_named_wherever_it_falls(answer: str) -> None:
    with pytest.raises(CardUnresponsiveError):
        play(carry(READ, waiting=WAITING), Tape(bytes.fromhex(answer)))


@pytest.mark.parametrize("ins", [0x60, 0x6C, 0x90, 0x9F])
def test_an_instruction_that_reads_like_a_status_byte_is_refused_unsent(ins: int) -> None:
    tape = Tape(b"")
    with pytest.raises(MalformedApduError):
        play(carry(bytes([0, ins, 0, 0, 0]), waiting=WAITING), tape)
    assert not tape.sent


def test_a_lost_echo_is_named() -> None:
    with pytest.raises(EchoError, match="nothing"):
        play(carry(READ, waiting=WAITING), Tape(b"", echo=False))


def test_a_changed_echo_is_named() -> None:
    machine = carry(READ, waiting=WAITING)
    next(machine)
    with pytest.raises(EchoError, match="something else"):
        machine.send(READ[:-1] + b"\x00")


def test_the_card_may_be_silent_for_its_waiting_time_and_not_while_its_data_echo() -> None:
    machine = carry(UPDATE, waiting=WAITING)
    assert next(machine).cycles == 0
    assert machine.send(UPDATE[:5]).cycles == WAITING


def test_data_shows_in_no_turn() -> None:
    machine = carry(UPDATE, waiting=WAITING)
    assert "xd6" not in repr(next(machine))

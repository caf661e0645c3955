"""What serial readers do: both conventions, speeds, slow and silent cards, ports without lines, cables pulled out."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from cardwriter.virtual.phoenix_card import CharacterCard
from cardwriter.virtual.phoenix_face import PhoenixFace
from cardwriter.virtual.uicc import Muted
from drivers import errors
from drivers.base import Presence, ReaderState
from drivers.phoenix import open_phoenix
from drivers.polled import PolledSource
from tests.drivers.bench import wait_until
from tests.drivers.commands import READ_ICCID, SELECT_ICCID, iccid_in
from tests.patience import PATIENCE
from tests.station.tiny_card import ATR, ICCID, OTHER_ICCID, TinyCard

SHORT_WAITING = bytes.fromhex("3b804001")
"""TC2 says that a tenth of a second is the longest silence."""
SOON = 1.0
"""Seconds of latency where silence is what is tested."""


@dataclass
class HurriedCard(TinyCard):
    """Is never silent for long, except for one command that it never answers."""

    hang_on: int | None = None
    atr: bytes = SHORT_WAITING

    @override
    def reset(self) -> bytes:
        super().reset()
        return self.atr

    @override
    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == self.hang_on:
            raise Muted
        return super().transmit(apdu)


class ContraryCard(CharacterCard):
    """Agrees to another speed than it was asked for."""

    @override
    def _pps(self) -> bytes:
        answer = super()._pps()
        return bytes.fromhex("ff10957a") if answer else b""


Opener = Callable[..., PolledSource]


@pytest.fixture
def open_reader() -> Iterator[Opener]:
    """Open readers that the end of the test closes."""
    opened: list[PolledSource] = []

    def open_one(wiring: str, **timing: float) -> PolledSource:
        opened.append(open_phoenix(wiring, **timing))
        return opened[-1]

    yield open_one
    for source in opened:
        source.close()


def until(source: PolledSource, wanted: Presence) -> ReaderState:
    found: list[ReaderState] = []

    def seen() -> bool:
        found[:] = source.wait(0.1)
        return [state.presence for state in found] == [wanted]

    wait_until(seen, f"the reader is {wanted}")
    return found[0]


@pytest.mark.parametrize(
    "card",
    [
        CharacterCard(TinyCard(), inverse=True),
        CharacterCard(TinyCard(), nulls=3),
        CharacterCard(TinyCard(), one_by_one=True),
        CharacterCard(TinyCard(), inverse=True, nulls=2, one_by_one=True),
    ],
    ids=["inverse", "patient", "one by one", "all of it"],
)
def test_cards_of_every_manner_are_read(phoenix: PhoenixFace, open_reader: Opener, card: CharacterCard) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE)
    phoenix.insert(card)
    assert until(source, Presence.CARD).atr[1:] == ATR[1:]
    assert iccid_in(source) == ICCID


def test_a_card_is_brought_to_its_best_speed(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts&speed=best", latency=PATIENCE)
    card = CharacterCard(TinyCard())
    phoenix.insert(card)
    assert iccid_in(source) == ICCID
    assert card.baud == 223_200


def test_a_card_that_bargains_badly_is_spoken_to_at_the_initial_speed(
    phoenix: PhoenixFace, open_reader: Opener
) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts&speed=best", latency=PATIENCE)
    card = ContraryCard(TinyCard())
    phoenix.insert(card)
    assert iccid_in(source) == ICCID
    assert card.baud == 9600


def test_a_port_that_cannot_do_the_cards_speed_stays_at_the_initial_one(open_reader: Opener) -> None:
    face = PhoenixFace(fastest=115_200)
    source = open_reader(f"{face.url}?detect=cts&speed=best", latency=PATIENCE)
    card = CharacterCard(TinyCard())
    face.insert(card)
    assert iccid_in(source) == ICCID
    assert card.baud == 9600
    source.close()
    face.close()


def test_a_port_that_cannot_do_the_initial_speed_says_so(open_reader: Opener) -> None:
    face = PhoenixFace(fastest=9600)
    source = open_reader(f"{face.url}?clock=4000000")
    with pytest.raises(errors.ReaderFailureError, match="baudrate"):
        source.connect(source.name)
    assert source.wait(0) == ()
    face.close()


def test_an_extra_pause_between_characters_is_kept(phoenix: PhoenixFace, open_reader: Opener) -> None:
    """The card hears each byte by itself, as the interface passes it on."""
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE)
    phoenix.insert(CharacterCard(HurriedCard(atr=bytes.fromhex("3b4001"))))
    assert iccid_in(source) == ICCID


def test_an_instruction_that_t0_cannot_carry_leaves_the_card_in_step(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE)
    phoenix.insert(CharacterCard(TinyCard()))
    card = source.connect(source.name)
    with pytest.raises(errors.MalformedApduError):
        card.transmit(bytes.fromhex("00600000"))
    assert card.transmit(SELECT_ICCID)[1] == 0x9000


def test_a_silent_card_is_given_up_until_it_is_reset(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=SOON)
    phoenix.insert(CharacterCard(HurriedCard(hang_on=0xB0)))
    until(source, Presence.CARD)
    card = source.connect(source.name)
    with pytest.raises(errors.CardUnresponsiveError, match="waiting time"):
        card.transmit(READ_ICCID)
    with pytest.raises(errors.CardUnresponsiveError, match="reset it first"):
        card.transmit(SELECT_ICCID)
    card.reset()
    assert card.transmit(SELECT_ICCID)[1] == 0x9000


def test_a_silent_card_is_reset_for_its_next_holder(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=SOON)
    phoenix.insert(CharacterCard(HurriedCard(hang_on=0x88)))
    until(source, Presence.CARD)
    card = source.connect(source.name)
    with pytest.raises(errors.CardUnresponsiveError):
        card.transmit(bytes.fromhex("0088008101aa"))
    card.close()
    assert iccid_in(source) == ICCID


@dataclass
class ToilingCard(TinyCard):
    """Is at work without end, and says so."""

    at_work: threading.Event = field(default_factory=threading.Event)

    @override
    def transmit(self, apdu: bytes) -> bytes:
        self.at_work.set()
        raise Muted


def test_a_card_that_asks_for_patience_without_end_is_given_up(phoenix: PhoenixFace, open_reader: Opener) -> None:
    card, given_up = ToilingCard(), threading.Event()

    def ask_for_patience() -> None:
        card.at_work.wait(PATIENCE)
        while not given_up.wait(0.01):
            phoenix.write(b"\x60")

    toil = threading.Thread(target=ask_for_patience)
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE, deadline=0.5)
    phoenix.insert(CharacterCard(card))
    until(source, Presence.CARD)
    held = source.connect(source.name)
    toil.start()
    with pytest.raises(errors.CardUnresponsiveError, match="at work"):
        held.transmit(SELECT_ICCID)
    given_up.set()
    toil.join()


def test_a_card_torn_out_with_a_command_in_hand_leaves_its_outcome_unknown(
    phoenix: PhoenixFace, open_reader: Opener
) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE)
    phoenix.insert(CharacterCard(HurriedCard(torn_after=0)))
    until(source, Presence.CARD)
    card = source.connect(source.name)
    with pytest.raises(errors.AnswerLostError):
        card.transmit(SELECT_ICCID)
    with pytest.raises(errors.CardRemovedError):
        card.transmit(SELECT_ICCID)
    until(source, Presence.NO_CARD)


def test_a_card_without_answer_is_mute_and_asked_again(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=SOON)
    dirty = HurriedCard(atr=b"")
    phoenix.insert(CharacterCard(dirty))
    first = until(source, Presence.MUTE)
    with pytest.raises(errors.MuteCardError):
        source.connect(source.name)
    dirty.atr = SHORT_WAITING
    second = until(source, Presence.CARD)
    assert (second.insertion, second.atr) == (first.insertion, SHORT_WAITING)


@pytest.mark.parametrize(
    ("atr", "what"),
    [("aa55", "begins"), (ATR[:-1].hex() + "00", "check byte"), ("3b800181", "no T=0")],
)
def test_a_card_that_answers_wrongly_is_mute_and_says_why(
    phoenix: PhoenixFace, open_reader: Opener, atr: str, what: str
) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE)
    phoenix.insert(CharacterCard(HurriedCard(atr=bytes.fromhex(atr))))
    until(source, Presence.MUTE)
    with pytest.raises(errors.BadAtrError, match=what):
        source.connect(source.name)


def test_a_port_that_does_not_echo_is_no_phoenix(open_reader: Opener) -> None:
    face = PhoenixFace(echoes=False)
    source = open_reader(f"{face.url}?detect=cts", latency=SOON)
    face.insert(CharacterCard(TinyCard()))
    until(source, Presence.CARD)
    card = source.connect(source.name)
    with pytest.raises(errors.EchoError):
        card.transmit(SELECT_ICCID)
    source.close()
    face.close()


@pytest.mark.parametrize("options", ["", "?detect=dsr-inverted&reset=rts"], ids=["asked for", "told by an idle line"])
def test_an_unheld_card_comes_and_goes(phoenix: PhoenixFace, open_reader: Opener, options: str) -> None:
    """DSR of this interface is never asserted: inverted, it tells of a card at all times."""
    source = open_reader(f"{phoenix.url}{options}")
    until(source, Presence.MUTE if options else Presence.NO_CARD)
    phoenix.insert(CharacterCard(TinyCard()))
    first = until(source, Presence.CARD)
    if not options:
        phoenix.remove()
        until(source, Presence.NO_CARD)
        phoenix.insert(CharacterCard(TinyCard(OTHER_ICCID)))
        assert until(source, Presence.CARD).insertion == first.insertion + 1


def test_without_a_line_that_tells_a_held_card_is_asked_gently(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(phoenix.url)
    phoenix.insert(CharacterCard(TinyCard()))
    until(source, Presence.CARD)
    card = source.connect(source.name)
    card.transmit(SELECT_ICCID)
    source.look()
    assert until(source, Presence.BUSY).atr == ATR
    assert card.transmit(READ_ICCID) == (ICCID, 0x9000)


def test_without_a_line_that_tells_an_empty_reader_says_no_card(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(phoenix.url)
    with pytest.raises(errors.NoCardError):
        source.connect(source.name)


def test_a_reader_unplugged_is_lost_and_comes_back(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts", latency=PATIENCE)
    phoenix.insert(CharacterCard(TinyCard()))
    before = until(source, Presence.CARD)
    card = source.connect(source.name)
    phoenix.unplug()
    with pytest.raises(errors.ReaderLostError):
        card.transmit(SELECT_ICCID)
    after = until(source, Presence.BUSY)
    assert after.insertion == before.insertion + 1
    with pytest.raises(errors.CardRemovedError):
        card.transmit(SELECT_ICCID)
    card.reset()
    assert card.transmit(SELECT_ICCID)[1] == 0x9000


def test_a_reader_unplugged_at_rest_is_no_longer_listed(open_reader: Opener) -> None:
    face = PhoenixFace()
    source = open_reader(f"{face.url}?detect=cts")
    until(source, Presence.NO_CARD)
    face.close()
    wait_until(lambda: source.wait(0.1) == (), "the reader is gone")
    with pytest.raises(errors.NoReaderError):
        source.connect(source.name)


class CountedPauses(threading.Event):
    """Makes no pause, and adds up those asked for; the fourth is woken up from."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        if len(self.pauses) == 4:
            self.set()
        return self.is_set()


def test_a_reader_at_rest_is_looked_at_four_times_a_second(phoenix: PhoenixFace, open_reader: Opener) -> None:
    source = open_reader(f"{phoenix.url}?detect=cts")
    until(source, Presence.NO_CARD)
    source._news = pauses = CountedPauses()
    source.wait(PATIENCE)
    assert pauses.pauses == [0.25] * 4


def test_a_port_that_is_not_there_is_no_reader(open_reader: Opener) -> None:
    source = open_reader("/dev/no-such-port")
    assert source.wait(0) == ()
    with pytest.raises(errors.NoReaderError, match="no-such-port"):
        source.connect(source.name)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """Give a pseudo terminal: a port without modem lines and parity."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(theirs)
    with contextlib.suppress(OSError):
        os.close(ours)


def test_a_port_without_lines_is_an_empty_reader(terminal: tuple[int, str], open_reader: Opener) -> None:
    source = open_reader(f"{terminal[1]}?detect=cts", latency=0.0)
    until(source, Presence.NO_CARD)
    with pytest.raises(errors.NoCardError):
        source.connect(source.name)


def test_a_port_that_another_program_holds_is_busy(terminal: tuple[int, str], open_reader: Opener) -> None:
    first = open_reader(terminal[1], latency=0.0)
    until(first, Presence.NO_CARD)
    second = open_reader(terminal[1])
    until(second, Presence.BUSY)
    with pytest.raises(errors.SharingViolationError):
        second.connect(second.name)


def test_a_port_whose_other_end_is_gone_is_lost(terminal: tuple[int, str], open_reader: Opener) -> None:
    source = open_reader(terminal[1], latency=0.0)
    until(source, Presence.NO_CARD)
    os.close(terminal[0])
    wait_until(lambda: source.wait(0.1) == (), "the reader is gone")
    assert source.wait(0) == ()


def test_a_server_that_is_no_serial_port_is_named(open_reader: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        source = open_reader(f"rfc2217://127.0.0.1:{other.getsockname()[1]}?timeout=0.1")
        with pytest.raises(errors.NoReaderError, match="RFC2217"):
            source.connect(source.name)

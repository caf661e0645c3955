"""What real readers do to us: torn, swapped and silent cards, a dying service, other programs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from smartcard import scard
from typing_extensions import override

from drivers import errors
from drivers.base import Presence, ReaderState
from drivers.pcsc import PcscSource, _check, _establish
from drivers.trace import TracingConnection
from tests.drivers.bench import Bench, wait_until
from tests.drivers.commands import SELECT_ICCID
from tests.patience import PATIENCE
from tests.station.tiny_card import ATR, ICCID, OTHER_ICCID

pytestmark = pytest.mark.card

READ_ICCID = bytes.fromhex("00b000000a")
UPDATE = bytes.fromhex("00d6000001ff")


@pytest.fixture
def source(bench: Bench) -> Iterator[PcscSource]:
    source = PcscSource(bench.readers[0])
    until(source, Presence.NO_CARD)
    yield source
    source.close()


def until(source: PcscSource, wanted: Presence) -> ReaderState:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for state in source.wait(1.0):
            if state.presence is wanted:
                return state
    raise AssertionError(f"never {wanted}")


def test_both_readers_are_listed_by_name(bench: Bench) -> None:
    """REQ-HW-01: PC/SC readers are found and named."""
    source = PcscSource()
    assert [state.name for state in source.wait(0)] == list(bench.readers)
    source.close()


def test_a_card_torn_out_with_a_command_in_hand_leaves_its_outcome_unknown(bench: Bench, source: PcscSource) -> None:
    bench.insert(0, "--die-on", "d6")
    until(source, Presence.CARD)
    card = source.connect(bench.readers[0])
    with pytest.raises(errors.AnswerLostError):
        card.transmit(UPDATE)
    with pytest.raises((errors.AnswerLostError, errors.CardRemovedError)):
        card.transmit(READ_ICCID)
    until(source, Presence.NO_CARD)
    with pytest.raises(errors.CardRemovedError):
        card.transmit(READ_ICCID)
    card.close()


def test_a_swap_between_two_looks_shows_as_a_new_insertion(bench: Bench, source: PcscSource) -> None:
    first_card = bench.insert(0, "--iccid", ICCID.hex())
    first = until(source, Presence.CARD)
    watcher = PcscSource(bench.readers[0])
    bench.remove(first_card)
    until(watcher, Presence.NO_CARD)
    bench.insert(0, "--iccid", OTHER_ICCID.hex())
    until(watcher, Presence.CARD)
    watcher.close()
    (second,) = source.wait(5.0)  # this source never saw the reader empty
    assert second.presence is Presence.CARD
    assert second.insertion == first.insertion + 1


def test_a_silent_card_trips_the_watchdog_and_blocks_nobody_else(bench: Bench) -> None:
    source = PcscSource(bench.readers[0], deadline=3.0)  # not of the silent one alone: a busy machine may take a second
    silent = bench.insert(0, "--hang-on", "b0")
    bench.insert(1)
    other = PcscSource(bench.readers[1])
    until(source, Presence.CARD)
    until(other, Presence.CARD)
    card = source.connect(bench.readers[0])
    card.transmit(SELECT_ICCID)
    with pytest.raises(errors.CardUnresponsiveError):
        card.transmit(READ_ICCID)
    with pytest.raises(errors.CardUnresponsiveError):
        card.transmit(SELECT_ICCID)
    neighbour = other.connect(bench.readers[1])
    neighbour.transmit(SELECT_ICCID)
    assert neighbour.transmit(READ_ICCID) == (ICCID, 0x9000)
    neighbour.close()
    other.close()
    card.close()
    bench.remove(silent)
    until(source, Presence.NO_CARD)
    bench.insert(0)
    until(source, Presence.CARD)
    source.connect(bench.readers[0]).close()
    source.close()


def test_a_card_that_falls_silent_in_a_conversation_ends_it(bench: Bench) -> None:
    source = PcscSource(bench.readers[0], deadline=3.0)
    until(source, Presence.NO_CARD)
    silent = bench.insert(0, "--hang-on", "b0")
    until(source, Presence.CARD)
    card = TracingConnection(source.connect(bench.readers[0]), lambda _: None)
    said: list[int] = []

    def talk() -> None:
        said.append(card.transmit(SELECT_ICCID)[1])
        card.transmit(READ_ICCID)
        said.append(card.transmit(SELECT_ICCID)[1])

    with pytest.raises(errors.CardUnresponsiveError):
        card.converse(talk)
    card.close()
    bench.remove(silent)
    until(source, Presence.NO_CARD)
    assert said == [0x9000]
    source.close()


def test_a_card_that_gives_no_answer_to_reset_is_mute(bench: Bench, source: PcscSource) -> None:
    bench.insert(0, "--atr", "3b" * 40)  # longer than any ATR: powering up fails
    until(source, Presence.MUTE)
    with pytest.raises(errors.MuteCardError):
        source.connect(bench.readers[0])


def test_a_reader_held_by_another_program_says_so_with_likely_names(bench: Bench, source: PcscSource) -> None:
    bench.insert(0)
    until(source, Presence.CARD)
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, foreign, _ = scard.SCardConnect(context, bench.readers[0], scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0)
    with pytest.raises(errors.SharingViolationError, match=r"likely .*\w"):
        source.connect(bench.readers[0])
    assert until(source, Presence.BUSY).atr == ATR
    scard.SCardDisconnect(foreign, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)
    until(source, Presence.CARD)


def test_a_reset_by_another_program_is_told_apart_from_removal() -> None:
    """A reset cannot happen under an exclusive connection; the code is mapped for readers that do it anyway."""
    with pytest.raises(errors.CardResetError):
        _check(scard.SCARD_W_RESET_CARD)


def test_a_code_without_a_name_is_kept_in_the_error() -> None:
    with pytest.raises(errors.ReaderFailureError, match="0x80100006"):
        _check(scard.SCARD_E_NO_MEMORY, "Reader")


def test_the_service_may_die_and_come_back(bench: Bench, source: PcscSource) -> None:
    """REQ-HW-01: restarting the PC/SC service is survived."""
    bench.insert(0)
    before = until(source, Presence.CARD)
    card = source.connect(bench.readers[0])
    bench.stop()
    try:
        with pytest.raises((errors.ServiceDownError, errors.AnswerLostError)):
            card.transmit(READ_ICCID)
        with pytest.raises(errors.ServiceDownError):
            source.wait(1.0)
        with pytest.raises(errors.ServiceDownError):
            source.wait(1.0)
        with pytest.raises(errors.ServiceDownError):
            source.connect(bench.readers[0])
    finally:
        bench.start()
    card.close()
    until(source, Presence.NO_CARD)
    bench.insert(0)
    after = until(source, Presence.CARD)
    assert after.insertion > before.insertion
    fresh = source.connect(bench.readers[0])
    fresh.transmit(SELECT_ICCID)
    assert fresh.transmit(READ_ICCID) == (ICCID, 0x9000)
    fresh.close()


def test_connections_one_after_the_other_share_what_they_asked_of_the_service(
    bench: Bench, source: PcscSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.insert(0)
    until(source, Presence.CARD)
    contexts: list[int] = []

    def establish() -> int:
        contexts.append(_establish())
        return contexts[-1]

    monkeypatch.setattr("drivers.pcsc._establish", establish)
    for _ in range(3):
        source.connect(bench.readers[0]).close()
    assert len(contexts) == 1


def test_what_the_service_gave_before_it_was_started_anew_is_given_up(bench: Bench, source: PcscSource) -> None:
    """REQ-HW-01: a stale context stands in nobody's way."""
    bench.insert(0)
    until(source, Presence.CARD)
    source.connect(bench.readers[0]).close()
    bench.stop()
    with pytest.raises(errors.ServiceDownError):
        source.wait(1.0)
    bench.start()
    until(source, Presence.NO_CARD)
    bench.insert(0)
    until(source, Presence.CARD)
    fresh = source.connect(bench.readers[0])
    fresh.transmit(SELECT_ICCID)
    assert fresh.transmit(READ_ICCID) == (ICCID, 0x9000)
    fresh.close()


class Contested(list[int]):
    """What is left of earlier connections, while two ask at once whether anything is."""

    def __init__(self, left: list[int]) -> None:
        super().__init__(left)
        self.both = threading.Barrier(2)

    def __bool__(self) -> bool:
        found = len(self) > 0
        with suppress(threading.BrokenBarrierError):
            self.both.wait(PATIENCE)
        return found


def test_cards_of_two_readers_opened_at_once_share_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """REQ-HW-01: what one connection left serves one other, whoever takes it first."""
    source = PcscSource()
    for slot in (0, 1):
        bench.insert(slot)
    wait_until(lambda: all(state.presence is Presence.CARD for state in source.wait(1.0)), "both cards are in")
    source.connect(bench.readers[0]).close()
    contested = Contested(source._spare)
    monkeypatch.setattr(source, "_spare", contested)
    with ThreadPoolExecutor(2) as hands:
        for card in hands.map(source.connect, bench.readers):
            assert card.transmit(SELECT_ICCID)[1] == 0x9000
            card.close()
    contested.both.abort()
    source.close()


def test_a_reset_that_failed_does_not_spoil_the_next(bench: Bench, source: PcscSource) -> None:
    first = bench.insert(0)
    until(source, Presence.CARD)
    card = source.connect(bench.readers[0])
    bench.remove(first)
    until(source, Presence.NO_CARD)
    with pytest.raises(errors.CardRemovedError):
        card.reset()
    bench.insert(0, "--iccid", OTHER_ICCID.hex())
    until(source, Presence.BUSY)
    assert card.reset() == ATR
    card.transmit(SELECT_ICCID)
    assert card.transmit(READ_ICCID) == (OTHER_ICCID, 0x9000)
    card.close()


class Hasty(PcscSource):
    """Lists a reader once that is unplugged by the time it is asked about."""

    gone = "Unplugged 00 00"

    @override
    def _list(self, context: int) -> list[str]:
        gone, self.gone = self.gone, ""
        return [*super()._list(context), *filter(None, [gone])]


def test_a_reader_unplugged_between_two_questions_leaves_the_others_as_they_are(bench: Bench) -> None:
    """REQ-HW-01: no service is down by it, and no card counts as another."""
    source = Hasty(bench.readers[0])
    source.gone = ""
    bench.insert(0)
    before = until(source, Presence.CARD)
    source.gone = Hasty.gone
    assert source.wait(0) == (before,)
    source.close()


def test_a_card_that_offers_only_t1_is_spoken_to_in_t1(bench: Bench, source: PcscSource) -> None:
    bench.insert(0, "--atr", "3b8001" + "81")
    until(source, Presence.CARD)
    card = source.connect(bench.readers[0])
    assert card.transmit(SELECT_ICCID)[1] == 0x9000
    le_arrives = card.transmit(SELECT_ICCID + b"\x00")[1] == 0x6A82  # the tiny card takes it for a third byte of FID
    assert le_arrives
    card.close()


def test_a_wait_returns_as_soon_as_a_card_comes(bench: Bench, source: PcscSource) -> None:
    """The wait blocks in the service: one call spans the time until the card is in."""
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return any(state.presence is Presence.CARD for state in source.wait(30.0))

    bench.insert(0)
    wait_until(look, "the card is seen")
    assert looks <= 3

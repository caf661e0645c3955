"""What real modems do to us, on a pseudo-terminal and on a socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from typing_extensions import override

from cardwriter.virtual.modem import Modem, line
from cardwriter.virtual.serial_bench import PtyBench, SocketBench
from drivers import errors
from drivers.at_modem import AtModem, Patience
from drivers.base import Presence
from drivers.polled import PolledSource
from drivers.serial_line import SerialLine
from tests.drivers.bench import wait_until
from tests.drivers.commands import READ_ICCID, SELECT_ICCID, UPDATE, VERIFY_ADM, iccid_in
from tests.patience import PATIENCE
from tests.station.tiny_card import ICCID, TinyCard

CALM = Patience(card=PATIENCE, modem=PATIENCE, restart=PATIENCE)
Plug = Callable[[Modem], PolledSource]


@pytest.fixture
def plug(request: pytest.FixtureRequest) -> Plug:
    """Put a modem on a pseudo-terminal and open it."""

    def plugged(modem: Modem) -> PolledSource:
        bench = PtyBench(modem)
        request.addfinalizer(bench.unplug)
        return source_at(bench.url, request)

    return plugged


@pytest.fixture
def modem() -> Modem:
    return Modem(TinyCard())


def source_at(url: str, request: pytest.FixtureRequest) -> PolledSource:
    source = PolledSource(f"at:{url}", AtModem(url, patience=CALM), interval=0.05)
    request.addfinalizer(source.close)
    return source


def hasten(source: PolledSource, **seconds: float) -> None:
    """Wait no longer than this for a silence that is certain."""
    assert isinstance(source.device, AtModem)
    source.device.patience = replace(CALM, **seconds)


def test_lines_between_command_and_answer_are_passed_over(plug: Plug, modem: Modem) -> None:
    modem.chatter = line("RING") + line("+CREG: 1")
    assert iccid_in(plug(modem)) == ICCID


def test_a_modem_that_insists_on_echo_is_understood(plug: Plug, modem: Modem) -> None:
    modem.refused = frozenset({"E0"})
    assert iccid_in(plug(modem)) == ICCID


def test_an_answer_that_comes_too_late_is_never_taken_for_the_next_one(plug: Plug, modem: Modem) -> None:
    source = plug(modem)
    card = source.connect(source.name)
    card.transmit(SELECT_ICCID)
    modem.silent_on = 0xD6
    hasten(source, card=0.2)
    with pytest.raises(errors.CardUnresponsiveError):
        card.transmit(UPDATE)
    hasten(source)
    assert card.transmit(READ_ICCID) == (ICCID, 0x9000)


def test_a_torn_line_leaves_the_outcome_unknown(plug: Plug, modem: Modem) -> None:
    source = plug(modem)
    card = source.connect(source.name)
    modem.torn = True
    with pytest.raises(errors.AnswerLostError):
        card.transmit(UPDATE)


def test_nothing_is_asked_of_a_card_in_the_midst_of_a_conversation(plug: Plug, modem: Modem) -> None:
    """REQ-HW-10: a command in clear may end the secure channel that a script is written through."""
    source = plug(modem)
    source.wait(0)
    card = source.connect(source.name)

    def work() -> tuple[bytes, int]:
        card.transmit(SELECT_ICCID)
        heard = len(modem.heard)
        with ThreadPoolExecutor() as watcher:
            (state,) = watcher.submit(source.wait, 0).result(PATIENCE)
        assert (state.presence, len(modem.heard)) == (Presence.BUSY, heard)
        return card.transmit(READ_ICCID)

    assert card.converse(work) == (ICCID, 0x9000)


def test_a_modem_that_filters_commands_is_named(plug: Plug, modem: Modem) -> None:
    modem.refused_ins = frozenset({0xD6})
    source = plug(modem)
    card = source.connect(source.name)
    with pytest.raises(errors.ModemRefusesError):
        card.transmit(UPDATE)


def test_a_card_that_vanishes_under_a_command_is_a_removed_card(plug: Plug, modem: Modem) -> None:
    source = plug(modem)
    card = source.connect(source.name)
    modem.card = None
    with pytest.raises(errors.CardRemovedError):
        card.transmit(UPDATE)
    modem.card = TinyCard()
    with pytest.raises(errors.CardRemovedError):
        card.transmit(READ_ICCID)


@pytest.mark.parametrize(
    ("failure", "presence"),
    [(13, Presence.MUTE), (15, Presence.MUTE), (11, Presence.CARD), (10, Presence.NO_CARD), (14, Presence.NO_CARD)],
)
def test_what_a_modem_says_of_its_card_becomes_a_state(
    plug: Plug, modem: Modem, failure: int, presence: Presence
) -> None:
    modem.failure = failure
    assert [state.presence for state in plug(modem).wait(0)] == [presence]


def test_a_mute_card_is_not_connected_to(plug: Plug, modem: Modem) -> None:
    modem.failure = 13
    source = plug(modem)
    with pytest.raises(errors.MuteCardError):
        source.connect(source.name)


def test_reset_takes_the_power_away_and_leaves_the_modem_off_the_air(plug: Plug, modem: Modem) -> None:
    modem.starting = 2
    source = plug(modem)
    card = source.connect(source.name)
    card.transmit(VERIFY_ADM)
    assert card.reset() == b""
    assert modem.level == 4
    assert isinstance(modem.card, TinyCard)
    assert not modem.card.verified


def test_a_modem_without_a_level_off_the_air_comes_back_on(plug: Plug, modem: Modem) -> None:
    modem.levels = "(0,1)"
    source = plug(modem)
    source.connect(source.name).reset()
    assert modem.level == 1


def test_a_modem_that_a_reset_cut_short_left_off_is_switched_on(plug: Plug, modem: Modem) -> None:
    """The station lost its power, or the modem its plug, between the two halves of a reset."""
    modem.level = 0
    assert iccid_in(plug(modem)) == ICCID
    assert modem.level == 4


@pytest.mark.parametrize("faulty", [Modem(keeps_power=True), Modem(refused=frozenset({"+CFUN=0"}))])
def test_a_reset_that_did_not_happen_is_never_claimed(plug: Plug, faulty: Modem) -> None:
    modem = replace(faulty, card=TinyCard())
    source = plug(modem)
    card = source.connect(source.name)
    with pytest.raises(errors.ResetUnavailableError):
        card.reset()
    assert modem.level != 0


@pytest.mark.parametrize(("code", "error"), [(10, errors.CardRemovedError), (13, errors.MuteCardError)])
def test_a_card_that_does_not_come_back_from_a_reset_is_missed(
    plug: Plug, modem: Modem, code: int, error: type[errors.DriverError]
) -> None:
    modem.failure_when_on_again = code
    source = plug(modem)
    hasten(source, restart=0.1)
    with pytest.raises(error):
        source.connect(source.name).reset()


class Hesitant(Modem):
    """Does what it is told, but once says nothing of it, or is busy."""

    silent: str = ""
    busy: str = ""

    @override
    def _command(self, command: str) -> bytes:
        said = super()._command(command)
        if command == self.silent:
            self.silent = ""
            return b""
        return said

    @override
    def _answer(self, command: str) -> bytes:
        if self.busy and command in self.busy:
            self.busy = ""
            return self._error(14)
        return super()._answer(command)


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"silent": "AT+CFUN=0"}, errors.CardUnresponsiveError), ({"busy": "+CFUN=4"}, errors.SharingViolationError)],
    ids=["off, and silent", "too busy to switch on"],
)
def test_a_modem_that_a_failed_reset_left_off_is_switched_on(
    plug: Plug, fault: dict[str, str], error: type[errors.DriverError]
) -> None:
    """REQ-HW-01: nobody needs to pull its plug."""
    modem = Hesitant(TinyCard())
    vars(modem).update(fault)
    source = plug(modem)
    card = source.connect(source.name)
    hasten(source, card=0.5)
    with pytest.raises(error):
        card.reset()
    card.close()
    hasten(source)
    assert [state.presence for state in source.wait(0)] == [Presence.CARD]
    assert modem.level == 4
    assert iccid_in(source) == ICCID


def test_a_modem_that_says_nothing_while_it_is_off_has_no_power_on_its_card(plug: Plug, modem: Modem) -> None:
    source = plug(modem)
    card = source.connect(source.name)
    modem.mute_when_off = True
    hasten(source, modem=0.5)
    assert card.reset() == b""


def test_a_port_without_a_modem_is_no_reader(plug: Plug, modem: Modem) -> None:
    modem.dead = True
    source = plug(modem)
    hasten(source, modem=0.1)
    assert source.wait(0) == ()


def test_a_port_that_never_rests_is_no_reader(request: pytest.FixtureRequest, modem: Modem) -> None:
    """Such as the port next to it, where the same USB stick tells its position without end."""
    modem.dead = True
    bench, over = PtyBench(modem), threading.Event()

    def talk() -> None:
        while not over.wait(0.01):
            bench.say(b"$GPGGA\r\n")

    talker = threading.Thread(target=talk)
    source = source_at(bench.url, request)
    hasten(source, modem=0.2)
    talker.start()
    assert source.wait(0) == ()
    over.set()
    talker.join()
    bench.unplug()


@pytest.mark.parametrize("refused", [{"+CSIM=?"}, {"+CMEE?"}])
def test_a_modem_that_cannot_be_used_is_no_reader(plug: Plug, modem: Modem, refused: set[str]) -> None:
    modem.refused = frozenset(refused)
    source = plug(modem)
    assert source.wait(0) == ()
    with pytest.raises(errors.NoReaderError):
        source.connect(source.name)


def test_a_port_that_another_program_holds_is_busy(request: pytest.FixtureRequest, modem: Modem) -> None:
    bench = PtyBench(modem)
    request.addfinalizer(bench.unplug)
    holder = SerialLine(bench.url, reader="other", baudrate=9600)
    source = source_at(bench.url, request)
    assert [state.presence for state in source.wait(0)] == [Presence.BUSY]
    with pytest.raises(errors.SharingViolationError):
        source.connect(source.name)
    holder.close()
    assert iccid_in(source) == ICCID


def test_an_unplugged_modem_is_a_lost_reader(request: pytest.FixtureRequest, modem: Modem) -> None:
    bench = PtyBench(modem)
    source = source_at(bench.url, request)
    card = source.connect(source.name)
    bench.unplug()
    with pytest.raises(errors.ReaderLostError):
        card.transmit(READ_ICCID)
    with pytest.raises(errors.ReaderLostError):
        card.transmit(READ_ICCID)
    assert source.wait(0) == ()


@pytest.fixture
def far(modem: Modem) -> Iterator[SocketBench]:
    bench = SocketBench(modem)
    yield bench
    bench.unplug()


def test_a_modem_plugged_in_again_is_found_and_its_card_is_a_new_one(
    request: pytest.FixtureRequest, far: SocketBench
) -> None:
    source = source_at(far.url, request)
    (before,) = source.wait(0)
    card = source.connect(source.name)
    far.unplug()
    wait_until(lambda: source.wait(0) == (), "the modem is gone")
    far.plug_in()
    wait_until(lambda: source.wait(0) != (), "the modem is back")
    (after,) = source.wait(0)
    assert after.insertion == before.insertion + 1
    with pytest.raises(errors.CardRemovedError):
        card.transmit(READ_ICCID)


def test_a_modem_at_rest_is_asked_once_per_interval(request: pytest.FixtureRequest, modem: Modem) -> None:
    bench = PtyBench(modem)
    request.addfinalizer(bench.unplug)
    source = PolledSource("at", AtModem(bench.url, patience=CALM), interval=600.0)
    request.addfinalizer(source.close)
    source.wait(0)
    modem.heard.clear()
    source.wait(0.2)
    assert len(modem.heard) == 2  # as the wait begins and as it ends

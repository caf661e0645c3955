"""What real dispensers do to us: noise, jams, an empty stacker, a full bin, a lost plug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cardwriter.virtual.dispenser import Dispenser, framed
from cardwriter.virtual.phoenix_face import PhoenixFace
from cardwriter.virtual.serial_bench import PtyBench, SocketBench
from drivers import errors
from drivers.base import Dispenser as AnyDispenser
from drivers.base import DispenserState, Place, Presence, Supply
from drivers.crt_device import CrtDevice, Patience
from drivers.dispenser import CrtDispenser
from drivers.serial_line import SerialLine
from tests.drivers.bench import wait_until
from tests.drivers.commands import READ_ICCID, SELECT_ICCID, UPDATE, VERIFY_ADM, iccid_in
from tests.patience import PATIENCE
from tests.station.tiny_card import ATR, ICCID, OTHER_ICCID, TinyCard

STATUS, MOVE, CARD = 0x31, 0x32, 0x51
COLD, WARM = 0x30, 0x38

CALM = Patience(card=PATIENCE, movement=PATIENCE, device=PATIENCE, acknowledgement=PATIENCE)
Plug = Callable[[], CrtDispenser]


@pytest.fixture
def machine() -> Dispenser:
    return Dispenser(stacker=[TinyCard(ICCID), TinyCard(OTHER_ICCID)])


@pytest.fixture
def plug(request: pytest.FixtureRequest, machine: Dispenser) -> Plug:
    """Put the dispenser on a pseudo-terminal and open it."""

    def plugged() -> CrtDispenser:
        bench = PtyBench(machine)
        request.addfinalizer(bench.unplug)
        return opened_at(bench.url, request)

    return plugged


def opened_at(url: str, request: pytest.FixtureRequest) -> CrtDispenser:
    source = CrtDispenser(f"crt:{url}", CrtDevice(url, patience=CALM), interval=0.05)
    request.addfinalizer(source.close)
    return source


def hasten(source: CrtDispenser, **seconds: float) -> None:
    """Wait no longer than this for a silence that is certain."""
    assert isinstance(source.device, CrtDevice)
    source.device.patience = replace(CALM, **seconds)


def test_a_card_goes_from_the_stacker_to_the_contacts_and_out_of_the_gate(plug: Plug, machine: Dispenser) -> None:
    source: AnyDispenser = plug()
    assert source.state() == DispenserState(Place.NOWHERE, Supply.FEW, bin_full=False)
    source.feed()
    (reader,) = source.wait(0)
    assert (reader.presence, reader.atr) == (Presence.CARD, ATR)
    source.hand_out()
    assert source.state().card is Place.GATE
    assert [state.presence for state in source.wait(0)] == [Presence.NO_CARD]
    assert machine.gate is not None


def test_a_spoiled_card_goes_into_the_bin_and_is_counted(plug: Plug, machine: Dispenser) -> None:
    """REQ-HW-11: spoiled cards go into a bin of their own."""
    source = plug()
    source.feed()
    source.reject()
    assert (source.state().card, source.rejected()) == (Place.NOWHERE, 1)
    assert [card.iccid for card in machine.bin if isinstance(card, TinyCard)] == [ICCID]


def test_the_next_card_is_another_insertion_even_when_nobody_looked_in_between(plug: Plug) -> None:
    source = plug()
    source.feed()
    (first,) = source.wait(0)
    card = source.connect(source.name)
    source.reject()
    source.feed()
    (second,) = source.wait(0)
    assert second.insertion == first.insertion + 1
    with pytest.raises(errors.CardRemovedError):
        card.transmit(READ_ICCID)
    card.close()
    assert iccid_in(source) == OTHER_ICCID


def test_a_card_left_at_the_gate_may_go_into_the_bin(plug: Plug, machine: Dispenser) -> None:
    source = plug()
    source.feed()
    source.hand_out()
    source.reject()
    assert len(machine.bin) == 1


@pytest.mark.parametrize("place", ["contacts", "gate"])
def test_no_card_is_fed_while_one_is_inside(plug: Plug, machine: Dispenser, place: str) -> None:
    setattr(machine, place, TinyCard())
    with pytest.raises(errors.CardInsideError):
        plug().feed()
    assert len(machine.stacker) == 2


def test_nothing_is_handed_out_or_rejected_where_there_is_no_card(plug: Plug) -> None:
    source = plug()
    for move in (source.hand_out, source.reject):
        with pytest.raises(errors.NoCardError):
            move()


def test_an_empty_stacker_is_named(plug: Plug, machine: Dispenser) -> None:
    machine.stacker.clear()
    source = plug()
    assert source.state().stacker is Supply.EMPTY
    with pytest.raises(errors.StackerEmptyError):
        source.feed()


def test_a_full_bin_is_named_and_the_card_stays(plug: Plug, machine: Dispenser) -> None:
    machine.bin_size = 0
    source = plug()
    source.feed()
    assert source.state().bin_full
    with pytest.raises(errors.BinFullError):
        source.reject()
    assert source.state().card is Place.CONTACTS


def test_a_jam_is_named(plug: Plug, machine: Dispenser) -> None:
    machine.refuse[MOVE] = "10"
    with pytest.raises(errors.CardJamError):
        plug().feed()


def test_a_movement_whose_answer_was_lost_is_judged_by_where_the_card_came_to(plug: Plug, machine: Dispenser) -> None:
    source = plug()
    source.state()
    machine.faults_from(MOVE, drop_replies=1)
    hasten(source, movement=0.2)
    source.feed()
    assert machine.done.count((MOVE, 0x31)) == 1
    assert iccid_in(source) == ICCID


def test_a_movement_that_never_answers_and_never_happens_is_a_jam(plug: Plug, machine: Dispenser) -> None:
    machine.stacker.clear()
    source = plug()
    source.state()
    machine.faults_from(MOVE, drop_replies=1)
    hasten(source, movement=0.2)
    with pytest.raises(errors.CardJamError):
        source.feed()


@pytest.mark.parametrize("fault", [{"naks": 1}, {"garble_replies": 2}, {"stale": framed(0, b"P10020")}])
def test_a_noisy_line_costs_a_repeat_and_nothing_else(plug: Plug, machine: Dispenser, fault: dict[str, object]) -> None:
    source = plug()
    source.feed()
    card = source.connect(source.name)
    card.transmit(SELECT_ICCID)
    for name, value in fault.items():
        setattr(machine, name, value)
    assert card.transmit(READ_ICCID) == (ICCID, 0x9000)
    assert card.transmit(READ_ICCID) == (ICCID, 0x9000)


@pytest.mark.parametrize(
    ("fault", "kind", "error"),
    [("drop_acks", "acknowledgement", errors.AnswerLostError), ("drop_replies", "card", errors.CardUnresponsiveError)],
)
def test_a_command_whose_answer_was_lost_reaches_the_card_once(
    plug: Plug, machine: Dispenser, fault: str, kind: str, error: type[errors.DriverError]
) -> None:
    source = plug()
    source.feed()
    card = source.connect(source.name)
    card.transmit(VERIFY_ADM)
    setattr(machine, fault, 1)
    hasten(source, **{kind: 0.2})
    with pytest.raises(error):
        card.transmit(UPDATE)
    hasten(source)
    assert isinstance(machine.contacts, TinyCard)
    assert [unit[1] for unit in machine.contacts.seen].count(0xD6) == 1
    assert card.transmit(SELECT_ICCID)[1] == 0x9000


def test_a_dispenser_that_lost_its_power_is_initialised_again_and_the_rights_are_gone(
    plug: Plug, machine: Dispenser
) -> None:
    source = plug()
    source.feed()
    card = source.connect(source.name)
    machine.lose_power()
    with pytest.raises(errors.CardResetError):
        card.transmit(READ_ICCID)
    assert card.reset() == ATR
    assert card.transmit(SELECT_ICCID)[1] == 0x9000


def test_a_mute_card_is_seen_and_goes_into_the_bin(plug: Plug, machine: Dispenser) -> None:
    machine.atr = b""
    source = plug()
    source.feed()
    for _ in range(2):
        assert [state.presence for state in source.wait(0)] == [Presence.MUTE]
    with pytest.raises(errors.MuteCardError):
        source.connect(source.name)
    source.reject()
    machine.atr = None
    source.feed()
    assert iccid_in(source) == OTHER_ICCID


def test_a_card_without_power_is_moved_though_none_can_be_taken_from_it(plug: Plug, machine: Dispenser) -> None:
    source = plug()
    source.feed()
    machine.refuse[CARD] = "65"
    source.reject()
    assert len(machine.bin) == 1


@pytest.mark.parametrize("code", ["62", "64", "65", "66", "67", "69"])
def test_a_card_that_the_dispenser_cannot_speak_to_is_mute_and_goes_into_the_bin(
    plug: Plug, machine: Dispenser, code: str
) -> None:
    """REQ-HW-11: a spoiled card is no lost dispenser, which could not be told to bin it."""
    source = plug()
    source.feed()
    machine.reset_fails = {COLD: code}
    assert [state.presence for state in source.wait(0)] == [Presence.MUTE]
    with pytest.raises(errors.MuteCardError):
        source.connect(source.name)
    source.reject()
    assert source.rejected() == 1


@pytest.mark.parametrize("code", ["00", "03", "62"])
def test_a_dispenser_without_a_warm_reset_resets_cold(plug: Plug, machine: Dispenser, code: str) -> None:
    source = plug()
    source.feed()
    machine.reset_fails = {WARM: code}
    card = source.connect(source.name)
    assert card.reset() == ATR
    assert card.transmit(SELECT_ICCID)[1] == 0x9000


def test_a_card_that_answers_a_second_reset_is_mute_no_more(plug: Plug, machine: Dispenser) -> None:
    source = plug()
    source.feed()
    card = source.connect(source.name)
    machine.atr = b""
    with pytest.raises(errors.MuteCardError):
        card.reset()
    machine.atr = None
    assert card.reset() == ATR
    assert [state.presence for state in source.wait(0)] == [Presence.BUSY]


def test_a_card_of_5_volts_is_tried_again_at_5(plug: Plug, machine: Dispenser) -> None:
    machine.wants_5_volts = True
    source = plug()
    source.feed()
    assert iccid_in(source) == ICCID


def test_a_card_of_t1_is_spoken_to_in_t1(plug: Plug, machine: Dispenser) -> None:
    machine.atr_type = b"1"
    source = plug()
    source.feed()
    card = source.connect(source.name)
    assert card.transmit(SELECT_ICCID)[1] == 0x9000
    assert machine.done[-1] == (CARD, 0x34)


def test_a_card_inside_stays_where_it_is_when_the_dispenser_is_opened(plug: Plug, machine: Dispenser) -> None:
    machine.contacts = TinyCard(OTHER_ICCID)
    assert iccid_in(plug()) == OTHER_ICCID


def test_an_unknown_state_is_a_failure(plug: Plug, machine: Dispenser, monkeypatch: pytest.MonkeyPatch) -> None:
    source = plug()
    source.state()
    monkeypatch.setattr(machine, "_status", lambda: b"720")
    with pytest.raises(errors.ReaderFailureError):
        source.state()


def test_a_counter_that_is_no_number_is_a_failure(plug: Plug, machine: Dispenser) -> None:
    source = plug()
    machine.told_count = b"\x00\x01"
    with pytest.raises(errors.ReaderFailureError):
        source.rejected()


def test_a_dispenser_that_cannot_be_initialised_is_no_reader(plug: Plug, machine: Dispenser) -> None:
    machine.refuse[0x30] = "12"
    source = plug()
    assert source.wait(0) == ()
    with pytest.raises(errors.ReaderFailureError):
        source.connect(source.name)


def test_a_port_without_a_dispenser_is_no_reader(plug: Plug, machine: Dispenser) -> None:
    machine.dead = True
    source = plug()
    hasten(source, acknowledgement=0.05)
    with pytest.raises(errors.NoReaderError):
        source.state()


def test_a_dispenser_that_falls_silent_is_not_among_the_readers(plug: Plug, machine: Dispenser) -> None:
    source = plug()
    source.feed()
    card = source.connect(source.name)
    machine.dead = True
    hasten(source, acknowledgement=0.05)
    with pytest.raises(errors.AnswerLostError):
        card.transmit(READ_ICCID)
    assert source.wait(0) == ()


def test_a_port_that_refuses_a_speed_is_named(request: pytest.FixtureRequest) -> None:
    face = PhoenixFace(fastest=38_400)
    request.addfinalizer(face.close)
    source = opened_at(face.url, request)
    hasten(source, acknowledgement=0.05)
    with pytest.raises(errors.ReaderFailureError, match="baudrate"):
        source.state()


def test_a_line_that_another_program_holds_is_busy(request: pytest.FixtureRequest, machine: Dispenser) -> None:
    bench = PtyBench(machine)
    request.addfinalizer(bench.unplug)
    holder = SerialLine(bench.url, reader="other", baudrate=9600)
    source = opened_at(bench.url, request)
    assert [state.presence for state in source.wait(0)] == [Presence.BUSY]
    holder.close()


def test_an_unplugged_dispenser_is_lost_and_its_card_found_again(
    request: pytest.FixtureRequest, machine: Dispenser
) -> None:
    bench = SocketBench(machine)
    request.addfinalizer(bench.unplug)
    source = opened_at(bench.url, request)
    source.feed()
    (before,) = source.wait(0)
    card = source.connect(source.name)
    bench.unplug()
    with pytest.raises(errors.ReaderLostError):
        card.transmit(READ_ICCID)
    assert source.wait(0) == ()
    card.close()
    bench.plug_in()
    wait_until(lambda: source.wait(0) != (), "the dispenser is back")
    (after,) = source.wait(0)
    assert after.insertion == before.insertion + 1
    assert iccid_in(source) == ICCID

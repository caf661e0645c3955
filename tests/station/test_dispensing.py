"""The movements of an emulated card dispenser on a real serial stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cardwriter.station.dispensing import Movement, Stop, move
from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.serial_bench import PtyBench
from drivers.base import Place
from drivers.crt_device import CrtDevice, Patience
from drivers.dispenser import CrtDispenser
from tests.patience import PATIENCE
from tests.station.tiny_card import TinyCard

MOVE = 0x32
CALM = Patience(card=PATIENCE, movement=PATIENCE, device=PATIENCE, acknowledgement=PATIENCE)


@pytest.fixture
def machine() -> Dispenser:
    return Dispenser(stacker=[TinyCard(), TinyCard()])


@pytest.fixture
def dispenser(machine: Dispenser) -> Iterator[CrtDispenser]:
    bench = PtyBench(machine)
    source = CrtDispenser("crt", CrtDevice(bench.url, patience=CALM))
    yield source
    source.close()
    bench.unplug()


def test_card_is_fed_and_handed_out(dispenser: CrtDispenser, machine: Dispenser) -> None:
    """REQ-HW-11: a machine with a stacker hands a card out."""
    first = machine.stacker[0]
    assert move(dispenser, Movement.FEED) == (None, None)
    assert machine.contacts is first
    assert move(dispenser, Movement.HAND_OUT) == (Stop.HANDED_OUT, None)
    assert machine.gate is first


def test_card_goes_into_the_bin_and_the_next_one_is_fed(dispenser: CrtDispenser, machine: Dispenser) -> None:
    """REQ-HW-11: a bin for spoiled cards."""
    first, second = machine.stacker
    move(dispenser, Movement.FEED)
    assert move(dispenser, Movement.BIN) == (None, None)
    move(dispenser, Movement.FEED)
    assert (machine.bin, machine.contacts) == ([first], second)


def test_a_card_inside_stops_the_next_one(dispenser: CrtDispenser) -> None:
    move(dispenser, Movement.FEED)
    assert move(dispenser, Movement.FEED) == (Stop.CARD_INSIDE, None)


def test_a_card_that_was_not_taken_away_stops_the_next_customer(dispenser: CrtDispenser, machine: Dispenser) -> None:
    move(dispenser, Movement.FEED)
    move(dispenser, Movement.HAND_OUT)
    assert move(dispenser, Movement.FEED) == (Stop.CARD_AT_GATE, None)
    machine.gate = None
    assert move(dispenser, Movement.FEED) == (None, None)


def test_an_empty_stacker_stops_before_anything_moves(dispenser: CrtDispenser, machine: Dispenser) -> None:
    machine.stacker.clear()
    assert move(dispenser, Movement.FEED) == (Stop.STACKER_EMPTY, None)


def test_no_card_is_taken_while_a_bad_one_would_have_nowhere_to_go(dispenser: CrtDispenser, machine: Dispenser) -> None:
    machine.bin_size = 0
    assert move(dispenser, Movement.FEED) == (Stop.BIN_FULL, None)


def test_a_bin_that_will_not_take_the_card_keeps_it_at_the_contacts(
    dispenser: CrtDispenser, machine: Dispenser
) -> None:
    move(dispenser, Movement.FEED)
    machine.bin_size = 0
    assert move(dispenser, Movement.BIN) == (Stop.BIN_FULL, "bin_full")
    assert dispenser.state().card is Place.CONTACTS


@pytest.mark.parametrize(("code", "stop"), [("10", Stop.CARD_JAM), ("A0", Stop.STACKER_EMPTY)])
def test_a_movement_that_fails_names_its_reason(
    dispenser: CrtDispenser, machine: Dispenser, code: str, stop: Stop
) -> None:
    machine.refuse[MOVE] = code
    assert move(dispenser, Movement.FEED) == (stop, stop.value)


def test_a_dispenser_that_does_not_answer_is_named(machine: Dispenser) -> None:
    bench = PtyBench(machine)
    bench.unplug()
    assert move(CrtDispenser("crt", CrtDevice(bench.url)), Movement.FEED) == (Stop.DISPENSER_FAILED, "no_reader")

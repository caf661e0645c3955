"""Serving a customer from an emulated card dispenser on a real serial stack."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cardwriter.script import Outcome
from cardwriter.station.journal import Journal
from cardwriter.station.kiosk import TRIES, Fate, Served, Stop, serve, settle
from cardwriter.station.runner import run
from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.serial_bench import PtyBench
from drivers.base import Place
from drivers.crt_device import CrtDevice, Patience
from drivers.dispenser import CrtDispenser
from tests.patience import PATIENCE
from tests.station.scripts import IMSI, NOW, WRITE
from tests.station.tiny_card import TinyCard

MOVE = 0x32
CALM = Patience(card=PATIENCE, movement=PATIENCE, device=PATIENCE, acknowledgement=PATIENCE)
BAD = (Fate.NOTHING_WRITTEN, Fate.DAMAGED)


@pytest.fixture
def machine() -> Dispenser:
    return Dispenser(stacker=[TinyCard() for _ in range(TRIES + 1)])


@pytest.fixture
def dispenser(machine: Dispenser) -> Iterator[CrtDispenser]:
    bench = PtyBench(machine)
    source = CrtDispenser("crt", CrtDevice(bench.url, patience=CALM))
    yield source
    source.close()
    bench.unplug()


def fated(*fates: Fate) -> Callable[[], Fate]:
    """Return a writing whose verdicts come in this order."""
    return iter(fates).__next__


def test_a_card_is_written_by_a_script_and_handed_out(
    dispenser: CrtDispenser, machine: Dispenser, tmp_path: Path
) -> None:
    """REQ-HW-11: a machine with a stacker writes a card and hands it out."""
    journal = Journal(tmp_path)

    def write() -> Fate:
        entry = journal.open(WRITE, job="job-1", reader=dispenser.name, insertion=1)
        assert entry is not None
        card = dispenser.connect(dispenser.name)
        report = run(card, WRITE, entry, on_step=lambda _index, _result: None, cancelled=lambda: False, now=NOW)
        card.close()
        return Fate.VERIFIED if report.outcome is Outcome.COMPLETED else Fate.UNKNOWN

    assert serve(dispenser, write) == Served(Stop.HANDED_OUT, (Fate.VERIFIED,))
    journal.close()
    assert isinstance(machine.gate, TinyCard)
    assert bytes(machine.gate.files[0x6F07]) == IMSI


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_card_goes_into_the_bin_and_the_next_one_is_tried(
    dispenser: CrtDispenser, machine: Dispenser, bad: Fate
) -> None:
    """REQ-HW-11: a spoiled card goes into the bin, and the customer gets another one."""
    first = machine.stacker[0]
    assert serve(dispenser, fated(bad, Fate.VERIFIED)) == Served(Stop.HANDED_OUT, (bad, Fate.VERIFIED))
    assert machine.bin == [first]


def test_bad_cards_in_a_row_end_the_tries(dispenser: CrtDispenser, machine: Dispenser) -> None:
    assert serve(dispenser, lambda: Fate.DAMAGED).stop is Stop.TRIES_SPENT
    assert (len(machine.bin), len(machine.stacker)) == (TRIES, 1)


@pytest.mark.parametrize("fates", list(itertools.product((Fate.DAMAGED, Fate.VERIFIED, Fate.UNKNOWN), repeat=TRIES)))
def test_only_a_verified_card_is_handed_out_and_an_unknown_one_never_leaves(
    dispenser: CrtDispenser, machine: Dispenser, fates: tuple[Fate, ...]
) -> None:
    cards = list(machine.stacker)
    served = serve(dispenser, fated(*fates))
    assert served.fates == fates[: len(served.fates)]
    assert (machine.gate is None) is (Fate.VERIFIED not in served.fates)
    where = {Fate.VERIFIED: [machine.gate], Fate.UNKNOWN: [machine.contacts]}
    for card, fate in zip(cards, served.fates, strict=False):
        assert any(card is other for other in where.get(fate, machine.bin))


def test_an_unknown_card_goes_where_reading_it_later_says(dispenser: CrtDispenser, machine: Dispenser) -> None:
    assert serve(dispenser, fated(Fate.UNKNOWN)).stop is Stop.UNKNOWN_CARD
    assert serve(dispenser, fated()).stop is Stop.CARD_INSIDE
    assert settle(dispenser, Fate.UNKNOWN) == (Stop.UNKNOWN_CARD, None)
    assert dispenser.state().card is Place.CONTACTS
    assert settle(dispenser, Fate.DAMAGED) == (None, None)
    assert len(machine.bin) == 1


def test_what_writing_raises_leaves_the_card_at_the_contacts(dispenser: CrtDispenser, machine: Dispenser) -> None:
    def cut() -> Fate:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        serve(dispenser, cut)
    assert machine.contacts is not None


def test_a_card_that_was_not_taken_away_stops_the_next_customer(dispenser: CrtDispenser, machine: Dispenser) -> None:
    serve(dispenser, fated(Fate.VERIFIED))
    assert serve(dispenser, fated()) == Served(Stop.CARD_AT_GATE)
    machine.gate = None
    assert serve(dispenser, fated(Fate.VERIFIED)).stop is Stop.HANDED_OUT


def test_an_empty_stacker_stops_before_anything_moves(dispenser: CrtDispenser, machine: Dispenser) -> None:
    machine.stacker.clear()
    assert serve(dispenser, fated()) == Served(Stop.STACKER_EMPTY)


def test_a_stacker_that_runs_empty_on_the_way_says_what_became_of_the_cards(
    dispenser: CrtDispenser, machine: Dispenser
) -> None:
    del machine.stacker[1:]
    assert serve(dispenser, fated(Fate.DAMAGED)) == Served(Stop.STACKER_EMPTY, (Fate.DAMAGED,))


def test_no_card_is_taken_while_a_bad_one_would_have_nowhere_to_go(dispenser: CrtDispenser, machine: Dispenser) -> None:
    machine.bin_size = 0
    assert serve(dispenser, fated()) == Served(Stop.BIN_FULL)


def test_a_bin_that_will_not_take_the_card_keeps_it_at_the_contacts(
    dispenser: CrtDispenser, machine: Dispenser
) -> None:
    def fills_the_bin() -> Fate:
        machine.bin_size = 0
        return Fate.DAMAGED

    assert serve(dispenser, fills_the_bin) == Served(Stop.BIN_FULL, (Fate.DAMAGED,), "bin_full")
    assert machine.contacts is not None


@pytest.mark.parametrize(("code", "stop"), [("10", Stop.CARD_JAM), ("A0", Stop.STACKER_EMPTY)])
def test_a_movement_that_fails_names_its_reason(
    dispenser: CrtDispenser, machine: Dispenser, code: str, stop: Stop
) -> None:
    machine.refuse[MOVE] = code
    assert serve(dispenser, fated()) == Served(stop, (), stop.value)


def test_a_verified_card_that_gets_stuck_is_told_as_verified(dispenser: CrtDispenser, machine: Dispenser) -> None:
    def jams() -> Fate:
        machine.refuse[MOVE] = "10"
        return Fate.VERIFIED

    assert serve(dispenser, jams) == Served(Stop.CARD_JAM, (Fate.VERIFIED,), "card_jam")


def test_a_dispenser_that_does_not_answer_is_named(machine: Dispenser) -> None:
    bench = PtyBench(machine)
    bench.unplug()
    assert serve(CrtDispenser("crt", CrtDevice(bench.url)), fated()) == Served(Stop.DISPENSER_FAILED, (), "no_reader")

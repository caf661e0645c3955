"""The whole way to a virtual card in a serial reader: the station's runner, T=0 byte by byte, a remote port, a UICC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cardwriter.crypto.milenage import Milenage
from cardwriter.profiles import CardFacts, Expectation, Kind, challenge, identify_script, profile, read_facts, settle
from cardwriter.script import Outcome, Report, Script
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.phoenix_card import CharacterCard
from cardwriter.virtual.phoenix_face import PhoenixFace
from cardwriter.virtual.uicc import VirtualUicc
from drivers.base import Presence, ReaderSource
from drivers.phoenix import open_phoenix
from tests.cardwriter.samples import EXPIRES, ICCID, OPC, RAND, K, a_blank, some_data
from tests.drivers.bench import wait_until
from tests.patience import PATIENCE

FAMILY = profile("preset_key")
KEYS = Milenage(K, OPC)
NOW = datetime.fromtimestamp(EXPIRES, UTC) - timedelta(hours=1)
Runner = Callable[[Script], Report]


@pytest.fixture
def face() -> Iterator[PhoenixFace]:
    """Serve an empty Phoenix interface."""
    face = PhoenixFace()
    yield face
    face.close()


@pytest.fixture
def source(face: PhoenixFace) -> Iterator[ReaderSource]:
    """Open it as a station does."""
    source = open_phoenix(f"{face.url}?detect=cts&speed=best", latency=PATIENCE)
    yield source
    source.close()


@pytest.fixture
def station(source: ReaderSource, tmp_path: Path) -> Iterator[Runner]:
    """Run scripts as a station does, each on a connection of its own."""
    journal = Journal(tmp_path / "station")

    def seen() -> bool:
        return any(state.presence is Presence.CARD for state in source.wait(0.1))

    def one(script: Script) -> Report:
        wait_until(seen, "the card is seen: its line reaches a remote port when it reaches it")
        (reader,) = source.wait(0)
        entry = journal.open(script, job=None, reader=reader.name, insertion=reader.insertion)
        assert entry is not None
        card = source.connect(reader.name)
        try:
            return run(card, script, entry, on_step=lambda _number, _result: None, cancelled=lambda: False, now=NOW)
        finally:
            card.close()

    yield one
    journal.close()


def identified(station: Runner, name: str) -> CardFacts:
    return read_facts(station(identify_script(name, EXPIRES)))


@pytest.mark.parametrize("inverse", [False, True], ids=["direct", "inverse"])
def test_a_blank_is_written_and_proven_in_a_serial_reader(face: PhoenixFace, station: Runner, *, inverse: bool) -> None:
    """REQ-HW-09: a simulated reader and card are part of the product's tests."""
    uicc = VirtualUicc(a_blank())
    face.insert(CharacterCard(uicc, inverse=inverse, nulls=1, one_by_one=inverse))
    facts = identified(station, "identify")
    assert facts.iccid == ICCID
    write = FAMILY.write_script(facts, some_data(), "write", EXPIRES)
    assert station(write).outcome is Outcome.COMPLETED
    asked = challenge(KEYS, RAND)
    verify = FAMILY.verify_script(facts, some_data(), asked, "verify", EXPIRES)
    verdict = FAMILY.judge_verify(verify, station(verify), Expectation(facts, some_data(), KEYS, asked))
    assert verdict.kind is Kind.VERIFIED


def test_a_card_torn_out_of_a_serial_reader_is_settled_by_putting_it_back(face: PhoenixFace, station: Runner) -> None:
    """REQ-HW-08: re-inserting and reading decides."""
    uicc = VirtualUicc(a_blank())
    uicc.image.faults = [Fault(FaultKind.DIE_BEFORE, at=1, ins=0xD6)]
    face.insert(CharacterCard(uicc))
    facts = identified(station, "identify")
    torn = station(FAMILY.write_script(facts, some_data(), "write", EXPIRES))
    assert (torn.outcome, torn.error) == (Outcome.LOST, "answer_lost")
    face.insert(CharacterCard(uicc))
    assert settle(identified(station, "identify again"), None).kind is Kind.NOTHING_WRITTEN

"""What every registered driver must do, shown on its own real back end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.modem import Modem
from cardwriter.virtual.phoenix_card import CharacterCard
from cardwriter.virtual.phoenix_face import PhoenixFace
from cardwriter.virtual.serial_bench import PtyBench
from drivers import errors
from drivers.at_modem import Patience as AtPatience
from drivers.at_modem import open_modem
from drivers.base import CardConnection, Presence, ReaderSource, ReaderState
from drivers.crt_device import Patience as CrtPatience
from drivers.dispenser import open_dispenser
from drivers.pcsc import PcscSource
from drivers.phoenix import open_phoenix
from drivers.registry import OPENERS, open_source
from drivers.virtual import VirtualSource
from tests.drivers.bench import Bench
from tests.drivers.commands import READ_ICCID, VERIFY_ADM
from tests.patience import PATIENCE
from tests.station.tiny_card import ATR, ICCID, OTHER_ICCID, TinyCard

SELECT_ICCID = bytes.fromhex("00a40004022fe200")
"""With Le: the answer is the file's control parameters."""
SELECT_IMSI = bytes.fromhex("00a4000c026f07")
WRITE_IMSI = bytes.fromhex("00d6000009082980000000000000")
COUNT = bytes.fromhex("80ca000001")


@dataclass
class Slot:
    """One reader with hands: `insert` puts a card with this ICCID in, `remove` takes it out."""

    reader: str
    source: ReaderSource
    insert: Callable[[bytes], object]
    remove: Callable[[], None]
    atr: bytes = ATR
    """What the driver tells of the card's ATR; a modem tells none."""
    opened: list[CardConnection] = field(default_factory=list)

    def connect(self) -> CardConnection:
        """Open the card; the end of the test closes it."""
        self.opened.append(self.source.connect(self.reader))
        return self.opened[-1]

    def until(self, *wanted: Presence) -> ReaderState:
        """Watch until the reader is in one of these states."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            state = next(state for state in self.source.wait(1.0) if state.name == self.reader)
            if state.presence in wanted:
                return state
        raise AssertionError(f"never {wanted}")


def virtual_slot(_request: pytest.FixtureRequest) -> Slot:
    source = VirtualSource()
    return Slot(source.name, source, lambda iccid: source.insert(TinyCard(iccid)), source.remove)


def pcsc_slot(request: pytest.FixtureRequest) -> Slot:
    bench: Bench = request.getfixturevalue("bench")
    source = PcscSource(bench.readers[0])
    slot = Slot(bench.readers[0], source, lambda iccid: bench.insert(0, "--iccid", iccid.hex()), bench.remove_all)
    slot.until(Presence.NO_CARD)
    return slot


def at_slot(request: pytest.FixtureRequest) -> Slot:
    modem = Modem()
    bench = PtyBench(modem)
    request.addfinalizer(bench.unplug)

    def insert(iccid: bytes) -> None:
        modem.card = TinyCard(iccid)

    def remove() -> None:
        modem.card = None

    patience = AtPatience(card=PATIENCE, modem=PATIENCE, restart=PATIENCE)
    source = open_modem(bench.url, patience=patience)
    return Slot(source.name, source, insert, remove, atr=b"")


def crt_slot(request: pytest.FixtureRequest) -> Slot:
    dispenser = Dispenser()
    bench = PtyBench(dispenser)
    request.addfinalizer(bench.unplug)

    def insert(iccid: bytes) -> None:
        dispenser.contacts, dispenser.powered = TinyCard(iccid), False

    def remove() -> None:
        dispenser.contacts = None

    patience = CrtPatience(card=PATIENCE, movement=PATIENCE, device=PATIENCE, acknowledgement=PATIENCE)
    source = open_dispenser(bench.url, patience=patience)
    return Slot(source.name, source, insert, remove)


def phoenix_slot(request: pytest.FixtureRequest) -> Slot:
    face: PhoenixFace = request.getfixturevalue("phoenix")
    source = open_phoenix(f"{face.url}?detect=cts", latency=PATIENCE)
    return Slot(source.name, source, lambda iccid: face.insert(CharacterCard(TinyCard(iccid))), face.remove)


SLOTS: dict[str, Callable[[pytest.FixtureRequest], Slot]] = {
    "virtual": virtual_slot,
    "pcsc": pcsc_slot,
    "at": at_slot,
    "crt": crt_slot,
    "phoenix": phoenix_slot,
}


@pytest.fixture(params=["virtual", pytest.param("pcsc", marks=pytest.mark.card), "at", "crt", "phoenix"])
def slot(request: pytest.FixtureRequest) -> Iterator[Slot]:
    slot = SLOTS[request.param](request)
    yield slot
    for card in slot.opened:
        card.close()
    slot.source.close()


def test_every_registered_driver_is_in_this_suite() -> None:
    assert SLOTS.keys() == OPENERS.keys()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pcsc",
        "usb:/dev/ttyUSB0",
        "virtual:",
        "virtual:no.such.module:card",
        "virtual:.relative:card",
        "virtual:os:system",
        "virtual:os:getcwd",
        "at:",
        "at:no://x",
        "at:hwgrep://(",
        "at:alt://x?class=os",
        "at:spy:///dev/null?file=/no/such/folder/log",
        "phoenix:",
        "phoenix:no://x",
    ],
)
def test_an_url_without_a_driver_is_refused_with_a_name(url: str) -> None:
    with pytest.raises(errors.UnknownSchemeError):
        open_source(url)


def test_an_option_that_only_the_opening_of_a_port_finds_wrong_is_named() -> None:
    source = open_source("at:loop://?logging=loud")
    with pytest.raises(errors.ReaderFailureError, match="loud"):
        source.connect("at:loop://?logging=loud")
    assert source.wait(0) == ()


def test_a_virtual_card_is_opened_by_its_url() -> None:
    with_card = open_source("virtual:tests.station.tiny_card:TinyCard")
    assert [state.presence for state in with_card.wait(0)] == [Presence.CARD]


def test_an_empty_reader_says_no_card(slot: Slot) -> None:
    assert slot.until(Presence.NO_CARD).atr == b""
    with pytest.raises(errors.NoCardError):
        slot.connect()


def test_an_unknown_reader_is_named(slot: Slot) -> None:
    with pytest.raises(errors.NoReaderError):
        slot.source.connect("Reader that never was")


def test_insertion_is_seen_with_the_atr_and_counted(slot: Slot) -> None:
    """REQ-HW-01: readers are found, named and watched."""
    before = slot.until(Presence.NO_CARD)
    slot.insert(ICCID)
    first = slot.until(Presence.CARD)
    slot.remove()
    slot.until(Presence.NO_CARD)
    slot.insert(ICCID)
    second = slot.until(Presence.CARD)
    assert first.atr == slot.atr
    assert before.insertion < first.insertion < second.insertion


def test_a_wait_without_news_returns_at_its_time_out(slot: Slot) -> None:
    state = slot.until(Presence.NO_CARD)
    assert state in slot.source.wait(0.01)


def test_announced_and_misjudged_lengths_are_followed(slot: Slot) -> None:
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    fcp, sw = card.transmit(SELECT_ICCID)
    assert (fcp[0], sw) == (0x62, 0x9000)
    assert card.transmit(bytes.fromhex("00b0000000")) == (ICCID, 0x9000)
    card.close()


def test_a_conversation_gives_what_was_said_in_it_or_its_error(slot: Slot) -> None:
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()

    def talk() -> bytes:
        card.reset()
        card.transmit(SELECT_ICCID)
        return card.transmit(READ_ICCID)[0]

    assert card.converse(talk) == ICCID
    with pytest.raises(errors.ForbiddenCommandError):
        card.converse(lambda: card.transmit(bytes.fromhex("00fe0000")))
    assert card.converse(talk) == ICCID
    card.close()


def test_a_forbidden_command_does_not_reach_the_card(slot: Slot) -> None:
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    before = card.transmit(COUNT)[0][0]
    with pytest.raises(errors.ForbiddenCommandError):
        card.transmit(bytes.fromhex("00fe0000"))
    assert card.transmit(COUNT)[0][0] == before + 1


def test_a_card_is_held_by_one_connection_only(slot: Slot) -> None:
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    with pytest.raises(errors.SharingViolationError):
        slot.connect()
    assert slot.until(Presence.BUSY).atr == slot.atr
    card.close()
    slot.until(Presence.CARD)
    slot.connect().close()


def test_reset_takes_the_rights_away(slot: Slot) -> None:
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    assert card.transmit(VERIFY_ADM)[1] == 0x9000
    card.transmit(SELECT_IMSI)
    assert card.transmit(WRITE_IMSI)[1] == 0x9000
    assert card.reset() == card.atr == slot.atr
    card.transmit(SELECT_IMSI)
    assert card.transmit(WRITE_IMSI)[1] == 0x6982
    card.close()


def test_closing_leaves_the_rights_to_the_next_holder(slot: Slot) -> None:
    """The card is left powered: a reset behind another holder's back would look like a fault."""
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    card.transmit(SELECT_ICCID)
    card.close()
    card.close()
    again = slot.connect()
    assert again.transmit(READ_ICCID) == (ICCID, 0x9000)
    again.close()


def test_a_card_taken_out_ends_its_connection_for_good(slot: Slot) -> None:
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    slot.remove()
    slot.until(Presence.NO_CARD)
    with pytest.raises(errors.CardRemovedError):
        card.transmit(READ_ICCID)
    with pytest.raises(errors.CardRemovedError):
        card.reset()
    card.close()


def test_a_card_taken_out_before_its_connection_was_used_answers_nothing(slot: Slot) -> None:
    """Nobody has seen it leave: opening a connection need not ask the card, its first use does."""
    slot.insert(ICCID)
    slot.until(Presence.CARD)
    card = slot.connect()
    slot.remove()
    with pytest.raises(errors.DriverError):
        card.transmit(READ_ICCID)
    card.close()
    slot.until(Presence.NO_CARD)


def test_a_swapped_card_answers_nothing_on_the_old_connection(slot: Slot) -> None:
    slot.insert(ICCID)
    first = slot.until(Presence.CARD)
    card = slot.connect()
    slot.remove()
    slot.until(Presence.NO_CARD)
    slot.insert(OTHER_ICCID)
    second = slot.until(Presence.CARD, Presence.BUSY)  # the old connection may still hold the reader
    assert second.insertion > first.insertion
    with pytest.raises(errors.CardRemovedError):
        card.transmit(READ_ICCID)
    card.reset()
    card.transmit(SELECT_ICCID)
    assert card.transmit(READ_ICCID)[0] == OTHER_ICCID
    card.close()


def test_an_interrupt_ends_a_wait(slot: Slot) -> None:
    slot.until(Presence.NO_CARD)
    slot.source.interrupt()
    slot.source.wait(600.0)

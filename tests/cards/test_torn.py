from __future__ import annotations

import pytest

from cardwriter.script import Purpose, Script
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.uicc import VirtualUicc
from tests.cards.hall import Hall, adm_tries, card_of, imsi_on

pytestmark = [pytest.mark.database, pytest.mark.anyio]
BLANK = b"\xff" * 9
MOST = 100


class Strike:
    """Puts one fault into the card when the write script begins; the commands of all later scripts count too."""

    def __init__(self, card: VirtualUicc, kind: FaultKind, at: int) -> None:
        self.card, self.fault, self.armed = card, Fault(kind, at), False

    def __call__(self, script: Script) -> None:
        """Arm the fault, once."""
        if script.purpose is Purpose.WRITE and not self.armed:
            self.armed = True
            self.card.image.faults.append(self.fault)

    @property
    def struck(self) -> bool:
        """Whether it came to pass."""
        return self.fault not in self.card.image.faults

    def disarm(self) -> None:
        """Take back a fault that did not come to pass."""
        self.card.image.faults.clear()


async def write_torn(hall: Hall, item_no: int, kind: FaultKind, at: int) -> tuple[VirtualUicc, bool]:
    """Write the n-th card, with the fault at one command; then read the card again if need be."""
    card = card_of(item_no)
    await hall.insert(card)
    strike = hall.before_run = Strike(card, kind, at)
    job = await hall.sell(item_no)
    struck = strike.struck
    strike.disarm()
    hall.before_run = lambda _: None
    if (await hall.job(job))["state"] == "unknown":
        assert (await hall.states(item_no))[:2] == ("WRITE_UNKNOWN", "QUARANTINED")
        hall.source.remove()
        await hall.insert(card)
    assert (await hall.job(job))["state"] == await true_end(hall, item_no, card)
    return card, struck


async def true_end(hall: Hall, item_no: int, card: VirtualUicc) -> str:
    """Give the end that the card itself speaks for, once the stock agrees and no try of ADM1 is spent."""
    sim, data, _ = await hall.states(item_no)
    written = imsi_on(card) != BLANK
    assert (sim, data) == (("WRITTEN", "BOUND") if written else ("HELD", "RESERVED"))
    assert adm_tries(card) == 3
    return "verified" if written else "nothing_written"


@pytest.mark.parametrize("hall", [MOST], indirect=True, ids=["many"])
@pytest.mark.parametrize(("kind", "stride"), [(FaultKind.DIE_AFTER, 1), (FaultKind.MUTE, 5)], ids=["dies", "mute"])
async def test_a_card_torn_at_any_command_ends_right(hall: Hall, kind: FaultKind, stride: int) -> None:
    """REQ-HW-08, REQ-HW-09: power or answer lost at every command; never verified wrongly, no IMSI given twice."""
    cards, at, struck = [], 0, True
    while struck:
        card, struck = await write_torn(hall, at, kind, at + 1)
        cards.append(card)
        at += stride
    assert at > 60, "fewer commands than writing, reading back and looking again take"
    on_cards = [imsi for imsi in map(imsi_on, cards) if imsi != BLANK]
    assert len(on_cards) == len(set(on_cards))

"""A card's ADM key is marked in stock before it is sent: no loss of any journal makes a second try by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from typing_extensions import override

from cardwriter.script import Outcome, Purpose, Report, Script
from cardwriter.station.journal import FILE_NAME, Journal
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.uicc import VirtualUicc
from inventory.domain.errors import AdmInDoubt
from inventory.services.card_reports import Reported
from inventory.services.orders import Run
from tests.cards.hall import CardKeys, Hall, InSlot, adm_tries, card_of
from tests.cards.test_settling import until

pytestmark = [pytest.mark.database, pytest.mark.anyio]

VERIFY = 0x20


class Watched(InSlot):
    """A slot that counts how often a code is presented."""

    def __init__(self, card: VirtualUicc) -> None:
        super().__init__(card)
        self.presented = 0

    @override
    def transmit(self, apdu: bytes) -> bytes:
        self.presented += apdu[1] == VERIFY and len(apdu) > 5
        return super().transmit(apdu)


async def is_marked(hall: Hall) -> bool:
    row = await hall.one("SELECT adm_sent FROM sim WHERE city_id = :city AND item_no = 0")
    return bool(row[0])


async def inserted(hall: Hall, card: VirtualUicc) -> Watched:
    slot = Watched(card)
    hall.source.insert(slot)
    await hall.work(await hall.see_readers())
    return slot


async def lose_everything(hall: Hall) -> None:
    """Let the station die with its disk: it comes back with an empty journal, and the card is read."""
    hall.journal.close()
    for file in (hall.folder / "journal").glob(f"{FILE_NAME}*"):
        file.unlink()
    hall.journal = Journal(hall.folder / "journal")
    hall.later(minutes=21)  # nobody may begin the script any more
    await hall.reconnect()


async def test_the_mark_is_in_stock_before_the_script_leaves_and_goes_when_the_card_has_answered(hall: Hall) -> None:
    seen: list[tuple[Purpose, bool]] = []
    await inserted(hall, card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    seen.append((order.script.purpose, await is_marked(hall)))
    await hall.work(await hall.report(hall.run(order)))
    assert seen == [(Purpose.WRITE, True)]
    assert (await hall.job(job))["state"] == "verified"
    assert not await is_marked(hall)


@pytest.mark.parametrize("wrong", [False, True], ids=["right key", "wrong key"])
async def test_with_all_journals_lost_no_second_try_is_made_without_a_person_and_the_counter(
    hall: Hall, *, wrong: bool
) -> None:
    """REQ-HW-08: the script ran, station and journal died, no one knows: the key is not tried again by itself."""
    inside = replace(CardKeys.of(0), adm1=CardKeys.of(5).adm1) if wrong else CardKeys.of(0)
    card = card_of(0, inside)
    slot = await inserted(hall, card)
    hold = f"h-530700-{(await hall.one('SELECT coalesce(max(hold_id), 0) + 1 FROM hold'))[0]}"
    _, order = await until(hall, Purpose.WRITE)
    # The card loses power behind the VERIFY, so that it is blank when it is read
    card.image.faults.append(Fault(FaultKind.DIE_AFTER, at=2, ins=VERIFY))
    hall.run(order)
    await lose_everything(hall)
    assert (await hall.states(0))[0] == "HELD"
    assert (slot.presented, await is_marked(hall)) == (1, True)

    with pytest.raises(AdmInDoubt):
        await hall.start(hold)
    assert slot.presented == 1

    again = await hall.start(hold, adm_again=True)
    await hall.work(await hall.take_up())
    ended = await hall.job(str(again.body["id"]))
    told = await hall.one("SELECT staff_no FROM event WHERE name = 'sim.adm_again'")
    assert told[0] == hall.caller.staff_no
    if wrong:
        # The counter told of the spent try: the key did not leave the house a second time
        assert (ended["failure"], slot.presented, adm_tries(card)) == ("adm_refused", 1, 2)
    else:
        assert (ended["state"], slot.presented, adm_tries(card)) == ("verified", 2, 3)
    assert not await is_marked(hall)


async def test_a_journal_that_shows_nothing_was_sent_leaves_no_doubt(hall: Hall) -> None:
    slot = await inserted(hall, card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    hall.journal.open(order.script, job=order.job, reader=order.reader, insertion=1)
    await hall.restart_station()
    assert (await hall.job(job))["state"] == "nothing_written"
    assert (slot.presented, await is_marked(hall)) == (0, False)


async def test_a_try_that_was_under_way_when_the_station_died_is_in_doubt(hall: Hall) -> None:
    await inserted(hall, card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    entry = hall.journal.open(order.script, job=order.job, reader=order.reader, insertion=1)
    assert entry is not None
    entry.before_change(place_of_verify(order.script))
    await hall.restart_station()
    assert (await hall.job(job))["state"] == "nothing_written"
    assert await is_marked(hall)


async def test_a_report_that_comes_again_does_not_take_the_mark_of_a_later_job(hall: Hall) -> None:
    await inserted(hall, card_of(0))
    first, order = await until(hall, Purpose.WRITE)
    lost = Report(script_id=order.script.id, outcome=Outcome.LOST, results=(), error="reader_lost", changed=False)
    told = Reported(order.job, order.reader, lost)
    await hall.report(told)
    assert ((await hall.job(first))["state"], await is_marked(hall)) == ("nothing_written", False)

    await hall.start((await hall.job(first))["hold"])
    [identify] = [order for order in await hall.take_up() if isinstance(order, Run)]
    await hall.report(hall.run(identify))  # the second job's write script is under way from here on
    assert await is_marked(hall)
    await hall.report(told)  # its acknowledgement was lost
    assert await is_marked(hall)


def place_of_verify(script: Script) -> int:
    return next(index for index, step in enumerate(script.steps) if step.name == "verify.adm1")

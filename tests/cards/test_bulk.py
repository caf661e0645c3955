"""Bulk writing: blanks become finished cards, one insertion after the other, whatever happens in between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text

from cardwriter.script import Purpose
from cardwriter.virtual.faults import FaultKind
from cardwriter.virtual.uicc import VirtualUicc
from inventory.domain.errors import BulkOrderOpen, IllegalTransition, InvalidField, NoDataUnit, NotFound, StationUnknown
from inventory.services import bulk_orders, card_writing, links, stations
from inventory.services.auditing import audit
from inventory.services.bulk_orders import BulkWish
from inventory.services.orders import Order, Run
from inventory.services.promises import read_own_holds
from inventory.services.short_lists import bulk_order_listing
from tests.builders_stock import HLR, KIND, OTHER_HLR, TOWN
from tests.cards.hall import READER, CardKeys, Hall, InSlot, card_of, fresh, imsi_on
from tests.cards.test_torn import Strike
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]
BLANK = b"\xff" * 9


@dataclass
class Board:
    """A bulk order of the hall's station."""

    hall: Hall
    order: str

    async def read(self) -> dict[str, Any]:
        async with self.hall.database.session() as session:
            return await bulk_orders.read_order(session, self.hall.caller, self.order, now=self.hall.now)

    async def counted(self) -> tuple[str, int, int, int, int]:
        """Give the order's state, and how many cards are written, damaged, unknown and left alone."""
        shown = await self.read()
        return shown["state"], shown["written"], shown["damaged"], shown["unknown"], shown["untouched"]

    async def reader(self) -> tuple[str | None, str | None]:
        """Give the state of the reader's job, and why there is none."""
        [reader] = (await self.read())["readers"]
        return reader["job"] and reader["job"]["state"], reader["not_taken"]

    async def try_again(self) -> None:
        """Decide to try the ADM key of the card in the reader once more."""
        async with self.hall.database.session() as session:
            await bulk_orders.try_adm_again(session, self.hall.caller, fresh(), self.order, READER, now=self.hall.now)

    async def looks(self) -> list[Order]:
        """Let the link look again at what lies in the readers."""
        async with self.hall.database.session() as session:
            return list(await links.look_again(session, self.hall.bench, self.hall.station, now=self.hall.now))

    async def act(self, verb: str) -> None:
        async with self.hall.database.session() as session:
            act = getattr(bulk_orders, f"{verb}_order")
            await act(session, self.hall.caller, fresh(), self.order, now=self.hall.now)


def station_name(hall: Hall) -> str:
    return f"st-530700-{hall.station.station_id}"


async def opened(hall: Hall, **changes: Any) -> Board:
    wish = BulkWish(station=station_name(hall), kind=KIND, hlr=HLR, count=3)
    async with hall.database.session() as session:
        answer = await bulk_orders.open_order(session, hall.caller, fresh(), replace(wish, **changes), now=hall.now)
    return Board(hall, str(answer.body["id"]))


async def put_in(hall: Hall, card: VirtualUicc) -> None:
    """Take out what is in the reader and put this card in."""
    hall.source.remove()
    await hall.insert(card)


async def until(hall: Hall, card: VirtualUicc, purpose: Purpose) -> Run:
    """Put the card in and go on until the script of this purpose has been handed out."""
    hall.source.remove()
    hall.source.insert(InSlot(card))
    orders = await hall.see_readers()
    while True:
        [order] = [order for order in orders if isinstance(order, Run)]
        if order.job is not None and order.script.purpose is purpose:
            return order
        orders = await hall.report(hall.run(order))


async def agrees(hall: Hall) -> None:
    """Let the audit look at everything: no state, holder, promise or event is out of step."""
    async with hall.database.session() as session:
        assert (await audit(session, now=hall.now)).findings == []


async def test_each_blank_that_is_put_in_becomes_a_finished_card_until_enough_are(hall: Hall) -> None:
    """REQ-HW-04, S11: written, proven, free again as a finished card of the HLR; no number, no kit left."""
    board = await opened(hall, count=2)
    cards = [card_of(item_no) for item_no in range(3)]
    for card in cards:
        await put_in(hall, card)
    assert await board.counted() == ("DONE", 2, 0, 0, 0)
    assert [imsi_on(card) != BLANK for card in cards] == [True, True, False]
    assert await hall.states(1) == ("AVAILABLE", "BOUND", None)
    row = await hall.one(
        "SELECT s.hlr_code, s.hold_id, i.state, h.state, h.close_reason FROM sim s"
        " JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no"
        " JOIN hold h ON h.city_id = s.city_id AND h.sim_item_no = s.item_no WHERE s.city_id = :city AND s.item_no = 1"
    )
    assert tuple(row) == ("LJ1", None, "VERIFIED", "RELEASED", "bulk_write_over")
    await agrees(hall)


async def test_bulk_orders_are_taken_along_with_how_far_they_are(hall: Hall) -> None:
    board = await opened(hall, count=2)
    await put_in(hall, card_of(0))
    listing = bulk_order_listing(now=hall.now)
    async with hall.database.session() as session:
        [row] = [row async for batch in listing.open(session, hall.caller) for row in batch]
    found = dict(zip(listing.columns, row, strict=True))
    assert (found["bulk_order"], found["state"], found["wanted"], found["written"]) == (board.order, "RUNNING", 2, 1)
    assert (found["at"], found["ended_at"]) == (hall.now, None)


async def test_the_board_tells_what_to_do_with_the_card_in_the_reader(hall: Hall) -> None:
    board = await opened(hall)
    await put_in(hall, card_of(0))
    [reader] = (await board.read())["readers"]
    assert (reader["job"]["state"], reader["job"]["next_step"]) == ("verified", "take_out")
    await put_in(hall, card_of(0))
    assert await board.reader() == (None, "finished")


async def test_a_card_that_lies_elsewhere_by_the_book_is_left_alone(hall: Hall) -> None:
    """Serial-matched: neither card nor stock change, and the reader says why."""
    board = await opened(hall)
    await hall.change("UPDATE sim SET holder_id = :other WHERE item_no = 0", other=TOWN.other_hall)
    before = await hall.dump()
    await put_in(hall, card := card_of(0))
    assert await board.reader() == (None, "elsewhere")
    await put_in(hall, card_of(99))
    assert await board.reader() == (None, "not_in_stock")
    assert imsi_on(card) == BLANK
    after = await hall.dump()
    assert {name for name in before if before[name] != after[name]} == {"station_reader"}


async def test_a_spoiled_card_is_counted_and_the_next_one_goes_on(hall: Hall) -> None:
    """REQ-HW-08, REQ-SIM-12: damaged, its IMSI quarantined, nothing tied to the closed kit."""
    board = await opened(hall, count=1)
    await put_in(hall, card_of(0, replace(CardKeys.of(0), k=CardKeys.of(5).k)))
    assert await board.reader() == ("damaged", None)
    assert await hall.states(0) == ("DAMAGED", "QUARANTINED", None)
    await put_in(hall, card_of(1))
    assert await board.counted() == ("DONE", 1, 1, 0, 0)
    await agrees(hall)


async def test_a_card_left_blank_is_tried_again_only_when_it_is_put_in_again(hall: Hall) -> None:
    """One try an insertion: a card that will not be written does not keep its reader busy for ever."""
    board = await opened(hall)
    card = card_of(0)
    strike = hall.before_run = Strike(card, FaultKind.DIE_BEFORE, 1)
    await put_in(hall, card)
    strike.disarm()
    hall.before_run = lambda _: None
    await hall.work(await hall.see_readers())
    assert await board.counted() == ("RUNNING", 0, 0, 0, 1)
    assert await hall.states(0) == ("AVAILABLE", "FREE", None)
    await put_in(hall, card)
    assert await board.counted() == ("RUNNING", 1, 0, 0, 1)


@pytest.mark.parametrize("purpose", [Purpose.IDENTIFY, Purpose.WRITE, Purpose.VERIFY])
async def test_a_killed_station_goes_on_with_the_card_in_its_reader(hall: Hall, purpose: Purpose) -> None:
    """REQ-HW-07, REQ-HW-08: the script ran to its end, the process died before anybody heard of it."""
    board = await opened(hall)
    order = await until(hall, card_of(0), purpose)
    hall.run(order)
    await hall.restart_station()
    assert await board.counted() == ("RUNNING", 1, 0, 0, 0)
    assert await hall.states(0) == ("AVAILABLE", "BOUND", None)
    await agrees(hall)


@pytest.mark.parametrize("written", [True, False])
async def test_an_unknown_card_holds_nothing_up_and_is_settled_when_it_comes_back(hall: Hall, *, written: bool) -> None:
    """REQ-HW-08: its data stay quarantined, others are written; read again it counts, or is left for a person.

    Blank, it may have had its ADM key: no order tries that again.
    """
    board = await opened(hall)
    order = await until(hall, lost := card_of(0), Purpose.WRITE)
    if written:
        hall.run(order)
        hall.journal.acknowledge(order.script.id)
    hall.source.remove()
    await hall.reconnect()
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", None)
    await put_in(hall, other := card_of(1))
    assert await board.counted() == ("RUNNING", 1, 0, 1, 0)
    await put_in(hall, lost)
    if written:
        assert await board.counted() == ("RUNNING", 2, 0, 0, 0)
        assert await hall.states(0) == ("AVAILABLE", "BOUND", None)
        assert imsi_on(lost) != imsi_on(other)
    else:
        assert await board.counted() == ("RUNNING", 1, 0, 0, 1)
        assert await hall.states(0) == ("AVAILABLE", "FREE", None)
        assert (await board.reader(), imsi_on(lost)) == ((None, "adm_in_doubt"), BLANK)
        await board.try_again()
        await hall.work(await board.looks())
        assert (await board.reader(), await board.counted()) == (("verified", None), ("RUNNING", 2, 0, 0, 1))
        with pytest.raises(InvalidField):
            await board.try_again()
    await agrees(hall)


async def test_a_silent_station_leaves_no_kit_behind(hall: Hall) -> None:
    board = await opened(hall)
    await until(hall, card_of(0), Purpose.IDENTIFY)
    hall.later(seconds=61)
    async with hall.database.session() as session:
        assert await links.settle_silent(session, now=hall.now) == 1
    assert await board.counted() == ("RUNNING", 0, 0, 0, 1)
    assert await hall.states(0) == ("AVAILABLE", "FREE", None)
    await agrees(hall)


async def test_the_pool_running_out_ends_the_order(hall: Hall) -> None:
    board = await opened(hall)
    await hall.change("UPDATE subscription_data SET state = 'RETIRED' WHERE data_no > 0")
    await put_in(hall, card_of(0))
    await put_in(hall, card_of(1))
    assert await board.counted() == ("EXHAUSTED", 1, 0, 0, 0)
    assert await board.reader() == (None, "no_data")
    assert (await hall.states(1))[0] == "AVAILABLE"


async def test_a_paused_order_begins_nothing_and_goes_on_with_what_lies_in_the_reader(hall: Hall) -> None:
    board = await opened(hall)
    await board.act("pause")
    await put_in(hall, card_of(0))
    assert await board.reader() == (None, None)
    await board.act("resume")
    async with hall.database.session() as session:
        looks = await links.look_again(session, hall.bench, hall.station, now=hall.now)
    await hall.work(looks)
    assert await board.counted() == ("RUNNING", 1, 0, 0, 0)
    async with hall.database.session() as session:
        assert await links.look_again(session, hall.bench, hall.station, now=hall.now) == []


async def test_a_card_under_way_is_written_to_its_end_when_the_order_is_cancelled(hall: Hall) -> None:
    board = await opened(hall)
    order = await until(hall, card_of(0), Purpose.WRITE)
    await board.act("cancel")
    await hall.work(await hall.report(hall.run(order)))
    assert await board.counted() == ("CANCELLED", 1, 0, 0, 0)
    with pytest.raises(IllegalTransition):
        await board.act("resume")
    await put_in(hall, card_of(1))
    assert await board.reader() == (None, None)


async def test_a_card_that_is_not_needed_waits_and_is_written_when_another_one_fails(hall: Hall) -> None:
    board = await opened(hall, count=1)
    await until(hall, card_of(0), Purpose.WRITE)
    await put_in(hall, card_of(1))
    assert await board.reader() == (None, "enough")
    hall.later(seconds=61)
    async with hall.database.session() as session:
        await links.settle_silent(session, now=hall.now)
    async with hall.database.session() as session:
        looks = await links.look_again(session, hall.bench, hall.station, now=hall.now)
    await hall.work(looks)
    assert await board.counted() == ("DONE", 1, 0, 1, 0)


async def test_a_card_under_way_is_nobodys_sale(hall: Hall) -> None:
    """Whoever opened the order does not find its cards among the kits at the desk."""
    await opened(hall)
    await until(hall, card_of(0), Purpose.WRITE)
    async with hall.database.session() as session:
        assert await read_own_holds(session, hall.caller, now=hall.now) == []


async def test_cancelling_one_cards_job_gives_the_card_back(hall: Hall) -> None:
    board = await opened(hall)
    order = await until(hall, card_of(0), Purpose.IDENTIFY)
    async with hall.database.session() as session:
        await card_writing.cancel_job(session, hall.caller, fresh(), str(order.job), now=hall.now)
    assert await board.counted() == ("RUNNING", 0, 0, 0, 1)
    assert await hall.states(0) == ("AVAILABLE", "FREE", None)


async def test_a_station_that_is_revoked_ends_its_order_and_what_was_written_there_is_still_listed(hall: Hall) -> None:
    """The PC is replaced: nothing is put in for the order any more, and no card of it is lost from the counts."""
    board = await opened(hall)
    await put_in(hall, card_of(0))
    async with hall.database.session() as session:
        await stations.revoke(session, hall.caller, fresh(), station_name(hall), "PC replaced", now=hall.now)
    async with hall.database.session() as session:
        [listed] = await bulk_orders.read_orders(session, hall.caller, now=hall.now)
    assert (listed["id"], listed["state"], listed["written"]) == (board.order, "CANCELLED", 1)
    with pytest.raises(StationUnknown):
        await opened(hall)
    await agrees(hall)


async def test_no_order_is_opened_at_a_station_that_is_being_revoked(hall: Hall) -> None:
    async with hall.database.session() as session, session.begin():
        await session.execute(text("UPDATE station SET revoked_at = now()"))
        opening = asyncio.create_task(opened(hall))
        await until_locked(hall.database, unless=opening)
    with pytest.raises(StationUnknown):
        await opening


async def test_an_order_tells_nothing_of_the_cards_of_a_later_one(hall: Hall) -> None:
    first = await opened(hall)
    await first.act("cancel")
    second = await opened(hall)
    await hall.change("UPDATE sim SET holder_id = :other WHERE item_no = 0", other=TOWN.other_hall)
    await put_in(hall, card_of(0))
    assert (await first.reader(), await second.reader()) == ((None, None), (None, "elsewhere"))


async def test_nobody_decides_on_a_key_in_doubt_for_an_order_that_has_ended(hall: Hall) -> None:
    """It would do nothing but wipe the mark that nobody knows what the key's last try came to."""
    board = await opened(hall)
    await until(hall, lost := card_of(0), Purpose.WRITE)
    hall.source.remove()
    await hall.reconnect()
    await put_in(hall, lost)
    await board.act("cancel")
    with pytest.raises(IllegalTransition):
        await board.try_again()
    assert (await hall.one("SELECT adm_sent FROM sim WHERE item_no = 0"))[0] is True


async def test_an_order_that_cannot_be_is_refused(hall: Hall) -> None:
    await opened(hall)
    for error, changes in (
        (BulkOrderOpen, {}),
        (InvalidField, {"count": 0}),
        (NotFound, {"kind": "blank-9g"}),
        (NotFound, {"hlr": "KM1"}),
        (NoDataUnit, {"hlr": OTHER_HLR}),
    ):
        with pytest.raises(error):
            await opened(hall, **changes)

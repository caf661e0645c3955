"""Selling a kit: everything that a sale needs is there, or nothing changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory.domain.errors import (
    CardBeingWritten,
    CardNotVerified,
    DomainError,
    HlrMismatch,
    HoldExpired,
    HoldNotActive,
    InvalidField,
    QuoteNotAccepted,
    RealNameReferenceMissing,
    SimNotFree,
)
from inventory.domain.identifiers import parse_iccid
from inventory.services.kits import CardWish, SimWish, read_card_offer
from inventory.services.sales import RealName
from tests.builders_stock import HLR, KIND, NOW, TOWN, finish_card, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_ending import change, rows

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARD = "89860026000000000000"


@pytest.fixture
async def written(counter: Counter) -> str:
    """Hold a kit and leave its card written and proven."""
    hold = str((await counter.hold(NUMBERS[0], iccid=CARD, order_ref="W-5")).body["hold"])
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    return hold


async def test_confirm_makes_number_and_card_a_working_line(counter: Counter, written: str) -> None:
    sold = await counter.confirm(written)
    assert (sold.body["state"], sold.body["number"], sold.body["iccid"]) == ("CONFIRMED", NUMBERS[0], CARD)
    line = await rows(
        counter,
        """SELECT n.state, n.holder_id, n.hold_id, s.state, s.holder_id, s.hold_id, i.auc, i.number_item_no = n.item_no
           FROM number n, sim s, sim_identity i WHERE n.item_no = 0 AND s.item_no = 0 AND i.item_no = 0""",
    )
    assert line == [("IN_USE", TOWN.customer, None, "IN_USE", TOWN.customer, None, "confirmed", True)]


async def test_confirm_passes_completing_with_an_event_of_its_own(counter: Counter, written: str) -> None:
    """REQ-NUM-11, REQ-EVT-01: both transitions stand in the item's history, in order."""
    await counter.confirm(written)
    told = "SELECT name, version, from_state, to_state, order_ref FROM event WHERE kind = '{}' ORDER BY version"
    assert (await rows(counter, told.format("number")))[1:] == [
        ("number.assigned", 2, "HELD", "COMPLETING", "W-5"),
        ("number.activated", 3, "COMPLETING", "IN_USE", "W-5"),
    ]
    assert (await rows(counter, told.format("sim")))[3:] == [
        ("sim.assigned", 4, "WRITTEN", "COMPLETING", "W-5"),
        ("sim.activated", 5, "COMPLETING", "IN_USE", "W-5"),
    ]


async def test_sale_stands_in_the_ledger_for_both_items(counter: Counter, written: str) -> None:
    await counter.confirm(written)
    lines = await rows(
        counter,
        """SELECT m.resource, m.from_holder, m.to_holder, l.level, l.block, l.lo, l.hi FROM movement m
           JOIN movement_line l USING (city_id, movement_id) WHERE kind = 'SALE' ORDER BY m.resource""",
    )
    assert lines == [
        ("number", TOWN.hall, TOWN.customer, 0, 0, 0, 0),
        ("sim", TOWN.clerk, TOWN.customer, 0, 0, 0, 0),
    ]


async def test_real_name_reference_and_accepted_quote_are_kept_and_nothing_more(counter: Counter, written: str) -> None:
    """REQ-CMP-03, REQ-CMP-06: the reference, never the certificate."""
    await counter.confirm(written)
    kept = await rows(counter, "SELECT data FROM event WHERE name = 'hold.confirmed'")
    real_name = {"checked_at": NOW.isoformat(), "channel": "hall", "result": "passed"}
    assert kept == [({"owner": "LJ-HALL-01", "quote_accepted": 1, "real_name": real_name},)]


async def test_booked_kit_can_be_sold(counter: Counter, written: str) -> None:
    await counter.book(written, customer_ref="C-1")
    await counter.at(24 * 60).confirm(written)
    assert (await rows(counter, "SELECT from_state FROM event WHERE name = 'number.assigned'")) == [("BOOKED",)]


async def test_repeated_confirm_sells_once(counter: Counter, written: str) -> None:
    write = fresh()
    first = await counter.confirm(written, write=write)
    again = await counter.confirm(written, write=write)
    assert (again.body, again.replayed) == (first.body, True)
    assert await rows(counter, "SELECT count(*) FROM movement WHERE kind = 'SALE'") == [(2,)]


async def test_sold_kit_can_be_neither_sold_nor_released_again(counter: Counter, written: str) -> None:
    await counter.confirm(written)
    for call in (counter.confirm(written), counter.release(written)):
        with pytest.raises(HoldNotActive):
            await call


async def test_finished_card_of_the_same_hlr_is_sold_unwritten(counter: Counter) -> None:
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    card = CardWish(iccid=parse_iccid("89860026000000000003").iccid)
    async with counter.database.session() as session:
        offer, refusal = await read_card_offer(session, counter.caller, card, now=counter.now)
    assert (offer.hlr_code, refusal) == (HLR, None)
    hold = (await counter.hold(NUMBERS[0], iccid="89860026000000000003")).body["hold"]
    async with counter.database.session() as session:
        _, refusal = await read_card_offer(session, counter.caller, card, now=counter.now)
    assert isinstance(refusal, SimNotFree)
    assert (await counter.confirm(hold)).body["state"] == "CONFIRMED"


async def test_card_whose_last_day_is_over_is_not_sold(counter: Counter) -> None:
    """REQ-SIM-16: an expired card cannot be sold, held before its last day or not."""
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    hold = (await counter.hold(NUMBERS[0], iccid="89860026000000000003")).body["hold"]
    await change(counter, "UPDATE sim SET expires_on = '2026-11-21' WHERE item_no = 3")
    with pytest.raises(SimNotFree, match="EXPIRED"):
        await counter.confirm(hold)
    await change(counter, "UPDATE sim SET expires_on = '2026-11-22' WHERE item_no = 3")
    assert (await counter.confirm(hold)).body["state"] == "CONFIRMED"


REFUSED: list[tuple[str, type[DomainError]]] = [
    ("UPDATE sim SET state = 'HELD' WHERE item_no = 0", CardNotVerified),
    ("UPDATE sim SET state = 'WRITE_UNKNOWN' WHERE item_no = 0", CardNotVerified),
    ("UPDATE sim_identity SET state = 'WRITTEN' WHERE item_no = 0", CardNotVerified),
    ("DELETE FROM sim_identity WHERE item_no = 0", CardNotVerified),
    ("UPDATE sim_identity SET number_item_no = 9 WHERE item_no = 0", CardNotVerified),
    ("UPDATE hold SET sim_item_no = NULL", CardNotVerified),
    ("UPDATE sim_identity SET hlr_code = 'LJ2' WHERE item_no = 0", HlrMismatch),
    ("UPDATE hold SET job_id = 4", CardBeingWritten),
    ("UPDATE hold SET quote = jsonb_set(quote, '{rule_set_version}', '2')", QuoteNotAccepted),
    ("UPDATE hold SET state = 'RELEASED'", HoldNotActive),
    ("UPDATE hold SET expires_at = '2026-11-22T02:00Z'", HoldExpired),
]


@pytest.mark.parametrize(("spoil", "refusal"), REFUSED)
async def test_sale_with_something_missing_changes_nothing(
    counter: Counter, written: str, spoil: str, refusal: type[DomainError]
) -> None:
    """REQ-SIM-17, REQ-RSV-05, REQ-RSV-15, REQ-CMP-03: each guard alone stops the sale, by name."""
    await change(counter, spoil)
    picture = "SELECT (SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t)"
    before = [await rows(counter, picture.format(table)) for table in ("number", "sim", "hold", "event", "movement")]
    with pytest.raises(refusal):
        await counter.confirm(written)
    after = [await rows(counter, picture.format(table)) for table in ("number", "sim", "hold", "event", "movement")]
    assert after == before


async def test_sale_needs_a_real_name_reference_that_passed(counter: Counter, written: str) -> None:
    """REQ-CMP-06."""
    with pytest.raises(RealNameReferenceMissing):
        await counter.confirm(written, real_name=None)
    with pytest.raises(InvalidField):
        await counter.confirm(written, real_name=RealName(NOW, "hall", "failed"))
    with pytest.raises(InvalidField, match="yet to come"):
        await counter.confirm(written, real_name=RealName(NOW + timedelta(hours=1), "hall", "passed"))


async def test_sale_needs_the_accepted_version_of_the_quote(counter: Counter, written: str) -> None:
    """REQ-CMP-03."""
    for version in (None, 2):
        with pytest.raises(QuoteNotAccepted):
            await counter.confirm(written, quote_accepted=version)


async def test_card_alone_is_no_line(counter: Counter) -> None:
    hold = (await counter.hold(iccid=CARD)).body["hold"]
    with pytest.raises(InvalidField):
        await counter.confirm(hold)


async def test_wished_card_must_have_been_chosen(counter: Counter) -> None:
    hold = (await counter.hold(NUMBERS[0], sim_wish=SimWish(KIND, TOWN.hall))).body["hold"]
    with pytest.raises(CardNotVerified):
        await counter.confirm(hold)

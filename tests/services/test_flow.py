"""Movement per day is counted from the ledger: what passes a place's border, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import InvalidField, OutsideScope
from inventory.services.flow import read_flow
from inventory.services.load_undo import undo_load
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.receiving import Signature, accept
from inventory.store.flow import DayCount
from inventory.store.selection import ByCount
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, HALL, OTHER = str(CITY), f"{CITY}-D1", f"{CITY}-H1", f"{CITY}-D2"
LATER = NOW + timedelta(days=2)


async def moved(town: Town, verb: Verb, giver: str, receiver: str, count: int, *, now: datetime) -> None:
    """Move so many cards."""
    wish = MoveWish(verb=verb, resource="sim", giver=giver, receiver=receiver, selection=ByCount(count))
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=now)


@pytest.fixture
async def busy(town: Town) -> Town:
    """Let cards come to a district, go on to its hall, and some of them back; two days pass in between."""
    await town.load(vendor_file(range(20)))
    await moved(town, Verb.ISSUE, TOP, DISTRICT, 10, now=NOW)
    await moved(town, Verb.ISSUE, DISTRICT, HALL, 4, now=NOW)
    await moved(town, Verb.RECALL, HALL, DISTRICT, 1, now=LATER)
    await moved(town, Verb.RECALL, DISTRICT, TOP, 2, now=LATER)
    return town


async def counts(town: Town, place: str, *, days: int = 7, resource: str = "sim") -> dict[int, DayCount]:
    """Give the days with movement by how many days they lie back."""
    async with town.database.session() as session:
        found = await read_flow(session, town.admin, resource=resource, place=place, days=days, now=LATER)
    assert len(found.days) == days
    return {days - 1 - at: count for at, count in enumerate(found.days) if count != DayCount(count.day)}


async def test_what_comes_and_goes_is_counted_on_its_day(busy: Town) -> None:
    today, before = LATER.date(), NOW.date()
    assert await counts(busy, DISTRICT) == {2: DayCount(before, came=10), 0: DayCount(today, went=2)}
    assert await counts(busy, HALL, days=30) == {2: DayCount(before, came=4), 0: DayCount(today, went=1)}
    assert await counts(busy, OTHER) == {}


async def test_what_stays_within_a_place_moved_nowhere(busy: Town) -> None:
    """The city's own figures hold its intake and nothing that went from desk to desk."""
    assert await counts(busy, TOP) == {2: DayCount(NOW.date(), came=20)}


async def test_sale_leaves_the_place_that_sold_and_its_city(busy: Town) -> None:
    customer = await busy.value("SELECT id FROM organisation WHERE level = 'CUSTOMER'")
    await busy.execute(
        "INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, staff_no,"
        " interface_no, created_at) VALUES (:city, 'SALE', 'sim', 'ACCEPTED', :hall, :customer, 3, 'T', 'T', :at)",
        city=CITY, hall=busy.nodes[HALL].id, customer=customer, at=LATER,
    )  # fmt: skip
    for place in (TOP, DISTRICT, HALL):
        assert (await counts(busy, place))[0].sold == 3


async def test_damaged_card_is_counted_where_it_lies_on_the_day_it_was_found(busy: Town) -> None:
    await busy.execute(
        "INSERT INTO event (city_id, at, name, kind, item_no, version, to_state, staff_no, interface_no)"
        " SELECT city_id, :at, 'sim.damaged', 'sim', item_no, 1, 'DAMAGED', 'T', 'T' FROM sim WHERE iccid = :iccid",
        at=NOW + timedelta(days=1), iccid=iccid(1),
    )  # fmt: skip
    await busy.execute("UPDATE sim SET state = 'DAMAGED' WHERE iccid = :iccid", iccid=iccid(1))
    assert {at: count.damaged for at, count in (await counts(busy, HALL)).items()} == {2: 0, 1: 1, 0: 0}
    assert {at: count.damaged for at, count in (await counts(busy, OTHER)).items()} == {}


async def test_receipt_is_no_second_movement(busy: Town) -> None:
    """What is on its way lies with its receiver (docs/adr/0015)."""
    wish = MoveWish(
        verb=Verb.ISSUE, resource="sim", giver=TOP, receiver=OTHER, selection=ByCount(1), on_the_way=True
    )  # fmt: skip
    async with busy.database.session() as session:
        sent = await move(session, busy.admin, fresh_key(), wish, now=LATER)
        keeper = busy.at(OTHER, Role.DISTRICT_KEEPER)
        await accept(session, keeper, fresh_key(), Signature(movement=sent.body["id"]), now=LATER)
    assert await counts(busy, OTHER) == {0: DayCount(LATER.date(), came=1)}


async def test_load_that_was_undone_never_came(busy: Town) -> None:
    loaded = await busy.load(vendor_file(range(30, 37)))
    async with busy.database.session() as session:
        await undo_load(session, busy.admin, fresh_key(), public_id=loaded["id"], reason="wrong file", now=LATER)
    assert await counts(busy, TOP) == {2: DayCount(NOW.date(), came=20)}


async def test_span_and_place_are_checked(busy: Town) -> None:
    with pytest.raises(InvalidField):
        await counts(busy, TOP, days=8)
    keeper = busy.at(OTHER, Role.DISTRICT_KEEPER)
    async with busy.database.session() as session:
        with pytest.raises(OutsideScope):
            await read_flow(session, keeper, resource="sim", place=DISTRICT, now=LATER)

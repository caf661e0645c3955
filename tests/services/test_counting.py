"""A drawer is counted blind: what was scanned against what the book says lies there."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import InvalidField, InvalidIdentifier, OutsideScope
from inventory.services.counting import CountWish, count
from inventory.services.moving import MoveWish, Verb, move
from inventory.store.selection import ByRange
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT = str(CITY), f"{CITY}-D1"


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the district ten cards, and two more that it has not signed for."""
    await town.load(vendor_file(range(20)))
    for first, last, on_the_way in ((0, 9, False), (10, 11, True)):
        wish = MoveWish(
            verb=Verb.ISSUE,
            resource="sim",
            giver=TOP,
            receiver=DISTRICT,
            selection=ByRange(iccid(first), iccid(last)),
            on_the_way=on_the_way,
        )
        async with town.database.session() as session:
            await move(session, town.admin, fresh_key(), wish, now=NOW)
    return town


async def counted(town: Town, *items: str, place: str = DISTRICT, resource: str = "sim") -> dict[str, Any]:
    """Count as the district's keeper."""
    wish = CountWish(resource=resource, place=place, items=items, counted_by="木某")
    async with town.database.session() as session:
        return (await count(session, town.at(DISTRICT, Role.DISTRICT_KEEPER), fresh_key(), wish, now=NOW)).body


async def test_drawer_that_agrees_with_the_book_is_closed_with_one_count(stocked: Town) -> None:
    answer = await counted(stocked, *(iccid(serial) for serial in range(10)))

    assert (answer["agrees"], answer["scanned"], answer["book"]) == (True, 10, 10)
    assert answer["states"] == {"AVAILABLE": 10}
    assert await stocked.value("SELECT data ->> 'counted_by' FROM event WHERE name = 'sim.counted'") == "木某"


async def test_missing_cards_are_named_with_their_state(stocked: Town) -> None:
    await stocked.execute("UPDATE sim SET state = 'DAMAGED' WHERE iccid = :iccid", iccid=iccid(4))

    answer = await counted(stocked, *(iccid(serial) for serial in range(10) if serial not in {4, 7}))

    assert answer["agrees"] is False
    assert answer["missing_items"] == [
        {"item": iccid(4), "state": "DAMAGED"},
        {"item": iccid(7), "state": "AVAILABLE"},
    ]


async def test_what_should_not_lie_there_is_named_with_its_reason(stocked: Town) -> None:
    answer = await counted(stocked, *(iccid(serial) for serial in range(11)), iccid(15), iccid(99))

    assert (answer["missing"], answer["extra"]) == (0, 3)
    assert answer["extra_items"] == [
        {"item": iccid(10), "code": "in_transit", "state": "AVAILABLE", "holder": DISTRICT},
        {"item": iccid(15), "code": "not_holder", "state": "AVAILABLE", "holder": TOP},
        {"item": iccid(99), "code": "not_in_stock", "state": None, "holder": None},
    ]


async def test_card_scanned_twice_or_by_its_serial_counts_once(stocked: Town) -> None:
    serials = [f"{serial:020X}" for serial in range(10)]

    answer = await counted(stocked, *serials, iccid(0), iccid(0))

    assert (answer["agrees"], answer["scanned"], answer["missing"], answer["extra"]) == (True, 10, 0, 0)


async def test_empty_drawer_misses_everything(stocked: Town) -> None:
    assert (await counted(stocked))["missing"] == 10


async def test_numbers_lie_in_no_drawer(stocked: Town) -> None:
    with pytest.raises(InvalidField):
        await counted(stocked, resource="number")


async def test_what_is_no_card_is_refused(stocked: Town) -> None:
    with pytest.raises(InvalidIdentifier):
        await counted(stocked, "89abc!")


async def test_only_drawers_of_the_own_part_are_counted(stocked: Town) -> None:
    with pytest.raises(OutsideScope):
        await counted(stocked, place=TOP)

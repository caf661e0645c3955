"""Stock that runs low is told once, with how long it lasts and who beside could help."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, InvalidField, NotFound, OrganisationUnknown, OutsideScope
from inventory.services.alerts import Alert, ThresholdWish, count_alerts, read_alerts, set_threshold, watch
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.store import alerts
from inventory.store.selection import ByCount
from tests.services.files import imsi_pool, numbered_pool, vendor_file
from tests.services.town import CARD, CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, HALL, OTHER = str(CITY), f"{CITY}-D1", f"{CITY}-H1", f"{CITY}-D2"


async def moved(town: Town, verb: Verb, giver: str, receiver: str, count: int) -> None:
    """Move so many cards."""
    wish = MoveWish(verb=verb, resource="sim", giver=giver, receiver=receiver, selection=ByCount(count))
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=NOW)


async def threshold(town: Town, place: str, minimum: int | None, **changes: Any) -> dict[str, Any]:
    """Set a threshold for cards as the city's admin."""
    wish = ThresholdWish(**{"place": place, "resource": "sim", "minimum": minimum, **changes})
    async with town.database.session() as session:
        return (await set_threshold(session, town.admin, fresh_key(), wish, now=NOW)).body


async def watched(town: Town) -> list[tuple[str, str]]:
    """Let the watcher look, and give what has been told until now: name and place."""
    async with town.database.session() as session:
        await watch(session, now=NOW)
    return [
        (row.name, row.place)
        for row in await town.rows(
            "SELECT name, data ->> 'place' AS place FROM event WHERE kind = 'threshold' AND name <> 'threshold.set'"
            " ORDER BY event_no"
        )
    ]


async def shown(town: Town, *, at: str = TOP, **asked: Any) -> list[Alert]:
    """Give what a keeper of the place is shown."""
    async with town.database.session() as session:
        return await read_alerts(session, town.at(at, Role.DISTRICT_KEEPER), now=NOW, **asked)


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the city twenty cards, eight of them in a district, three of those in its hall."""
    await town.load(vendor_file(range(20)))
    await moved(town, Verb.ISSUE, TOP, DISTRICT, 8)
    await moved(town, Verb.ISSUE, DISTRICT, HALL, 3)
    return town


async def test_crossing_is_told_once_and_recovery_once(stocked: Town) -> None:
    """REQ-NUM-11: an alert is an event, once for each crossing."""
    await threshold(stocked, DISTRICT, 5)
    assert await watched(stocked) == []
    await moved(stocked, Verb.RECALL, DISTRICT, TOP, 3)
    crossed = ("threshold.crossed", DISTRICT)
    assert await watched(stocked) == [crossed]
    assert await watched(stocked) == [crossed]
    await moved(stocked, Verb.ISSUE, TOP, DISTRICT, 1)
    recovered = ("threshold.recovered", DISTRICT)
    assert await watched(stocked) == [crossed, recovered]
    await moved(stocked, Verb.RECALL, DISTRICT, TOP, 1)
    assert await watched(stocked) == [crossed, recovered, crossed]


async def test_two_watchers_at_once_tell_once(stocked: Town) -> None:
    await threshold(stocked, DISTRICT, 100)
    await asyncio.gather(*(watched(stocked) for _ in range(4)))
    assert await watched(stocked) == [("threshold.crossed", DISTRICT)]


async def test_watchers_that_do_not_lock_tell_twice(stocked: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: without the lock each watcher sees the crossing as new."""
    await threshold(stocked, DISTRICT, 100)
    together, locked = asyncio.Barrier(2), alerts.thresholds

    async def unlocked(session: Any, *, city_id: int) -> list[alerts.Threshold]:
        found = await locked(session, city_id=city_id, places=[stocked.nodes[DISTRICT].id])
        await together.wait()
        return found

    monkeypatch.setattr(alerts, "thresholds_to_watch", unlocked)
    await asyncio.gather(*(watched(stocked) for _ in range(2)))
    monkeypatch.undo()
    assert await watched(stocked) == [("threshold.crossed", DISTRICT)] * 2


async def test_what_lies_below_counts_and_what_is_not_to_be_sold_does_not(stocked: Town) -> None:
    await threshold(stocked, DISTRICT, 5, sort=CARD)
    await stocked.execute(
        "UPDATE sim SET state = 'DAMAGED' WHERE item_no = (SELECT min(item_no) FROM sim WHERE holder_id = :hall)",
        hall=stocked.nodes[HALL].id,
    )
    [alert] = await shown(stocked)
    assert (alert.shelf.free, alert.shelf.low, alert.shelf.days, alert.threshold.low_since) == (7, False, None, None)
    assert await shown(stocked, low=True) == []


async def test_days_of_cover_come_from_what_was_sold(stocked: Town) -> None:
    await threshold(stocked, DISTRICT, 10)
    customer = await stocked.value("SELECT id FROM organisation WHERE level = 'CUSTOMER'")
    await stocked.execute(
        "WITH sold AS (UPDATE sim SET state = 'IN_USE', holder_id = :customer WHERE item_no IN"
        " (SELECT item_no FROM sim WHERE holder_id = :hall ORDER BY item_no LIMIT 2) RETURNING item_no),"
        " doc AS (INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, staff_no,"
        " interface_no, created_at) SELECT :city, 'SALE', 'sim', 'ACCEPTED', :hall, :customer, 2, 'T', 'T', :at"
        " RETURNING movement_id)"
        " INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)"
        " SELECT :city, movement_id, item_no, 'sim', 0, item_no / 10, item_no, item_no FROM doc, sold",
        city=CITY, hall=stocked.nodes[HALL].id, customer=customer, at=NOW,
    )  # fmt: skip
    [alert] = await shown(stocked, low=True)
    assert (alert.shelf.free, alert.shelf.sold, alert.shelf.days) == (6, 2, 90)


async def test_place_beside_that_can_spare_some_is_named(stocked: Town) -> None:
    """Domain pain 18: hall out of stock, next hall full."""
    await moved(stocked, Verb.ISSUE, TOP, OTHER, 12)
    await threshold(stocked, DISTRICT, 10)
    await threshold(stocked, OTHER, 4)
    [alert] = await shown(stocked, at=DISTRICT, low=True)
    assert alert.suggestion is not None
    assert (alert.suggestion.place, alert.suggestion.count) == (OTHER, 3)
    assert alert.giver == stocked.nodes[OTHER]


async def test_hlr_without_card_data_is_told_though_cards_are_there(stocked: Town) -> None:
    """Domain pain 17: cards there, but no IMSI left for this HLR."""
    await threshold(stocked, TOP, 2, resource="data", hlr=HLR)
    assert await watched(stocked) == [("threshold.crossed", TOP)]
    await stocked.load(imsi_pool(range(3)), FileKind.IMSI_POOL, card_kind=None)
    assert await watched(stocked) == [("threshold.crossed", TOP), ("threshold.recovered", TOP)]


async def test_card_data_with_iccids_have_a_threshold_of_their_own(stocked: Town) -> None:
    """Blanks with a chip serial only need these, however many others there are."""
    await stocked.load(imsi_pool(range(9)), FileKind.IMSI_POOL, card_kind=None)
    await stocked.load(numbered_pool(range(50, 52)), FileKind.IMSI_POOL, card_kind=None)
    await threshold(stocked, TOP, 2, resource="data", sort="iccid", hlr=HLR)
    await threshold(stocked, TOP, 2, resource="data", hlr=HLR)
    assert [(one.threshold.sort, one.shelf.free, one.shelf.low) for one in await shown(stocked)] == [
        ("iccid", 2, True), ("", 11, False),
    ]  # fmt: skip
    with pytest.raises(InvalidField):
        await threshold(stocked, TOP, 2, resource="data", sort="4G-P")


async def test_class_of_numbers_has_a_threshold_of_its_own(town: Town) -> None:
    await town.take("1388804")
    await threshold(town, TOP, 3, resource="number", sort="2", hlr=HLR)
    [alert] = await shown(town)
    assert (alert.shelf.free, alert.shelf.low) == (3, True)


async def test_threshold_keeps_both_values_in_its_event_and_can_be_taken_away(stocked: Town) -> None:
    first, second = await threshold(stocked, HALL, 5), await threshold(stocked, HALL, 7)
    gone = await threshold(stocked, HALL, None)
    assert [(one["before"], one["minimum"]) for one in (first, second, gone)] == [(None, 5), (5, 7), (7, None)]
    assert await stocked.value("SELECT count(*) FROM event WHERE name = 'threshold.set'") == 3
    assert await shown(stocked) == []


async def test_badge_counts_what_is_crossed_in_the_part_of_its_reader(stocked: Town) -> None:
    await threshold(stocked, HALL, 100)
    await watched(stocked)
    counts = {}
    for place in (DISTRICT, OTHER):
        async with stocked.database.session() as session:
            counts[place] = await count_alerts(session, stocked.at(place, Role.DISTRICT_KEEPER))
    assert counts == {DISTRICT: 1, OTHER: 0}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"place": DISTRICT}, OutsideScope),
        ({"place": "nowhere"}, OrganisationUnknown),
        ({"resource": "car"}, InvalidField),
        ({"minimum": -1}, InvalidField),
        ({"resource": "data", "hlr": HLR}, InvalidField),
        ({"resource": "number", "sort": "10"}, InvalidField),
        ({"sort": "no such product"}, NotFound),
        ({"hlr": "no such HLR"}, NotFound),
    ],
)
async def test_threshold_that_cannot_be_is_refused(
    town: Town, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    wish = ThresholdWish(**{"place": OTHER, "resource": "sim", "minimum": 1, **changes})
    async with town.database.session() as session:
        with pytest.raises(refusal):
            await set_threshold(session, town.at(OTHER, Role.DISTRICT_KEEPER), fresh_key(), wish, now=NOW)

"""A stocktake is scanned blind, notices what moves meanwhile, tells differences apart, and sets the book right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    BoxNotSealed,
    IllegalTransition,
    InvalidField,
    NotFound,
    OutsideScope,
    ReasonMissing,
    StocktakeNotOpen,
)
from inventory.services.approving import Question, ask, grant
from inventory.services.auditing import audit
from inventory.services.boxes import PackWish, open_box, pack
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.once import Answer
from inventory.services.stocktake_posting import POST_STOCKTAKE, PostWish, post_stocktake
from inventory.services.stocktakes import (
    Scan,
    StocktakeWish,
    cancel_stocktake,
    close_stocktake,
    open_stocktake,
    read_stocktake,
    read_stocktakes,
    scan_items,
)
from inventory.store.selection import ByName, ByRange, Selection
from tests.services.files import iccid, vendor_file
from tests.services.test_stock_kinds import DISTRICT, HALL, TOP
from tests.services.town import CARD, CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CLERK, OTHER = f"{CITY}-C1", f"{CITY}-D2"


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the hall cards 0 to 9, its clerk 10 to 14; 15 to 19 lie with the city."""
    await town.load(vendor_file(range(20)))
    await handed(town, Verb.ISSUE, TOP, DISTRICT, ByRange(iccid(0), iccid(14)))
    await handed(town, Verb.ISSUE, DISTRICT, HALL, ByRange(iccid(0), iccid(14)))
    await handed(town, Verb.ISSUE, HALL, CLERK, ByRange(iccid(10), iccid(14)))
    return town


async def handed(town: Town, verb: Verb, giver: str, receiver: str, selection: Selection) -> None:
    wish = MoveWish(verb=verb, resource="sim", giver=giver, receiver=receiver, selection=selection)
    async with town.database.session() as session:
        await move(session, town.admin, fresh_key(), wish, now=NOW)


def keeper(town: Town) -> Caller:
    """Give the keeper of the hall."""
    return town.at(HALL, Role.HALL_KEEPER)


def manager(town: Town) -> Caller:
    """Give the second person: the keeper of the district."""
    return town.at(DISTRICT, Role.DISTRICT_KEEPER, staff_no=f"{CITY}second")


async def done(town: Town, act: Callable[..., Awaitable[Answer]], *given: Any, by: Caller | None = None) -> Any:
    """Do one act as the hall's keeper and give its answer."""
    async with town.database.session() as session:
        return (await act(session, by or keeper(town), fresh_key(), *given, now=NOW)).body


async def opened(town: Town, place: str = HALL, **changes: Any) -> str:
    """Open a count at the hall and give its id."""
    wish = StocktakeWish(**{"resource": "sim", "place": place, **changes})
    return str((await done(town, open_stocktake, wish))["id"])


async def scanned(town: Town, stocktake: str, *serials: int, damaged: bool = False) -> Any:
    items = tuple(iccid(serial) for serial in serials)
    return await done(town, scan_items, stocktake, Scan(items=items, damaged=damaged))


async def closed(town: Town, stocktake: str) -> Any:
    """Close the count and give its figures."""
    return (await done(town, close_stocktake, stocktake, "木某"))["figures"]


async def findings(town: Town, stocktake: str) -> dict[str, str]:
    """Give each difference by the name of its item."""
    async with town.database.session() as session:
        view = await read_stocktake(session, keeper(town), stocktake)
    return {found.row.name: found.row.code for found in view.findings}


async def posted(town: Town, stocktake: str) -> Any:
    """Post with the manager's word."""
    asked = Question(POST_STOCKTAKE, {"stocktake": stocktake})
    async with town.database.session() as session:
        approval = (await ask(session, keeper(town), fresh_key(), asked, lasts=timedelta(hours=1), now=NOW)).body
    name = approval["approval"]
    async with town.database.session() as session:
        await grant(session, manager(town), fresh_key(), approval=name, now=NOW)
    return await done(town, post_stocktake, PostWish(stocktake=stocktake, approval=name))


async def state_of(town: Town, serial: int) -> tuple[str, int]:
    """Give state and holder of a card."""
    rows = await town.rows("SELECT state, holder_id FROM sim WHERE iccid = :iccid", iccid=iccid(serial))
    return tuple(rows[0])


async def faults(town: Town) -> list[Any]:
    async with town.database.session() as session:
        return list((await audit(session, now=NOW)).findings)


async def test_count_tells_nothing_before_it_is_closed(stocked: Town) -> None:
    stocktake = await opened(stocked)

    tally = await scanned(stocked, stocktake, 0, 1, 15)
    async with stocked.database.session() as session:
        view = await read_stocktake(session, keeper(stocked), stocktake)

    assert tally == {"id": stocktake, "new": 3, "scanned": 3}
    assert (view.findings, view.row.figures) == ([], {})


async def test_devices_scan_side_by_side_and_each_card_counts_once(stocked: Town) -> None:
    stocktake = await opened(stocked)

    first = await scanned(stocked, stocktake, *range(6))
    second = await done(
        stocked,
        scan_items,
        stocktake,
        Scan(items=(*(iccid(serial) for serial in range(4, 10)), f"{9:020X}")),
        by=replace(keeper(stocked), staff_no="other"),
    )

    assert (first["new"], second["new"], second["scanned"]) == (6, 4, 10)
    figures = await closed(stocked, stocktake)
    assert (figures["expected"], figures["scanned"], figures["missing"], figures["extra"]) == (10, 10, 0, 0)
    assert await findings(stocked, stocktake) == {}


async def test_sealed_box_is_counted_by_its_label(stocked: Town) -> None:
    wish = PackWish(resource="sim", place=HALL, code="B1", selection=ByRange(iccid(0), iccid(7)))
    await done(stocked, pack, wish)
    stocktake = await opened(stocked)

    tally = await done(stocked, scan_items, stocktake, Scan(items=("box:b1", iccid(7), iccid(8), iccid(9))))

    assert (tally["new"], tally["scanned"]) == (10, 10)
    assert (await closed(stocked, stocktake))["missing"] == 0
    await done(stocked, open_box, "B1", "抽检")
    second = await opened(stocked)
    with pytest.raises(BoxNotSealed):
        await done(stocked, scan_items, second, Scan(items=("BOX:B1",)))


async def test_differences_are_told_apart(stocked: Town) -> None:
    """REQ-STK-01: what is too much is classified: other holder, lost, in use, unknown."""
    stocktake = await opened(stocked)
    for serial, change in {
        2: "state = 'WRITTEN', hold_id = 1",
        3: "state = 'HELD', hold_id = 2",
        16: "state = 'LOST'",
        17: "state = 'IN_USE'",
        18: "state = 'SCRAPPED'",
        19: "transit_id = 9",
    }.items():
        await stocked.execute(f"UPDATE sim SET {change} WHERE iccid = :iccid", iccid=iccid(serial))
    await scanned(stocked, stocktake, 0, 4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 19, 99)
    await scanned(stocked, stocktake, 9, damaged=True)

    figures = await closed(stocked, stocktake)

    assert await findings(stocked, stocktake) == {
        iccid(1): "missing",
        iccid(2): "written",
        iccid(3): "on_hold",
        iccid(9): "damaged_found",
        iccid(10): "not_holder",
        iccid(16): "lost",
        iccid(17): "in_use",
        iccid(18): "ended",
        iccid(19): "in_transit",
        iccid(99): "not_in_stock",
    }
    assert (figures["missing"], figures["extra"], figures["written"], figures["spoiled"]) == (3, 6, 1, 0)


async def test_what_came_left_or_was_sold_during_the_count_is_not_missing(stocked: Town) -> None:
    """REQ-STK-01: each scan is compared with the book of its moment."""
    stocktake = await opened(stocked)
    await scanned(stocked, stocktake, 0, 1, 2, 3, 4, 13)
    await handed(stocked, Verb.ISSUE, HALL, CLERK, ByName((iccid(0),)))  # scanned, then left
    await handed(stocked, Verb.ISSUE, HALL, CLERK, ByName((iccid(5),)))  # left before it was scanned
    await handed(stocked, Verb.RECALL, CLERK, HALL, ByName((iccid(12),)))  # came, was not scanned
    await handed(stocked, Verb.RECALL, CLERK, HALL, ByName((iccid(13),)))  # lay there before its document
    await scanned(stocked, stocktake, 6, 7, 8)

    figures = await closed(stocked, stocktake)

    assert await findings(stocked, stocktake) == {
        iccid(5): "moved",
        iccid(9): "missing",
        iccid(12): "moved",
        iccid(13): "moved",
    }
    assert (figures["missing"], figures["extra"], figures["findings"]) == (1, 0, {"moved": 3, "missing": 1})


async def test_each_difference_names_holder_and_last_document(stocked: Town) -> None:
    stocktake = await opened(stocked)
    await scanned(stocked, stocktake, *range(9), 10)
    await closed(stocked, stocktake)

    async with stocked.database.session() as session:
        view = await read_stocktake(session, keeper(stocked), stocktake)

    last = await stocked.value("SELECT max(movement_id) FROM movement")
    told = [(f.row.name, f.holder and f.holder.code, f.row.last_movement) for f in view.findings]
    assert told == [(iccid(9), HALL, last - 1), (iccid(10), CLERK, last)]


async def test_place_is_counted_with_all_below_it(stocked: Town) -> None:
    stocktake = await opened(stocked, with_below=True, of=CARD)
    await scanned(stocked, stocktake, *range(14))

    figures = await closed(stocked, stocktake)

    assert (figures["expected"], figures["missing"], figures["extra"]) == (15, 1, 0)
    assert await findings(stocked, stocktake) == {iccid(14): "missing"}


async def test_posting_moves_what_lies_here_and_loses_what_is_missing_with_a_second_person(stocked: Town) -> None:
    stocktake = await opened(stocked)
    await scanned(stocked, stocktake, *range(9), 10, 15)
    await scanned(stocked, stocktake, 8, damaged=True)
    await closed(stocked, stocktake)
    with pytest.raises(ApprovalNeeded) as needed:
        await done(stocked, post_stocktake, PostWish(stocktake=stocktake))
    assert needed.value.demand is not None
    assert needed.value.demand.summary["items"] == [iccid(9)]

    answer = await posted(stocked, stocktake)

    hall = stocked.nodes[HALL].id
    assert (answer["state"], answer["lost"], answer["spoiled"], answer["unsettled"]) == ("POSTED", 1, 1, 1)
    assert answer["approver"] == f"{CITY}second"
    assert await state_of(stocked, 9) == ("LOST", hall)
    assert await state_of(stocked, 8) == ("DAMAGED", hall)
    assert await state_of(stocked, 10) == ("AVAILABLE", hall)
    assert await state_of(stocked, 15) == ("AVAILABLE", stocked.nodes[TOP].id)
    written = await stocked.rows("SELECT kind, item_count, reason FROM movement ORDER BY movement_id DESC LIMIT 2")
    assert written == [(kind, 1, f"stocktake {stocktake}") for kind in ("LOSS", "RECALL")]
    assert len(answer["documents"]) == 2
    assert await faults(stocked) == []


async def test_posting_without_a_shortage_needs_nobody_else(stocked: Town) -> None:
    stocktake = await opened(stocked)
    await scanned(stocked, stocktake, *range(11))
    await closed(stocked, stocktake)

    answer = await done(stocked, post_stocktake, PostWish(stocktake=stocktake))

    assert (answer["state"], answer["approver"], len(answer["documents"])) == ("POSTED", None, 1)


async def test_card_that_turned_up_since_the_count_is_not_lost(stocked: Town) -> None:
    stocktake = await opened(stocked)
    await scanned(stocked, stocktake, *range(8))
    await closed(stocked, stocktake)
    await stocked.execute("UPDATE sim SET state = 'HELD', hold_id = 5 WHERE iccid = :iccid", iccid=iccid(9))

    answer = await posted(stocked, stocktake)

    assert (answer["lost"], answer["unsettled"]) == (1, 1)
    assert (await state_of(stocked, 9))[0] == "HELD"


async def test_open_count_is_not_posted_and_posted_one_not_again(stocked: Town) -> None:
    stocktake = await opened(stocked)
    with pytest.raises(IllegalTransition):
        await done(stocked, post_stocktake, PostWish(stocktake=stocktake))
    await scanned(stocked, stocktake, *range(10))
    await closed(stocked, stocktake)
    await done(stocked, post_stocktake, PostWish(stocktake=stocktake))

    with pytest.raises(IllegalTransition):
        await done(stocked, post_stocktake, PostWish(stocktake=stocktake))
    with pytest.raises(IllegalTransition):
        await done(stocked, cancel_stocktake, stocktake, "重来")


async def test_closed_count_takes_no_scan_and_no_second_signature(stocked: Town) -> None:
    stocktake = await opened(stocked)
    with pytest.raises(InvalidField):
        await done(stocked, close_stocktake, stocktake, " ")
    await closed(stocked, stocktake)

    with pytest.raises(StocktakeNotOpen):
        await scanned(stocked, stocktake, 1)
    with pytest.raises(StocktakeNotOpen):
        await closed(stocked, stocktake)


async def test_cancelled_count_changes_nothing(stocked: Town) -> None:
    stocktake = await opened(stocked)
    await closed(stocked, stocktake)
    with pytest.raises(ReasonMissing):
        await done(stocked, cancel_stocktake, stocktake, "")

    answer = await done(stocked, cancel_stocktake, stocktake, "漏扫一盒")

    assert (answer["state"], answer["reason"]) == ("CANCELLED", "漏扫一盒")
    assert await stocked.value("SELECT count(*) FROM sim WHERE state <> 'AVAILABLE'") == 0


async def test_counts_of_other_parts_are_not_seen(stocked: Town) -> None:
    stocktake = await opened(stocked)
    other = stocked.at(OTHER, Role.DISTRICT_KEEPER)

    with pytest.raises(OutsideScope):
        await opened(stocked, TOP)
    with pytest.raises(NotFound):
        await done(stocked, scan_items, stocktake, Scan(items=(iccid(1),)), by=other)
    async with stocked.database.session() as session:
        assert await read_stocktakes(session, other) == []
    async with stocked.database.session() as session:
        assert [row.state for row, _ in await read_stocktakes(session, manager(stocked))] == ["OPEN"]


async def test_only_things_are_counted(stocked: Town) -> None:
    with pytest.raises(InvalidField):
        await opened(stocked, resource="number")

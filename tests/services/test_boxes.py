"""A sealed box stands for its cards: packed, moved, signed for and opened as one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from inventory.access.permissions import Role
from inventory.domain.errors import (
    BoxNotSealed,
    BoxSealed,
    InvalidField,
    InvalidIdentifier,
    MovementRefused,
    NotFound,
    OutsideScope,
    ReasonMissing,
)
from inventory.domain.kinds import SIM
from inventory.services.auditing import audit
from inventory.services.boxes import PackWish, open_box, pack, read_box, read_boxes
from inventory.services.ending import Ending, EndWish, end
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.receiving import Signature, accept
from inventory.store import boxes
from inventory.store.selection import ByBox, ByCount, ByName, ByRange
from tests.services.files import iccid, vendor_file
from tests.services.test_stock_kinds import DISTRICT, HALL, TOP
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the city forty cards."""
    await town.load(vendor_file(range(40)))
    return town


async def packed(town: Town, code: str, first: int = 0, last: int = -1, **changes: Any) -> Any:
    """Pack a range of cards at the city, or as told."""
    selection = ByRange(iccid(first), iccid(last)) if last >= 0 else None
    wish = {"resource": "sim", "place": TOP, "code": code, "selection": selection, "seal": f"S{code}", **changes}
    async with town.database.session() as session:
        return (await pack(session, town.admin, fresh_key(), PackWish(**wish), now=NOW)).body


async def opened(town: Town, code: str, reason: str = "盘点") -> Any:
    async with town.database.session() as session:
        return (await open_box(session, town.admin, fresh_key(), code, reason, now=NOW)).body


async def moved(
    town: Town, *codes: str, verb: Verb = Verb.ISSUE, giver: str = TOP, receiver: str = DISTRICT, **changes: Any
) -> Any:
    """Move boxes, by default from the city to the district."""
    wish = MoveWish(verb=verb, resource="sim", giver=giver, receiver=receiver, selection=ByBox(codes), **changes)
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


async def held_by(town: Town, code: str) -> int:
    return int(await town.value("SELECT count(*) FROM sim WHERE holder_id = :holder", holder=town.nodes[code].id))


async def lying(town: Town, code: str) -> list[tuple[str, str, int]]:
    """Give holder, state and count of each group of a box's items."""
    async with town.database.session() as session:
        view = await read_box(session, town.admin, code)
    return [(node.code, group.state, group.count) for group, node in view.lying]


async def test_box_is_packed_by_range_or_scan_and_lists_what_is_in_it(stocked: Town) -> None:
    """REQ-STK-02: a box has id, seal and parent."""
    by_range = await packed(stocked, "B1", 0, 9)
    by_scan = await packed(stocked, "box:b2", selection=ByName((iccid(20), iccid(22), f"{21:020X}")))

    assert (by_range["box"], by_range["state"], by_range["count"], by_range["seal"]) == ("B1", "SEALED", 10, "SB1")
    assert (by_scan["box"], by_scan["count"]) == ("B2", 3)
    async with stocked.database.session() as session:
        view = await read_box(session, stocked.admin, "B2", limit=2)
        rest = await read_box(session, stocked.admin, "B2", after=view.next_after or 0)
    assert [name for name, _ in (*view.items, *rest.items)] == [iccid(20), iccid(21), iccid(22)]
    assert await lying(stocked, "B1") == [(TOP, "AVAILABLE", 10)]


async def test_sealed_boxes_are_issued_recalled_and_signed_for_as_one(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    await packed(stocked, "B2", 10, 19)

    issued = await moved(stocked, "B1", "B2", on_the_way=True)
    signature = Signature(movement=issued["id"], selection=ByBox(("B2",)), person="和")
    async with stocked.database.session() as session:
        await accept(session, stocked.at(DISTRICT, Role.DISTRICT_KEEPER), fresh_key(), signature, now=NOW)
    recalled = await moved(stocked, "B2", verb=Verb.RECALL, giver=DISTRICT, receiver=TOP)

    assert (issued["count"], recalled["count"]) == (20, 10)
    assert await lying(stocked, "B1") == [(DISTRICT, "AVAILABLE", 10)]
    assert await held_by(stocked, TOP) == 30
    async with stocked.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_box_from_which_something_is_gone_does_not_go_as_one(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    await stocked.execute("UPDATE sim SET state = 'IN_USE' WHERE iccid = :iccid", iccid=iccid(4))

    with pytest.raises(MovementRefused) as refusal:
        await moved(stocked, "B1")

    assert refusal.value.params["items"] == [{"item": iccid(4), "code": "item_not_movable", "state": "IN_USE"}]
    assert await held_by(stocked, DISTRICT) == 0


async def test_carton_takes_in_sealed_boxes_and_goes_with_them(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    await packed(stocked, "B2", 10, 19)
    carton = await packed(stocked, "C1", boxes=("B1", "B2"))

    with pytest.raises(BoxNotSealed):
        await moved(stocked, "B1")
    document = await moved(stocked, "C1")

    assert (carton["count"], document["count"]) == (20, 20)
    async with stocked.database.session() as session:
        view, inner = await read_box(session, stocked.admin, "C1"), await read_box(session, stocked.admin, "B1")
        listed = [(row.code, node.code) for row, node in await read_boxes(session, stocked.admin)]
    assert ([row.code for row in view.inside], inner.parent and inner.parent.code) == (["B1", "B2"], "C1")
    assert listed == [("C1", DISTRICT)]


async def test_opened_box_frees_its_items_and_the_boxes_around_it(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    await packed(stocked, "B2", 10, 19)
    await packed(stocked, "C1", boxes=("B1", "B2"))

    answer = await opened(stocked, "B1", "抽检")

    assert (answer["state"], answer["open_reason"]) == ("OPENED", "抽检")
    assert await stocked.value("SELECT state FROM box WHERE code = 'C1'") == "OPENED"
    with pytest.raises(BoxNotSealed):
        await moved(stocked, "B1")
    with pytest.raises(BoxNotSealed):
        await opened(stocked, "B1")
    with pytest.raises(ReasonMissing):
        await opened(stocked, "B2", " ")
    names = await stocked.rows("SELECT name FROM event WHERE kind = 'box' ORDER BY event_no DESC LIMIT 2")
    assert [name for (name,) in names] == ["sim.box_opened", "sim.box_opened"]


async def test_sealed_boxes_of_an_opened_carton_go_as_boxes_again(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    await packed(stocked, "B2", 10, 19)
    carton = await packed(stocked, "C1", boxes=("B1", "b1", "B2"))
    assert carton["count"] == 20  # a box named twice counts once
    await opened(stocked, "C1", "分发")

    assert (await moved(stocked, "B1"))["count"] == 10
    async with stocked.database.session() as session:
        listed = {row.code for row, _ in await read_boxes(session, stocked.admin)}
    assert listed == {"C1", "B1", "B2"}


async def test_opened_box_is_packed_anew_and_gives_up_what_others_take(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    with pytest.raises(BoxSealed):
        await packed(stocked, "B1", 0, 4)
    with pytest.raises(BoxSealed):
        await packed(stocked, "B2", 5, 14)
    await opened(stocked, "B1")

    await packed(stocked, "B2", 5, 14)
    left = await stocked.value("SELECT item_count FROM box WHERE code = 'B1'")
    again = await packed(stocked, "B1", 20, 22)

    assert (left, again["state"], again["count"], again["open_reason"]) == (5, "SEALED", 3, None)
    async with stocked.database.session() as session, session.begin():
        items = [
            await boxes.box_of(session, SIM, city_id=CITY, item_no=number)
            for number in (await session.scalars(_ITEMS, {"names": [iccid(n) for n in (3, 7, 14, 21, 30)]})).all()
        ]
    assert [None if box is None else box.code for box in items] == [None, "B2", "B2", "B1", None]


_ITEMS = text("SELECT item_no FROM sim WHERE iccid = ANY (:names) ORDER BY item_no")


async def test_only_what_lies_at_the_place_is_packed(stocked: Town) -> None:
    await stocked.execute("UPDATE sim SET hold_id = 1 WHERE iccid = :iccid", iccid=iccid(3))

    with pytest.raises(MovementRefused) as held:
        await packed(stocked, "B1", 0, 9)
    with pytest.raises(MovementRefused) as away:
        await packed(stocked, "B1", selection=ByName((iccid(5), iccid(99))), place=HALL)
    wish = PackWish(resource="sim", place=TOP, code="B1", selection=ByName((iccid(5),)))
    async with stocked.database.session() as session:
        with pytest.raises(OutsideScope):
            await pack(session, stocked.at(HALL, Role.HALL_KEEPER), fresh_key(), wish, now=NOW)

    assert held.value.params["items"] == [{"item": iccid(3), "code": "on_hold", "state": "AVAILABLE"}]
    assert [item["code"] for item in away.value.params["items"]] == ["not_holder", "not_in_stock"]
    assert await stocked.value("SELECT count(*) FROM box") == 0


async def test_box_needs_cards_or_boxes_and_a_code(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    refusals: tuple[tuple[dict[str, Any], type[Exception]], ...] = (
        ({"selection": None}, InvalidField),
        ({"boxes": ("B1",), "selection": ByName((iccid(20),))}, InvalidField),
        ({"selection": ByCount(3)}, InvalidField),
        ({"resource": "number", "selection": ByName(("13888040001",))}, InvalidField),
        ({"code": "a/b", "selection": ByName((iccid(20),))}, InvalidIdentifier),
        ({"boxes": ("B9",)}, NotFound),
    )
    for changes, error in refusals:
        with pytest.raises(error):
            await packed(stocked, **{"code": "B2", **changes})


async def test_boxes_of_other_parts_are_not_seen(stocked: Town) -> None:
    await packed(stocked, "B1", 0, 9)
    keeper = stocked.at(DISTRICT, Role.DISTRICT_KEEPER)

    async with stocked.database.session() as session:
        assert await read_boxes(session, keeper) == []
    async with stocked.database.session() as session:
        with pytest.raises(NotFound):
            await read_box(session, keeper, "B1")
    with pytest.raises(NotFound):
        await moved(stocked, "B7")


async def test_box_is_blocked_at_once(stocked: Town) -> None:
    """A stolen or doubtful carton is sealed off by its label, by whoever misses it (ADR 0028)."""
    await packed(stocked, "B1", 0, 9)
    wish = EndWish(way=Ending.DISABLE, resource="sim", place=TOP, selection=ByBox(("B1",)), reason="错发")
    async with stocked.database.session() as session:
        await end(session, stocked.admin, fresh_key(), wish, now=NOW)

    assert await lying(stocked, "B1") == [(TOP, "DISABLED", 10)]

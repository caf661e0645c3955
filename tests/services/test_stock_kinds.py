"""What is written once over the kinds of stock, shown for every kind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inventory.domain.errors import Busy, DomainError, LevelSkipped, MovementRefused, NotSiblings
from inventory.domain.kinds import KINDS, ResourceKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.reporting import read_history, read_stock
from inventory.store import custody
from inventory.store.selection import ByCount, ByName, ByRange, Selection, Wished
from inventory.store.stock import stock_table
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio, pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))]

TOP, DISTRICT, HALL = str(CITY), f"{CITY}-D1", f"{CITY}-H1"
LOADED = {"number": 10_000, "sim": 100}


def name(kind: ResourceKind, serial: int) -> str:
    """Give the name of the item with this place in the load."""
    return {"number": f"1388804{serial:04d}", "sim": iccid(serial)}[kind.name]


async def stock_up(town: Town, kind: ResourceKind) -> None:
    """Load the kind's usual amount."""
    if kind.name == "number":
        await town.take("1388804")
    else:
        await town.load(vendor_file(range(100)))


async def give(
    town: Town, kind: ResourceKind, selection: Wished, giver: str = TOP, receiver: str = DISTRICT, **changes: Any
) -> Any:
    wish = MoveWish(verb=Verb.ISSUE, resource=kind.name, giver=giver, receiver=receiver, selection=selection, **changes)
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


async def take_back(town: Town, kind: ResourceKind, selection: Selection) -> Any:
    wish = MoveWish(verb=Verb.RECALL, resource=kind.name, giver=DISTRICT, receiver=TOP, selection=selection)
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


async def held_by(town: Town, kind: ResourceKind, code: str) -> int:
    question = f"SELECT count(*) FROM {kind.table} WHERE holder_id = :holder"
    return int(await town.value(question, holder=town.nodes[code].id))


@pytest.mark.parametrize("selection", ["names", "range", "count"])
async def test_items_are_issued_however_they_are_named(town: Town, kind: ResourceKind, selection: str) -> None:
    """REQ-SIM-05, REQ-SIM-06: an issue to a direct child, with a document of all items."""
    await stock_up(town, kind)
    ways: dict[str, Selection] = {
        "names": ByName((name(kind, 7), name(kind, 3), name(kind, 4))),
        "range": ByRange(name(kind, 3), name(kind, 5)),
        "count": ByCount(3),
    }

    document = await give(town, kind, ways[selection])

    assert (document["count"], document["giver"], document["receiver"]) == (3, TOP, DISTRICT)
    assert await held_by(town, kind, DISTRICT) == 3
    assert (
        await town.value(
            "SELECT sum(hi - lo + 1) FROM movement_line JOIN movement USING (city_id, movement_id) WHERE kind = 'ISSUE'"
        )
        == 3
    )


async def test_recalled_items_are_with_the_parent_again(town: Town, kind: ResourceKind) -> None:
    """REQ-SIM-09: recall to the direct parent, with a document naming the returner."""
    await stock_up(town, kind)
    await give(town, kind, ByCount(10))

    document = await take_back(town, kind, ByCount(10))

    assert (document["kind"], document["returner_name"]) == ("RECALL", DISTRICT)
    assert await held_by(town, kind, TOP) == LOADED[kind.name]


async def test_transferred_items_are_with_the_sibling(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    await give(town, kind, ByCount(10))
    wish = MoveWish(
        verb=Verb.TRANSFER, resource=kind.name, giver=DISTRICT, receiver=f"{CITY}-D2", selection=ByCount(4), person="木"
    )

    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body

    assert (document["kind"], document["count"], document["receiver_name"]) == ("TRANSFER", 4, "木")
    assert (await held_by(town, kind, DISTRICT), await held_by(town, kind, f"{CITY}-D2")) == (6, 4)


async def test_transfer_to_another_level_is_refused(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    await give(town, kind, ByCount(10))
    wish = MoveWish(verb=Verb.TRANSFER, resource=kind.name, giver=DISTRICT, receiver=HALL, selection=ByCount(1))

    async with town.database.session() as session:
        with pytest.raises(NotSiblings):
            await move(session, town.admin, fresh_key(), wish, now=NOW)


async def test_held_item_is_neither_issued_nor_recalled(town: Town, kind: ResourceKind) -> None:
    """REQ-SIM-10: an item on hold cannot be recalled."""
    await stock_up(town, kind)
    await give(town, kind, ByRange(name(kind, 0), name(kind, 9)))
    await town.execute(f"UPDATE {kind.table} SET hold_id = 1, hold_until = now() WHERE item_no IN (5, 50)")

    with pytest.raises(MovementRefused) as back:
        await take_back(town, kind, ByRange(name(kind, 0), name(kind, 9)))
    with pytest.raises(MovementRefused) as down:
        await give(town, kind, ByName((name(kind, 50),)))

    assert back.value.params["items"] == [
        {"item": name(kind, 5), "code": "on_hold", "state": kind.lifecycle.initial.value}
    ]
    assert down.value.params["count"] == 1


async def test_item_on_its_way_stays_where_it_is(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    await town.execute(f"UPDATE {kind.table} SET transit_id = 1 WHERE item_no = 5")

    with pytest.raises(MovementRefused) as refusal:
        await give(town, kind, ByName((name(kind, 5),)))

    assert refusal.value.params["items"][0]["code"] == "in_transit"


async def test_sideways_is_no_issue(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)

    with pytest.raises(LevelSkipped):
        await give(town, kind, ByCount(1), giver=DISTRICT, receiver=f"{CITY}-D2")


async def test_life_of_an_item_is_its_documents_in_order(town: Town, kind: ResourceKind) -> None:
    """REQ-SIM-08: each item's path can be listed from intake to now."""
    await stock_up(town, kind)
    await give(town, kind, ByRange(name(kind, 10), name(kind, 29)))
    await give(town, kind, ByName((name(kind, 12),)), giver=DISTRICT, receiver=HALL)

    async with town.database.session() as session:
        life = await read_history(session, town.admin, resource=kind.name, name=name(kind, 12))
        other = await read_history(session, town.admin, resource=kind.name, name=name(kind, 30))

    assert [(entry.what, entry.receiver) for entry in life] == [
        ("movement.intake", TOP),
        ("movement.issue", DISTRICT),
        ("movement.issue", HALL),
    ]
    assert [entry.what for entry in other] == ["movement.intake"]


async def test_stock_adds_up_over_places(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    await give(town, kind, ByCount(20))
    await give(town, kind, ByCount(5), giver=DISTRICT, receiver=HALL)

    async with town.database.session() as session:
        rows = await read_stock(session, town.admin, resource=kind.name)

    assert [(row.node.code, row.count, row.own) for row in rows] == [
        (TOP, LOADED[kind.name], LOADED[kind.name] - 20),
        (DISTRICT, 20, 15),
    ]


async def raced(town: Town, kind: ResourceKind) -> list[str]:
    """Let two documents of the same items race and give their outcomes."""

    async def one(receiver: str) -> str:
        try:
            await give(town, kind, ByRange(name(kind, 0), name(kind, 49)), receiver=receiver)
        except (MovementRefused, Busy) as refusal:
            return refusal.code
        return "issued"

    return sorted(await asyncio.gather(one(DISTRICT), one(f"{CITY}-D2")))


async def test_of_two_issues_of_the_same_items_at_once_one_wins(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)

    assert await raced(town, kind) == ["issued", "movement_refused"]


async def test_without_the_guard_both_issues_would_win(
    town: Town, kind: ResourceKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stock_up(town, kind)
    monkeypatch.setattr(custody, "movable", lambda kind, *, city_id, **_rest: stock_table(kind).c.city_id == city_id)

    assert await raced(town, kind) == ["issued", "issued"]


async def test_refused_write_leaves_no_trace(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    events = await town.value("SELECT count(*) FROM event")

    with pytest.raises(DomainError):
        await give(town, kind, ByName((name(kind, 1), "13900000000" if kind.name == "number" else iccid(999))))

    assert await held_by(town, kind, DISTRICT) == 0
    assert await town.value("SELECT count(*) FROM event") == events
    assert await town.value("SELECT count(*) FROM movement") == 1

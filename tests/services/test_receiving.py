"""What is on its way is nobody's to sell until the receiver signs for it, shown for every kind of stock."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    DeliveryAnswered,
    InvalidField,
    MovementRefused,
    NotFound,
    NotReceiver,
    ReasonMissing,
)
from inventory.domain.kinds import KINDS, ResourceKind
from inventory.services.auditing import audit
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.receiving import Signature, accept, read_deliveries, refuse
from inventory.services.reporting import read_history, read_stock
from inventory.store.selection import ByCount, ByName, ByRange, Selection
from tests.services.test_stock_kinds import DISTRICT, HALL, LOADED, TOP, give, held_by, name, stock_up
from tests.services.town import CITY, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio, pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))]


async def send(town: Town, kind: ResourceKind, first: int = 0, last: int = 9) -> str:
    """Send a range of items from the city to the district and give the document's id."""
    selection = ByRange(name(kind, first), name(kind, last))
    wish = MoveWish(
        verb=Verb.ISSUE, resource=kind.name, giver=TOP, receiver=DISTRICT, selection=selection, on_the_way=True
    )
    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body
    assert document["state"] == "IN_TRANSIT"
    return str(document["id"])


def keeper(town: Town, code: str = DISTRICT) -> Caller:
    """Give the keeper of the district."""
    return town.at(code, Role.DISTRICT_KEEPER)


async def sign(
    town: Town, document: str, selection: Selection | None = None, *, by: Caller | None = None, person: str = "李"
) -> Any:
    """Sign for items, by default as the district's keeper."""
    signature = Signature(movement=document, selection=selection, person=person)
    async with town.database.session() as session:
        return (await accept(session, by or keeper(town), fresh_key(), signature, now=NOW)).body


async def send_back(
    town: Town, document: str, selection: Selection | None = None, *, by: Caller | None = None, reason: str = "破损"
) -> Any:
    """Send items back, by default as the district's keeper."""
    signature = Signature(movement=document, selection=selection, person="李", reason=reason)
    async with town.database.session() as session:
        return (await refuse(session, by or keeper(town), fresh_key(), signature, now=NOW)).body


async def on_the_way(town: Town, kind: ResourceKind) -> int:
    return int(await town.value(f"SELECT count(transit_id) FROM {kind.table}"))


async def state_of(town: Town, document: str) -> tuple[str, int, int]:
    """Give state, accepted and refused count of a document."""
    question = "SELECT state, accepted_count, refused_count FROM movement WHERE movement_id = :number"
    return tuple((await town.rows(question, number=int(document.rsplit("-", 1)[1])))[0])


async def faults(town: Town) -> list[Any]:
    async with town.database.session() as session:
        return list((await audit(session, now=NOW)).findings)


async def test_what_is_on_its_way_neither_moves_on_nor_back(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    await send(town, kind)

    with pytest.raises(MovementRefused) as onward:
        await give(town, kind, ByName((name(kind, 3),)), giver=DISTRICT, receiver=HALL)
    back = MoveWish(
        verb=Verb.RECALL, resource=kind.name, giver=DISTRICT, receiver=TOP, selection=ByName((name(kind, 3),))
    )
    async with town.database.session() as session:
        with pytest.raises(MovementRefused):
            await move(session, town.admin, fresh_key(), back, now=NOW)

    assert onward.value.params["items"][0]["code"] == "in_transit"
    assert await on_the_way(town, kind) == 10
    assert await faults(town) == []


async def test_signed_items_are_the_receivers_to_give(town: Town, kind: ResourceKind) -> None:
    """REQ-SIM-06: receiver and time of the signature stand on a receipt."""
    await stock_up(town, kind)
    document = await send(town, kind)

    receipt = await sign(town, document)

    assert (receipt["kind"], receipt["count"], receipt["receiver_name"]) == ("RECEIPT", 10, "李")
    assert (receipt["parent"], receipt["parent_state"]) == (document, "ACCEPTED")
    assert await on_the_way(town, kind) == 0
    assert (await give(town, kind, ByCount(10), giver=DISTRICT, receiver=HALL))["count"] == 10
    assert await faults(town) == []


async def test_part_is_signed_for_and_the_rest_stays_on_its_way(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    await sign(town, document, ByName((name(kind, 4), name(kind, 7))))
    assert await state_of(town, document) == ("PARTLY_ANSWERED", 2, 0)
    await sign(town, document, ByRange(name(kind, 0), name(kind, 3)))
    assert await state_of(town, document) == ("PARTLY_ANSWERED", 6, 0)
    assert await faults(town) == []
    await sign(town, document)

    assert await state_of(town, document) == ("ACCEPTED", 10, 0)
    assert await on_the_way(town, kind) == 0


async def test_refused_items_travel_back_and_the_giver_signs_for_them(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    answer = await send_back(town, document, ByName((name(kind, 5),)))

    assert (answer["kind"], answer["giver"], answer["receiver"]) == ("RETURN", DISTRICT, TOP)
    assert (answer["state"], answer["reason"], answer["parent_state"]) == ("IN_TRANSIT", "破损", "PARTLY_ANSWERED")
    await sign(town, document)
    assert await state_of(town, document) == ("SETTLED", 9, 1)
    assert (await held_by(town, kind, DISTRICT), await on_the_way(town, kind)) == (9, 1)
    with pytest.raises(NotReceiver):
        await sign(town, answer["id"])
    await sign(town, answer["id"], by=town.admin)
    assert await on_the_way(town, kind) == 0
    assert await faults(town) == []


async def test_all_is_sent_back(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    await send_back(town, document)

    assert await state_of(town, document) == ("REFUSED", 0, 10)
    assert await held_by(town, kind, DISTRICT) == 0


async def test_sending_back_needs_a_reason(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    with pytest.raises(ReasonMissing):
        await send_back(town, document, reason=" ")


async def test_only_the_receiver_signs(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    other = await found_town(town.database, town.vault, 530100)

    with pytest.raises(NotReceiver):
        await sign(town, document, by=town.admin)
    with pytest.raises(NotFound):
        await sign(town, document, by=keeper(town, f"{CITY}-D2"))
    with pytest.raises(NotFound):
        await sign(town, document, by=other.admin)
    assert await on_the_way(town, kind) == 10


async def test_item_of_no_such_way_stops_the_whole_signature(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    await send(town, kind, 20, 29)

    with pytest.raises(MovementRefused) as refusal:
        await sign(town, document, ByName((name(kind, 1), name(kind, 21), name(kind, 40))))

    assert refusal.value.params["items"] == [
        {"item": name(kind, serial), "code": "not_on_the_way", "state": None} for serial in (21, 40)
    ]
    assert await on_the_way(town, kind) == 20


async def test_answered_delivery_is_not_answered_again(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    await sign(town, document)

    with pytest.raises(DeliveryAnswered):
        await sign(town, document)
    with pytest.raises(DeliveryAnswered):
        await send_back(town, document)


async def test_what_arrived_is_named_not_counted(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    with pytest.raises(InvalidField):
        await sign(town, document, ByCount(3))


async def test_open_deliveries_are_listed_with_who_answers(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    listed = {}
    for who, caller in {"giver": town.admin, "receiver": keeper(town), "other": keeper(town, f"{CITY}-D2")}.items():
        async with town.database.session() as session:
            found = await read_deliveries(session, caller)
        listed[who] = [(f"m-{CITY}-{delivery.document.movement_id}", delivery.mine) for delivery in found]

    assert listed == {"giver": [(document, False)], "receiver": [(document, True)], "other": []}
    await sign(town, document)
    async with town.database.session() as session:
        assert await read_deliveries(session, keeper(town)) == []


async def test_stock_says_what_is_still_on_its_way(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    await sign(town, document, ByRange(name(kind, 0), name(kind, 3)))

    async with town.database.session() as session:
        rows = await read_stock(session, town.admin, resource=kind.name)

    counted = {row.node.code: (row.count, row.own, row.on_the_way, row.own_on_the_way) for row in rows}
    loaded = LOADED[kind.name]
    assert counted == {TOP: (loaded, loaded - 10, 6, 0), DISTRICT: (10, 10, 6, 6)}


async def test_the_way_of_an_item_is_part_of_its_life(town: Town, kind: ResourceKind) -> None:
    """REQ-SIM-08."""
    await stock_up(town, kind)
    document = await send(town, kind)
    await send_back(town, document, ByName((name(kind, 2),)))
    await sign(town, document)

    async with town.database.session() as session:
        taken = await read_history(session, town.admin, resource=kind.name, name=name(kind, 1))
        refused = await read_history(session, town.admin, resource=kind.name, name=name(kind, 2))

    assert [entry.what for entry in taken] == ["movement.intake", "movement.issue", "movement.receipt"]
    assert [entry.what for entry in refused] == ["movement.intake", "movement.issue", "movement.return"]

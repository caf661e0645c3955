"""A recall order: what is free comes home or stops selling, what is promised follows, and who owes what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    InvalidField,
    MovementRefused,
    NotEnoughStock,
    NotFound,
    NumberNotOnSale,
    OutsideScope,
    ReasonMissing,
    RecallOrderClosed,
    SimNotFree,
)
from inventory.domain.identifiers import parse_iccid, parse_number
from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind
from inventory.services.approval import without_approval
from inventory.services.approving import Question, ask, grant
from inventory.services.auditing import audit
from inventory.services.disputing import SETTLE, Outcome, SettleWish, dispute, settle
from inventory.services.ending import Ending, EndWish, end
from inventory.services.holds import hold
from inventory.services.kits import KitWish
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.recall_orders import OrderWish, end_order, follow, order_recall, read_order, read_orders
from inventory.services.receiving import Signature, accept, refuse, withdraw
from inventory.services.stocktake_posting import PostWish, post_stocktake
from inventory.services.stocktakes import Scan, StocktakeWish, close_stocktake, open_stocktake, scan_items
from inventory.store.selection import ByCount, ByName, ByRange, Selection
from tests.services.test_stock_kinds import DISTRICT, HALL, TOP, give, held_by, name, stock_up
from tests.services.town import CARD, CITY, NOW, POOL, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CLERK = f"{CITY}-C1"
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


async def hall_with_ten(town: Town, kind: ResourceKind) -> None:
    """Bring items 0 to 19 to the district, and of these 0 to 9 to the hall."""
    await stock_up(town, kind)
    await give(town, kind, ByRange(name(kind, 0), name(kind, 19)))
    await give(town, kind, ByRange(name(kind, 0), name(kind, 9)), giver=DISTRICT, receiver=HALL)


async def ordered(town: Town, kind: ResourceKind, *, by: Caller | None = None, **changes: Any) -> dict[str, Any]:
    """Order back everything below the city, or as told."""
    wish = OrderWish(**{"resource": kind.name, "place": TOP, "below": TOP, "reason": "换季", **changes})
    async with town.database.session() as session:
        return (await order_recall(session, by or town.admin, fresh_key(), wish, now=NOW)).body


async def promise(town: Town, kind: ResourceKind, serial: int) -> None:
    """Put an item on hold, as a sale does; it stays so until `free`."""
    state = {"number": "HELD", "sim": "HELD"}[kind.name]
    await town.execute(
        f"UPDATE {kind.table} SET hold_id = 7, hold_until = now(), state = '{state}' WHERE {kind.key} = :name",
        name=name(kind, serial),
    )


async def free(town: Town, kind: ResourceKind) -> None:
    """End every hold."""
    state = kind.lifecycle.initial
    await town.execute(
        f"UPDATE {kind.table} SET hold_id = NULL, hold_until = NULL, state = '{state}' WHERE hold_id = 7"
    )


async def handed_back(town: Town, kind: ResourceKind, selection: Selection, giver: str, receiver: str) -> Any:
    wish = MoveWish(verb=Verb.RECALL, resource=kind.name, giver=giver, receiver=receiver, selection=selection)
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


async def followed(town: Town) -> int:
    async with town.database.session() as session:
        return await follow(session, now=NOW)


async def counted(town: Town, code: str, *serials: int) -> None:
    """Count the cards of a place and post what was found."""
    async with town.database.session() as session:
        wish = StocktakeWish(resource="sim", place=code)
        stocktake = (await open_stocktake(session, town.admin, fresh_key(), wish, now=NOW)).body["id"]
        seen = Scan(items=tuple(name(SIM, serial) for serial in serials))
        await scan_items(session, town.admin, fresh_key(), stocktake, seen, now=NOW)
        await close_stocktake(session, town.admin, fresh_key(), stocktake, "木某", now=NOW)
        await post_stocktake(session, town.admin, fresh_key(), PostWish(stocktake=stocktake), now=NOW)


async def debts(town: Town, order: str, caller: Caller | None = None) -> dict[str, tuple[int, int, int]]:
    """Give what each holder owes: free, promised, on its way."""
    async with town.database.session() as session:
        page = await read_order(session, caller or town.admin, order)
    return {
        found.holder.code: (found.debt.free, found.debt.promised, found.debt.on_the_way) for found in page.view.debts
    }


async def state_of(town: Town, order: str) -> tuple[str, int, int]:
    """Give state of the order, how much it asked for and how much came."""
    question = "SELECT state, asked, came FROM recall_order WHERE order_id = :number"
    return tuple((await town.rows(question, number=int(order.rsplit("-", 1)[1])))[0])


async def recall_faults(town: Town) -> list[Any]:
    """Give what the audit finds, but for the holds that these tests only pretend."""
    async with town.database.session() as session:
        found = (await audit(session, now=NOW)).findings
    return [fault for fault in found if fault["check"] in {"recall_astray", "balance_differs", "delivery_astray"}]


async def test_free_numbers_come_home_at_once_with_a_document_for_each_holder(town: Town) -> None:
    """REQ-NUM-07, REQ-NUM-08: recalled over all levels in one step, the state unchanged."""
    await hall_with_ten(town, NUMBER)

    order = await ordered(town, NUMBER)

    assert (order["state"], order["asked"], order["came"], order["owed"]) == ("OPEN", 20, 20, 0)
    assert await held_by(town, NUMBER, TOP) == 10_000
    documents = await town.rows(
        "SELECT from_holder, to_holder, item_count, reason FROM movement WHERE kind = 'RECALL' ORDER BY from_holder"
    )
    ends = {code: town.nodes[code].id for code in (TOP, DISTRICT, HALL)}
    assert documents == [(ends[DISTRICT], ends[TOP], 10, "换季"), (ends[HALL], ends[TOP], 10, "换季")]
    await followed(town)
    assert await state_of(town, order["id"]) == ("FULFILLED", 20, 20)
    assert await recall_faults(town) == []


async def test_cards_stop_selling_at_once_and_stay_where_they_are(town: Town) -> None:
    await hall_with_ten(town, SIM)

    order = await ordered(town, SIM)

    assert await debts(town, order["id"]) == {DISTRICT: (10, 0, 0), HALL: (10, 0, 0)}
    assert await town.value("SELECT count(*) FROM sim WHERE recall_id IS NOT NULL AND state = 'AVAILABLE'") == 20
    with pytest.raises(SimNotFree) as refusal:
        await sold(town, KitWish(iccid=parse_iccid(name(SIM, 3)).iccid))
    assert refusal.value.params["state"] == "RECALLED"


async def sold(town: Town, wish: KitWish) -> None:
    """Try to hold the kit as the hall does."""
    async with town.database.autocommit() as connection:
        await hold(connection, town.at(HALL, Role.HALL_KEEPER), fresh_key(), wish, now=NOW)


async def test_cards_come_home_with_each_hand_over_up_the_line(town: Town) -> None:
    """REQ-SIM-09: level by level, each with its document."""
    await hall_with_ten(town, SIM)
    order = (await ordered(town, SIM))["id"]

    await handed_back(town, SIM, ByRange(name(SIM, 0), name(SIM, 9)), HALL, DISTRICT)
    assert await debts(town, order) == {DISTRICT: (20, 0, 0)}
    await handed_back(town, SIM, ByCount(15), DISTRICT, TOP)
    assert await state_of(town, order) == ("OPEN", 20, 15)
    await handed_back(town, SIM, ByCount(5), DISTRICT, TOP)
    await followed(town)

    assert await state_of(town, order) == ("FULFILLED", 20, 20)
    assert await town.value("SELECT count(*) FROM sim WHERE recall_id IS NOT NULL") == 0
    assert await recall_faults(town) == []


async def test_owed_cards_on_their_way_count_as_come_when_they_are_signed_for(town: Town) -> None:
    await hall_with_ten(town, SIM)
    order = (await ordered(town, SIM, place=DISTRICT, below=DISTRICT))["id"]
    wish = MoveWish(
        verb=Verb.RECALL, resource="sim", giver=HALL, receiver=DISTRICT, selection=ByCount(10), on_the_way=True
    )
    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body["id"]
    assert await debts(town, order) == {DISTRICT: (0, 0, 10)}

    async with town.database.session() as session:
        await accept(
            session, town.at(DISTRICT, Role.DISTRICT_KEEPER), fresh_key(), Signature(movement=document), now=NOW
        )

    assert await state_of(town, order) == ("OPEN", 10, 10)
    assert await debts(town, order) == {}


async def owed_on_the_way(town: Town, kind: ResourceKind) -> tuple[str, str]:
    """Send ten items from the district to the hall, order them back to the district, and give delivery and order."""
    await stock_up(town, kind)
    await give(town, kind, ByCount(10))
    wish = MoveWish(
        verb=Verb.ISSUE, resource=kind.name, giver=DISTRICT, receiver=HALL, selection=ByCount(10), on_the_way=True
    )
    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body["id"]
    order = (await ordered(town, kind, place=DISTRICT, below=DISTRICT))["id"]
    assert await debts(town, order) == {HALL: (0, 0, 10)}
    return document, order


@every_kind
async def test_what_is_taken_back_by_the_place_that_ordered_it_has_come(town: Town, kind: ResourceKind) -> None:
    document, order = await owed_on_the_way(town, kind)
    signature = Signature(movement=document, reason="发错")
    async with town.database.session() as session:
        await withdraw(session, town.at(DISTRICT, Role.DISTRICT_KEEPER), fresh_key(), signature, now=NOW)

    await followed(town)

    assert await state_of(town, order) == ("FULFILLED", 10, 10)
    await give(town, kind, ByCount(10), giver=DISTRICT, receiver=HALL)
    assert await recall_faults(town) == []


@every_kind
async def test_what_is_sent_back_has_come_when_it_is_signed_for(town: Town, kind: ResourceKind) -> None:
    document, order = await owed_on_the_way(town, kind)
    signature = Signature(movement=document, reason="破损")
    async with town.database.session() as session:
        back = (await refuse(session, town.at(HALL, Role.HALL_KEEPER), fresh_key(), signature, now=NOW)).body["id"]
    assert await state_of(town, order) == ("OPEN", 10, 0)
    signature = Signature(movement=back)
    async with town.database.session() as session:
        await accept(session, town.at(DISTRICT, Role.DISTRICT_KEEPER), fresh_key(), signature, now=NOW)

    await followed(town)

    assert await state_of(town, order) == ("FULFILLED", 10, 10)


@pytest.mark.parametrize(("outcome", "came"), [(Outcome.BACK, 10), (Outcome.LOST, 0)])
async def test_disputed_cards_that_went_back_have_come_and_lost_ones_are_owed_no_more(
    town: Town, outcome: Outcome, came: int
) -> None:
    document, order = await owed_on_the_way(town, SIM)
    hall = replace(town.at(HALL, Role.HALL_KEEPER), staff_no=f"{CITY}hall")
    keeper = replace(town.at(DISTRICT, Role.DISTRICT_KEEPER), staff_no=f"{CITY}district")
    async with town.database.session() as session:
        signature = Signature(movement=document, reason="少一盒")
        case = (await dispute(session, hall, fresh_key(), signature, now=NOW)).body["id"]
    wish = SettleWish(dispute=case, outcome=outcome, reason="复核")
    async with town.database.session() as session:
        question = Question(SETTLE, without_approval(wish))
        asked = await ask(session, hall, fresh_key(), question, lasts=timedelta(hours=1), now=NOW)
        approval = asked.body["approval"]
        await grant(session, keeper, fresh_key(), approval=approval, now=NOW)
        await settle(session, hall, fresh_key(), replace(wish, approval=approval), now=NOW)

    await followed(town)

    assert await state_of(town, order) == ("FULFILLED", 10, came)
    assert await recall_faults(town) == []


async def test_lost_card_that_turns_up_where_it_was_ordered_to_has_come(town: Town) -> None:
    _, order = await owed_on_the_way(town, SIM)
    await town.execute("UPDATE sim SET transit_id = NULL, state = 'LOST', holder_id = :at WHERE item_no = 0",
                       at=town.nodes[DISTRICT].id)  # fmt: skip
    wish = EndWish(way=Ending.FIND, resource="sim", place=DISTRICT, selection=ByName((name(SIM, 0),)), reason="找到")
    approval = await town.approved(wish.way, **without_approval(wish))
    async with town.database.session() as session:
        await end(session, town.admin, fresh_key(), replace(wish, approval=approval), now=NOW)

    assert await state_of(town, order) == ("OPEN", 10, 1)


@pytest.mark.parametrize("seen_by", ["count", "worker"])
async def test_what_lies_where_it_was_ordered_to_has_come_by_whatever_way(town: Town, seen_by: str) -> None:
    await hall_with_ten(town, SIM)
    order = (await ordered(town, SIM, place=DISTRICT, below=HALL))["id"]
    await town.execute("UPDATE sim SET holder_id = :at WHERE item_no < 3", at=town.nodes[DISTRICT].id)

    if seen_by == "worker":
        await followed(town)
    else:
        await counted(town, DISTRICT, *range(3), *range(10, 20))

    assert await state_of(town, order) == ("OPEN", 10, 3)
    assert await debts(town, order) == {HALL: (7, 0, 0)}


async def test_owed_cards_go_neither_down_nor_sideways(town: Town) -> None:
    await hall_with_ten(town, SIM)
    await ordered(town, SIM)

    with pytest.raises(MovementRefused) as down:
        await give(town, SIM, ByName((name(SIM, 12),)), giver=DISTRICT, receiver=HALL)
    sideways = MoveWish(
        verb=Verb.TRANSFER,
        resource="sim",
        giver=DISTRICT,
        receiver=f"{CITY}-D2",
        selection=ByName((name(SIM, 13),)),
    )
    async with town.database.session() as session:
        with pytest.raises(MovementRefused):
            await move(session, town.admin, fresh_key(), sideways, now=NOW)

    assert down.value.params["items"][0]["code"] == "owed"


async def test_promised_number_follows_when_it_is_free_and_is_not_sold_again(town: Town) -> None:
    await hall_with_ten(town, NUMBER)
    await promise(town, NUMBER, 4)

    order = (await ordered(town, NUMBER))["id"]
    assert await debts(town, order) == {HALL: (0, 1, 0)}
    assert await followed(town) == 0
    await free(town, NUMBER)
    with pytest.raises(NumberNotOnSale):
        await sold(town, KitWish(number=parse_number(name(NUMBER, 4))))

    assert await followed(town) == 1
    assert await state_of(town, order) == ("FULFILLED", 20, 20)
    assert await held_by(town, NUMBER, TOP) == 10_000


@every_kind
async def test_what_the_customer_got_meanwhile_is_owed_no_more(town: Town, kind: ResourceKind) -> None:
    await hall_with_ten(town, kind)
    await promise(town, kind, 4)
    order = (await ordered(town, kind, place=DISTRICT, below=HALL))["id"]
    await town.execute(f"UPDATE {kind.table} SET hold_id = NULL, state = 'IN_USE' WHERE hold_id = 7")
    if kind is SIM:
        await handed_back(town, kind, ByCount(9), HALL, DISTRICT)
    await followed(town)

    assert (await state_of(town, order))[0] == "FULFILLED"
    assert await town.value(f"SELECT count(*) FROM {kind.table} WHERE recall_id IS NOT NULL") == 0


async def test_what_is_in_use_is_never_touched(town: Town) -> None:
    await hall_with_ten(town, NUMBER)
    await town.execute("UPDATE number SET state = 'IN_USE' WHERE number = :name", name=name(NUMBER, 4))

    order = await ordered(town, NUMBER)

    assert order["asked"] == 19
    assert await town.value("SELECT recall_id FROM number WHERE number = :name", name=name(NUMBER, 4)) is None


async def test_number_on_its_way_follows_once_it_is_signed_for(town: Town) -> None:
    await stock_up(town, NUMBER)
    wish = MoveWish(
        verb=Verb.ISSUE,
        resource="number",
        giver=TOP,
        receiver=DISTRICT,
        selection=ByCount(5),
        on_the_way=True,
    )
    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body["id"]

    order = (await ordered(town, NUMBER))["id"]
    assert await debts(town, order) == {DISTRICT: (0, 0, 5)}
    async with town.database.session() as session:
        keeper = town.at(DISTRICT, Role.DISTRICT_KEEPER)
        await accept(session, keeper, fresh_key(), Signature(movement=document), now=NOW)

    assert await followed(town) == 5
    assert await held_by(town, NUMBER, TOP) == 10_000


async def test_only_the_sort_that_is_asked_for_is_owed(town: Town) -> None:
    await hall_with_ten(town, NUMBER)
    await town.execute(
        "UPDATE number SET cls = CASE WHEN number IN (:one, :two) THEN 3 ELSE 9 END",
        one=name(NUMBER, 1),
        two=name(NUMBER, 2),
    )

    by_class = await ordered(town, NUMBER, number_class=3)
    by_beginning = await ordered(town, NUMBER, of=name(NUMBER, 8))
    with pytest.raises(NotEnoughStock):
        await ordered(town, SIM, of=CARD)

    assert (by_class["asked"], by_beginning["asked"]) == (2, 1)


async def test_only_the_named_part_owes(town: Town) -> None:
    await hall_with_ten(town, SIM)

    order = await ordered(town, SIM, place=DISTRICT, below=HALL)

    assert await debts(town, order["id"]) == {HALL: (10, 0, 0)}


async def test_ended_order_lets_the_rest_sell_again(town: Town) -> None:
    await hall_with_ten(town, SIM)
    order = (await ordered(town, SIM))["id"]
    async with town.database.session() as session:
        answer = (await end_order(session, town.admin, fresh_key(), order, "不再需要", now=NOW)).body

    assert (answer["state"], answer["close_reason"], answer["owed"]) == ("ENDED", "不再需要", 0)
    assert await town.value("SELECT count(*) FROM sim WHERE recall_id IS NOT NULL") == 0
    assert await town.value("SELECT count(*) FROM sim WHERE pool = :pool", pool=POOL) == 100
    async with town.database.session() as session:
        with pytest.raises(RecallOrderClosed):
            await end_order(session, town.admin, fresh_key(), order, "再次", now=NOW)


async def test_holder_sees_its_own_debts_and_nobody_elses(town: Town) -> None:
    await hall_with_ten(town, SIM)
    order = (await ordered(town, SIM))["id"]
    hall, other = town.at(HALL, Role.HALL_KEEPER), town.at(f"{CITY}-D2", Role.DISTRICT_KEEPER)

    assert await debts(town, order, hall) == {HALL: (10, 0, 0)}
    async with town.database.session() as session:
        page = await read_order(session, hall, order)
    assert [(item.name, node.code) for item, node in page.items][:2] == [(name(SIM, 0), HALL), (name(SIM, 1), HALL)]
    lists = {}
    for who, caller in (("hall", hall), ("other", other)):
        async with town.database.session() as session:
            lists[who] = [len(view.debts) for view in await read_orders(session, caller)]
    assert lists == {"hall": [1], "other": [0]}
    await give(town, SIM, ByCount(1))
    await give(town, SIM, ByCount(1), giver=DISTRICT, receiver=HALL)
    below = (await ordered(town, SIM, place=DISTRICT, below=HALL))["id"]
    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await read_order(session, other, below)


async def test_only_the_place_that_ordered_ends_the_order(town: Town) -> None:
    await hall_with_ten(town, SIM)
    order = (await ordered(town, SIM))["id"]

    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await end_order(session, town.at(HALL, Role.HALL_KEEPER), fresh_key(), order, "不想交", now=NOW)


async def test_order_needs_a_reason_a_place_of_ones_own_and_a_part_under_it(town: Town) -> None:
    await hall_with_ten(town, SIM)

    with pytest.raises(ReasonMissing):
        await ordered(town, SIM, reason=" ")
    with pytest.raises(OutsideScope):
        await ordered(town, SIM, by=town.at(HALL, Role.HALL_KEEPER))
    with pytest.raises(InvalidField):
        await ordered(town, SIM, place=DISTRICT, below=f"{CITY}-D2")
    with pytest.raises(InvalidField):
        await ordered(town, SIM, number_class=3)
    assert await town.value("SELECT count(*) FROM recall_order") == 0


async def test_audit_finds_an_item_kept_from_sale_without_an_order(town: Town) -> None:
    await hall_with_ten(town, SIM)
    await town.execute("UPDATE sim SET recall_id = 99 WHERE item_no = 4")

    assert [fault["check"] for fault in await recall_faults(town)] == ["recall_astray"]

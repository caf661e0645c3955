"""A delivery that is not as written: disputed, settled by both sides, or taken back by the giver; for every kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    DeliveryAnswered,
    DeliveryDisputed,
    DomainError,
    InvalidField,
    MovementRefused,
    NotDisputed,
    NotFound,
    NotGiver,
    NotOtherSide,
    NotReceiver,
    ReasonMissing,
)
from inventory.domain.kinds import KINDS, SIM, ResourceKind
from inventory.services.approval import without_approval
from inventory.services.approving import Question, ask, grant, read_approvals, refuse
from inventory.services.disputing import SETTLE, Outcome, SettleWish, dispute, settle
from inventory.services.receiving import Signature, read_deliveries, withdraw
from inventory.services.reporting import read_history
from inventory.store import interfaces
from inventory.store.selection import ByCount, ByName, ByRange, Selection, Wished
from tests.services.test_approvals import DAY
from tests.services.test_receiving import faults, keeper, on_the_way, send, send_back, sign, state_of
from tests.services.test_stock_kinds import DISTRICT, TOP, give, held_by, name, stock_up
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio, pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))]

STAFF = f"{CITY}district"


def district(town: Town) -> Caller:
    """Give the keeper of the receiving district, under a staff id of its own."""
    return replace(keeper(town), staff_no=STAFF)


async def disputed(
    town: Town, document: str, selection: Wished | None = None, *, by: Caller | None = None, reason: str = "少一盒"
) -> Any:
    signature = Signature(movement=document, selection=selection, person="李", reason=reason)
    async with town.database.session() as session:
        return (await dispute(session, by or district(town), fresh_key(), signature, now=NOW)).body


async def settled(town: Town, wish: SettleWish, *, by: Caller | None = None) -> Any:
    async with town.database.session() as session:
        return (await settle(session, by or district(town), fresh_key(), wish, now=NOW)).body


async def by_both(town: Town, wish: SettleWish) -> Any:
    """Settle as the receiver, with the giver's word."""
    async with town.database.session() as session:
        question = Question(SETTLE, without_approval(wish))
        asked = await ask(session, district(town), fresh_key(), question, lasts=DAY, now=NOW)
        approval = asked.body["approval"]
        await grant(session, town.admin, fresh_key(), approval=approval, now=NOW)
    return await settled(town, replace(wish, approval=approval))


async def taken_back(town: Town, document: str, selection: Selection | None = None, **said: Any) -> Any:
    signature = Signature(**{"movement": document, "selection": selection, "reason": "发错", **said})
    async with town.database.session() as session:
        return (await withdraw(session, town.admin, fresh_key(), signature, now=NOW)).body


async def test_disputed_items_wait_on_the_givers_account_and_are_nobodys_to_move(
    town: Town, kind: ResourceKind
) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    answer = await disputed(town, document, ByRange(name(kind, 7), name(kind, 9)))

    assert (answer["kind"], answer["count"], answer["state"]) == ("DISPUTE", 3, "IN_TRANSIT")
    assert (answer["parent"], answer["parent_state"], answer["reason"]) == (document, "PARTLY_ANSWERED", "少一盒")
    assert (await held_by(town, kind, DISTRICT), await on_the_way(town, kind)) == (7, 10)
    with pytest.raises(MovementRefused) as refusal:
        await give(town, kind, ByName((name(kind, 8),)), giver=TOP, receiver=DISTRICT)
    assert refusal.value.params["items"][0]["code"] == "in_transit"
    await sign(town, document)
    assert await state_of(town, document) == ("SETTLED", 7, 3)
    assert await faults(town) == []


@pytest.mark.parametrize(
    ("outcome", "movement", "holder"),
    [(Outcome.ACCEPTED, "RECEIPT", DISTRICT), (Outcome.BACK, "RETURN", TOP), (Outcome.LOST, "LOSS", TOP)],
)
async def test_dispute_ends_as_both_sides_signed_it(
    town: Town, kind: ResourceKind, outcome: Outcome, movement: str, holder: str
) -> None:
    await stock_up(town, kind)
    case = await disputed(town, await send(town, kind), ByRange(name(kind, 7), name(kind, 9)))
    wish = SettleWish(dispute=case["id"], outcome=outcome, reason="复核")
    if outcome is Outcome.LOST and kind is not SIM:
        with pytest.raises(InvalidField):
            await settled(town, wish)
        return

    answer = await by_both(town, wish)

    assert (answer["kind"], answer["receiver"], answer["count"]) == (movement, holder, 3)
    assert (answer["parent_state"] in {"ACCEPTED", "REFUSED"}, answer["approver"]) == (True, town.admin.staff_no)
    items = f"SELECT state, holder_id, transit_id FROM {kind.table} ORDER BY item_no OFFSET 7 LIMIT 3"
    state = "LOST" if outcome is Outcome.LOST else str(next(iter(kind.movable_down)))
    assert [tuple(row) for row in await town.rows(items)] == [(state, town.nodes[holder].id, None)] * 3
    assert await faults(town) == []
    async with town.database.session() as session:
        life = await read_history(session, town.admin, resource=kind.name, name=name(kind, 8))
    assert [entry.what for entry in life if entry.what.startswith("movement.")] == [
        "movement.intake", "movement.issue", "movement.dispute", f"movement.{movement.lower()}"
    ]  # fmt: skip


async def test_dispute_is_settled_in_parts(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    case = (await disputed(town, await send(town, kind)))["id"]

    found = SettleWish(dispute=case, outcome=Outcome.ACCEPTED, selection=ByName((name(kind, 2),)), reason="找到")
    assert (await by_both(town, found))["parent_state"] == "PARTLY_ANSWERED"
    rest = SettleWish(dispute=case, outcome=Outcome.BACK, reason="未发")
    assert (await by_both(town, rest))["parent_state"] == "SETTLED"
    with pytest.raises(DeliveryAnswered):
        await settled(town, rest)
    assert (await held_by(town, kind, DISTRICT), await on_the_way(town, kind)) == (1, 0)
    assert await faults(town) == []


async def test_one_side_alone_settles_nothing(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    case = (await disputed(town, await send(town, kind)))["id"]
    wish = SettleWish(dispute=case, outcome=Outcome.BACK, reason="未发")

    for side, other in ((district(town), TOP), (town.admin, DISTRICT)):
        with pytest.raises(ApprovalNeeded) as needed:
            await settled(town, wish, by=side)
        assert needed.value.demand is not None
        assert needed.value.demand.place == town.nodes[other].id
    assert await on_the_way(town, kind) == 10


async def test_dispute_is_not_answered_like_a_delivery_nor_the_other_way_round(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    case = (await disputed(town, document, ByName((name(kind, 1),))))["id"]

    with pytest.raises(DeliveryDisputed):
        await sign(town, case, by=town.admin)
    with pytest.raises(DeliveryDisputed):
        await send_back(town, case, by=town.admin)
    with pytest.raises(NotDisputed):
        await settled(town, SettleWish(dispute=document, outcome=Outcome.BACK, reason="x"))


async def test_who_may_dispute_and_settle_and_why(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    refused: list[tuple[dict[str, Any], type[DomainError]]] = [
        ({"by": town.admin}, NotReceiver),
        ({"by": keeper(town, f"{CITY}-D2")}, NotFound),
        ({"reason": " "}, ReasonMissing),
        ({"selection": ByCount(2)}, InvalidField),
        ({"selection": ByName((name(kind, 40),))}, MovementRefused),
    ]
    for said, refusal in refused:
        with pytest.raises(refusal):
            await disputed(town, document, **said)
    case = (await disputed(town, document))["id"]
    with pytest.raises(ReasonMissing):
        await settled(town, SettleWish(dispute=case, outcome=Outcome.BACK, reason=" "))
    with pytest.raises(NotFound):
        await settled(town, SettleWish(dispute=case, outcome=Outcome.BACK, reason="x"), by=keeper(town, f"{CITY}-D2"))


async def test_both_sides_see_the_dispute(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    case = (await disputed(town, await send(town, kind)))["id"]

    for side in (town.admin, district(town)):
        async with town.database.session() as session:
            (found,) = await read_deliveries(session, side)
        assert (f"m-{CITY}-{found.document.movement_id}", found.document.kind) == (case, "DISPUTE")


async def test_giver_takes_back_what_nobody_has_answered(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)
    await sign(town, document, ByName((name(kind, 0),)))

    answer = await taken_back(town, document, ByName((name(kind, 1), name(kind, 2))))
    assert (answer["kind"], answer["receiver"], answer["state"]) == ("WITHDRAWAL", TOP, "ACCEPTED")
    assert (answer["parent_state"], answer["reason"]) == ("PARTLY_ANSWERED", "发错")
    rest = await taken_back(town, document)

    assert (rest["count"], rest["parent_state"]) == (7, "SETTLED")
    assert (await held_by(town, kind, DISTRICT), await on_the_way(town, kind)) == (1, 0)
    assert (await give(town, kind, ByName((name(kind, 1),)), giver=TOP, receiver=DISTRICT))["count"] == 1
    with pytest.raises(DeliveryAnswered):
        await taken_back(town, document)
    assert await faults(town) == []


async def test_only_the_giver_takes_back_and_says_why(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    document = await send(town, kind)

    with pytest.raises(ReasonMissing):
        await taken_back(town, document, reason=" ")
    async with town.database.session() as session:
        with pytest.raises(NotGiver):
            await withdraw(session, district(town), fresh_key(), Signature(movement=document, reason="x"), now=NOW)
    with pytest.raises(MovementRefused):
        await taken_back(town, document, ByName((name(kind, 40),)))
    assert await on_the_way(town, kind) == 10


async def works_at(town: Town, code: str) -> None:
    """Give the place a staff id."""
    async with town.database.session() as session, session.begin():
        await interfaces.add_staff(
            session, staff_no=STAFF, name="李", org_id=town.nodes[code].id, role=Role.DISTRICT_KEEPER.value,
            password_hash=None, language="zh",
        )  # fmt: skip


@pytest.mark.parametrize("answer", [grant, refuse])
async def test_colleague_of_who_asks_does_not_speak_for_the_other_side(
    town: Town, kind: ResourceKind, answer: Any
) -> None:
    await works_at(town, DISTRICT)
    await stock_up(town, kind)
    case = (await disputed(town, await send(town, kind)))["id"]
    wish = SettleWish(dispute=case, outcome=Outcome.ACCEPTED, reason="都在")
    async with town.database.session() as session:
        question = Question(SETTLE, without_approval(wish))
        asked = (await ask(session, town.admin, fresh_key(), question, lasts=DAY, now=NOW)).body["approval"]

    async with town.database.session() as session:
        with pytest.raises(NotOtherSide, match=DISTRICT):
            await answer(session, town.second, fresh_key(), approval=asked, reason="x", now=NOW)
    seen = {}
    for who in (town.second, district(town)):
        async with town.database.session() as session:
            seen[who.staff_no] = [view.name for view in (await read_approvals(session, who, now=NOW))[0]]
    assert seen == {town.second.staff_no: [], STAFF: [asked]}
    async with town.database.session() as session:
        await answer(session, district(town), fresh_key(), approval=asked, reason="x", now=NOW)


async def test_who_is_above_speaks_for_a_side_that_nobody_works_for(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    case = (await disputed(town, await send(town, kind)))["id"]
    wish = SettleWish(dispute=case, outcome=Outcome.BACK, reason="未发")
    approval = await town.approved(SETTLE, **without_approval(wish))

    answer = await settled(town, replace(wish, approval=approval), by=town.admin)

    assert (answer["kind"], answer["approver"]) == ("RETURN", town.second.staff_no)

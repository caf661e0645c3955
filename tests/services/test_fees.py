"""Fees: rated on intake and issue, changed by people, never behind a customer's back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    FeeUnchanged,
    NotFound,
    NumberNotFree,
    PermissionDenied,
    ReasonMissing,
    SamePerson,
)
from inventory.services.documents import read_movement
from inventory.services.fees import CHANGE_FEE, FeeWish, change_fee, read_fee_changes
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.rule_sets import RuleSetWish, approve, default_document, propose
from inventory.store.selection import ByRange
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

ORDINARY, FOUR_EIGHTS = "13888047351", "13888048888"
SECOND = f"{CITY}second"


async def change(town: Town, number: str = ORDINARY, role: Role = Role.CITY_ADMIN, **wish: Any) -> dict[str, Any]:
    caller = replace(town.admin, role=role)
    wanted = FeeWish(**{"number": number, "number_class": 6, "reason": "好记", **wish})
    async with town.database.session() as session:
        return (await change_fee(session, caller, fresh_key(), wanted, now=NOW)).body


async def issue_range(town: Town, first: str, last: str, **later: int) -> list[dict[str, Any] | None]:
    """Issue a range and give the fee on each line of the document."""
    wish = MoveWish(
        verb=Verb.ISSUE, resource="number", giver=str(CITY), receiver=f"{CITY}-D1", selection=ByRange(first, last)
    )
    async with town.database.session() as session:
        answer = await move(session, town.admin, fresh_key(), wish, now=NOW + timedelta(**later))
        page = await read_movement(session, town.admin, public_id=answer.body["id"])
    return [line.fee for line in page.lines]


async def new_rules(town: Town, **changes: Any) -> None:
    """Propose and approve a rule set of the city that holds from tomorrow."""
    document = {**default_document(), **changes}
    async with town.database.session() as session:
        wish = RuleSetWish(document=document, valid_from=NOW + timedelta(days=1))
        proposed = (await propose(session, town.admin, fresh_key(), wish, now=NOW)).body
        second = replace(town.admin, staff_no=SECOND)
        await approve(session, second, fresh_key(), rule_set_id=proposed["id"], now=NOW)


async def test_both_values_operator_approver_and_reason_are_kept(town: Town) -> None:
    """REQ-FEE-02: a change keeps old value, new value, operator, approver, reason and time."""
    await town.take("1388804")

    wish: dict[str, Any] = {"number_class": 3, "reason": "定级有误"}
    approval = await town.approved(CHANGE_FEE, number=FOUR_EIGHTS, **wish)
    await change(town, FOUR_EIGHTS, approval=approval, **wish)

    async with town.database.session() as session:
        (row,) = await read_fee_changes(session, town.admin, number=FOUR_EIGHTS)
    assert (row.before["number_class"], row.after["number_class"]) == (2, 3)
    assert (row.before["prepay_fen"], row.after["prepay_fen"]) == (3_000_000, 500_000)
    assert (row.staff_no, row.approver, row.reason, row.at) == (town.admin.staff_no, SECOND, "定级有误", NOW)
    assert await town.value("SELECT cls FROM number WHERE number = :n", n=FOUR_EIGHTS) == 3


async def test_single_terms_are_put_over_those_of_the_class(town: Town) -> None:
    await town.take("1388804")

    answer = await change(town, number_class=None, min_monthly=3_800)

    assert (answer["after"]["number_class"], answer["after"]["min_monthly_fen"]) == (9, 3_800)


async def test_valuable_classes_need_a_second_person(town: Town) -> None:
    """REQ-FEE-02: the approver is another one than the requester."""
    await town.take("1388804")

    with pytest.raises(ApprovalNeeded):
        await change(town, FOUR_EIGHTS, number_class=3)


async def test_hall_keeper_may_not_touch_class_five(town: Town) -> None:
    await town.take("1388804")

    with pytest.raises(PermissionDenied):
        await change(town, number_class=5, role=Role.HALL_KEEPER)
    assert (await change(town, number_class=6, role=Role.HALL_KEEPER))["after"]["number_class"] == 6


async def test_change_without_a_reason_or_without_a_difference_is_refused(town: Town) -> None:
    await town.take("1388804")

    with pytest.raises(ReasonMissing):
        await change(town, reason=" ")
    with pytest.raises(FeeUnchanged):
        await change(town, number_class=9)


async def test_promised_number_keeps_its_terms(town: Town) -> None:
    await town.take("1388804")
    await town.execute("UPDATE number SET state = 'HELD', hold_id = 1 WHERE number = :n", n=ORDINARY)

    with pytest.raises(NumberNotFree):
        await change(town)


async def test_number_elsewhere_is_not_found(town: Town) -> None:
    with pytest.raises(NotFound):
        await change(town)


async def test_issue_rates_by_the_rule_set_in_force_and_keeps_what_people_set(town: Town) -> None:
    """REQ-FEE-01: on issue the fee is computed from the rule set in force and stored with its version."""
    await town.take("1388804")
    await change(town, "13888049995", number_class=6)
    await new_rules(town, rules=[], modifiers=[], tags=[])

    before = await issue_range(town, "13888048880", "13888048888", hours=1)
    after = await issue_range(town, "13888049990", "13888049999", days=2)

    assert [(fee or {})["number_class"] for fee in before[-1:]] == [2]
    assert [(fee or {})["number_class"] for fee in after] == [9, 9, 9, 9, 9, 6, 9, 9, 9, 9]
    scope = "SELECT scope FROM rule_set WHERE id = (SELECT max(rule_set_id) FROM movement)"
    assert await town.value(scope) == str(CITY)


async def test_author_of_a_rule_set_cannot_approve_it(town: Town) -> None:
    async with town.database.session() as session:
        wish = RuleSetWish(document=default_document(), valid_from=NOW + timedelta(days=1))
        proposed = (await propose(session, town.admin, fresh_key(), wish, now=NOW)).body

        with pytest.raises(SamePerson):
            await approve(session, town.admin, fresh_key(), rule_set_id=proposed["id"], now=NOW)

"""An act for two persons: asked for by one, granted by another, done once and exactly as it was read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNotGranted,
    DomainError,
    IllegalTransition,
    InvalidField,
    NotFound,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
    SamePerson,
)
from inventory.domain.lifecycle import ApprovalState
from inventory.services import expiry, staff
from inventory.services.approving import (
    ApprovalView,
    Question,
    ask,
    carry_out,
    grant,
    read_approval,
    read_approvals,
    refuse,
    withdraw,
)
from inventory.services.once import WriteKey
from inventory.services.status_release import RELEASE_STATUS, ReleaseWish, release_status
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

DAY = timedelta(hours=24)
LATER = NOW + timedelta(minutes=5)
OVER = NOW + DAY


CARD = iccid(1)


@pytest.fixture
async def town(town: Town) -> Town:
    """Give the city with two damaged cards, which only two persons set free, and a third one that is well."""
    await town.load(vendor_file([1, 2, 3]))
    for serial in (1, 2):
        await set_state(town, serial, "DAMAGED")
    return town


async def set_state(
    town: Town,
    serial: int,
    to_state: str = "AVAILABLE",
    *,
    by: Caller | None = None,
    key: WriteKey | None = None,
    now: datetime = NOW,
    **wish: Any,
) -> Any:
    wanted = ReleaseWish(**{**question(serial, to_state=to_state).wish, **wish})
    async with town.database.session() as session:
        return await release_status(session, by or town.admin, key or fresh_key(), wanted, now=now)


def question(serial: int = 1, **wish: Any) -> Question:
    """Give the question to set a card available."""
    words = {"resource": "sim", "item": iccid(serial), "to_state": "AVAILABLE", "reason": "擦净"}
    return Question(RELEASE_STATUS, words | wish)


async def asked(town: Town, what: Question | None = None, *, by: Caller | None = None) -> str:
    async with town.database.session() as session:
        body = (await ask(session, by or town.admin, fresh_key(), what or question(), lasts=DAY, now=NOW)).body
    return str(body["approval"])


async def says(town: Town, verb: Callable[..., Any], approval: str, by: Caller, *, now: datetime = LATER) -> Any:
    """Grant or refuse."""
    reason = {"reason": "不清楚"} if verb is refuse else {}
    async with town.database.session() as session:
        return (await verb(session, by, fresh_key(), approval=approval, now=now, **reason)).body


async def seen(town: Town, approval: str, *, now: datetime = LATER) -> ApprovalView:
    async with town.database.session() as session:
        return await read_approval(session, town.admin, approval=approval, now=now)


async def test_what_is_asked_for_says_what_the_act_would_do_and_does_nothing(town: Town) -> None:
    approval = await asked(town)

    view = await seen(town, approval)
    assert (view.state, view.row.permission, view.place.code) == ("ASKED", "stock.status_release", str(CITY))
    summary = {name: view.row.summary[name] for name in ("count", "items", "from_state", "to_state", "reason")}
    expected = {"count": 1, "items": [CARD], "from_state": "DAMAGED", "to_state": "AVAILABLE", "reason": "擦净"}
    assert summary == expected
    assert await town.value("SELECT state FROM sim WHERE iccid = :card", card=CARD) == "DAMAGED"


async def test_granted_act_is_done_once(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)

    answer = await set_state(town, 1, approval=approval)

    assert answer.body["approver"] == f"{CITY}second"
    assert (await seen(town, approval)).state is ApprovalState.USED
    await set_state(town, 1, "DAMAGED")
    with pytest.raises(ApprovalNotGranted):
        await set_state(town, 1, approval=approval)


async def test_retry_of_a_granted_act_is_answered_again(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)
    key = fresh_key()

    first = await set_state(town, 1, approval=approval, key=key)
    again = await set_state(town, 1, approval=approval, key=key)

    assert (first.body, first.replayed, again.replayed) == (again.body, False, True)


async def test_maker_does_it_with_one_press_as_it_was_asked_for(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)

    async with town.database.session() as session:
        done = await carry_out(session, town.admin, fresh_key(), approval=approval, vault=town.vault, now=LATER)

    assert (done.body["item"], done.body["to_state"]) == (CARD, "AVAILABLE")


async def test_nothing_is_done_before_the_word_is_given(town: Town) -> None:
    approval = await asked(town)

    with pytest.raises(ApprovalNotGranted, match="ASKED"):
        await set_state(town, 1, approval=approval)
    await says(town, refuse, approval, town.second)
    with pytest.raises(ApprovalNotGranted, match="REFUSED"):
        await set_state(town, 1, approval=approval)
    assert (await seen(town, approval)).row.answer_reason == "不清楚"


async def test_another_wish_than_the_granted_one_is_refused(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)

    for other in ({"reason": "另一原因"}, {"order_ref": "W7"}):
        wish: dict[str, Any] = {"approval": approval, **other}
        with pytest.raises(ApprovalDiffers):
            await set_state(town, 1, **wish)
    with pytest.raises(ApprovalDiffers):
        await set_state(town, 2, approval=approval)
    assert (await seen(town, approval)).state is ApprovalState.GRANTED


async def test_item_that_has_changed_since_is_not_what_was_granted(town: Town) -> None:
    first, second = await asked(town), await asked(town)
    for approval in (first, second):
        await says(town, grant, approval, town.second)
    await set_state(town, 1, approval=first)
    await set_state(town, 1, "DAMAGED")

    with pytest.raises(ApprovalDiffers):
        await set_state(town, 1, approval=second)


async def test_nobody_gives_its_own_word(town: Town) -> None:
    approval = await asked(town)

    for verb in (grant, refuse):
        with pytest.raises(SamePerson):
            await says(town, verb, approval, town.admin)


@pytest.mark.parametrize(
    ("place", "role", "refusal"),
    [
        (str(CITY), Role.AUDITOR, PermissionDenied),
        (f"{CITY}-D1", Role.DISTRICT_KEEPER, OutsideScope),
        (f"{CITY}-C1", Role.CLERK, OutsideScope),
    ],
    ids=["who may not do it either", "whose stock it is not", "a clerk far below"],
)
async def test_word_counts_only_of_one_who_may_do_it_there(
    town: Town, place: str, role: Role, refusal: type[DomainError]
) -> None:
    approval = await asked(town)

    with pytest.raises(refusal):
        await says(town, grant, approval, town.at(place, role, staff_no="other"))


async def test_another_city_knows_nothing_of_it(town: Town) -> None:
    approval = await asked(town)
    other = await found_town(town.database, town.vault, 530100)

    with pytest.raises(NotFound):
        await says(town, grant, approval, other.admin)
    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await read_approval(session, other.admin, approval=approval, now=NOW)


async def test_word_given_to_one_is_of_no_use_to_another(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)
    third = replace(town.admin, staff_no="third")

    with pytest.raises(NotFound):
        await set_state(town, 1, approval=approval, by=third)
    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await carry_out(session, third, fresh_key(), approval=approval, vault=town.vault, now=LATER)
        with pytest.raises(NotFound):
            await withdraw(session, third, fresh_key(), approval=approval, now=LATER)


async def test_withdrawn_question_is_neither_answered_nor_used(town: Town) -> None:
    approval = await asked(town)
    async with town.database.session() as session:
        await withdraw(session, town.admin, fresh_key(), approval=approval, now=LATER)

    with pytest.raises(IllegalTransition):
        await says(town, grant, approval, town.second)
    with pytest.raises(ApprovalNotGranted):
        await set_state(town, 1, approval=approval)


async def test_word_is_given_or_refused_once(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)

    with pytest.raises(IllegalTransition):
        await says(town, refuse, approval, town.second)


async def test_word_is_over_when_its_time_is(town: Town) -> None:
    granted, waiting = await asked(town), await asked(town)
    await says(town, grant, granted, town.second)

    with pytest.raises(ApprovalNotGranted, match="EXPIRED"):
        await set_state(town, 1, approval=granted, now=OVER)
    with pytest.raises(IllegalTransition):
        await says(town, grant, waiting, town.second, now=OVER)
    assert (await seen(town, granted, now=OVER)).state is ApprovalState.EXPIRED


async def test_word_of_one_whose_staff_id_was_closed_since_is_of_no_use(town: Town) -> None:
    """Whoever is shut out leaves no open doors behind; another one's word is asked for anew."""
    approval = await asked(town)
    await says(town, grant, approval, town.second)
    async with town.database.session() as session:
        await staff.end(session, town.admin, fresh_key(), town.second.staff_no, now=LATER)

    assert (await seen(town, approval)).row.state == "EXPIRED"
    with pytest.raises(ApprovalNotGranted, match="EXPIRED"):
        await set_state(town, 1, approval=approval, now=LATER)
    assert await town.value("SELECT state FROM sim WHERE iccid = :card", card=CARD) == "DAMAGED"
    told = "SELECT from_state || ' ' || staff_no FROM event WHERE name = 'approval.expired'"
    assert await town.value(told) == f"GRANTED {town.admin.staff_no}"


async def test_word_given_while_its_staff_id_was_being_closed_is_of_no_use(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)
    await town.execute("UPDATE staff SET active = false WHERE staff_no = :second", second=town.second.staff_no)

    with pytest.raises(ApprovalNotGranted, match="EXPIRED"):
        await set_state(town, 1, approval=approval, now=LATER)


async def test_question_of_one_whose_staff_id_was_closed_waits_for_nobody(town: Town) -> None:
    await asked(town, by=town.second)
    async with town.database.session() as session:
        await staff.end(session, town.admin, fresh_key(), town.second.staff_no, now=LATER)
    assert await town.value("SELECT state FROM approval") == "EXPIRED"


async def test_sweeper_ends_what_is_over_and_tells_of_it(town: Town) -> None:
    approval = await asked(town)

    async with town.database.autocommit() as connection:
        await expiry.sweep(connection, now=OVER - timedelta(seconds=1))
        assert (await seen(town, approval)).row.state == "ASKED"
        await expiry.sweep(connection, now=OVER)

    assert (await seen(town, approval)).row.state == "EXPIRED"
    told = await town.rows("SELECT name, from_state, staff_no FROM event WHERE kind = 'approval' ORDER BY event_no")
    assert [tuple(row) for row in told][1:] == [("approval.expired", "ASKED", "system")]


async def test_each_step_is_an_event(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)
    await set_state(town, 1, approval=approval)

    rows = await town.rows(
        "SELECT name, from_state, to_state, staff_no FROM event WHERE kind = 'approval' ORDER BY event_no"
    )
    assert [tuple(row) for row in rows] == [
        ("approval.asked", None, "ASKED", f"{CITY}boss"),
        ("approval.granted", "ASKED", "GRANTED", f"{CITY}second"),
        ("approval.used", "GRANTED", "USED", f"{CITY}boss"),
    ]


async def test_question_that_could_not_be_done_is_refused_as_the_act_would_be(town: Town) -> None:
    cases: tuple[tuple[dict[str, Any], type[DomainError]], ...] = (
        ({"to_state": "SCRAPPED"}, IllegalTransition),
        ({"item": iccid(9)}, NotFound),
        ({"reason": " "}, ReasonMissing),
    )
    for wrong, refusal in cases:
        with pytest.raises(refusal):
            await asked(town, question(**wrong))
    with pytest.raises(PermissionDenied):
        await asked(town, by=town.at(str(CITY), Role.AUDITOR))
    with pytest.raises(NotFound):
        await asked(town, Question("teleport", {}))
    assert await town.value("SELECT count(*) FROM approval") == 0


async def test_act_of_one_person_is_not_asked_for_and_not_done_by_asking(town: Town) -> None:
    with pytest.raises(InvalidField):
        await asked(town, question(3, to_state="DAMAGED"))
    assert await town.value("SELECT state FROM sim WHERE iccid = :card", card=iccid(3)) == "AVAILABLE"


async def test_refusing_needs_a_reason(town: Town) -> None:
    approval = await asked(town)

    async with town.database.session() as session:
        with pytest.raises(ReasonMissing):
            await refuse(session, town.second, fresh_key(), approval=approval, reason=" ", now=LATER)


async def test_inbox_shows_what_one_may_answer_and_what_one_asked_for(town: Town) -> None:
    approval = await asked(town)

    lists = {}
    people = {
        "maker": town.admin,
        "second": town.second,
        "keeper": town.at(f"{CITY}-D1", Role.DISTRICT_KEEPER, staff_no="keeper"),
        "auditor": town.at(str(CITY), Role.AUDITOR, staff_no="auditor"),
    }
    for who, caller in people.items():
        async with town.database.session() as session:
            waiting, own = await read_approvals(session, caller, now=LATER)
        lists[who] = ([view.name for view in waiting if view.may_answer], [view.name for view in own if view.mine])

    assert lists == {
        "maker": ([], [approval]),
        "second": ([approval], []),
        "keeper": ([], []),
        "auditor": ([], []),
    }


async def use_at_once(town: Town, approval: str) -> list[Any]:
    """Let two requests use the approval on two cards at the same time; give what became of each."""
    keys = (fresh_key(), fresh_key())
    return list(
        await asyncio.gather(*(set_state(town, 1, approval=approval, key=key) for key in keys), return_exceptions=True)
    )


async def test_word_is_used_once_by_two_requests_at_once(town: Town) -> None:
    approval = await asked(town)
    await says(town, grant, approval, town.second)

    outcomes = await use_at_once(town, approval)

    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert await town.value("SELECT count(*) FROM event WHERE name = 'approval.used'") == 1


async def test_digest_alone_stands_between_a_word_and_another_act(town: Town) -> None:
    """Show that the comparison is what refuses: with the other act's digest on it, the word would serve that one."""
    granted, other = await asked(town), await asked(town, question(2))
    await says(town, grant, granted, town.second)
    copied = "UPDATE approval SET sha256 = (SELECT sha256 FROM approval WHERE approval_id = :other)"
    await town.execute(copied, other=int(other.rsplit("-", 1)[1]))

    assert (await set_state(town, 2, approval=granted)).body["item"] == iccid(2)

"""A clerk leaves: nobody works under its id any more, and what it had is counted and taken over before a witness."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    IllegalTransition,
    InvalidField,
    NotGiver,
    OrganisationUnknown,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
)
from inventory.domain.identifiers import parse_iccid
from inventory.domain.organisation import Level
from inventory.services import staff
from inventory.services.approval import without_approval
from inventory.services.approving import Question, ask, carry_out, grant
from inventory.services.auditing import audit
from inventory.services.disputing import SETTLE, Outcome, SettleWish, dispute
from inventory.services.ending import Ending, EndWish, end
from inventory.services.holds import hold
from inventory.services.kits import KitWish
from inventory.services.leaving import (
    TAKE_OVER,
    LeaveWish,
    TakeOverWish,
    begin_leaving,
    can_be_taken_over,
    close_left,
    take_over,
)
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.receiving import Signature, accept, read_deliveries, refuse, withdraw
from inventory.services.staff import StaffWish
from inventory.services.stocktake_posting import PostWish, post_stocktake
from inventory.services.stocktakes import Scan, close_stocktake, read_stocktake, scan_items
from inventory.store import interfaces, organisation
from inventory.store.selection import ByRange
from tests.services.files import iccid, vendor_file
from tests.services.test_stock_kinds import DISTRICT, HALL, TOP
from tests.services.town import CITY, NOW, Town, fresh_key
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CLERK, COLLEAGUE = f"{CITY}-C1", f"{CITY}-C2"
LEAVER = f"{CITY}leaver"


@pytest.fixture
async def hall(town: Town) -> Town:
    """Give the clerk cards 0 to 9 and a staff id, and the hall a second clerk."""
    await town.load(vendor_file(range(20)))
    for giver, receiver in ((TOP, DISTRICT), (DISTRICT, HALL), (HALL, CLERK)):
        wish = MoveWish(
            verb=Verb.ISSUE,
            resource="sim",
            giver=giver,
            receiver=receiver,
            selection=ByRange(iccid(0), iccid(9)),
        )
        async with town.database.session() as session:
            await move(session, town.admin, fresh_key(), wish, now=NOW)
    async with town.database.session() as session, session.begin():
        town.nodes[COLLEAGUE] = await organisation.add(
            session, town.nodes[HALL], city_id=CITY, level=Level.CLERK.name, code=COLLEAGUE, name_zh="木", name_en="Mu"
        )
        await interfaces.add_staff(
            session, staff_no=LEAVER, name="和", org_id=town.nodes[CLERK].id, role=Role.CLERK.value,
            password_hash=None, language="zh",
        )  # fmt: skip
    return town


def manager(town: Town) -> Caller:
    """Give the keeper of the hall."""
    return town.at(HALL, Role.HALL_KEEPER)


async def leaves(town: Town, *, by: Caller | None = None, **changes: Any) -> Any:
    wish = LeaveWish(**{"leaver": CLERK, "reason": "离职", **changes})
    async with town.database.session() as session:
        return (await begin_leaving(session, by or manager(town), fresh_key(), wish, now=NOW)).body


async def counted(town: Town, stocktake: str, *serials: int) -> None:
    """Scan the cards and close the count."""
    scan = Scan(items=tuple(iccid(serial) for serial in serials))
    async with town.database.session() as session:
        await scan_items(session, manager(town), fresh_key(), stocktake, scan, now=NOW)
    async with town.database.session() as session:
        await close_stocktake(session, manager(town), fresh_key(), stocktake, "木某", now=NOW)


async def taken_over(town: Town, stocktake: str, receiver: str = HALL) -> Any:
    """Take over with the word of the district's keeper."""
    question = Question(TAKE_OVER, {"stocktake": stocktake, "receiver": receiver, "person": "木某"})
    witness = town.at(DISTRICT, Role.DISTRICT_KEEPER, staff_no=f"{CITY}second")
    async with town.database.session() as session:
        asked = (await ask(session, manager(town), fresh_key(), question, lasts=timedelta(hours=1), now=NOW)).body
    async with town.database.session() as session:
        await grant(session, witness, fresh_key(), approval=asked["approval"], now=NOW)
    async with town.database.session() as session:
        return (
            await carry_out(session, manager(town), fresh_key(), approval=asked["approval"], vault=town.vault, now=NOW)
        ).body


async def held_by(town: Town, code: str) -> int:
    return int(await town.value("SELECT count(*) FROM sim WHERE holder_id = :holder", holder=town.nodes[code].id))


async def test_staff_id_is_closed_at_once_with_its_keys_and_holds(hall: Town) -> None:
    """REQ-STK-03: pain 19, leavers' ids alive."""
    clerk = hall.at(CLERK, Role.CLERK, staff_no=LEAVER)
    async with hall.database.autocommit() as connection:
        await hold(connection, clerk, fresh_key(), KitWish(iccid=parse_iccid(iccid(3)).iccid), now=NOW)

    answer = await leaves(hall)

    assert (answer["staff_closed"], answer["holds_released"], answer["holds_left"]) == ([LEAVER], 1, 0)
    assert await hall.value("SELECT active FROM staff WHERE staff_no = :no", no=LEAVER) is False
    assert await hall.value("SELECT state FROM sim WHERE iccid = :iccid", iccid=iccid(3)) == "AVAILABLE"
    async with hall.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_bookings_go_to_the_manager_and_a_card_under_the_writer_stays(hall: Town) -> None:
    clerk = hall.at(CLERK, Role.CLERK, staff_no=LEAVER)
    for serial in (1, 2):
        async with hall.database.autocommit() as connection:
            await hold(connection, clerk, fresh_key(), KitWish(iccid=parse_iccid(iccid(serial)).iccid), now=NOW)
    await hall.execute("UPDATE hold SET state = 'BOOKED' WHERE hold_id = (SELECT min(hold_id) FROM hold)")
    await hall.execute("UPDATE hold SET job_id = 1 WHERE hold_id = (SELECT max(hold_id) FROM hold)")

    answer = await leaves(hall)

    assert (answer["holds_released"], answer["holds_handed_over"], answer["holds_left"]) == (0, 1, 1)
    assert await hall.value("SELECT staff_no FROM hold WHERE state = 'BOOKED'") == manager(hall).staff_no


@pytest.mark.parametrize("receiver", [HALL, COLLEAGUE])
async def test_what_was_counted_is_taken_over_with_a_witness_and_the_account_closed(hall: Town, receiver: str) -> None:
    """REQ-STK-03."""
    stocktake = (await leaves(hall))["stocktake"]
    await counted(hall, stocktake, *range(10))

    answer = await taken_over(hall, stocktake, receiver)

    assert (answer["kind"], answer["count"], answer["giver"], answer["receiver"]) == ("TAKEOVER", 10, CLERK, receiver)
    assert (answer["witness"], answer["left"], answer["closed"]) == (f"{CITY}second", 0, True)
    assert (await held_by(hall, CLERK), await held_by(hall, receiver)) == (0, 10)
    assert await hall.value("SELECT active FROM organisation WHERE code = :code", code=CLERK) is False
    async with hall.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_what_is_missing_stays_on_the_leavers_account(hall: Town) -> None:
    stocktake = (await leaves(hall))["stocktake"]
    await counted(hall, stocktake, *range(7), 15)

    answer = await taken_over(hall, stocktake)

    assert (answer["count"], answer["left"], answer["closed"]) == (7, 3, False)
    assert (await held_by(hall, CLERK), await held_by(hall, TOP)) == (3, 10)
    async with hall.database.session() as session:
        view = await read_stocktake(session, manager(hall), stocktake)
    assert sorted(found.row.code for found in view.findings) == ["missing"] * 3 + ["not_holder"]


async def test_takeover_needs_a_witness(hall: Town) -> None:
    stocktake = (await leaves(hall))["stocktake"]
    await counted(hall, stocktake, *range(10))

    await refused(hall, stocktake, ApprovalNeeded)
    assert await held_by(hall, CLERK) == 10


async def refused(town: Town, stocktake: str, error: type[Exception], receiver: str = HALL) -> None:
    wish = TakeOverWish(stocktake=stocktake, receiver=receiver)
    async with town.database.session() as session:
        with pytest.raises(error):
            await take_over(session, manager(town), fresh_key(), wish, now=NOW)


async def test_takeover_is_of_a_closed_count_of_a_leaver_by_its_hall(hall: Town) -> None:
    stocktake = (await leaves(hall))["stocktake"]
    await refused(hall, stocktake, IllegalTransition)
    await counted(hall, stocktake, 15)
    await refused(hall, stocktake, InvalidField)
    await refused(hall, stocktake, OutsideScope, DISTRICT)
    await refused(hall, stocktake, InvalidField, CLERK)
    await hall.execute("UPDATE staff SET active = true WHERE staff_no = :no", no=LEAVER)
    await refused(hall, stocktake, InvalidField)
    async with hall.database.session() as session:
        view = await read_stocktake(session, manager(hall), stocktake)
        assert await can_be_taken_over(session, view.row, view.place) == []


async def test_leaver_with_nothing_is_gone_at_once(hall: Town) -> None:
    answer = await leaves(hall, leaver=COLLEAGUE)

    assert (answer["stocktake"], answer["staff_closed"]) == (None, [])
    assert await hall.value("SELECT active FROM organisation WHERE code = :code", code=COLLEAGUE) is False


async def test_only_clerks_of_the_own_part_leave_and_not_oneself(hall: Town) -> None:
    with pytest.raises(InvalidField):
        await leaves(hall, leaver=HALL)
    with pytest.raises(OutsideScope):
        await leaves(hall, by=hall.at(f"{CITY}-D2", Role.DISTRICT_KEEPER))
    with pytest.raises(ReasonMissing):
        await leaves(hall, reason=" ")
    with pytest.raises(PermissionDenied):
        await leaves(hall, by=hall.at(HALL, Role.HALL_KEEPER, staff_no=LEAVER))
    assert await hall.value("SELECT active FROM staff WHERE staff_no = :no", no=LEAVER) is True


async def on_the_way(town: Town, verb: Verb, receiver: str, last: int, first: int = 0) -> str:
    """Send the clerk's cards `first` to `last` off and give the document's id."""
    wish = MoveWish(
        verb=verb, resource="sim", giver=CLERK, receiver=receiver, selection=ByRange(iccid(first), iccid(last)),
        on_the_way=True,
    )  # fmt: skip
    async with town.database.session() as session:
        return str((await move(session, manager(town), fresh_key(), wish, now=NOW)).body["id"])


async def answered(town: Town, verb: Any, document: str) -> Any:
    signature = Signature(movement=document, person="木某", reason="离职")
    async with town.database.session() as session:
        return (await verb(session, manager(town), fresh_key(), signature, now=NOW)).body


async def closed(town: Town) -> int:
    """Close what may be closed of leavers' accounts, as the worker does; give how many that were."""
    async with town.database.session() as session:
        return await close_left(session)


async def is_open(town: Town, code: str) -> bool:
    return bool(await town.value("SELECT active FROM organisation WHERE code = :code", code=code))


async def test_account_stays_open_until_the_leavers_delivery_is_answered(hall: Town) -> None:
    document = await on_the_way(hall, Verb.RECALL, HALL, 9)

    assert (await leaves(hall))["stocktake"] is None
    assert await closed(hall) == 0
    await answered(hall, accept, document)
    assert await closed(hall) == 1
    assert not await is_open(hall, CLERK)


@pytest.mark.parametrize("way", ["recall", "write off"])
async def test_account_closes_by_whatever_way_the_last_card_left_it(hall: Town, way: str) -> None:
    await leaves(hall)
    every = ByRange(iccid(0), iccid(9))
    assert await closed(hall) == 0

    if way == "recall":
        recall = MoveWish(verb=Verb.RECALL, resource="sim", giver=CLERK, receiver=HALL, selection=every)
        async with hall.database.session() as session:
            await move(session, manager(hall), fresh_key(), recall, now=NOW)
    else:
        await hall.execute("UPDATE sim SET state = 'LOST' WHERE holder_id = :clerk", clerk=hall.nodes[CLERK].id)
        wish = EndWish(way=Ending.WRITE_OFF, resource="sim", place=CLERK, selection=every, reason="离职")
        approval = await hall.approved(wish.way, **without_approval(wish))
        async with hall.database.session() as session:
            await end(session, hall.admin, fresh_key(), replace(wish, approval=approval), now=NOW)

    assert await closed(hall) == 1
    assert not await is_open(hall, CLERK)
    assert await closed(hall) == 0


async def test_account_at_which_somebody_begins_to_work_is_no_leavers_any_more(hall: Town) -> None:
    """Also after that one has gone again; and nobody begins to work at a closed one."""
    document = await on_the_way(hall, Verb.RECALL, HALL, 9)
    await leaves(hall)
    await leaves(hall, leaver=COLLEAGUE)
    await hired(hall, f"{CITY}new", CLERK)
    await hall.execute("UPDATE staff SET active = false WHERE staff_no = :no", no=f"{CITY}new")
    await answered(hall, accept, document)

    assert await closed(hall) == 0
    assert await is_open(hall, CLERK)
    with pytest.raises(OrganisationUnknown):
        await hired(hall, f"{CITY}other", COLLEAGUE)


async def hired(town: Town, staff_no: str, code: str) -> None:
    wish = StaffWish(staff_no=staff_no, name="木", role=Role.CLERK, org_id=town.nodes[code].id)
    async with town.database.session() as session:
        await staff.add(session, town.admin, fresh_key(), wish, now=NOW)


async def test_account_at_which_somebody_works_again_stays_open(hall: Town) -> None:
    document = await on_the_way(hall, Verb.RECALL, HALL, 9)
    await leaves(hall)
    await hall.execute("UPDATE staff SET active = true WHERE staff_no = :no", no=LEAVER)

    await answered(hall, accept, document)

    assert await closed(hall) == 0
    assert await is_open(hall, CLERK)


async def test_account_stays_open_after_the_take_over_while_a_delivery_is_on_its_way(hall: Town) -> None:
    document = await on_the_way(hall, Verb.RECALL, HALL, 4)
    stocktake = (await leaves(hall))["stocktake"]
    await counted(hall, stocktake, *range(5, 10))

    answer = await taken_over(hall, stocktake)

    assert (answer["count"], answer["left"], answer["closed"]) == (5, 0, False)
    await answered(hall, refuse, document)
    assert (await is_open(hall, CLERK), await held_by(hall, CLERK)) == (True, 5)


@pytest.mark.parametrize(("verb", "holder"), [(accept, COLLEAGUE), (refuse, CLERK), (withdraw, CLERK)])
async def test_hall_answers_a_delivery_between_two_leavers(hall: Town, verb: Any, holder: str) -> None:
    document = await on_the_way(hall, Verb.TRANSFER, COLLEAGUE, 9)
    await leaves(hall)

    async with hall.database.session() as session:
        (shown,) = await read_deliveries(session, manager(hall))
    assert (shown.mine, shown.given) == (True, True)
    await answered(hall, verb, document)

    assert await held_by(hall, holder) == 10
    async with hall.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_hall_does_not_answer_for_a_clerk_who_works_there(hall: Town) -> None:
    document = await on_the_way(hall, Verb.TRANSFER, COLLEAGUE, 9)

    with pytest.raises(NotGiver):
        await answered(hall, withdraw, document)


async def test_posted_stocktake_of_a_leaver_brings_nothing_to_the_closed_account(hall: Town) -> None:
    stocktake = (await leaves(hall))["stocktake"]
    await counted(hall, stocktake, *range(10), 15)
    assert (await taken_over(hall, stocktake))["closed"]

    async with hall.database.session() as session:
        posted = await post_stocktake(session, hall.admin, fresh_key(), PostWish(stocktake=stocktake), now=NOW)

    assert (posted.body["documents"], posted.body["unsettled"]) == ([], 1)
    assert (await held_by(hall, CLERK), await held_by(hall, TOP)) == (0, 10)


async def test_dispute_between_two_leavers_is_settled_by_two_persons_above(hall: Town) -> None:
    document = await on_the_way(hall, Verb.TRANSFER, COLLEAGUE, 9)
    await leaves(hall)
    case = (await answered(hall, dispute, document))["id"]
    wish = without_approval(SettleWish(dispute=case, outcome=Outcome.BACK, reason="复核"))

    approval = await hall.approved(SETTLE, by=manager(hall), **wish)
    async with hall.database.session() as session:
        done = (await carry_out(session, manager(hall), fresh_key(), approval=approval, vault=hall.vault, now=NOW)).body

    assert (done["kind"], done["approver"], await held_by(hall, CLERK)) == ("RETURN", f"{CITY}second", 10)


async def test_nothing_is_given_to_an_account_that_is_being_closed(hall: Town) -> None:
    wish = MoveWish(
        verb=Verb.TRANSFER, resource="sim", giver=CLERK, receiver=COLLEAGUE, selection=ByRange(iccid(0), iccid(9))
    )

    async def give() -> None:
        async with hall.database.session() as session:
            await move(session, manager(hall), fresh_key(), wish, now=NOW)

    async with hall.database.session() as session, session.begin():
        await organisation.lock(session, hall.nodes[COLLEAGUE].id)
        await organisation.close(session, hall.nodes[COLLEAGUE].id)
        giving = asyncio.create_task(give())
        await until_locked(hall.database, unless=giving)

    with pytest.raises(OrganisationUnknown):
        await giving
    assert (await held_by(hall, COLLEAGUE), await held_by(hall, CLERK)) == (0, 10)

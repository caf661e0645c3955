"""SMS ports are rented to tenants for a term, with extensions; access codes serve; no hall gets either."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import (
    DomainError,
    IllegalTransition,
    InvalidField,
    InvalidIdentifier,
    LegalHold,
    MissingField,
    MovementRefused,
    NotFound,
    PortSpanOverlaps,
    ReasonMissing,
)
from inventory.domain.identifiers import NumberKind
from inventory.domain.kinds import NUMBER
from inventory.domain.ports import Standing
from inventory.services.approval import without_approval
from inventory.services.auditing import audit
from inventory.services.ending import Ending, EndWish, end
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.policies import PolicyWish, change_policy
from inventory.services.ports import (
    PortQuery,
    PortView,
    RentWish,
    count_ending,
    end_rent,
    extend_term,
    read_ports,
    rent_port,
    tend_ports,
)
from inventory.services.sealing import seal_all
from inventory.services.status_release import ReleaseWish, release_status
from inventory.store.selection import ByName
from tests.services.test_legal_holds import lifted, placed
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

PORT, INNER, OTHER, CODE = "10690123", "1069012388", "10690199", "95588"
COOLING = timedelta(days=90)
FIRST, LAST = date(2026, 12, 1), date(2027, 11, 30)


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the city three ports and an access code."""
    await town.take("106901", kind=NumberKind.SMS_PORT, listed=True)
    await town.take(CODE, kind=NumberKind.ACCESS_CODE, listed=True)
    await town.load(f"{PORT}\n{INNER}\n{OTHER}\n{CODE}\n".encode(), FileKind.NUMBER_LIST, card_kind=None)
    return town


async def rent(town: Town, number: str = PORT, *, now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """Rent a port as the city's admin."""
    wish = RentWish(
        **{
            "number": number, "tenant": "丽江农商行", "tenant_ref": "KH-7", "begins_on": FIRST, "ends_on": LAST,
            "extension_digits": 4, **changes,
        }
    )  # fmt: skip
    async with town.database.session() as session:
        return (await rent_port(session, town.admin, fresh_key(), wish, now=now)).body


async def extend(town: Town, ends_on: date, *, now: datetime = NOW) -> dict[str, Any]:
    async with town.database.session() as session:
        answer = await extend_term(session, town.admin, fresh_key(), number=PORT, ends_on=ends_on, now=now)
    return answer.body


async def take_back(town: Town, *, reason: str = "欠费", now: datetime = NOW) -> dict[str, Any]:
    async with town.database.session() as session:
        return (await end_rent(session, town.admin, fresh_key(), number=PORT, reason=reason, now=now)).body


async def tended(town: Town, now: datetime) -> list[str]:
    """Let the worker look, and give what was ever told of ports by itself."""
    async with town.database.session() as session:
        await tend_ports(session, now=now)
    rows = await town.rows("SELECT name FROM event WHERE staff_no = 'system' AND kind = 'number' ORDER BY event_no")
    return [row.name for row in rows]


async def shown(town: Town, *, now: datetime = NOW, **asked: Any) -> list[PortView]:
    async with town.database.session() as session:
        return await read_ports(session, town.admin, PortQuery(**asked), now=now)


async def state(town: Town, number: str = PORT) -> str:
    return str(await town.value("SELECT state FROM number WHERE number = :number", number=number))


async def test_ports_and_codes_come_in_free_and_in_no_pool(stocked: Town) -> None:
    """REQ-NUM-15, REQ-NUM-16: both have first states of their own."""
    rows = await stocked.rows("SELECT number, state, pool, cls FROM number ORDER BY number")
    assert list(map(tuple, rows)) == [
        (PORT, "FREE", None, 9), (INNER, "FREE", None, 9), (OTHER, "FREE", None, 9), (CODE, "IDLE", None, 9)
    ]  # fmt: skip


@pytest.mark.parametrize("number", [PORT, CODE])
async def test_neither_is_issued_to_a_hall(stocked: Town, number: str) -> None:
    """REQ-NUM-15, REQ-NUM-16: not sold by halls."""
    wish = MoveWish(
        verb=Verb.ISSUE, resource="number", giver=str(CITY), receiver=f"{CITY}-D1", selection=ByName((number,))
    )
    with pytest.raises(MovementRefused) as refused:
        async with stocked.database.session() as session:
            await move(session, stocked.admin, fresh_key(), wish, now=NOW)
    assert [item["code"] for item in refused.value.params["items"]] == ["item_not_movable"]


async def test_port_is_rented_extended_taken_back_and_free_again_when_it_has_cooled(stocked: Town) -> None:
    """REQ-NUM-15: tenant, term and extensions; each step is an event, and the book agrees."""
    rented = await rent(stocked)
    extended = await extend(stocked, LAST + timedelta(days=365))
    taken = await take_back(stocked)
    cooled = NOW + COOLING
    early = await tended(stocked, cooled - timedelta(days=1))
    late = await tended(stocked, cooled)

    assert (rented["state"], rented["tenant"], rented["extension_digits"]) == ("RENTED", "丽江农商行", 4)
    assert (extended["ends_before"], extended["ends_on"]) == ("2027-11-30", "2028-11-29")
    assert (taken["state"], taken["cooled_on"]) == ("COOLING", "2027-02-20")
    assert (early, late) == ([], ["number.cooled"])
    assert await state(stocked) == "FREE"
    events = await stocked.rows("SELECT name, version, reason FROM event WHERE kind = 'number' ORDER BY event_no")
    assert list(map(tuple, events)) == [
        ("number.rented", 1, None),
        ("number.term_extended", None, None),
        ("number.rent_ended", 2, "欠费"),
        ("number.cooled", 3, None),
    ]
    assert (await rent(stocked, now=cooled, begins_on=date(2027, 3, 1)))["rent"] == rented["rent"] + 1
    async with stocked.database.session() as session:
        await seal_all(session, now=NOW)
        assert (await audit(session, now=NOW)).findings == []


async def test_list_shows_the_tenant_and_what_ends_first(stocked: Town) -> None:
    """REQ-NUM-15: to whom, until when, with how many digits."""
    await rent(stocked)
    await rent(stocked, OTHER, ends_on=date(2026, 12, 10), tenant="云南移动", tenant_ref="HT-9", extension_digits=0)

    everything, ending = await shown(stocked), await shown(stocked, ending=True)
    named, free = await shown(stocked, name="KH-"), await shown(stocked, states=("FREE",))

    assert [view.port.number for view in everything] == [OTHER, PORT, INNER]
    assert [(view.port.tenant, view.standing) for view in ending] == [("云南移动", Standing.ENDING)]
    assert [(view.port.number, view.port.ends_on, view.standing) for view in named] == [(PORT, LAST, None)]
    assert [view.port.number for view in free] == [INNER]
    with pytest.raises(InvalidField):
        await shown(stocked, states=("UNUSED",))
    async with stocked.database.session() as session:
        elsewhere = stocked.at(f"{CITY}-D1", Role.AUDITOR)
        assert await read_ports(session, elsewhere, PortQuery(), now=NOW) == []


async def test_end_of_a_term_is_told_before_it_and_after_it_once_each_and_takes_nothing(stocked: Town) -> None:
    """REQ-NUM-15: the term's end is told; a tenant loses its port by a person's act alone."""
    await rent(stocked)
    end_of = datetime(2027, 11, 30, 2, tzinfo=NOW.tzinfo)

    assert await tended(stocked, end_of - timedelta(days=31)) == []
    assert await tended(stocked, end_of - timedelta(days=30)) == ["number.term_ending"]
    assert await tended(stocked, end_of) == ["number.term_ending"]
    over = ["number.term_ending", "number.term_over"]
    assert await tended(stocked, end_of + timedelta(days=1)) == over
    assert await tended(stocked, end_of + timedelta(days=2)) == over
    async with stocked.database.session() as session:
        assert await count_ending(session, stocked.admin) == 1
    assert [view.standing for view in await shown(stocked, ending=True, now=end_of + timedelta(days=2))] == ["over"]
    await extend(stocked, LAST + timedelta(days=90), now=end_of + timedelta(days=2))
    async with stocked.database.session() as session:
        assert await count_ending(session, stocked.admin) == 0
    assert await state(stocked) == "RENTED"


async def test_no_sender_number_belongs_to_two_tenants(stocked: Town) -> None:
    """REQ-NUM-15: extensions of one tenant do not reach into another's."""
    await rent(stocked)
    with pytest.raises(PortSpanOverlaps) as refused:
        await rent(stocked, INNER, extension_digits=0)
    assert refused.value.params == {"number": INNER, "other": PORT}
    assert (await rent(stocked, OTHER, extension_digits=12))["state"] == "RENTED"


async def test_extensions_of_a_port_cool_with_it(stocked: Town) -> None:
    """REQ-NUM-15: no answer meant for the last tenant reaches the next one."""
    await rent(stocked)
    await take_back(stocked)
    with pytest.raises(PortSpanOverlaps):
        await rent(stocked, INNER, extension_digits=0)
    await tended(stocked, NOW + COOLING)
    assert (await rent(stocked, INNER, extension_digits=0))["state"] == "RENTED"


async def test_of_two_tenants_at_once_one_gets_the_sender_numbers(stocked: Town) -> None:
    wishes = (rent(stocked), rent(stocked, INNER, extension_digits=0))
    done = await asyncio.gather(*wishes, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["PortSpanOverlaps", "dict"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"number": CODE}, InvalidIdentifier),
        ({"number": "10690100"}, NotFound),
        ({"tenant": " "}, MissingField),
        ({"tenant_ref": ""}, MissingField),
        ({"extension_digits": 13}, InvalidField),
        ({"ends_on": date(2026, 11, 21)}, InvalidField),
    ],
)
async def test_rent_that_cannot_be_is_refused_by_name(
    stocked: Town, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        await rent(stocked, **changes)
    assert await stocked.value("SELECT count(*) FROM port_rent") == 0


async def test_only_a_rented_port_is_extended_or_taken_back_and_only_a_free_one_rented(stocked: Town) -> None:
    with pytest.raises(IllegalTransition):
        await extend(stocked, LAST)
    with pytest.raises(IllegalTransition):
        await take_back(stocked)
    await rent(stocked)
    with pytest.raises(IllegalTransition):
        await rent(stocked)
    with pytest.raises(InvalidField):
        await extend(stocked, LAST)
    with pytest.raises(ReasonMissing):
        await take_back(stocked, reason=" ")


async def test_access_code_is_opened_suspended_and_closed_by_hand(stocked: Town) -> None:
    """REQ-NUM-16: states of their own, each step with a reason; nothing else is possible."""

    async def put(to_state: str) -> None:
        wish = ReleaseWish(resource="number", item=CODE, to_state=to_state, reason="银行客服")
        async with stocked.database.session() as session:
            await release_status(session, stocked.admin, fresh_key(), wish, now=NOW)

    for step in ("IN_SERVICE", "SUSPENDED", "IN_SERVICE", "IDLE"):
        await put(step)
    assert await state(stocked, CODE) == "IDLE"
    for step in ("UNUSED", "SUSPENDED", "RENTED"):
        with pytest.raises(IllegalTransition):
            await put(step)


async def test_free_port_and_idle_code_are_handed_back_by_two_and_a_rented_one_is_not(stocked: Town) -> None:
    """REQ-NUM-15, REQ-NUM-16: they leave the stock by the document that numbers leave it by."""
    await rent(stocked)

    async def void(*numbers: str) -> None:
        selection = ByName(numbers)
        wish = EndWish(way=Ending.VOID, resource="number", place=str(CITY), selection=selection, reason="码号交回")
        approval = await stocked.approved(wish.way, **without_approval(wish))
        async with stocked.database.session() as session:
            await end(session, stocked.admin, fresh_key(), replace(wish, approval=approval), now=NOW)

    await void(OTHER, CODE)
    with pytest.raises(MovementRefused):
        await void(PORT)
    assert [await state(stocked, number) for number in (PORT, OTHER, CODE)] == ["RENTED", "VOID", "VOID"]


async def test_port_under_a_legal_hold_cools_on_until_it_is_lifted(stocked: Town) -> None:
    """REQ-LGL-01: no day frees it, and nobody rents it, extends or ends its term."""
    await rent(stocked)
    first = (await placed(stocked, NUMBER, ByName((PORT,))))["id"]
    for act in (extend(stocked, date(2028, 1, 1)), take_back(stocked)):
        with pytest.raises(LegalHold):
            await act
    await lifted(stocked, first)
    await take_back(stocked)
    second = (await placed(stocked, NUMBER, ByName((PORT,))))["id"]

    assert await tended(stocked, NOW + COOLING) == []
    assert await state(stocked) == "COOLING"
    await lifted(stocked, second)
    assert await tended(stocked, NOW + COOLING) == ["number.cooled"]


async def test_city_decides_how_early_a_term_is_told_and_how_long_a_port_cools(stocked: Town) -> None:
    """REQ-NUM-15."""
    for name, value in (("port_notice_days", "60"), ("port_cooling_days", "7")):
        wish = PolicyWish(name=name, value=value, reason="合同要求")
        async with stocked.database.session() as session:
            await change_policy(session, stocked.admin, fresh_key(), wish, now=NOW)
    await rent(stocked)
    end_of = datetime(2027, 11, 30, 2, tzinfo=NOW.tzinfo)
    assert await tended(stocked, end_of - timedelta(days=61)) == []
    assert await tended(stocked, end_of - timedelta(days=60)) == ["number.term_ending"]

    assert (await take_back(stocked))["cooled_on"] == (NOW + timedelta(days=7)).date().isoformat()
    assert await tended(stocked, NOW + timedelta(days=6)) == ["number.term_ending"]
    assert await tended(stocked, NOW + timedelta(days=7)) == ["number.term_ending", "number.cooled"]

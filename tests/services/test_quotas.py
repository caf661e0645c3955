"""No place is issued more than its quota, however many issues come at once."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, InvalidField, NotFound, OutsideScope, QuotaExceeded
from inventory.domain.quotas import Period
from inventory.services import custody
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.quotas import QuotaWish, read_quotas, set_quota
from inventory.store import quotas
from inventory.store.selection import ByCount
from tests.services.files import vendor_file
from tests.services.town import CARD, CITY, NOW, Town, fresh_key
from tests.waiting import PausedAfter

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, HALL, OTHER = str(CITY), f"{CITY}-D1", f"{CITY}-H1", f"{CITY}-D2"


async def limited(town: Town, most: int | None, *, now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """Set a quota of cards a day for the district, as the city's admin."""
    wish = QuotaWish(**{"place": DISTRICT, "resource": "sim", "period": Period.DAY, "most": most, **changes})
    async with town.database.session() as session:
        return (await set_quota(session, town.admin, fresh_key(), wish, now=now)).body


async def issued(town: Town, count: int, *, now: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """Issue so many cards to the district."""
    asked: dict[str, Any] = {"resource": "sim", "selection": ByCount(count), **changes}
    wish = MoveWish(verb=Verb.ISSUE, giver=TOP, receiver=DISTRICT, **asked)
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=now)).body


async def left(town: Town, *, now: datetime = NOW) -> list[int]:
    """Give what is left of each quota."""
    async with town.database.session() as session:
        return [view.left for view in await read_quotas(session, town.admin, place=DISTRICT, now=now)]


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the city twenty cards."""
    await town.load(vendor_file(range(20)))
    return town


async def test_issue_says_what_is_left_and_refuses_more(stocked: Town) -> None:
    """What is left is told with each document, before anything is refused."""
    await limited(stocked, 5)
    assert (await issued(stocked, 3))["quotas"] == [{"sort": "", "period": "DAY", "most": 5, "left": 2}]
    with pytest.raises(QuotaExceeded) as refusal:
        await issued(stocked, 3)
    assert (refusal.value.params["wanted"], refusal.value.params["left"]) == (3, 2)
    assert await stocked.value("SELECT count(*) FROM sim WHERE holder_id = :it", it=stocked.nodes[DISTRICT].id) == 3
    assert (await issued(stocked, 2))["quotas"][0]["left"] == 0


async def test_next_day_begins_anew_and_a_month_goes_on(stocked: Town) -> None:
    await limited(stocked, 4)
    await limited(stocked, 6, period=Period.MONTH)
    await issued(stocked, 4)
    tomorrow = NOW + timedelta(days=1)
    assert (await left(stocked), await left(stocked, now=tomorrow)) == ([0, 2], [4, 2])
    with pytest.raises(QuotaExceeded) as refusal:
        await issued(stocked, 3, now=tomorrow)
    assert refusal.value.params["period"] == "MONTH"
    assert await left(stocked, now=tomorrow) == [4, 2]
    await issued(stocked, 2, now=tomorrow)


async def test_quota_of_a_product_counts_that_product_and_not_other_kinds(stocked: Town) -> None:
    await stocked.take("1388804")
    await limited(stocked, 2, sort=CARD)
    await limited(stocked, 1, resource="number", sort="2")
    await issued(stocked, 10, resource="number")
    assert await left(stocked) == [1, 2]
    with pytest.raises(QuotaExceeded):
        await issued(stocked, 2, resource="number", selection=ByCount(2, None, 2))
    with pytest.raises(QuotaExceeded):
        await issued(stocked, 3)


async def test_what_was_issued_in_the_period_already_is_used(stocked: Town) -> None:
    await issued(stocked, 2, now=NOW - timedelta(days=1))
    await issued(stocked, 3)
    await limited(stocked, 10)
    await limited(stocked, 10, period=Period.MONTH, sort=CARD)
    assert await left(stocked) == [7, 5]


async def test_issues_at_once_do_not_go_past_the_end(stocked: Town) -> None:
    await limited(stocked, 5)
    answers = await asyncio.gather(*(issued(stocked, 2) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 2
    assert await stocked.value("SELECT count(*) FROM sim WHERE holder_id = :it", it=stocked.nodes[DISTRICT].id) == 4
    assert await left(stocked) == [1]


async def test_issues_that_look_before_they_use_go_past_the_end(stocked: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: without the guard in the statement both have seen enough left."""
    await limited(stocked, 3)
    together = asyncio.Barrier(2)

    async def unguarded(_session: Any, _about: quotas.About, *, count: int, **_rest: Any) -> int:
        await together.wait()
        return 3 - count

    monkeypatch.setattr(quotas, "use", unguarded)
    await asyncio.gather(*(issued(stocked, 2) for _ in range(2)))
    assert await stocked.value("SELECT count(*) FROM sim WHERE holder_id = :it", it=stocked.nodes[DISTRICT].id) == 4


async def set_amid_an_issue(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Set a quota of ten while an issue of three has used its quotas and is not committed; give what is left."""
    used = PausedAfter(monkeypatch, custody, "use_quotas")
    await used.meanwhile(issued(town, 3), limited(town, 10), town.database)
    return await left(town)


@pytest.mark.parametrize("before", [None, 5])
async def test_issue_that_is_not_committed_yet_is_used_of_a_quota_set_meanwhile(
    stocked: Town, monkeypatch: pytest.MonkeyPatch, before: int | None
) -> None:
    await limited(stocked, before)
    assert await set_amid_an_issue(stocked, monkeypatch) == [7]


async def test_quota_that_is_set_without_the_lock_forgets_the_issue(
    stocked: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: what is not committed is not counted, and what it has used is overwritten."""
    await limited(stocked, 5)

    async def unlocked(*_args: Any, **_rest: Any) -> None:
        pass

    monkeypatch.setattr(quotas, "lock_quotas", unlocked)
    assert await set_amid_an_issue(stocked, monkeypatch) == [10]


async def test_quota_keeps_both_values_and_can_be_taken_away(stocked: Town) -> None:
    first, second, gone = await limited(stocked, 5), await limited(stocked, 7), await limited(stocked, None)
    assert [(one["before"], one["most"]) for one in (first, second, gone)] == [(None, 5), (5, 7), (7, None)]
    assert await stocked.value("SELECT count(*) FROM event WHERE name = 'quota.set'") == 3
    assert "quotas" not in await issued(stocked, 20)


async def test_nobody_sets_a_quota_for_itself_or_elsewhere(stocked: Town) -> None:
    keeper = stocked.at(DISTRICT, Role.DISTRICT_KEEPER)
    for place in (DISTRICT, OTHER):
        wish = QuotaWish(place=place, resource="sim", period=Period.DAY, most=5)
        async with stocked.database.session() as session:
            with pytest.raises(OutsideScope):
                await set_quota(session, keeper, fresh_key(), wish, now=NOW)
    wish = QuotaWish(place=HALL, resource="sim", period=Period.DAY, most=5)
    async with stocked.database.session() as session:
        await set_quota(session, keeper, fresh_key(), wish, now=NOW)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"most": -1}, InvalidField),
        ({"resource": "number", "sort": "x"}, InvalidField),
        ({"resource": "car"}, NotFound),
        ({"sort": "no such product"}, NotFound),
    ],
)
async def test_quota_that_cannot_be_is_refused(town: Town, changes: dict[str, Any], refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        await limited(town, **{"most": 1, **changes})


@pytest.mark.parametrize(("period", "begin"), [(Period.DAY, date(2026, 11, 22)), (Period.MONTH, date(2026, 11, 1))])
def test_period_begins_with_its_first_day(period: Period, begin: date) -> None:
    assert period.begin(date(2026, 11, 22)) == begin

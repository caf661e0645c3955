"""A city sets for how long it holds what, with a reason, and takes that back (REQ-RSV-03)."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, InvalidField, OutsideScope, ReasonMissing
from inventory.services.hold_times import HoldTimeWish, read_hold_times, set_hold_time
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def decided(town: Town, minutes: int | None, reason: str = "节日", **facts: Any) -> dict[str, Any]:
    wish = HoldTimeWish(minutes=minutes, reason=reason, **facts)
    async with town.database.session() as session:
        return (await set_hold_time(session, town.admin, fresh_key(), wish, now=NOW)).body


async def held(town: Town) -> dict[tuple[str, ...], tuple[int | None, bool]]:
    """Give minutes and whose rule it is, by facts."""
    async with town.database.session() as session:
        found = await read_hold_times(session, town.admin)
    return {tuple(map(str, each.rule.facts.values())): (each.minutes, each.own) for each in found}


async def test_citys_own_time_stands_in_the_place_of_the_products_until_it_is_taken_back(town: Town) -> None:
    assert (await held(town))["web",] == (4 * 24 * 60, False)

    first = await decided(town, 60, channel="web")
    second = await decided(town, 90, channel="web")
    assert [(change["before"], change["after"]) for change in (first, second)] == [(5760, 60), (60, 90)]
    assert (await held(town))["web",] == (90, True)

    assert (await decided(town, None, channel="web"))["after"] == 5760
    assert (await held(town))["web",] == (5760, False)


async def test_time_for_facts_that_the_product_does_not_name_is_added_and_gone_again(town: Town) -> None:
    change = await decided(town, 5, kind="number", number_class=1)
    assert change == {"kind": "number", "number_class": 1, "before": None, "after": 5}
    assert (await held(town))["number", "1"] == (5, True)
    assert (await decided(town, None, kind="number", number_class=1))["after"] is None
    assert ("number", "1") not in await held(town)


async def test_every_change_is_an_event_with_both_values_and_the_reason(town: Town) -> None:
    await decided(town, 45, "双十一")
    told = await town.rows("SELECT reason, data FROM event WHERE name = 'policy.changed'")
    assert [tuple(row) for row in told] == [("双十一", {"policy": "hold_time", "before": 30, "after": 45})]


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"minutes": 0}, InvalidField),
        ({"minutes": 366 * 24 * 60 + 1}, InvalidField),
        ({"minutes": 5, "flow": "stream"}, InvalidField),
        ({"minutes": 5, "reason": " "}, ReasonMissing),
    ],
)
async def test_what_is_no_time_or_has_no_reason_changes_nothing(
    town: Town, wish: dict[str, Any], refusal: type[DomainError]
) -> None:
    before = await held(town)
    with pytest.raises(refusal):
        await decided(town, **wish)
    assert await held(town) == before


async def test_only_whoever_has_the_whole_city_decides(town: Town) -> None:
    keeper, wish = town.at(f"{CITY}-D1", Role.CITY_ADMIN), HoldTimeWish(minutes=5, reason="x")
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await set_hold_time(session, keeper, fresh_key(), wish, now=NOW)

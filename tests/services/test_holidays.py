"""The holidays of a city."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import (
    DuplicateIdentifier,
    InvalidField,
    MissingField,
    NotFound,
    OutsideScope,
    ReasonMissing,
)
from inventory.services.holidays import HolidayWish, add_holidays, read_holidays, remove_holiday
from inventory.store.access import holidays_from
from tests.services.town import CITY, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TODAY = NOW.date()
FIRST, LAST = date(2027, 10, 1), date(2027, 10, 7)


async def added(town: Town, first: date = FIRST, last: date = LAST, name: str = "国庆节") -> dict[str, Any]:
    wish = HolidayWish(first=first, last=last, name=name)
    async with town.database.session() as session:
        return (await add_holidays(session, town.admin, fresh_key(), wish, now=NOW)).body


async def removed(town: Town, day: date, reason: str = "调休上班") -> dict[str, Any]:
    async with town.database.session() as session:
        return (await remove_holiday(session, town.admin, fresh_key(), day=day, reason=reason, now=NOW)).body


async def days(town: Town) -> list[date]:
    async with town.database.session() as session:
        return [row.day for row in await read_holidays(session, town.admin, now=NOW)]


async def test_days_are_added_and_one_removed_with_a_reason_in_one_city_alone(town: Town) -> None:
    """REQ-IF-06: holidays are the city's to say; the events keep who and why."""
    other = await found_town(town.database, town.vault, 530100)
    await added(town)
    await removed(town, LAST)

    assert await days(town) == [FIRST + timedelta(days=ahead) for ahead in range(6)]
    assert await days(other) == []
    async with town.database.session() as session:
        assert await holidays_from(session, TODAY, city_id=CITY) == set(await days(town))
        assert await holidays_from(session, TODAY, city_id=530100) == set()
    told = await town.rows("SELECT name, staff_no, reason FROM event WHERE kind = 'holiday' ORDER BY event_no")
    assert [tuple(row) for row in told] == [
        ("holiday.added", town.admin.staff_no, None), ("holiday.removed", town.admin.staff_no, "调休上班"),
    ]  # fmt: skip


async def test_days_are_added_all_or_none(town: Town) -> None:
    await added(town, LAST, LAST)
    with pytest.raises(DuplicateIdentifier):
        await added(town)
    assert await days(town) == [LAST]


async def test_of_two_who_add_a_day_at_once_one_is_refused(town: Town) -> None:
    done = await asyncio.gather(added(town), added(town), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["DuplicateIdentifier", "dict"]


async def test_what_cannot_be_a_holiday_is_refused_by_its_field(town: Town) -> None:
    yesterday = TODAY - timedelta(days=1)
    for first, last, name, field in (
        (yesterday, TODAY, "x", "first"),
        (LAST, FIRST, "x", "last"),
        (FIRST, FIRST + timedelta(days=31), "x", "last"),
        (FIRST, LAST, "x" * 65, "name"),
    ):
        with pytest.raises(InvalidField) as refusal:
            await added(town, first, last, name)
        assert refusal.value.params["field"] == field
    with pytest.raises(MissingField):
        await added(town, name=" ")
    with pytest.raises(NotFound):
        await removed(town, FIRST)
    with pytest.raises(ReasonMissing):
        await removed(town, FIRST, " ")
    with pytest.raises(InvalidField):
        await removed(town, yesterday)
    keeper = town.at(f"{CITY}-D1", Role.INTERFACE_ADMIN)
    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await remove_holiday(session, keeper, fresh_key(), day=FIRST, reason="x", now=NOW)

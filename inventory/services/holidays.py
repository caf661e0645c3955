"""The holidays of a city: working hours that do not open on holidays are closed on them (REQ-IF-06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import business_day
from inventory.domain.errors import DuplicateIdentifier, InvalidField, MissingField, NotFound, ReasonMissing
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.policies import city_to_decide_for
from inventory.store import holidays
from inventory.store.events import EventDraft, record
from inventory.store.holidays import HolidayRow

LONGEST = 31
"""Days that are added at once."""
LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class HolidayWish:
    """Holidays from the first to the last day, both included, under one name."""

    first: date
    last: date
    name: str


async def read_holidays(session: AsyncSession, caller: Caller, *, now: datetime) -> list[HolidayRow]:
    """Return the holidays of the caller's city, today's and those to come, in order."""
    async with session.begin():
        return await holidays.holidays_of(session, city_id=caller.city_id, since=business_day(now))


async def add_holidays(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: HolidayWish, *, now: datetime
) -> Answer:
    """Add all of the days or none, and answer with them.

    Raises
    ------
    DuplicateIdentifier
        One of them is a holiday already.
    InvalidField
        They are past, too many, or the last is before the first; or the name is too long.
    MissingField
        They have no name.
    OutsideScope
        The caller belongs to a part of the city only.
    """

    async def work() -> dict[str, Any]:
        name, days = wish.name.strip(), (wish.last - wish.first).days + 1
        if not name:
            raise MissingField(field="name")
        if len(name) > LONGEST_NAME:
            raise InvalidField(field="name", value=name, reason=f"at most {LONGEST_NAME} characters")
        _require_not_past("first", wish.first, now)
        if not 1 <= days <= LONGEST:
            raise InvalidField(field="last", value=wish.last.isoformat(), reason=f"1 to {LONGEST} days from the first")
        wanted = [wish.first + timedelta(days=ahead) for ahead in range(days)]
        city = await city_to_decide_for(session, caller, about="the holidays")
        added = await holidays.add(session, wanted, name, city_id=caller.city_id, added_by=caller.staff_no, now=now)
        for day in wanted:
            if day not in added:
                raise DuplicateIdentifier(kind="holiday", value=day.isoformat(), where="catalogue")
        told = {"first": wish.first.isoformat(), "last": wish.last.isoformat(), "name": name}
        event = EventDraft(name="holiday.added", kind="holiday", item_no=city.id, data=told)
        await record(session, [event], **acting(caller, now))
        return told

    return await once(session, caller, write, work, now=now)


async def remove_holiday(
    session: AsyncSession, caller: Caller, write: WriteKey, *, day: date, reason: str, now: datetime
) -> Answer:
    """Make a holiday that is not past a day like others, and answer with it.

    Raises
    ------
    InvalidField
        It is past: what hours there were stays known.
    NotFound
        The city has no such holiday.
    OutsideScope
        The caller belongs to a part of the city only.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        if not reason.strip():
            raise ReasonMissing
        _require_not_past("day", day, now)
        city = await city_to_decide_for(session, caller, about="the holidays")
        name = await holidays.remove(session, day, city_id=caller.city_id)
        if name is None:
            raise NotFound(what="holiday", value=day.isoformat())
        told = {"day": day.isoformat(), "name": name}
        event = EventDraft(name="holiday.removed", kind="holiday", item_no=city.id, reason=reason.strip(), data=told)
        await record(session, [event], **acting(caller, now))
        return told

    return await once(session, caller, write, work, now=now)


def _require_not_past(field: str, day: date, now: datetime) -> None:
    today = business_day(now)
    if day < today:
        raise InvalidField(field=field, value=day.isoformat(), reason=f"{today.isoformat()} or later")

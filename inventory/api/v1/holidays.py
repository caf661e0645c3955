"""The holidays of the city: working hours that do not open on holidays are closed on them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import (
    DuplicateIdentifier,
    InvalidField,
    MissingField,
    NotFound,
    OutsideScope,
    ReasonMissing,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.holidays import LONGEST_NAME, HolidayWish, add_holidays, read_holidays, remove_holiday
from inventory.services.short_lists import holiday_listing

router = APIRouter(tags=["access"])

Admin = Annotated[Caller, require(Permission.ACCESS_ADMIN, writes=True)]


class Holiday(Model):
    """A holiday in Asia/Shanghai."""

    day: date
    name: str
    added_by: str


class Holidays(Model):
    """Today's and those to come, in order."""

    holidays: list[Holiday]


class NewHolidays(Model):
    """Holidays from the first to the last day, both included, at most 31."""

    first: date
    last: date
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["国庆节"])]


class HolidaysAdded(Model):
    """Holidays as they were added."""

    first: date
    last: date
    name: str


class HolidayEnd(Model):
    """Why it is none."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HolidayRemoved(Model):
    """A day that is like others now."""

    day: date
    name: str


@router.get(
    "/holidays",
    operation_id="read_holidays",
    summary="The city's holidays",
    response_model=Holidays,
    responses=FILES,
)
async def get_holidays(
    caller: Annotated[Caller, require(Permission.SETUP_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
) -> Holidays | Response:
    """List today's holiday and those to come."""
    if file is not None:
        return await download(runtime.database, caller, holiday_listing(now=now), file)
    found = await read_holidays(session, caller, now=now)
    return Holidays(holidays=[Holiday(**vars(row)) for row in found])


@router.post(
    "/holidays",
    operation_id="add_holidays",
    status_code=201,
    summary="Add holidays",
    response_model=HolidaysAdded,
    responses=errors(DuplicateIdentifier, InvalidField, MissingField, OutsideScope),
)
async def post_holidays(
    caller: Admin,
    wish: NewHolidays,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Close the windows that do not open on holidays on these days."""
    answer = await add_holidays(session, caller, write, HolidayWish(**dict(wish)), now=now)
    runtime.callers.clear()
    return reply(answer, response, 201)


@router.post(
    "/holidays/{day}:remove",
    operation_id="remove_holiday",
    summary="Make a holiday a day like others",
    response_model=HolidayRemoved,
    responses=errors(InvalidField, NotFound, OutsideScope, ReasonMissing),
)
async def post_removal(
    caller: Admin,
    day: Annotated[date, Path(examples=["2027-10-08"])],
    wish: HolidayEnd,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Open the windows of that weekday again; the event keeps the reason."""
    answer = await remove_holiday(session, caller, write, day=day, reason=wish.reason, now=now)
    runtime.callers.clear()
    return reply(answer, response)

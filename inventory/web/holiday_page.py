"""The city's holidays: added and removed by whoever grants interface numbers, shown to all who see the setup."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.downloads import FileDep, download
from inventory.services.holidays import HolidayWish, add_holidays, read_holidays, remove_holiday
from inventory.services.once import WriteKey
from inventory.services.short_lists import holiday_listing
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.port_page import read_day
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/holidays")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
AdminNow = Annotated[Caller, require(Permission.ACCESS_ADMIN, writes=True)]
_FIELDS = ("first", "last", "name")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep, now: NowDep
) -> Response:
    """Show today's holiday and those to come."""
    if file is not None:
        wording = PageWording(language_of(request))
        return await download(runtime.database, caller, holiday_listing(now=now), file, wording)
    return await _page(request, session, caller, None, now=now)


@router.post("")
async def act(
    request: Request,
    session: SessionDep,
    caller: AdminNow,
    runtime: RuntimeDep,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Add holidays, or remove one with a reason."""
    try:
        await _done(session, caller, write, form, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    runtime.callers.clear()
    return await _page(request, session, caller, Tried({}), now=now)


async def _done(session: SessionDep, caller: Caller, write: WriteKey, form: dict[str, str], *, now: NowDep) -> None:
    if form.get("act") == "remove":
        day = read_day(form, "day")
        await remove_holiday(session, caller, write, day=day, reason=form.get("reason", ""), now=now)
        return
    first = read_day(form, "first")
    last = read_day(form, "last") if form.get("last") else first
    await add_holidays(session, caller, write, HolidayWish(first=first, last=last, name=form.get("name", "")), now=now)


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, now: NowDep) -> Response:
    gettext = translations(language_of(request)).gettext
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    values = {
        "holidays": [
            {"day": row.day.isoformat(), "weekday": gettext(_weekday(row.day)), "name": row.name, "who": row.added_by}
            for row in await read_holidays(session, caller, now=now)
        ],
        "may_change": caller.may(Permission.ACCESS_ADMIN),
        "sent": {name: sent.get(name, "") for name in _FIELDS},
        "done": gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "policies/holidays.html", values, refusal, caller=caller)


def _weekday(day: date) -> str:
    return _WEEKDAYS[day.weekday()]

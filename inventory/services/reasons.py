"""Reasons of a city: added, renamed, closed, never deleted (REQ-CFG-01); understood when given, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import begin_of, business_day
from inventory.domain.errors import DuplicateIdentifier, InvalidField, NotFound, ReasonMissing
from inventory.domain.reasons import LONGEST_NAME, Given, Purpose, Reason, is_code, is_name, understood
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.policies import city_to_decide_for
from inventory.store import reasons
from inventory.store.events import EventDraft, record
from inventory.store.reasons import ReasonCount
from inventory.store.stock import allow_long_statements, lock_for_transaction

LONGEST_LOOK = 366
"""Days that one may look back on, today included."""


async def read_reasons(session: AsyncSession, caller: Caller) -> list[Reason]:
    """Return the reasons of the caller's city by code, closed ones too."""
    async with session.begin():
        return await reasons.reasons_of(session, caller.city_id)


async def given(session: AsyncSession, caller: Caller, said: str | None, purpose: Purpose) -> Given:
    """Return, in the open transaction, what was said as it is kept: with its code if it is a reason of the city.

    Raises
    ------
    ReasonMissing
        Nothing was said.
    """
    if not (said or "").strip():
        raise ReasonMissing
    offered = [
        reason
        for reason in await reasons.reasons_of(session, caller.city_id)
        if reason.active and purpose in reason.purposes
    ]
    return understood(said or "", offered)


async def add_reason(
    session: AsyncSession, caller: Caller, write: WriteKey, reason: Reason, *, now: datetime
) -> Answer:
    """Add a reason to the city's table and answer with it.

    Raises
    ------
    DuplicateIdentifier
        The code is or was in use.
    InvalidField
        Code, names or purposes are not well formed.
    OutsideScope
        The caller belongs to a part of the city only.
    """

    async def work() -> dict[str, Any]:
        if not is_code(reason.code):
            raise InvalidField(field="code", value=reason.code, reason="lower-case letters, digits and _, 2 to 40")
        known = [purpose.value for purpose in Purpose]
        if not reason.purposes or not set(reason.purposes) <= set(known):
            said = ", ".join(reason.purposes)
            raise InvalidField(field="purposes", value=said, reason=f"one or more of {', '.join(known)}")
        if await _found(session, caller, reason.code) is not None:
            raise DuplicateIdentifier(kind="reason", value=reason.code, where="catalogue")
        return await _keep(session, caller, reason, "reason.added", now=now)

    return await once(session, caller, write, work, now=now)


async def rename_reason(
    session: AsyncSession, caller: Caller, write: WriteKey, *, code: str, name_zh: str, name_en: str, now: datetime
) -> Answer:
    """Call a reason of the city otherwise from now on; what was said before stays as it was said.

    Raises
    ------
    InvalidField
        A name is not well formed.
    NotFound
        The city has no such reason.
    OutsideScope
        The caller belongs to a part of the city only.
    """

    async def work() -> dict[str, Any]:
        reason = await _required(session, caller, code)
        renamed = replace(reason, name_zh=name_zh, name_en=name_en)
        return await _keep(session, caller, renamed, "reason.renamed", now=now)

    return await once(session, caller, write, work, now=now)


async def set_in_use(
    session: AsyncSession, caller: Caller, write: WriteKey, *, code: str, active: bool, now: datetime
) -> Answer:
    """Close a reason, so that it is offered no more, or open it again; raises as `rename_reason`."""

    async def work() -> dict[str, Any]:
        reason = await _required(session, caller, code)
        happened = "reason.opened" if active else "reason.closed"
        return await _keep(session, caller, replace(reason, active=active), happened, now=now)

    return await once(session, caller, write, work, now=now)


async def count_reasons(
    session: AsyncSession, caller: Caller, *, days: int = 90, now: datetime
) -> Sequence[ReasonCount]:
    """Return how often each reason was given in the city in the last so many days, and for how many items.

    Raises
    ------
    InvalidField
        The days are not 1 to 366.
    OutsideScope
        The caller belongs to a part of the city only.
    """
    if not 1 <= days <= LONGEST_LOOK:
        raise InvalidField(field="days", value=days, reason=f"1 to {LONGEST_LOOK}")
    async with session.begin():
        await city_to_decide_for(session, caller, about="the reasons")
        await allow_long_statements(session)
        since = begin_of(business_day(now) - timedelta(days=days - 1))
        return await reasons.count_given(session, city_id=caller.city_id, since=since)


async def _found(session: AsyncSession, caller: Caller, code: str) -> Reason | None:
    """Return a reason of the caller's city, for which the caller may decide; nobody else changes it meanwhile."""
    await city_to_decide_for(session, caller, about="the reasons")
    await lock_for_transaction(session, f"reason/{caller.city_id}")
    return next((each for each in await reasons.reasons_of(session, caller.city_id) if each.code == code), None)


async def _required(session: AsyncSession, caller: Caller, code: str) -> Reason:
    reason = await _found(session, caller, code)
    if reason is None:
        raise NotFound(what="reason", value=code)
    return reason


async def _keep(
    session: AsyncSession, caller: Caller, reason: Reason, happened: str, *, now: datetime
) -> dict[str, Any]:
    """Write the reason and its event; a blank at the end of a name would keep what is said from being found in it."""
    reason = replace(reason, name_zh=reason.name_zh.strip(), name_en=reason.name_en.strip())
    for field in ("name_zh", "name_en"):
        name = getattr(reason, field)
        if not is_name(name):
            raise InvalidField(field=field, value=name, reason=f"1 to {LONGEST_NAME} characters without a colon")
    city = await city_to_decide_for(session, caller, about="the reasons")
    await reasons.keep(session, reason, city_id=caller.city_id, changed_by=caller.staff_no, now=now)
    told = {**vars(reason), "purposes": list(reason.purposes)}
    event = EventDraft(name=happened, kind="reason", item_no=city.id, data=told)
    await record(session, [event], **acting(caller, now))
    return told

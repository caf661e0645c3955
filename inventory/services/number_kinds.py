"""The kinds of numbers in a city: called otherwise, closed for what is new, never deleted (docs/adr/0035)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound
from inventory.domain.reasons import LONGEST_NAME
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.policies import city_to_decide_for
from inventory.store import number_kinds
from inventory.store.events import EventDraft, record
from inventory.store.number_kinds import CityKind
from inventory.store.stock import lock_for_transaction


async def read_number_kinds(session: AsyncSession, caller: Caller) -> list[CityKind]:
    """Return every kind of numbers as it is in the caller's city."""
    async with session.begin():
        return await number_kinds.kinds_of(session, caller.city_id)


async def rename_number_kind(
    session: AsyncSession, caller: Caller, write: WriteKey, *, kind: str, name_zh: str, name_en: str, now: datetime
) -> Answer:
    """Call a kind of numbers otherwise in the city, and answer with it.

    Raises
    ------
    InvalidField
        A name is empty or too long.
    NotFound
        There is no such kind.
    OutsideScope
        The caller belongs to a part of the city only.
    """
    for field, name in (("name_zh", name_zh), ("name_en", name_en)):
        if not 0 < len(name.strip()) <= LONGEST_NAME:
            raise InvalidField(field=field, value=name, reason=f"1 to {LONGEST_NAME} characters")

    def changed(before: CityKind) -> CityKind:
        return replace(before, name_zh=name_zh.strip(), name_en=name_en.strip())

    return await _change(session, caller, write, kind, changed, "number_kind.renamed", now=now)


async def set_intake(
    session: AsyncSession, caller: Caller, write: WriteKey, *, kind: str, intake: bool, now: datetime
) -> Answer:
    """Take no more numbers of the kind in, or take them in again; what is in stock stays and sells.

    Raises
    ------
    NotFound
        There is no such kind.
    OutsideScope
        The caller belongs to a part of the city only.
    """
    happened = "number_kind.opened" if intake else "number_kind.closed"

    def changed(before: CityKind) -> CityKind:
        return replace(before, intake=intake)

    return await _change(session, caller, write, kind, changed, happened, now=now)


async def _change(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    kind: str,
    changed: Callable[[CityKind], CityKind],
    happened: str,
    *,
    now: datetime,
) -> Answer:
    """Write the kind as it is from now on, and its event."""

    async def work() -> dict[str, Any]:
        city = await city_to_decide_for(session, caller, about="the kinds of numbers")
        await lock_for_transaction(session, f"number_kind/{caller.city_id}")
        found = await number_kinds.kinds_of(session, caller.city_id)
        before = next((each for each in found if each.kind == kind), None)
        if before is None:
            raise NotFound(what="number kind", value=kind)
        after = changed(before)
        await number_kinds.keep(session, after, city_id=caller.city_id, changed_by=caller.staff_no, now=now)
        told = {**vars(after), "kind": str(after.kind)}
        event = EventDraft(name=happened, kind="number_kind", item_no=city.id, data=told)
        await record(session, [event], **acting(caller, now))
        return told

    return await once(session, caller, write, work, now=now)

"""The national number plan: every mobile segment with its place and range holder, loaded by version (REQ-NUM-13)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib import resources
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField
from inventory.domain.regions import Regions
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.plan_file import PlanFile, read_plan_file
from inventory.services.segment_list import list_version, packaged_list
from inventory.store import plan, stock
from inventory.store.events import EventDraft, record
from inventory.store.plan import HolderCount, PlanSource

PACKAGED_SOURCE = "PyPI phone"
"""Name of the list that comes with the product, as the source of a plan."""
OWN_SOURCE = "file"
"""Name of what somebody brought."""

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(frozen=True, kw_only=True)
class PlanWish:
    """A version of the plan to put in force: a file's `content`, or (None) the list that comes with the product.

    A table says neither its `version` nor the day it is `dated`; both are asked for then.
    """

    content: bytes | None = None
    version: str = ""
    dated: date | None = None


@dataclass(frozen=True)
class PlanStanding:
    """The version in force, None before the first one, and who holds how many segments of a city by it."""

    source: PlanSource | None
    holders: list[HolderCount]


def known_regions() -> Regions:
    """Return the provinces and cities of GB/T 2260."""
    text = resources.files("inventory.domain.regions").joinpath("gb2260.json").read_text(encoding="utf-8")
    return Regions(json.loads(text))


async def load_packaged_plan(
    session: AsyncSession, *, now: datetime, only_city: int | None = None, on_progress: Progress | None = None
) -> PlanSource:
    """Load the list that comes with the product (half a million segments) unless this version of it is loaded.

    `only_city` loads the segments of one city, under a source that says so.
    """
    release, data = packaged_list()
    version = f"{release} ({list_version(data)})" + ("" if only_city is None else f", {only_city} only")
    async with session.begin():
        loaded = await plan.find_source(session, name=PACKAGED_SOURCE, version=version)
    if loaded is not None:
        return loaded
    read = read_plan_file(data, known_regions())
    if only_city is not None:
        read = replace(read, rows=[row for row in read.rows if row.city_id == only_city])
    return await load_plan(session, read, name=PACKAGED_SOURCE, version=version, now=now, on_progress=on_progress)


async def load_plan(
    session: AsyncSession,
    read: PlanFile,
    *,
    name: str,
    version: str,
    now: datetime,
    on_progress: Progress | None = None,
) -> PlanSource:
    """Put the rows in the place of the whole plan, unless this version of the source is loaded; return the source."""
    async with session.begin():
        source, _ = await _replace(session, read, name=name, version=version, now=now, on_progress=on_progress)
    async with session.begin():
        await stock.refresh_statistics(session, ["number_plan"])
    return source


async def take_plan(session: AsyncSession, caller: Caller, write: WriteKey, wish: PlanWish, *, now: datetime) -> Answer:
    """Put a version of the plan in force for all cities, and answer with its source; sources are kept for good.

    Segments in stock stay as they are: the plan says what a city may take, not what it has.

    Raises
    ------
    InvalidField
        The file cannot be read, a row of it cannot be, or this version was in force before a later one.
    MissingField
        A table came without its version or date.
    """
    name, read, version = await asyncio.to_thread(_read, wish)

    async def work() -> dict[str, Any]:
        source, new = await _replace(session, read, name=name, version=version, now=now)
        if new:
            draft = EventDraft(
                name="number_plan.loaded",
                kind="number_plan",
                item_no=source.id,
                data={"source": source.name, "version": source.version, "rows": source.row_count},
            )
            await record(session, [draft], **acting(caller, now))
            return source_as_json(source)
        current = await plan.source_in_force(session)
        if current is None or current.id != source.id:
            reason = "it was in force before the present one; give it a version of its own to go back to it"
            raise InvalidField(field="version", value=version, reason=reason)
        return source_as_json(source)

    answer = await once(session, caller, write, work, now=now)
    if not answer.replayed:
        async with session.begin():
            await stock.refresh_statistics(session, ["number_plan"])
    return answer


async def read_plan(session: AsyncSession, caller: Caller) -> PlanStanding:
    """Return the version in force and who holds the segments of the caller's city by it."""
    async with session.begin():
        source = await plan.source_in_force(session)
        return PlanStanding(source, await plan.holders_in(session, caller.city_id))


def source_as_json(source: PlanSource) -> dict[str, Any]:
    """Return a source in the form of the API."""
    return {
        "source": source.name,
        "version": source.version,
        "dated": source.dated.isoformat(),
        "loaded_at": source.loaded_at.isoformat(),
        "rows": source.row_count,
        "repaired": source.repaired,
        "unmapped": source.unmapped,
    }


def _read(wish: PlanWish) -> tuple[str, PlanFile, str]:
    """Return the name of the source, its rows and its version."""
    if wish.content is None:
        release, data = packaged_list()
        read = read_plan_file(data, known_regions())
        return PACKAGED_SOURCE, read, f"{release} ({read.version})"
    read = read_plan_file(wish.content, known_regions(), version=wish.version, dated=wish.dated)
    return OWN_SOURCE, read, read.version


async def _replace(
    session: AsyncSession,
    read: PlanFile,
    *,
    name: str,
    version: str,
    now: datetime,
    on_progress: Progress | None = None,
) -> tuple[PlanSource, bool]:
    """Put the rows in the place of the plan; return the source, and whether it is new."""
    await stock.allow_long_statements(session)
    await stock.lock_for_transaction(session, "number plan")
    loaded = await plan.find_source(session, name=name, version=version)
    if loaded is not None:
        return loaded, False
    total = len(read.rows)
    source = await plan.add_source(
        session,
        name=name,
        version=version,
        dated=read.dated,
        row_count=total,
        repaired=dict(read.repairs.repaired),
        unmapped=dict(read.repairs.unmapped),
        now=now,
    )

    def tell(done: int) -> None:
        if on_progress is not None:
            on_progress(done, total)

    await plan.replace_plan(session, read.rows, source_id=source.id, on_progress=tell)
    return source, True

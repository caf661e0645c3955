"""Load the national number plan: every mobile segment with its place and range holder (REQ-NUM-13)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from importlib import resources

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.regions import Regions
from inventory.services.segment_list import Repairs, list_version, packaged_list, read_list, repair
from inventory.store import plan, stock
from inventory.store.plan import PlanRow, PlanSource

PACKAGED_SOURCE = "PyPI phone"


def known_regions() -> Regions:
    """Return the provinces and cities of GB/T 2260."""
    text = resources.files("inventory.domain.regions").joinpath("gb2260.json").read_text(encoding="utf-8")
    return Regions(json.loads(text))


async def load_packaged_plan(
    session: AsyncSession,
    *,
    now: datetime,
    only_city: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> PlanSource:
    """Load the list of the package `phone` (about half a million segments) unless this version of it is loaded.

    `only_city` loads the segments of one city, under a source that says so.
    """
    package, data = packaged_list()
    version = list_version(data)
    dated = datetime.strptime(version, "%y%m").replace(tzinfo=UTC).date()
    name = f"{package} ({version})" if only_city is None else f"{package} ({version}), {only_city} only"
    async with session.begin():
        loaded = await plan.find_source(session, name=PACKAGED_SOURCE, version=name)
    if loaded is not None:
        return loaded
    repairs = Repairs()
    rows = list(repair(read_list(data), known_regions(), repairs))
    if only_city is not None:
        rows = [row for row in rows if row.city_id == only_city]
    return await load_plan(
        session, rows, repairs, name=PACKAGED_SOURCE, version=name, dated=dated, now=now, on_progress=on_progress
    )


async def load_plan(
    session: AsyncSession,
    rows: Sequence[PlanRow],
    repairs: Repairs,
    *,
    name: str,
    version: str,
    dated: date,
    now: datetime,
    on_progress: Callable[[int, int], None] | None = None,
) -> PlanSource:
    """Put the rows in the place of the whole plan, unless this version of the source is loaded; return the source."""
    total = len(rows)
    async with session.begin():
        await stock.allow_long_statements(session)
        await stock.lock_for_transaction(session, "number plan")
        loaded = await plan.find_source(session, name=name, version=version)
        if loaded is not None:
            return loaded
        source_id = await plan.add_source(
            session,
            name=name,
            version=version,
            dated=dated,
            row_count=total,
            repaired=dict(repairs.repaired),
            unmapped=dict(repairs.unmapped),
            now=now,
        )

        def tell(done: int) -> None:
            if on_progress is not None:
                on_progress(done, total)

        await plan.replace_plan(session, rows, source_id=source_id, on_progress=tell)
    async with session.begin():
        await stock.refresh_statistics(session, ["number_plan"])
        loaded = await plan.find_source(session, name=name, version=version)
    assert loaded is not None  # noqa: S101  # written above
    return loaded

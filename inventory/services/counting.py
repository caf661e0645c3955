"""Count (盘点) in one step: a drawer scanned at one go is a stocktake that is opened, scanned and closed at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.stocktakes import EXTRA, SHORT, Finding
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stocktakes import Scan, StocktakeWish, begin, finish, keep, stocktake_name
from inventory.store import organisation
from inventory.store.stocktakes import FindingRow

MOST_NAMED = 1000
"""An answer names this many items of each sort and counts the rest."""
_AS_TOLD = {Finding.NOT_IN_STOCK: "not_in_stock", Finding.IN_TRANSIT: "in_transit"}
"""What this answer calls findings; all other extra items are held elsewhere, the stocktake itself tells them apart."""


@dataclass(frozen=True, kw_only=True)
class CountWish:
    """What was scanned at a place, each item once or more; `counted_by` is the person who did."""

    resource: str
    place: str
    items: tuple[str, ...] = field(repr=False)
    counted_by: str | None = None


async def count(session: AsyncSession, caller: Caller, write: WriteKey, wish: CountWish, *, now: datetime) -> Answer:
    """Answer with what is missing in the drawer, what should not be there, and the book by state; nothing moves.

    What is still on its way to the place is not expected there. The count is kept as a closed stocktake.

    Raises
    ------
    InvalidField
        The kind is nothing that lies in a drawer.
    InvalidIdentifier
        Something scanned has the form of no item.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """

    async def work() -> dict[str, Any]:
        row, place = await begin(session, caller, StocktakeWish(resource=wish.resource, place=wish.place), now=now)
        await keep(session, caller, row, Scan(items=wish.items), now=now)
        closed, findings = await finish(session, caller, row, place, counted_by=wish.counted_by, now=now)
        figures = closed.figures
        missing = [finding for finding in findings if finding.code in SHORT]
        extra = sorted((finding for finding in findings if finding.code in EXTRA), key=lambda finding: finding.name)
        return {
            "stocktake": stocktake_name(closed),
            "resource": row.resource,
            "place": place.code,
            "scanned": figures["scanned"],
            "book": figures["expected"],
            "missing": figures["missing"],
            "extra": figures["extra"],
            "counted_by": wish.counted_by,
            "agrees": not missing and not extra,
            "states": figures["states"],
            "missing_items": [{"item": finding.name, "state": finding.state} for finding in missing[:MOST_NAMED]],
            "extra_items": [await _extra(session, finding) for finding in extra[:MOST_NAMED]],
            "staff": caller.staff_no,
            "at": now.isoformat(),
        }

    return await once(session, caller, write, work, now=now)


async def _extra(session: AsyncSession, finding: FindingRow) -> dict[str, Any]:
    """Say why something scanned should not lie here."""
    holder = None if finding.holder_id is None else await organisation.by_id(session, finding.holder_id)
    code = _AS_TOLD.get(Finding(finding.code), "not_holder")
    return {"item": finding.name, "code": code, "state": finding.state, "holder": holder and holder.code}

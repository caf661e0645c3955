"""Write events in the transaction of the change they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import Event


@dataclass(frozen=True, kw_only=True)
class EventDraft:
    """An event before it has a number: see `Event` for the meaning of each field. `data` never holds a secret."""

    name: str
    kind: str
    item_no: int
    version: int | None = None
    from_state: str | None = None
    to_state: str | None = None
    reason: str | None = None
    reason_code: str | None = None
    order_ref: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


async def record(
    session: AsyncSession,
    drafts: Sequence[EventDraft],
    *,
    city_id: int,
    staff_no: str,
    interface_no: str,
    now: datetime,
) -> None:
    """Insert the events; nothing is visible before the caller's transaction ends (REQ-NUM-11)."""
    if not drafts:
        return
    common = {"city_id": city_id, "staff_no": staff_no, "interface_no": interface_no, "at": now}
    await session.execute(insert(Event), [{**common, **vars(draft)} for draft in drafts])

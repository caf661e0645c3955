"""The events of one item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import Event


@dataclass(frozen=True)
class ItemEvent:
    """An event as it was recorded; see `Event` for the meaning of each field."""

    event_no: int
    at: datetime
    name: str
    version: int | None
    from_state: str | None
    to_state: str | None
    staff_no: str
    interface_no: str
    reason: str | None
    order_ref: str | None
    data: dict[str, Any]


async def events_of(session: AsyncSession, *, city_id: int, kind: str, item_no: int) -> list[ItemEvent]:
    """Return the events of one thing, oldest first."""
    columns = (getattr(Event, name) for name in ItemEvent.__dataclass_fields__)
    query = (
        select(*columns)
        .where(Event.city_id == city_id, Event.kind == kind, Event.item_no == item_no)
        .order_by(Event.event_no)
    )
    return [ItemEvent(*row) for row in await session.execute(query)]

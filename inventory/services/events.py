"""The feed of sealed events."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.store import sealing


async def read_events(session: AsyncSession, caller: Caller, *, after: int, limit: int) -> dict[str, Any]:
    """Return sealed events of the caller's city behind position `after`, in the order of the chain.

    An acceptance system reads what its own interface did and what became of its holds (REQ-RSV-04); others read all.
    `next` is the position to go on from.
    """
    owner = caller.interface_no if caller.role is Role.ACCEPTANCE else None
    async with session.begin():
        placed = await sealing.sealed_events(session, caller.city_id, after=after, limit=limit, owner=owner)
    events = [{"position": row.position, **vars(row.event), "at": row.event.at.isoformat()} for row in placed]
    return {"events": events, "next": placed[-1].position if placed else after}

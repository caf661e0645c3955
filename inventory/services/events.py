"""The feed of sealed events."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import OutsideScope
from inventory.store import organisation, sealing


async def read_events(session: AsyncSession, caller: Caller, *, after: int, limit: int) -> dict[str, Any]:
    """Return sealed events of the caller's city behind position `after`, in the order of the chain.

    An acceptance system reads what its own interface did and what became of its holds (REQ-RSV-04); who belongs to the
    city company reads all. `next` is the position to go on from.

    Raises
    ------
    OutsideScope
        The caller sees a part of the city only, and the chain is the whole city's.
    """
    owner = caller.interface_no if caller.role is Role.ACCEPTANCE else None
    async with session.begin():
        city = await organisation.city_node(session, caller.city_id)
        if owner is None and (city is None or city.id not in caller.scope):
            raise OutsideScope(what=f"the chain of events of city {caller.city_id}")
        placed = await sealing.sealed_events(session, caller.city_id, after=after, limit=limit, owner=owner)
    events = [{"position": row.position, **vars(row.event), "at": row.event.at.isoformat()} for row in placed]
    return {"events": events, "next": placed[-1].position if placed else after}

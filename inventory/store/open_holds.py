"""The holds that one person has open."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, not_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.hold_sql import KEPT_BY_NETWORK
from inventory.store.schema import HoldRow, WriteJob


async def own_holds(
    session: AsyncSession,
    *,
    city_id: int,
    interface_no: str,
    staff_no: str,
    states: Collection[str],
    now: datetime,
    limit: int,
) -> list[int]:
    """Return the numbers of the person's holds that are not over, the one that ends first in front.

    `states` are those of a live hold; one whose card is being written, or with something that the network has, stays
    open beyond its time. Cards that are
    written for a bulk order are nobody's sale.
    """
    in_bulk = exists().where(
        WriteJob.city_id == HoldRow.city_id, WriteJob.job_id == HoldRow.job_id, WriteJob.bulk_no.is_not(None)
    )
    query = (
        select(HoldRow.hold_id)
        .where(
            HoldRow.city_id == city_id,
            HoldRow.state.in_(sorted(states)),
            HoldRow.interface_no == interface_no,
            HoldRow.staff_no == staff_no,
            or_(HoldRow.expires_at > now, HoldRow.job_id.is_not(None), text(KEPT_BY_NETWORK)),
            not_(in_bulk),
        )
        .order_by(HoldRow.expires_at, HoldRow.hold_id)
        .limit(limit)
    )
    return list(await session.scalars(query))

"""What an issue uses of its receiver's quotas: in the transaction of the issue, so that no two go past the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.calendar import business_day
from inventory.domain.errors import QuotaExceeded
from inventory.domain.kinds import ResourceKind
from inventory.domain.quotas import Period
from inventory.store import quotas
from inventory.store.custody import MovedRange
from inventory.store.organisation import Node
from inventory.store.sorts import sorts_of


async def use_quotas(
    session: AsyncSession,
    kind: ResourceKind,
    receiver: Node,
    moved: Sequence[MovedRange],
    *,
    city_id: int,
    now: datetime,
) -> dict[str, Any]:
    """Use what was moved of every quota of the receiver; return what is left of each, nothing if there is none.

    Raises
    ------
    QuotaExceeded
        It is more than is left of one of them.
    """
    await quotas.lock_quotas(session, city_id=city_id, org_id=receiver.id, shared=True)
    held = await quotas.quotas_of(session, city_id=city_id, places={receiver.id}, resource=kind.name)
    if not held:
        return {}
    sorts = await sorts_of(session, kind, [(run.lo, run.hi) for run in moved], city_id=city_id)
    today = business_day(now)
    told = []
    for quota in held:
        count = sum(amount for sort, amount in sorts.items() if quota.sort in {"", sort})
        begin = Period(quota.period).begin(today)
        left = await quotas.use(session, quota.about, city_id=city_id, count=count, begin=begin) if count else None
        if count and left is None:
            raise QuotaExceeded(
                place=receiver.code, resource=kind.name, sort=quota.sort or "*", period=quota.period, wanted=count,
                most=quota.most, left=quota.left(begin),
            )  # fmt: skip
        if left is not None:
            told.append({"sort": quota.sort, "period": quota.period, "most": quota.most, "left": left})
    return {"quotas": told}

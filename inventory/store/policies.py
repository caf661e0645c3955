"""Keep what cities decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.policies import Policy, usual
from inventory.store.schema import CityPolicy


async def policies_of(session: AsyncSession, city_id: int) -> Mapping[Policy, str]:
    """Return what holds in the city, of every policy."""
    rows = await session.execute(select(CityPolicy.name, CityPolicy.value).where(CityPolicy.city_id == city_id))
    decided = {name: value for name, value in rows if name in set(Policy)}
    return {policy: decided.get(policy, usual(policy)) for policy in Policy}


async def days_of(session: AsyncSession, policy: Policy, city_id: int) -> timedelta:
    """Return what holds in the city of a policy that is a number of days."""
    return timedelta(days=int((await policies_of(session, city_id))[policy]))


async def decide(
    session: AsyncSession, policy: Policy, value: str, *, city_id: int, changed_by: str, now: datetime
) -> None:
    """Keep a decision in the place of an earlier one."""
    decision = {"value": value, "changed_at": now, "changed_by": changed_by}
    statement = insert(CityPolicy).values(city_id=city_id, name=policy, **decision)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[CityPolicy.city_id, CityPolicy.name], set_=decision)
    )

"""What a city decides for itself: read it, and change it with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound, OutsideScope, ReasonMissing
from inventory.domain.policies import CHOICES, DAYS, Policy, allows
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.store import organisation, policies
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.store.stock import lock_for_transaction


@dataclass(frozen=True, kw_only=True)
class PolicyWish:
    """What the city decides, and why."""

    name: str
    value: str
    reason: str


async def read_policies(session: AsyncSession, caller: Caller) -> Mapping[Policy, str]:
    """Return what holds in the caller's city, of every policy."""
    async with session.begin():
        return await policies.policies_of(session, caller.city_id)


async def change_policy(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: PolicyWish, *, now: datetime
) -> Answer:
    """Change a policy of the city and answer with both values.

    Raises
    ------
    InvalidField
        It cannot have this value.
    NotFound
        There is no such policy.
    OutsideScope
        The caller belongs to a part of the city only.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        policy = next((each for each in Policy if each == wish.name), None)
        if policy is None:
            raise NotFound(what="policy", value=wish.name)
        if not allows(policy, wish.value):
            days = DAYS.get(policy)
            reason = ", ".join(CHOICES[policy]) if days is None else f"{days.least} to {days.most} days"
            raise InvalidField(field="value", value=wish.value, reason=reason)
        if not wish.reason.strip():
            raise ReasonMissing
        city = await city_to_decide_for(session, caller)
        await lock_for_transaction(session, f"policy/{caller.city_id}")
        before = (await policies.policies_of(session, caller.city_id))[policy]
        await policies.decide(session, policy, wish.value, city_id=caller.city_id, changed_by=caller.staff_no, now=now)
        change = {"policy": policy, "before": before, "after": wish.value}
        event = EventDraft(name="policy.changed", kind="policy", item_no=city.id, reason=wish.reason, data=change)
        await record(session, [event], **acting(caller, now))
        return change

    return await once(session, caller, write, work, now=now)


async def city_to_decide_for(session: AsyncSession, caller: Caller, *, about: str = "the policies") -> Node:
    """Return the caller's city company, for which the caller may decide; `about` says what, for who may not.

    Raises
    ------
    OutsideScope
        The caller belongs to a part of the city only.
    """
    city = await organisation.city_node(session, caller.city_id)
    if city is None or city.id not in caller.scope:
        raise OutsideScope(what=f"{about} of city {caller.city_id}")
    return city

"""For how long a city holds what: read it, and change it with a reason (REQ-RSV-03)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, ReasonMissing
from inventory.domain.holds import DEFAULT_HOLD_RULES, HoldPolicy, HoldRule
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.policies import city_to_decide_for
from inventory.store import hold_times
from inventory.store.events import EventDraft, record
from inventory.store.stock import lock_for_transaction

_MINUTE: Final = timedelta(minutes=1)
LONGEST_MINUTES: Final = 366 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class HoldTimeWish:
    """How long holds with these facts last at first; what is None is any. `minutes` None: as the product has it."""

    kind: str | None = None
    channel: str | None = None
    flow: str | None = None
    number_class: int | None = None
    minutes: int | None
    reason: str


@dataclass(frozen=True)
class HoldTime:
    """A rule as it holds in the city; `own` if the city has set it."""

    rule: HoldRule
    own: bool

    @property
    def minutes(self) -> int | None:
        """How long, None without an end."""
        return _minutes(self.rule)


async def read_hold_times(session: AsyncSession, caller: Caller) -> Sequence[HoldTime]:
    """Return every rule that holds in the caller's city, those with fewest facts first: the one with most decides."""
    async with session.begin():
        own = await hold_times.rules_of(session, caller.city_id)
    default = [rule for rule in DEFAULT_HOLD_RULES if not any(map(rule.same_facts, own))]
    held = [*(HoldTime(rule, own=False) for rule in default), *(HoldTime(rule, own=True) for rule in own)]
    return sorted(held, key=lambda each: len(each.rule.facts))


async def set_hold_time(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: HoldTimeWish, *, now: datetime
) -> Answer:
    """Set or reset how long holds with the wish's facts last, and answer with both values; open holds keep their end.

    Raises
    ------
    InvalidField
        There is no such fact, or the time is not from one minute to a year.
    OutsideScope
        The caller belongs to a part of the city only.
    ReasonMissing
        There is none.
    """
    if wish.minutes is not None and not 1 <= wish.minutes <= LONGEST_MINUTES:
        raise InvalidField(field="minutes", value=wish.minutes, reason=f"from 1 to {LONGEST_MINUTES}")
    seconds = None if wish.minutes is None else wish.minutes * _MINUTE.seconds
    rule = HoldRule.of(seconds, kind=wish.kind, channel=wish.channel, flow=wish.flow, number_class=wish.number_class)

    async def work() -> dict[str, Any]:
        if not wish.reason.strip():
            raise ReasonMissing
        city = await city_to_decide_for(session, caller)
        await lock_for_transaction(session, f"policy/{caller.city_id}")
        before = HoldPolicy.of_city(await hold_times.rules_of(session, caller.city_id)).rule_for(rule)
        if seconds is None:
            await hold_times.drop(session, rule, city_id=caller.city_id)
        else:
            await hold_times.keep(session, rule, city_id=caller.city_id, changed_by=caller.staff_no, now=now)
        after = HoldPolicy.of_city(await hold_times.rules_of(session, caller.city_id)).rule_for(rule)
        change = {
            **rule.facts,
            "before": before and _minutes(before),
            "after": after and _minutes(after),
        }
        told = {"policy": "hold_time", **change}
        event = EventDraft(name="policy.changed", kind="policy", item_no=city.id, reason=wish.reason, data=told)
        await record(session, [event], **acting(caller, now))
        return change

    return await once(session, caller, write, work, now=now)


def _minutes(rule: HoldRule) -> int | None:
    return None if rule.seconds is None else rule.seconds // _MINUTE.seconds

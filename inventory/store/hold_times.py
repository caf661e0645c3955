"""Keep for how long cities hold what (REQ-RSV-03)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.holds import HoldRule
from inventory.store.schema import HoldTime, Interface

_ANY, _ANY_CLASS = "", -1
_FACTS = (HoldTime.kind, HoldTime.channel, HoldTime.flow, HoldTime.number_class)


async def rules_of(session: AsyncSession, city_id: int) -> list[HoldRule]:
    """Return the rules that the city has set."""
    rows = await session.execute(select(HoldTime.seconds, *_FACTS).where(HoldTime.city_id == city_id).order_by(*_FACTS))
    return [_rule(*row) for row in rows]


def rules_at_interface() -> ColumnElement[Any]:
    """Give what an interface's city has set as a column of a query over `Interface`, to be read by `as_rules`."""
    values = func.jsonb_build_array(HoldTime.seconds, *_FACTS)
    return select(func.jsonb_agg(values)).where(HoldTime.city_id == Interface.city_id).scalar_subquery()


def as_rules(rows: list[list[Any]] | None) -> tuple[HoldRule, ...]:
    """Read what `rules_at_interface` gave."""
    return tuple(_rule(*row) for row in rows or ())


async def keep(session: AsyncSession, rule: HoldRule, *, city_id: int, changed_by: str, now: datetime) -> None:
    """Keep a rule in the place of an earlier one with the same facts."""
    changed = {"seconds": rule.seconds, "changed_at": now, "changed_by": changed_by}
    statement = insert(HoldTime).values(city_id=city_id, **_facts(rule), **changed)
    await session.execute(statement.on_conflict_do_update(index_elements=[HoldTime.city_id, *_FACTS], set_=changed))


async def drop(session: AsyncSession, rule: HoldRule, *, city_id: int) -> None:
    """Forget the rule that the city has set for these facts."""
    same = [column == _facts(rule)[column.key] for column in _FACTS]
    await session.execute(delete(HoldTime).where(and_(HoldTime.city_id == city_id, *same)))


def _facts(rule: HoldRule) -> dict[str, Any]:
    number_class = _ANY_CLASS if rule.number_class is None else rule.number_class
    return {
        "kind": rule.kind or _ANY,
        "channel": rule.channel or _ANY,
        "flow": rule.flow or _ANY,
        "number_class": number_class,
    }


def _rule(seconds: int, kind: str, channel: str, flow: str, number_class: int) -> HoldRule:
    facts = {"kind": kind, "channel": channel, "flow": flow}
    named = {name: value for name, value in facts.items() if value != _ANY}
    return HoldRule.of(seconds, **named, number_class=None if number_class == _ANY_CLASS else number_class)

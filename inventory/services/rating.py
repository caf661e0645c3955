"""Rate numbers on issue by the rule set in force (REQ-FEE-01)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.identifiers import NumberKind, local_part
from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.store import number_fees
from inventory.store.custody import MovedRange, outcomes_between
from inventory.store.fees import StoredRuleSet, active_rule_set
from inventory.store.stock import StockedItem


def outcomes_of_segment(rule_set: StoredRuleSet, prefix: str, kind: NumberKind) -> bytes:
    """Return one outcome byte for each of the 10,000 numbers of the segment, in order."""
    seen = local_part(prefix) if kind is NumberKind.FIXED else prefix
    return rule_set.rules.classify_segment(seen, kind)


async def rate_for_issue(
    session: AsyncSession, kind: ResourceKind, moved: list[MovedRange], *, city_id: int, holder_id: int, now: datetime
) -> tuple[list[MovedRange], int | None]:
    """Return the ranges with the outcomes of the rule set in force, and its id; of other kinds as they are, and None.

    Numbers rated by an older rule set are rated anew first; a fee that a person set stays.
    """
    if kind is not NUMBER:
        return moved, None
    active = await active_rule_set(session, city_id, now)
    stale = [run for run in moved if run.rule_sets != {active.id}]
    if not stale:
        return moved, active.id
    ranges = [(run.lo, run.hi) for run in stale]
    for segment in await number_fees.stale_segments(session, ranges, city_id=city_id):
        await number_fees.rate_segment(
            session,
            segment,
            city_id=city_id,
            holder_id=holder_id,
            outcomes=outcomes_of_segment(active, segment.prefix, NumberKind(segment.kind)),
            classes=active.classes,
            rule_set_id=active.id,
        )
    fresh = [
        replace(run, outcomes=await outcomes_between(session, city_id=city_id, lo=run.lo, hi=run.hi))
        if run in stale
        else run
        for run in moved
    ]
    return fresh, active.id


async def outcome_of_number(
    session: AsyncSession, number: StockedItem, *, city_id: int, now: datetime
) -> dict[str, int]:
    """Return the columns that rate one number by the rule set in force; a class that a person gave stays."""
    active = await active_rule_set(session, city_id, now)
    kind = NumberKind(number.row["kind"])
    seen = local_part(number.name) if kind is NumberKind.FIXED else number.name
    found = active.rules.classify(seen, kind)
    changed = await number_fees.changed_fee(session, city_id=city_id, item_no=number.item_no)
    return {
        "outcome": active.rules.outcome_code(found.outcome),
        "cls": found.number_class if changed is None else changed.cls,
        "rule_set_id": active.id,
    }

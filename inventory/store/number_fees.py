"""The fee of single numbers: what a person changed, and numbers rated anew by another rule set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.lifecycle import NumberState
from inventory.store.schema import FeeChange, Number, NumberFee
from inventory.store.segments import SIZE
from inventory.store.streams import Stream, in_batches


@dataclass(frozen=True)
class ChangedFee:
    """The class and terms a person gave one number; `change_no` is the change that did it."""

    cls: int
    rule_set_id: int
    terms: dict[str, Any]
    change_no: int


@dataclass(frozen=True)
class FeeChangeRow:
    """One change of a number's fee with both values (REQ-FEE-02)."""

    change_no: int
    number: str
    before: dict[str, Any]
    after: dict[str, Any]
    staff_no: str
    approver: str | None
    interface_no: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class StaleSegment:
    """A segment with numbers that another rule set rated."""

    prefix: str
    kind: str
    first_item_no: int


async def changed_fee(session: AsyncSession | AsyncConnection, *, city_id: int, item_no: int) -> ChangedFee | None:
    """Return what a person set for the number, or None where class and rule set decide."""
    row = (
        await session.execute(
            select(NumberFee.cls, NumberFee.rule_set_id, NumberFee.terms, NumberFee.change_no).where(
                NumberFee.city_id == city_id, NumberFee.item_no == item_no
            )
        )
    ).one_or_none()
    return None if row is None else ChangedFee(*row)


async def record_change(
    session: AsyncSession,
    *,
    city_id: int,
    item_no: int,
    cls: int,
    rule_set_id: int,
    before: dict[str, Any],
    after: dict[str, Any],
    terms: dict[str, Any],
    staff_no: str,
    approver: str | None,
    interface_no: str,
    reason: str,
    now: datetime,
) -> int:
    """Keep the change with both values, make it the number's fee and return the change's number."""
    made = await session.execute(
        insert(FeeChange)
        .values(
            city_id=city_id,
            item_no=item_no,
            before=before,
            after=after,
            staff_no=staff_no,
            approver=approver,
            interface_no=interface_no,
            reason=reason,
            at=now,
        )
        .returning(FeeChange.change_no)
    )
    change_no = made.scalar_one()
    fee = {"cls": cls, "rule_set_id": rule_set_id, "terms": terms, "change_no": change_no}
    await session.execute(
        upsert(NumberFee)
        .values(city_id=city_id, item_no=item_no, **fee)
        .on_conflict_do_update(index_elements=["city_id", "item_no"], set_=fee)
    )
    await session.execute(
        update(Number).where(Number.city_id == city_id, Number.item_no == item_no).values(cls=cls, updated_at=now)
    )
    return change_no


async def fee_changes(
    session: AsyncSession,
    *,
    city_id: int,
    holders: frozenset[int],
    item_no: int | None = None,
    staff_no: str | None = None,
    limit: int,
) -> list[FeeChangeRow]:
    """Return the newest changes of a number, of an operator, or of all in the holders' hands (REQ-FEE-03)."""
    query = _changes(city_id, holders, item_no, staff_no).limit(limit)
    return [FeeChangeRow(*row) for row in await session.execute(query)]


def stream_fee_changes(
    session: AsyncSession,
    *,
    city_id: int,
    holders: frozenset[int],
    item_no: int | None = None,
    staff_no: str | None = None,
) -> Stream[FeeChangeRow]:
    """Give all of those changes, batch by batch."""
    return in_batches(session, _changes(city_id, holders, item_no, staff_no), FeeChangeRow)


def _changes(city_id: int, holders: frozenset[int], item_no: int | None, staff_no: str | None) -> Select[Any]:
    """Give the statement that lists changes, newest first."""
    query = (
        select(
            FeeChange.change_no,
            Number.number,
            FeeChange.before,
            FeeChange.after,
            FeeChange.staff_no,
            FeeChange.approver,
            FeeChange.interface_no,
            FeeChange.reason,
            FeeChange.at,
        )
        .join(Number, (Number.city_id == FeeChange.city_id) & (Number.item_no == FeeChange.item_no))
        .where(FeeChange.city_id == city_id, Number.holder_id.in_(holders))
        .order_by(FeeChange.change_no.desc())
    )
    if item_no is not None:
        query = query.where(FeeChange.item_no == item_no)
    if staff_no is not None:
        query = query.where(FeeChange.staff_no == staff_no)
    return query


async def stale_segments(
    session: AsyncSession, ranges: Sequence[tuple[int, int]], *, city_id: int
) -> list[StaleSegment]:
    """Return the city's segments that have numbers in the ranges of item numbers."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT prefix, kind, first_item_no FROM segment"
            " JOIN unnest(CAST(:los AS bigint[]), CAST(:his AS bigint[])) AS range (lo, hi)"
            " ON first_item_no <= hi AND first_item_no + size > lo WHERE city_id = :city_id ORDER BY first_item_no"
        ),
        {"los": [lo for lo, _ in ranges], "his": [hi for _, hi in ranges], "city_id": city_id},
    )
    return [StaleSegment(*row) for row in rows]


_RATE = text("""
UPDATE number SET
       outcome = get_byte(:outcomes, (item_no - :first)::int),
       rule_set_id = :rule_set_id,
       cls = CASE WHEN EXISTS (SELECT FROM number_fee AS changed
                                WHERE changed.city_id = number.city_id AND changed.item_no = number.item_no)
                  THEN cls ELSE get_byte(:classes, get_byte(:outcomes, (item_no - :first)::int)) END
 WHERE city_id = :city_id AND item_no BETWEEN :first AND :last AND holder_id = :holder_id
   AND state = :state AND hold_id IS NULL AND rule_set_id <> :rule_set_id
""")


async def rate_segment(
    session: AsyncSession,
    segment: StaleSegment,
    *,
    city_id: int,
    holder_id: int,
    outcomes: bytes,
    classes: bytes,
    rule_set_id: int,
) -> None:
    """Rate the segment's free numbers of one holder by another rule set; a class that a person gave stays.

    `outcomes` has one byte per number, `classes` the class of each outcome. Numbers that are held, booked or in use
    keep their terms (REQ-CMP-04).
    """
    await session.execute(
        _RATE,
        {
            "city_id": city_id,
            "holder_id": holder_id,
            "first": segment.first_item_no,
            "last": segment.first_item_no + SIZE - 1,
            "outcomes": outcomes,
            "classes": classes,
            "rule_set_id": rule_set_id,
            "state": NumberState.UNUSED,
        },
    )

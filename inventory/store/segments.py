"""Number segments: those of the national plan, those we own, and the numbers of a segment made in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, any_, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.number_keys import digit_mask
from inventory.store.schema import NumberPlan, Segment, SegmentGroup
from inventory.store.schema.base import CodeText

WIDTH = 4
"""Digits after a segment's prefix: a segment is a ten-thousand block (万号段)."""

SIZE = 10**WIDTH


@dataclass(frozen=True)
class OwnedSegment:
    """A segment of ours; the `size` item numbers from `first_item_no` on are those of its numbers (see `Segment`)."""

    id: int
    prefix: str
    kind: str
    city_id: int
    carrier: str
    hlr_code: str
    group_id: int | None
    first_item_no: int
    size: int
    group: str | None = None
    """Name of its group (号群)."""


_COLUMNS: tuple[Any, ...] = (
    *(getattr(Segment, name) for name in OwnedSegment.__dataclass_fields__ if name != "group"),
    SegmentGroup.name,
)


@dataclass(frozen=True, kw_only=True)
class SegmentDraft:
    """A segment about to be taken into stock; `outcomes` holds one byte per number in order.

    `size` is 0 for a kind that is not allocated in blocks: its numbers come by list, with item numbers of their own.
    """

    prefix: str
    kind: str
    carrier: str
    hlr_code: str
    group_id: int | None
    first_item_no: int
    outcomes: bytes = b""
    size: int = SIZE


@dataclass(frozen=True, kw_only=True)
class SegmentFilter:
    """Conditions on segments that all hold; None and the empty text ask for nothing, `prefix` is how they begin."""

    prefix: str | None = None
    group: str | None = None
    hlr: str | None = None
    kind: str | None = None
    carrier: str | None = None


@dataclass(frozen=True, kw_only=True)
class IntakeTerms:
    """What is the same on every number of one intake; `classes` gives the class of each outcome byte."""

    city_id: int
    holder_id: int
    pool: str | None
    batch_id: int
    rule_set_id: int
    classes: bytes
    state: str
    now: datetime


async def plan_prefixes(
    session: AsyncSession, *, city_id: int, range_holder: str, virtual_ranges: bool = False
) -> list[str]:
    """Return the prefixes of an operator in a city by the national plan, in order.

    With `virtual_ranges` those that it lends to virtual operators come too.
    """
    kinds = ("mobile", "virtual") if virtual_ranges else ("mobile",)
    rows = await session.scalars(
        select(NumberPlan.prefix)
        .where(NumberPlan.city_id == city_id, NumberPlan.range_holder == range_holder, NumberPlan.kind.in_(kinds))
        .order_by(NumberPlan.prefix)
    )
    return list(rows)


async def overlapping(session: AsyncSession, prefixes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs (wanted, existing) where one prefix begins with the other."""
    rows = await session.execute(
        text(
            "SELECT wanted, segment.prefix FROM unnest(CAST(:prefixes AS text[])) AS wanted JOIN segment"
            " ON starts_with(segment.prefix, wanted) OR starts_with(wanted, segment.prefix) ORDER BY 1, 2"
        ),
        {"prefixes": list(prefixes)},
    )
    return [(wanted, existing) for wanted, existing in rows]


async def find_segment(session: AsyncSession, number: str) -> OwnedSegment | None:
    """Return the segment that holds the number, or None (REQ-NUM-12)."""
    heads = [number[:length] for length in range(1, len(number) + 1)]
    return max(await segments_named(session, heads), key=lambda segment: len(segment.prefix), default=None)


async def segments_named(session: AsyncSession, prefixes: Collection[str]) -> list[OwnedSegment]:
    """Return those of the segments that we own, in any city."""
    rows = await session.execute(
        select(*_COLUMNS)
        .outerjoin(SegmentGroup, SegmentGroup.id == Segment.group_id)
        .where(Segment.prefix == any_(literal(list(prefixes), ARRAY(CodeText))))
    )
    return [OwnedSegment(*row) for row in rows]


async def prefixes_of_group(session: AsyncSession, *, city_id: int, name: str) -> list[str]:
    """Return the prefixes of the segments of the city's group, in order."""
    query = (
        select(Segment.prefix)
        .join(SegmentGroup, SegmentGroup.id == Segment.group_id)
        .where(SegmentGroup.city_id == city_id, SegmentGroup.name == name)
        .order_by(Segment.prefix)
    )
    return list(await session.scalars(query))


async def group_named(session: AsyncSession, *, city_id: int, name: str) -> int:
    """Return the id of the city's segment group (号群), made if it is new; call it under the intake's lock."""
    found = await session.scalar(
        select(SegmentGroup.id).where(SegmentGroup.city_id == city_id, SegmentGroup.name == name)
    )
    if found is not None:
        return found
    made = await session.execute(insert(SegmentGroup).values(city_id=city_id, name=name).returning(SegmentGroup.id))
    return made.scalar_one()


async def groups_of(session: AsyncSession, city_id: int) -> list[str]:
    """Return the names of the city's segment groups in order."""
    query = select(SegmentGroup.name).where(SegmentGroup.city_id == city_id).distinct().order_by(SegmentGroup.name)
    return list(await session.scalars(query))


async def list_segments(
    session: AsyncSession, wanted: SegmentFilter, *, city_id: int, after: str, limit: int
) -> list[OwnedSegment]:
    """Return the first `limit` of the city's segments behind the prefix `after`."""
    query = select(*_COLUMNS).outerjoin(SegmentGroup, SegmentGroup.id == Segment.group_id)
    conditions = [Segment.city_id == city_id, Segment.prefix > after]
    if wanted.prefix:
        conditions.append(Segment.prefix.startswith(wanted.prefix, autoescape=True))
    for column, value in (
        (SegmentGroup.name, wanted.group),
        (Segment.hlr_code, wanted.hlr),
        (Segment.kind, wanted.kind),
        (Segment.carrier, wanted.carrier),
    ):
        if value:
            conditions.append(column == value)
    rows = await session.execute(query.where(*conditions).order_by(Segment.prefix).limit(limit))
    return [OwnedSegment(*row) for row in rows]


async def states_in(
    session: AsyncSession, segment_ids: Sequence[int], *, city_id: int, holders: Collection[int]
) -> list[tuple[int, str, int]]:
    """Return how many numbers of each of the segments these holders have in which state: segment, state, count."""
    rows = await session.execute(
        text(
            "SELECT segment.id, number.state, count(*) FROM segment JOIN number ON number.city_id = :city_id"
            " AND number.number >= segment.prefix AND number.number < segment.prefix || '~'"
            " AND number.holder_id = ANY (:holders) WHERE segment.id = ANY (:ids) GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        {"city_id": city_id, "ids": list(segment_ids), "holders": list(holders)},
    )
    return [(segment_id, state, count) for segment_id, state, count in rows]


async def add_segments(session: AsyncSession, drafts: Sequence[SegmentDraft], *, city_id: int) -> list[int]:
    """Write the segments and return their ids in the same order."""
    rows = [
        {
            "prefix": draft.prefix,
            "size": draft.size,
            "kind": draft.kind,
            "city_id": city_id,
            "carrier": draft.carrier,
            "hlr_code": draft.hlr_code,
            "group_id": draft.group_id,
            "first_item_no": draft.first_item_no,
        }
        for draft in drafts
    ]
    made = await session.scalars(insert(Segment).returning(Segment.id, sort_by_parameter_order=True), rows)
    return list(made)


_GENERATE = text("""
INSERT INTO number (city_id, item_no, state, version, holder_id, pool, batch_id, updated_at,
                    number, kind, hlr_code, cls, outcome, rule_set_id, tail, mask, rev)
WITH suffix AS MATERIALIZED (
    SELECT n, lpad(n::text, 4, '0') AS digits, n::smallint AS tail,
           ((1 << (n / 1000)) | (1 << (n / 100 % 10)) | (1 << (n / 10 % 10)) | (1 << (n % 10)))::smallint AS mask,
           (n % 10 * 1000 + n / 10 % 10 * 100 + n / 100 % 10 * 10 + n / 1000)::bigint AS rev
      FROM generate_series(0, 9999) AS n
)
SELECT :city_id, segment.first_item_no + n, :state, 0, :holder_id, :pool, :batch_id, :now,
       segment.prefix || digits, :kind, :hlr_code,
       get_byte(:classes, get_byte(segment.outcomes, n)), get_byte(segment.outcomes, n), :rule_set_id,
       tail, segment.mask | suffix.mask, suffix.rev * segment.scale + segment.rev
  FROM unnest(CAST(:prefixes AS text[]), CAST(:first_item_nos AS bigint[]), CAST(:masks AS smallint[]),
              CAST(:revs AS bigint[]), CAST(:scales AS bigint[]), CAST(:outcomes AS bytea[]))
       AS segment (prefix, first_item_no, mask, rev, scale, outcomes),
       suffix
 ORDER BY segment.first_item_no, n
""")
"""Everything that depends on the last four digits is worked out once per ending, the rest once per segment; a number
costs one concatenation, one addition and two byte look-ups."""


async def generate_numbers(session: AsyncSession, drafts: Sequence[SegmentDraft], terms: IntakeTerms) -> None:
    """Put all numbers of the segments (of one kind and HLR) into stock, made by the database."""
    first = drafts[0]
    await session.execute(
        _GENERATE,
        {
            **vars(terms),
            "kind": first.kind,
            "hlr_code": first.hlr_code,
            "prefixes": [draft.prefix for draft in drafts],
            "first_item_nos": [draft.first_item_no for draft in drafts],
            "masks": [digit_mask(draft.prefix) for draft in drafts],
            "revs": [int(draft.prefix[::-1]) for draft in drafts],
            "scales": [10 ** len(draft.prefix) for draft in drafts],
            "outcomes": [draft.outcomes for draft in drafts],
        },
    )

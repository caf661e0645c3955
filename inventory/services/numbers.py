"""Intake of numbers: whole segments (REQ-NUM-02, 03, 04, 14)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound, SegmentOverlap
from inventory.domain.identifiers import NumberKind, format_public_id, parse_number
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import LoadState, NumberEvent
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.rating import outcomes_of_segment
from inventory.store import catalogue, loads, movements, number_kinds, organisation, segments, stock
from inventory.store.events import EventDraft, record
from inventory.store.fees import StoredRuleSet, active_rule_set
from inventory.store.loads import BatchDraft
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.segments import IntakeTerms, SegmentDraft

AT_ONCE = 10
"""Segments made by one statement: 100,000 numbers, a second or two."""

BLOCK_KINDS = frozenset({NumberKind.MOBILE, NumberKind.IOT, NumberKind.FIXED})
"""Kinds that are allocated in ten-thousand blocks."""

Progress = Callable[[int, int], None]
"""Called with items done and items in all."""


@dataclass(frozen=True, kw_only=True)
class SegmentWish:
    """Segments to take into stock: these `prefixes`, or (None) all of `carrier` in the city by the national plan.

    The plan tells the segments that a carrier holds and lends to virtual operators from its own; `virtual_ranges` takes
    those too. `pool` is the sale pool of the numbers (None: not on sale yet), `group` the name of their segment group
    (号群). With `listed` the city owns the segments from now on, and their numbers come by list: the only way of kinds
    that are not allocated in blocks, whose prefix is an access code or the base of a rented port.
    """

    prefixes: tuple[str, ...] | None
    kind: NumberKind
    carrier: str
    hlr_code: str
    virtual_ranges: bool = False
    pool: str | None = None
    group: str | None = None
    listed: bool = False


async def take_segments(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    wish: SegmentWish,
    *,
    now: datetime,
    on_progress: Progress | None = None,
) -> Answer:
    """Take whole segments into the city's stock and answer with the load and its document.

    Every number is rated by the rule set in force. All segments come or none.

    Raises
    ------
    InvalidField
        There is nothing to take, or the city takes none of the kind in.
    InvalidIdentifier
        A prefix with four more digits is no number of the kind.
    NotFound
        The city has no such HLR that is open.
    SegmentOverlap
        A segment is in stock already, here or in another city (REQ-NUM-04).
    """

    async def work() -> dict[str, Any]:
        return await _take(session, caller, wish, now=now, on_progress=on_progress)

    answer = await once(session, caller, write, work, now=now)
    if not answer.replayed:
        async with session.begin():
            await stock.refresh_statistics(session, [NUMBER.table, "segment"])
    return answer


async def _take(
    session: AsyncSession, caller: Caller, wish: SegmentWish, *, now: datetime, on_progress: Progress | None
) -> dict[str, Any]:
    await stock.allow_long_statements(session)
    await stock.lock_for_transaction(session, "segments")
    if wish.kind in await number_kinds.closed_kinds(session, caller.city_id):
        reason = "the city takes none of this kind in; open it on the page of number kinds first"
        raise InvalidField(field="kind", value=str(wish.kind), reason=reason)
    prefixes = await _wanted_prefixes(session, caller, wish)
    for wanted, existing in await segments.overlapping(session, prefixes):
        raise SegmentOverlap(segment=wanted, existing=existing)
    city = await organisation.city_node(session, caller.city_id)
    hlr = await catalogue.find_hlr(session, wish.hlr_code)
    if city is None or hlr is None or hlr.city_id != caller.city_id or not hlr.active:
        raise NotFound(what="hlr", value=wish.hlr_code)
    rule_set = await active_rule_set(session, caller.city_id, now)
    kept = len(prefixes) * segments.SIZE if wish.kind in BLOCK_KINDS else 0
    count = 0 if wish.listed else kept
    items = await stock.reserve_item_numbers(session, NUMBER, city_id=caller.city_id, count=kept)
    who = acting(caller, now)
    source = f"{prefixes[0]}-{prefixes[-1]} {wish.carrier}"
    # A listed access code is also the whole list that brings it: their digests must differ.
    digest = hashlib.sha256("\n".join([*(["listed"] if wish.listed else []), *prefixes]).encode()).digest()
    draft = BatchDraft(
        resource=NUMBER.name,
        source=source,
        sha256=digest,
        state=LoadState.COMMITTED,
        rows=count,
        accepted=count,
        figures={"segments": len(prefixes), "hlr": wish.hlr_code, "kind": wish.kind, "pool": wish.pool},
    )
    batch_id = await loads.add_batch(session, draft, **who)
    terms = IntakeTerms(
        city_id=caller.city_id,
        holder_id=city.id,
        pool=wish.pool,
        batch_id=batch_id,
        rule_set_id=rule_set.id,
        classes=rule_set.classes,
        state=NUMBER.lifecycle.enter(NumberEvent.INTAKE),
        now=now,
    )
    group_id = None
    if wish.group is not None:
        group_id = await segments.group_named(session, city_id=caller.city_id, name=wish.group)
    drafts = _drafts(prefixes, wish, rule_set, items.start, group_id)
    by_class: Counter[int] = Counter()
    done = 0
    for start in range(0, len(drafts), AT_ONCE):
        some = drafts[start : start + AT_ONCE]
        segment_ids = await segments.add_segments(session, some, city_id=caller.city_id)
        await record(session, [_taken(*pair, wish) for pair in zip(segment_ids, some, strict=True)], **who)
        if wish.listed:
            continue
        await segments.generate_numbers(session, some, terms)
        for draft_of_segment in some:
            by_class.update(draft_of_segment.outcomes.translate(rule_set.classes.ljust(256, b"\x00")))
        done += len(some) * segments.SIZE
        if on_progress is not None:
            on_progress(done, count)
    movement = None
    if not wish.listed:
        intake = MovementDraft(
            kind=movements.INTAKE, resource=NUMBER.name, from_holder=None, to_holder=city.id, batch_id=batch_id
        )
        ranges = [LedgerRange(items.start, items.stop - 1)]
        movement_id = await movements.record_movement(session, intake, ranges, **who)
        movement = format_public_id("m", caller.city_id, movement_id)
    return {
        "load": format_public_id("b", caller.city_id, batch_id),
        "movement": movement,
        "segments": len(prefixes),
        "numbers": count,
        "by_class": {str(number_class): by_class[number_class] for number_class in sorted(by_class)},
    }


async def _wanted_prefixes(session: AsyncSession, caller: Caller, wish: SegmentWish) -> list[str]:
    """Return the prefixes in number order, each once, each a segment of the kind."""
    if wish.kind not in BLOCK_KINDS and (not wish.listed or wish.prefixes is None):
        reason = "this kind is not allocated in whole segments; name its codes, and bring the numbers by list"
        raise InvalidField(field="kind", value=str(wish.kind), reason=reason)
    if wish.prefixes is None:
        prefixes = await segments.plan_prefixes(
            session, city_id=caller.city_id, range_holder=wish.carrier, virtual_ranges=wish.virtual_ranges
        )
    elif wish.kind not in BLOCK_KINDS:
        prefixes = sorted({parse_number(code, wish.kind) for code in wish.prefixes})
    else:
        ending = "0" * segments.WIDTH
        prefixes = sorted({parse_number(head + ending, wish.kind)[: -segments.WIDTH] for head in wish.prefixes})
    if not prefixes:
        raise InvalidField(field="prefixes", value=[], reason="the city has no such segment in the number plan")
    return prefixes


def _drafts(
    prefixes: Sequence[str], wish: SegmentWish, rule_set: StoredRuleSet, first: int, group_id: int | None
) -> list[SegmentDraft]:
    size = segments.SIZE if wish.kind in BLOCK_KINDS else 0
    return [
        SegmentDraft(
            prefix=prefix,
            kind=wish.kind,
            carrier=wish.carrier,
            hlr_code=wish.hlr_code,
            group_id=group_id,
            first_item_no=first + place * size,
            outcomes=b"" if wish.listed else outcomes_of_segment(rule_set, prefix, wish.kind),
            size=size,
        )
        for place, prefix in enumerate(prefixes)
    ]


def _taken(segment_id: int, draft: SegmentDraft, wish: SegmentWish) -> EventDraft:
    return EventDraft(
        name="segment.taken",
        kind="segment",
        item_no=segment_id,
        data={"prefix": draft.prefix, "hlr": draft.hlr_code, "pool": wish.pool, "first_item_no": draft.first_item_no},
    )

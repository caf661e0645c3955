"""Intake of numbers by list: each has its segment, which gives it city, kind and HLR (REQ-NUM-02, 03, 04)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import NotFound
from inventory.domain.identifiers import NUMBER_FORMS, NumberKind, format_public_id
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import NumberEvent
from inventory.services.acting import acting
from inventory.services.intake import Progress, RowsRefused, Source, progress_of, write_batch
from inventory.services.rating import outcomes_of_segment
from inventory.store import movements, number_intake, organisation, segments, stock
from inventory.store.fees import StoredRuleSet, active_rule_set
from inventory.store.loads import FaultRow
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.number_intake import StockedNumber
from inventory.store.segments import IntakeTerms, OwnedSegment


@dataclass(frozen=True)
class NumberRow:
    """A number of a list; `hlr` is what the list says of it, None if nothing."""

    row: int
    number: str
    hlr: str | None


async def take_numbers(
    session: AsyncSession,
    caller: Caller,
    numbers: Sequence[NumberRow],
    source: Source,
    *,
    now: datetime,
    on_progress: Progress | None,
) -> dict[str, Any]:
    """Put numbers into the city's stock in the open transaction and return the load and its document.

    They are rated by the rule set in force, as those of whole segments are.

    Raises
    ------
    RowsRefused
        A number is in stock already, or belongs to no segment of the city.
    """
    await stock.lock_for_transaction(session, "segments")
    city = await organisation.city_node(session, caller.city_id)
    if city is None:
        raise NotFound(what="organisation", value=caller.city_id)
    owners = await _owners(session, numbers)
    there = await number_intake.numbers_in_stock(session, [row.number for row in numbers], city_id=caller.city_id)
    faults = [fault for row in numbers for fault in _faults(row, owners.get(row.number), there, caller.city_id)]
    if faults:
        raise RowsRefused(faults)
    rule_set = await active_rule_set(session, caller.city_id, now)
    loose = sum(owner.size == 0 for owner in owners.values())
    places = await stock.reserve_item_numbers(session, NUMBER, city_id=caller.city_id, count=loose)
    stocked = sorted(_rated(owners, rule_set, iter(places)), key=lambda number: number.item_no)
    batch_id = await write_batch(session, caller, NUMBER.name, source, len(numbers), {}, now=now)
    terms = IntakeTerms(
        city_id=caller.city_id,
        holder_id=city.id,
        pool=source.pool,
        batch_id=batch_id,
        rule_set_id=rule_set.id,
        classes=rule_set.classes,
        state=NUMBER.lifecycle.enter(NumberEvent.INTAKE),
        now=now,
    )
    await number_intake.copy_numbers(session, stocked, terms, on_progress=progress_of(on_progress, len(numbers)))
    draft = MovementDraft(
        kind=movements.INTAKE, resource=NUMBER.name, from_holder=None, to_holder=city.id, batch_id=batch_id
    )
    ranges = _runs(number.item_no for number in stocked)
    movement_id = await movements.record_movement(session, draft, ranges, **acting(caller, now))
    return {
        "id": format_public_id("b", caller.city_id, batch_id),
        "movement": format_public_id("m", caller.city_id, movement_id),
        "resource": NUMBER.name,
        "rows": len(numbers),
    }


async def _owners(session: AsyncSession, numbers: Sequence[NumberRow]) -> dict[str, OwnedSegment]:
    """Return the segment of each number that has one, whichever city owns it, in number order."""
    heads = {row.number: _heads(row.number) for row in numbers}
    wanted = {head for some in heads.values() for head in some}
    owned = {segment.prefix: segment for segment in await segments.segments_named(session, wanted)}
    found = ((number, next((owned[head] for head in heads[number] if head in owned), None)) for number in sorted(heads))
    return {number: segment for number, segment in found if segment is not None}


def _heads(number: str) -> list[str]:
    """Give the prefixes that a number's segment may have, the longest first."""
    if NUMBER_FORMS[NumberKind.MOBILE].pattern.fullmatch(number):
        return [number[: -segments.WIDTH]]
    return [number[:length] for length in range(len(number), 0, -1)]


def _faults(row: NumberRow, owner: OwnedSegment | None, there: set[str], city_id: int) -> Iterator[FaultRow]:
    """Name what keeps a number out."""
    if owner is None:
        yield FaultRow(row.row, NUMBER.key, row.number, "no_segment")
    elif owner.city_id != city_id:
        yield FaultRow(row.row, NUMBER.key, row.number, "other_city")
    elif not _fits(row.number, owner):
        yield FaultRow(row.row, NUMBER.key, row.number, "other_kind")
    elif row.number in there:
        yield FaultRow(row.row, NUMBER.key, row.number, "duplicate_in_stock")
    if owner is not None and row.hlr not in {None, owner.hlr_code}:
        yield FaultRow(row.row, "hlr", row.hlr or "", "other_hlr")


def _fits(number: str, owner: OwnedSegment) -> bool:
    """Tell whether a number is one of its segment's kind, and in a block one of the block's."""
    formed = NUMBER_FORMS[NumberKind(owner.kind)].pattern.fullmatch(number) is not None
    return formed and (not owner.size or len(owner.prefix) + segments.WIDTH == len(number))


def _rated(
    owners: Mapping[str, OwnedSegment], rule_set: StoredRuleSet, places: Iterator[int]
) -> Iterator[StockedNumber]:
    """Give each number its class and its item number: in the block of its segment, or the next of the `places`."""
    outcomes: dict[str, bytes] = {}
    for number, owner in owners.items():
        kind = NumberKind(owner.kind)
        if owner.size:
            tail = int(number[-segments.WIDTH :])
            if owner.prefix not in outcomes:
                outcomes[owner.prefix] = outcomes_of_segment(rule_set, owner.prefix, kind)
            item_no, outcome = owner.first_item_no + tail, outcomes[owner.prefix][tail]
        else:
            rated = rule_set.rules.classify(number, kind)
            item_no, outcome = next(places), rule_set.rules.outcome_code(rated.outcome)
        yield StockedNumber(item_no=item_no, number=number, kind=owner.kind, hlr_code=owner.hlr_code, outcome=outcome)


def _runs(item_nos: Iterable[int]) -> list[LedgerRange]:
    """Join item numbers, given in order, to ranges of neighbours."""
    runs: list[LedgerRange] = []
    for item_no in item_nos:
        if runs and runs[-1].hi == item_no - 1:
            runs[-1] = LedgerRange(runs[-1].lo, item_no)
        else:
            runs.append(LedgerRange(item_no, item_no))
    return runs

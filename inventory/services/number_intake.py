"""Intake of numbers by list: each has its segment, which gives it city, kind and HLR (REQ-NUM-02, 03, 04)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from inventory.domain.errors import Busy
from inventory.domain.identifiers import NUMBER_FORMS, NumberKind
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import NumberEvent
from inventory.domain.loading import BadRow
from inventory.domain.number_keys import number_keys
from inventory.services.file_reading import NumberRow
from inventory.services.intake import Delivery, Intake, Taken, Tell, city_of, in_slices, write_intake
from inventory.services.rating import outcomes_of_segment
from inventory.store import number_intake, number_kinds, segments, staging, stock
from inventory.store.engine import is_unique_violation
from inventory.store.fees import StoredRuleSet, active_rule_set
from inventory.store.loads import FaultRow
from inventory.store.segments import IntakeTerms, OwnedSegment
from inventory.store.staging import NUMBERS

_REMEMBERED = 100_000
"""Prefixes that are remembered at most: numbers without a block have one for each of their lengths."""


class NumberIntake(Intake[NumberRow]):
    """Puts numbers into the city's stock, rated by the rule set in force as those of whole segments are."""

    stage = NUMBERS

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        self._rules: StoredRuleSet | None = None
        self._closed: Collection[str] | None = None
        self._owners: dict[str, OwnedSegment | None] = {}
        self._outcomes: dict[str, bytes] = {}

    @override
    async def staged(
        self, session: AsyncSession, rows: Sequence[NumberRow]
    ) -> tuple[Iterator[Sequence[Any]], list[FaultRow]]:
        """Return the numbers rated, with their place in the block of their segment, where it has one."""
        rules = await self._rule_set(session)
        await self._find_owners(session, rows)
        if self._closed is None:
            self._closed = await number_kinds.closed_kinds(session, self.city_id)
        closed = self._closed
        owned = [(row, next(filter(None, map(self._owners.get, _heads(row.number))), None)) for row in rows]
        faults = [fault for row, owner in owned for fault in _faults(row, owner, closed, self.city_id)]
        return (self._rated(row, owner, rules) for row, owner in owned), faults

    @override
    async def find_taken(self, session: AsyncSession) -> None:
        """Note every number that the city has (REQ-NUM-04): no other can, for its segment is this city's."""
        await staging.find_stocked(session, NUMBERS, NUMBER.key, city_id=self.city_id, table=stock.stock_table(NUMBER))

    @override
    async def take(self, session: AsyncSession, count: int, tell: Tell) -> Taken:
        """Put the numbers into stock; those without a block get the next item numbers, in order of the numbers."""
        rules = await self._rule_set(session)
        await stock.lock_for_transaction(session, "segments")
        holder_id = await city_of(session, self.city_id)
        await staging.number_items(session, NUMBERS, self.ascent, count)
        loose = await number_intake.count_loose(session)
        places = await stock.reserve_item_numbers(session, NUMBER, city_id=self.city_id, count=loose)
        await number_intake.place_loose(session, places.start)
        terms = IntakeTerms(
            city_id=self.city_id,
            holder_id=holder_id,
            pool=self.delivery.terms.pool,
            batch_id=self.delivery.batch_id,
            rule_set_id=rules.id,
            classes=rules.classes,
            state=NUMBER.lifecycle.enter(NumberEvent.INTAKE),
            now=self.delivery.who["now"],
        )

        async def put(some: range) -> None:
            try:
                await number_intake.enter_numbers(session, terms, places=some)
            except IntegrityError as error:  # another load has taken one just now; run again, the check names its row
                if is_unique_violation(error):
                    raise Busy from None
                raise

        await in_slices(count, tell, put)
        ranges = await number_intake.runs(session)
        return Taken(await write_intake(session, NUMBER, self.delivery, holder_id, ranges))

    async def _rule_set(self, session: AsyncSession) -> StoredRuleSet:
        """Return the rule set in force, the same for every row of the load."""
        if self._rules is None:
            self._rules = await active_rule_set(session, self.city_id, self.delivery.who["now"])
        return self._rules

    async def _find_owners(self, session: AsyncSession, rows: Sequence[NumberRow]) -> None:
        """Learn which of the prefixes that the numbers' segments may have are segments, whichever city owns them."""
        if len(self._owners) > _REMEMBERED:
            self._owners.clear()
        heads = {head for row in rows for head in _heads(row.number)} - self._owners.keys()
        found = {segment.prefix: segment for segment in await segments.segments_named(session, heads)}
        self._owners |= {head: found.get(head) for head in heads}

    def _rated(self, row: NumberRow, owner: OwnedSegment | None, rules: StoredRuleSet) -> Sequence[Any]:
        if owner is None:
            return self.staged_names(BadRow(row.row, {"number": row.number}, row.line))
        kind, tail = NumberKind(owner.kind), row.number[-segments.WIDTH :]
        if owner.size:
            if owner.prefix not in self._outcomes:
                self._outcomes[owner.prefix] = outcomes_of_segment(rules, owner.prefix, kind)
            item_no, outcome = owner.first_item_no + int(tail), self._outcomes[owner.prefix][int(tail)]
        else:
            item_no, outcome = None, rules.rules.outcome_code(rules.rules.classify(row.number, kind).outcome)
        what = (row.row, row.line, row.number, item_no, owner.kind, owner.hlr_code)
        return (*what, outcome, rules.classes[outcome], *number_keys(row.number))


def _heads(number: str) -> list[str]:
    """Give the prefixes that a number's segment may have, the longest first."""
    if NUMBER_FORMS[NumberKind.MOBILE].pattern.fullmatch(number):
        return [number[: -segments.WIDTH]]
    return [number[:length] for length in range(len(number), 0, -1)]


def _faults(row: NumberRow, owner: OwnedSegment | None, closed: Collection[str], city_id: int) -> Iterator[FaultRow]:
    """Name what keeps a number out."""
    if owner is None:
        yield FaultRow(row.row, NUMBER.key, row.number, "no_segment", row.line)
    elif owner.city_id != city_id:
        yield FaultRow(row.row, NUMBER.key, row.number, "other_city", row.line)
    elif owner.kind in closed:
        yield FaultRow(row.row, NUMBER.key, row.number, "kind_closed", row.line)
    elif not _fits(row.number, owner):
        yield FaultRow(row.row, NUMBER.key, row.number, "other_kind", row.line)
    if owner is not None and row.hlr not in {None, owner.hlr_code}:
        yield FaultRow(row.row, "hlr", row.hlr or "", "other_hlr", row.line)


def _fits(number: str, owner: OwnedSegment) -> bool:
    """Tell whether a number is one of its segment's kind, and in a block one of the block's."""
    formed = NUMBER_FORMS[NumberKind(owner.kind)].pattern.fullmatch(number) is not None
    return formed and (not owner.size or len(owner.prefix) + segments.WIDTH == len(number))

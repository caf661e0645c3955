"""Stock for the benches of holds: numbers of one class, blank cards and data units in one hall, ready to be sold."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.cli.bench import copying
from inventory.cli.bench.ground import Ground
from inventory.cli.demo.operator import HLR
from inventory.cli.demo.vendor import CARD_KIND
from inventory.domain.identifiers import NumberKind
from inventory.services.organisation import HALL_POOL
from inventory.store import segments
from inventory.store.card_intake import CardTerms
from inventory.store.fees import active_rule_set
from inventory.store.segments import SIZE, IntakeTerms, SegmentDraft

_PREFIX = 1380000
_BATCH = 1


@dataclass(frozen=True)
class Shelves:
    """What is there to hold: item `n` of each kind, for `n` from 0 below `count`; all numbers have one class."""

    count: int
    number_class: int
    outcome: int
    rule_set_id: int

    @staticmethod
    def number(item_no: int) -> str:
        """Give the number of an item."""
        return f"{_PREFIX + item_no // SIZE}{item_no % SIZE:04d}"

    @staticmethod
    def iccid(item_no: int) -> str:
        """Give the ICCID of a card."""
        return f"898600A3{item_no:012d}"


async def stocked(ground: Ground, count: int) -> Shelves:
    """Put `count` numbers, cards and data units on the hall's shelves, each kind numbered from 0."""
    holder = ground.seller.org_id
    async with ground.at_once() as session:
        rule_set = await active_rule_set(session, ground.caller.city_id, ground.now)
        outcome = rule_set.classes.index(rule_set.rules.ordinary)
        drafts = [
            SegmentDraft(
                prefix=str(_PREFIX + place),
                kind=NumberKind.MOBILE,
                carrier="mobile",
                hlr_code=HLR,
                group_id=None,
                first_item_no=place * SIZE,
                outcomes=bytes([outcome]) * SIZE,
            )
            for place in range(-(-count // SIZE))
        ]
        numbers = IntakeTerms(
            city_id=ground.caller.city_id,
            holder_id=holder,
            pool=HALL_POOL,
            batch_id=_BATCH,
            rule_set_id=rule_set.id,
            classes=rule_set.classes,
            state="UNUSED",
            now=ground.now,
        )
        await segments.generate_numbers(session, drafts, numbers)
        cards = CardTerms(
            city_id=ground.caller.city_id,
            holder_id=holder,
            kind_code=CARD_KIND,
            pool=HALL_POOL,
            batch_id=_BATCH,
            state="AVAILABLE",
            now=ground.now,
        )
        blanks = (copying.StockedCard(item_no=no, iccid=Shelves.iccid(no), serial=f"{no:020d}") for no in range(count))
        await copying.copy_cards(session, blanks, (), cards, on_progress=None)
        await copying.copy_data_units(
            session,
            [(f"46000{number:010d}", HLR) for number in range(count)],
            first=0,
            city_id=ground.caller.city_id,
            batch_id=_BATCH,
            state="FREE",
            now=ground.now,
            on_progress=None,
        )
    ground.engine.sql("VACUUM ANALYZE", "CHECKPOINT")
    return Shelves(count, rule_set.rules.ordinary, outcome, rule_set.id)

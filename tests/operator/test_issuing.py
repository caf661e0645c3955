"""The four steps together: a real HTTP system, the station's own runner and journal, a card that obeys it alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from cardwriter.profiles import CardFacts, Failure, Kind, identify_script, read_facts
from cardwriter.profiles.relay import Applied, applied, apply_script, read_serial, settled
from cardwriter.script import Outcome, Report, Script
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from drivers.virtual import VirtualSource
from inventory.operator.adapter import CardSaid, Issue, IssueWish, OperatorUnavailable
from inventory.operator.reference import ReferenceAdapter
from tests.cards.hall import InSlot
from tests.operator.card_system import CardSystem, OperatorsCard

pytestmark = pytest.mark.anyio
SERIAL: Final = "20260100000000000042"
NOW: Final = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LATER: Final = int(NOW.timestamp()) + 600


class Counter:
    """A station with a card in its reader."""

    def __init__(self, folder: Path, card: OperatorsCard) -> None:
        self.card, self.source = card, VirtualSource(InSlot(card))
        self.folder, self.journal = folder, Journal(folder)

    def run(self, script: Script) -> Report:
        entry = self.journal.open(script, job="j-1", reader="virtual", insertion=1)
        assert entry is not None
        card = self.source.connect("virtual")
        try:
            return run(card, script, entry, on_step=lambda *_: None, cancelled=lambda: False, now=NOW)
        finally:
            card.close()

    def facts(self, name: str = "identify") -> CardFacts:
        return read_facts(self.run(identify_script(name, LATER)))


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return Counter(tmp_path, OperatorsCard(SERIAL))


def wish_of(facts: CardFacts) -> IssueWish:
    return IssueWish(request="j-530700-7", serial=read_serial(facts), product="OPERATOR-5G")


def report_of(issue: Issue, found: Applied, serial: str = SERIAL) -> CardSaid:
    return CardSaid(transaction=issue.transaction, serial=serial, answer=found.answer or None, sw=found.sw)


async def test_a_blank_is_issued_and_the_systems_word_makes_it_written(
    counter: Counter, system: CardSystem, adapter: ReferenceAdapter
) -> None:
    facts = counter.facts()
    issue = await adapter.request(wish_of(facts))
    script = apply_script(facts, issue.parts, "issue", LATER)
    found = applied(script, counter.run(script))
    assert (found.verdict.kind, len(found.answer)) == (Kind.UNKNOWN, 8)
    receipt = await adapter.report(report_of(issue, found))
    assert settled(found, accepted=receipt.accepted).kind is Kind.VERIFIED
    assert system.accepted == {"T-1": True}
    assert counter.facts("again").iccid == issue.iccid


async def test_the_cards_answer_outlives_a_killed_station(counter: Counter, adapter: ReferenceAdapter) -> None:
    """REQ-HW-07: written but not reported is repaired without a new card."""
    facts = counter.facts()
    issue = await adapter.request(wish_of(facts))
    script = apply_script(facts, issue.parts, "issue", LATER)
    counter.run(script)
    counter.journal.close()
    filed = Journal(counter.folder).find("issue")
    assert filed is not None
    found = applied(script, filed.report)
    assert settled(found, accepted=(await adapter.report(report_of(issue, found))).accepted).kind is Kind.VERIFIED
    kept = b"".join(path.read_bytes() for path in counter.folder.iterdir())
    assert not any(part in kept for part in issue.parts)


async def test_data_of_another_card_are_refused_by_the_card_and_the_system(
    counter: Counter, adapter: ReferenceAdapter
) -> None:
    facts = counter.facts()
    issue = await adapter.request(replace(wish_of(facts), serial="2026010000000043"))
    script = apply_script(facts, issue.parts, "issue", LATER)
    found = applied(script, counter.run(script))
    assert (found.answer, found.sw, found.verdict.kind) == (b"", 0x6A80, Kind.UNKNOWN)
    receipt = await adapter.report(report_of(issue, found))
    verdict = settled(found, accepted=receipt.accepted)
    assert (verdict.kind, verdict.failure, verdict.sw) == (Kind.DAMAGED, Failure.VERIFY_MISMATCH, 0x6A80)


async def test_while_the_system_cannot_be_told_the_card_stays_unknown(
    counter: Counter, system: CardSystem, adapter: ReferenceAdapter
) -> None:
    facts = counter.facts()
    issue = await adapter.request(wish_of(facts))
    script = apply_script(facts, issue.parts, "issue", LATER)
    found = applied(script, counter.run(script))
    system.instead = lambda _number, _path: (503, b"")
    with pytest.raises(OperatorUnavailable):
        await adapter.report(report_of(issue, found))
    verdict = settled(found, accepted=None)
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.REPORT_FAILED)
    system.instead = lambda _number, _path: None
    assert settled(found, accepted=(await adapter.report(report_of(issue, found))).accepted).kind is Kind.VERIFIED


async def test_another_card_in_the_reader_gets_nothing(counter: Counter, adapter: ReferenceAdapter) -> None:
    facts = counter.facts()
    issue = await adapter.request(wish_of(facts))
    other = OperatorsCard("20260100000000000043")
    counter.source.insert(InSlot(other))
    script = apply_script(facts, issue.parts, "issue", LATER)
    report = counter.run(script)
    assert (report.outcome, report.error, bytes(other.got)) == (Outcome.REFUSED, "other_card", b"")
    assert settled(applied(script, report), accepted=None).kind is Kind.NOTHING_WRITTEN

from __future__ import annotations

from dataclasses import replace

import pytest

from cardwriter.profiles import CardFacts, CardRefused, Failure, Kind, Verdict, identify_script, read_facts
from cardwriter.profiles.relay import Applied, applied, apply_script, read_back, read_serial, settled
from cardwriter.script import Outcome, Report, StepResult
from cardwriter.usim.identity import encode_imsi
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import EXPIRES, IMSI, SERIAL, a_blank
from tests.cardwriter.station import run

PARTS = (b"\x01first", b"\x00last")


@pytest.fixture
def facts() -> CardFacts:
    return read_facts(run(VirtualUicc(a_blank(iccid=None)), identify_script("identify", EXPIRES)))


def report(*words: int, outcome: Outcome = Outcome.COMPLETED, changed: bool = True, data: bytes = b"mac") -> Report:
    names = ("issue.1", "issue.2")
    results = tuple(StepResult(name=name, sw=sw, data=data) for name, sw in zip(names, words, strict=False))
    return Report(script_id="issue", outcome=outcome, results=results, changed=changed)


def found(facts: CardFacts, said: Report) -> Applied:
    return applied(apply_script(facts, PARTS, "issue", EXPIRES), said)


def test_the_serial_of_a_blank_is_what_the_operator_knows_it_by(facts: CardFacts) -> None:
    assert read_serial(facts) == SERIAL
    assert read_serial(replace(facts, serial="2026010000000043")) == "2026010000000043"


@pytest.mark.parametrize("serial", [None, "", "123", "1" * 18])
def test_a_card_without_such_a_serial_is_of_another_kind(facts: CardFacts, serial: str | None) -> None:
    with pytest.raises(CardRefused) as refused:
        read_serial(replace(facts, serial=serial))
    assert refused.value.failure is Failure.WRONG_KIND


def test_a_card_that_bears_an_identity_is_not_issued_again(facts: CardFacts) -> None:
    with pytest.raises(CardRefused) as refused:
        apply_script(replace(facts, imsi_usim=encode_imsi(IMSI)), PARTS, "issue", EXPIRES)
    assert refused.value.failure is Failure.NOT_BLANK


def test_the_parts_go_to_that_card_unchanged_and_in_order(facts: CardFacts) -> None:
    script = apply_script(facts, PARTS, "issue", EXPIRES)
    assert [step.apdu.hex() for step in script.steps] == [
        "80c2000006" + PARTS[0].hex() + "00",
        "80c200000500" + b"last".hex() + "00",
    ]
    assert all(step.changes_card and step.returns for step in script.steps)
    assert (script.card, script.serial) == (None, (facts.serial_raw or b"").hex())
    assert "6c617374" not in repr(script)


@pytest.mark.parametrize("parts", [(), (b"",), (bytes(256),), (b"x",) * 65])
def test_issue_data_that_fit_no_commands_are_refused(facts: CardFacts, parts: tuple[bytes, ...]) -> None:
    with pytest.raises(CardRefused) as refused:
        apply_script(facts, parts, "issue", EXPIRES)
    assert refused.value.failure is Failure.DATA_NOT_AVAILABLE


@pytest.mark.parametrize(
    ("said", "accepted", "kind", "failure"),
    [
        (report(0x9000, 0x9000), True, Kind.VERIFIED, None),
        (report(0x9000, 0x9000), False, Kind.DAMAGED, Failure.VERIFY_MISMATCH),
        (report(0x9000, 0x9000), None, Kind.UNKNOWN, Failure.REPORT_FAILED),
        (report(0x9000, 0x9000, data=b""), True, Kind.UNKNOWN, Failure.NOT_PROVEN),
        (report(0x9000, outcome=Outcome.LOST), True, Kind.UNKNOWN, Failure.NOT_PROVEN),
        (report(0x9000, outcome=Outcome.LOST), False, Kind.DAMAGED, Failure.VERIFY_MISMATCH),
        (report(0x6A80, outcome=Outcome.STOPPED), False, Kind.DAMAGED, Failure.VERIFY_MISMATCH),
        (report(0x6581, outcome=Outcome.STOPPED), True, Kind.DAMAGED, Failure.WRITE_ERROR),
        (report(outcome=Outcome.REFUSED, changed=False), False, Kind.NOTHING_WRITTEN, Failure.REFUSED),
        (report(outcome=Outcome.CANCELLED, changed=False), None, Kind.NOTHING_WRITTEN, Failure.CANCELLED),
    ],
)
def test_the_operators_word_on_the_cards_answer_decides(
    facts: CardFacts, said: Report, *, accepted: bool | None, kind: Kind, failure: Failure | None
) -> None:
    verdict = settled(found(facts, said), accepted=accepted)
    assert (verdict.kind, verdict.failure) == (kind, failure)


def test_only_the_answer_to_the_last_part_is_the_cards_answer(facts: CardFacts) -> None:
    assert found(facts, report(0x9000, 0x9000)).answer == b"mac"
    assert found(facts, report(0x9000, outcome=Outcome.LOST)).answer == b""
    assert found(facts, report(0x9000)).answer == b"", "a report that says completed but lacks a result"
    assert found(facts, report(outcome=Outcome.LOST)).sw is None
    assert "mac" not in repr(found(facts, report(0x9000, 0x9000)))


def test_a_report_of_another_script_is_not_taken(facts: CardFacts) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        found(facts, replace(report(0x9000), script_id="other"))


@pytest.mark.parametrize(
    ("read", "ends"),
    [
        ("89860077000000000001", Verdict(kind=Kind.VERIFIED, iccid="89860077000000000001")),
        (None, Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN, detail="the card was not read after it")),
        ("", Verdict(kind=Kind.DAMAGED, failure=Failure.VERIFY_MISMATCH, detail="it bears another ICCID")),
        (
            "89860077000000000002",
            Verdict(kind=Kind.DAMAGED, failure=Failure.VERIFY_MISMATCH, detail="it bears another ICCID"),
        ),
    ],
)
def test_an_accepted_card_must_bear_the_number_of_its_issue(read: str | None, ends: Verdict) -> None:
    """REQ-HW-12: the ICCID in stock is the one read back."""
    assert read_back(Verdict(kind=Kind.VERIFIED), iccid="89860077000000000001", read=read) == ends


def test_reading_makes_no_other_verdict_better() -> None:
    unknown = Verdict(kind=Kind.UNKNOWN, failure=Failure.REPORT_FAILED)
    assert read_back(unknown, iccid="89860077000000000001", read="89860077000000000001") == unknown

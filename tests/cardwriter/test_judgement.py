"""Verdicts on reports that no well-behaved card gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.crypto.tuak import Tuak
from cardwriter.profiles import (
    CardFacts,
    Expectation,
    Failure,
    Kind,
    Verdict,
    challenge,
    identify_script,
    profile,
    read_facts,
    settle,
)
from cardwriter.profiles.judgement import VERIFY_ADM, judge_proof, tells_of_adm
from cardwriter.script import Outcome, Report, Script, StepResult
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import (
    EXPIRES,
    ICCID,
    OPC,
    RAND,
    K,
    a_blank,
    blank_for,
    identify,
    some_data,
    some_data_for,
)
from tests.cardwriter.station import run

FAMILY = profile("preset_key")
KEYS = Milenage(K, OPC)
ASKED = challenge(KEYS, RAND)
ANSWER = KEYS.f2345(RAND)


def fields(*values: bytes) -> bytes:
    return b"".join(bytes([len(value)]) + value for value in values)


TUAK = Tuak(Secret(bytes(32)), Secret(bytes(32)), mac_bits=128, res_bits=256, ck_bits=256, ik_bits=256)


def proof(sw: int, data: bytes = b"", keys: AuthAlgorithm = KEYS) -> Verdict:
    return judge_proof(StepResult(name="authenticate", sw=sw, data=data), keys, challenge(keys, RAND))


def written() -> tuple[CardImage, CardFacts]:
    """Return a card that was written, and its facts from before."""
    image = a_blank()
    facts = read_facts(run(VirtualUicc(image), identify_script("identify", EXPIRES)))
    run(VirtualUicc(image), FAMILY.write_script(facts, some_data(), "write", EXPIRES))
    return image, facts


def verified(facts: CardFacts, image: CardImage) -> tuple[Script, Report, Expectation]:
    script = FAMILY.verify_script(facts, some_data(), ASKED, "verify", EXPIRES)
    return script, run(VirtualUicc(image), script), Expectation(facts, some_data(), KEYS, ASKED)


def changed(report: Report, name: str, sw: int, data: bytes = b"") -> Report:
    other = StepResult(name=name, sw=sw, data=data)
    return replace(report, results=tuple(other if one.name == name else one for one in report.results))


# The proof


@pytest.mark.parametrize("sw", [0x9000, 0x9110])
@pytest.mark.parametrize("keys", [KEYS, Milenage(K, OPC, res_bits=32), TUAK])
def test_right_answer_is_a_proof_with_or_without_kc(keys: AuthAlgorithm, sw: int) -> None:
    answer = keys.f2345(RAND)
    data = b"\xdb" + fields(answer.res, answer.ck, answer.ik)
    for said in (data, data + fields(answer.kc)):
        assert (proof(sw, said, keys).kind, proof(sw, said, keys).sqn_ms) == (Kind.VERIFIED, 0)


@pytest.mark.parametrize("keys", [KEYS, TUAK])
def test_right_resynchronisation_is_a_proof_and_tells_the_cards_number(keys: AuthAlgorithm) -> None:
    verdict = proof(0x9000, b"\xdc" + fields(keys.auts(RAND, 0x1234)), keys)
    assert verdict == Verdict(kind=Kind.VERIFIED, sqn_ms=0x1234)


@pytest.mark.parametrize(
    "answer",
    [
        b"\xdb" + fields(ANSWER.res, ANSWER.ik, ANSWER.ck),
        b"\xdb" + fields(bytes(8), ANSWER.ck, ANSWER.ik),
        b"\xdc" + fields(bytes(14)),
        b"\xdc" + fields(KEYS.auts(bytes(16), 0)),
    ],
)
def test_wrong_answer_is_a_wrong_key(answer: bytes) -> None:
    assert (proof(0x9000, answer).kind, proof(0x9000, answer).failure) == (Kind.DAMAGED, Failure.WRONG_KEY)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xdb",
        b"\xdb" + fields(ANSWER.res, ANSWER.ck),
        b"\xdb" + fields(ANSWER.res, ANSWER.ck, ANSWER.ik)[:-1],
        b"\xdb" + fields(ANSWER.res[:4], ANSWER.ck, ANSWER.ik),
        b"\xdc" + fields(KEYS.auts(RAND, 0)[:-1]),
        b"\x99" + fields(ANSWER.res, ANSWER.ck, ANSWER.ik),
        b"\x04" + ANSWER.sres + fields(ANSWER.kc),
    ],
)
def test_answer_of_another_shape_neither_proves_nor_disproves(answer: bytes) -> None:
    assert (proof(0x9000, answer).kind, proof(0x9000, answer).failure) == (Kind.UNKNOWN, Failure.NOT_PROVEN)


def test_wrong_mac_is_the_one_status_word_that_disproves_the_keys() -> None:
    """REQ-HW-08: a card is called damaged by what it says, never by what it keeps to itself."""
    right = b"\xdb" + fields(ANSWER.res, ANSWER.ck, ANSWER.ik)
    spoke = {sw: verdict for sw in range(0x6000, 0xA000) if (verdict := proof(sw, right)).kind is not Kind.UNKNOWN}
    damaged = {sw: verdict.failure for sw, verdict in spoke.items() if verdict.kind is Kind.DAMAGED}
    assert damaged == {0x9862: Failure.WRONG_KEY, 0x6581: Failure.WRITE_ERROR, 0x9240: Failure.WRITE_ERROR}
    assert spoke.keys() - damaged.keys() == {0x9000, *range(0x9100, 0x9200)}


@pytest.mark.parametrize("sw", [0x6982, 0x6985, 0x6A86, 0x6A88, 0x6D00, 0x6F00, 0x6400, 0x9864, 0x9865])
def test_card_that_does_not_answer_the_challenge_is_asked_again(sw: int) -> None:
    assert proof(sw) == Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN, step="authenticate", sw=sw)


# Reading back


def test_blank_card_read_back_says_that_nothing_was_written() -> None:
    image, facts = written()
    image.files["7fff/6f07"].content = b"\xff" * 9
    script, report, expected = verified(facts, image)
    assert FAMILY.judge_verify(script, report, expected) == Verdict(kind=Kind.NOTHING_WRITTEN)


@pytest.mark.parametrize("sw", [0x6282, 0x6982, 0x6F00])
@pytest.mark.parametrize("data", [b"", b"\x11" * 10])
def test_card_whose_number_was_not_read_is_never_verified(sw: int, data: bytes) -> None:
    """REQ-HW-08: a report that went on where its script stops belies itself, however well the rest fits."""
    image, facts = written()
    script, report, expected = verified(facts, image)
    verdict = FAMILY.judge_verify(script, changed(report, "read.iccid", sw, data), expected)
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.READER_LOST)


def test_imsi_answered_without_a_byte_does_not_say_that_nothing_was_written() -> None:
    image, facts = written()
    script, report, expected = verified(facts, image)
    silent = changed(changed(report, "read.gsm_imsi", 0x9000), "read.imsi", 0x9000)
    verdict = FAMILY.judge_verify(script, silent, expected)
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.READER_LOST)


@pytest.mark.parametrize(
    ("sw", "failure"),
    [
        (0x6F00, Failure.READER_LOST),
        (0x9000, Failure.READER_LOST),
        (0x6982, Failure.NOT_PROVEN),
        (0x6A82, Failure.NOT_PROVEN),
    ],
)
def test_file_that_the_card_does_not_give_is_read_again(sw: int, failure: Failure) -> None:
    image, facts = written()
    script, report, expected = verified(facts, image)
    verdict = FAMILY.judge_verify(script, changed(report, "read.loci", sw, b"\xff"), expected)
    assert verdict == Verdict(kind=Kind.UNKNOWN, failure=failure, step="read.loci", sw=sw)


@pytest.mark.parametrize(("sw", "data"), [(0x6281, b""), (0x6581, b""), (0x9000, bytes(11))])
def test_file_with_other_or_corrupted_bytes_is_a_mismatch(sw: int, data: bytes) -> None:
    image, facts = written()
    script, report, expected = verified(facts, image)
    verdict = FAMILY.judge_verify(script, changed(report, "read.loci", sw, data), expected)
    assert verdict == Verdict(kind=Kind.DAMAGED, failure=Failure.VERIFY_MISMATCH, step="read.loci", sw=sw)


def test_verify_without_its_proof_step_proves_nothing() -> None:
    image, facts = written()
    script, report, expected = verified(facts, image)
    short = replace(script, steps=script.steps[:-1])
    verdict = FAMILY.judge_verify(short, replace(report, results=report.results[:-1]), expected)
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.NOT_PROVEN)


def test_verify_that_never_started_leaves_the_card_unknown() -> None:
    image, facts = written()
    script, _, expected = verified(facts, image)
    refused = Report(script_id="verify", outcome=Outcome.REFUSED, results=(), error="expired", changed=False)
    verdict = FAMILY.judge_verify(script, refused, expected)
    assert (verdict.kind, verdict.failure, verdict.detail) == (Kind.UNKNOWN, Failure.REFUSED, "expired")


# Writing


@pytest.mark.parametrize(
    ("outcome", "error", "failure"),
    [
        (Outcome.REFUSED, "other_card", Failure.REFUSED),
        (Outcome.CANCELLED, None, Failure.CANCELLED),
        (Outcome.LOST, "no_card", Failure.READER_LOST),
    ],
)
@pytest.mark.parametrize("sent", [False, True])
def test_only_a_journal_that_proves_it_makes_nothing_written(
    outcome: Outcome, error: str | None, failure: Failure, *, sent: bool
) -> None:
    script = FAMILY.write_script(written()[1], some_data(), "write", EXPIRES)
    report = Report(script_id="write", outcome=outcome, results=(), error=error, changed=sent)
    verdict = FAMILY.judge_write(script, report)
    assert verdict.kind is (Kind.UNKNOWN if sent else Kind.NOTHING_WRITTEN)
    assert (verdict.failure, verdict.detail) == (failure, error)


def test_stopped_run_without_any_result_is_unknown() -> None:
    script = FAMILY.write_script(written()[1], some_data(), "write", EXPIRES)
    verdict = FAMILY.judge_write(script, Report(script_id="write", outcome=Outcome.STOPPED, results=()))
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.READER_LOST)


def test_journal_that_denies_a_change_beside_the_result_of_one_is_not_believed() -> None:
    """REQ-HW-08: an inconsistent report leaves the card unknown."""
    script = FAMILY.write_script(written()[1], some_data(), "write", EXPIRES)
    honest = run(VirtualUicc(a_blank()), script)
    for count, kind in ((2, Kind.NOTHING_WRITTEN), (3, Kind.UNKNOWN), (len(script.steps) - 1, Kind.UNKNOWN)):
        lost = replace(honest, outcome=Outcome.LOST, error="reader_lost", results=honest.results[:count], changed=False)
        assert FAMILY.judge_write(script, lost).kind is kind, count


@pytest.mark.parametrize(
    ("sw", "kind"),
    [(0x6985, Kind.NOTHING_WRITTEN), (0x6581, Kind.DAMAGED), (0x9000, Kind.UNKNOWN), (0x63C1, Kind.UNKNOWN)],
)
def test_run_counts_as_stopped_only_by_an_answer_that_its_last_step_does_not_expect(sw: int, kind: Kind) -> None:
    script = FAMILY.write_script(written()[1], some_data(), "write", EXPIRES)
    results = run(VirtualUicc(a_blank()), script).results
    last = next(index for index, result in enumerate(results) if result.name == "update.ad")
    stopped = (*results[:last], replace(results[last], sw=sw))
    report = Report(script_id="write", outcome=Outcome.STOPPED, results=stopped)
    assert FAMILY.judge_write(script, report).kind is kind


def test_results_that_are_not_this_scripts_steps_are_not_judged() -> None:
    script = FAMILY.write_script(written()[1], some_data(), "write", EXPIRES)
    strange = (StepResult(name="update.imsi", sw=0x9000),)
    with pytest.raises(ValueError, match="does not belong"):
        FAMILY.judge_write(script, Report(script_id="write", outcome=Outcome.STOPPED, results=strange))


# Settling


def test_unknown_card_is_settled_by_reading_it() -> None:
    _, blank = written()
    full = replace(blank, imsi_usim=bytes.fromhex("084906002143658709"))
    proven = Verdict(kind=Kind.VERIFIED, iccid=ICCID)
    assert settle(blank, proven).kind is Kind.NOTHING_WRITTEN
    assert settle(full, proven) is proven
    assert settle(replace(blank, gsm_hidden=True), None).kind is Kind.UNKNOWN
    assert settle(full, None) == Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN)


@pytest.mark.parametrize(
    ("sw", "begun", "tells"),
    [(0x9000, True, True), (0x63C2, True, False), (0x6F00, True, False), (None, True, False), (None, False, True)],
    ids=["accepted", "refused", "an odd answer", "sent without an answer", "never sent"],
)
def test_a_report_tells_of_the_adm_key_only_if_it_was_accepted_or_never_sent(
    sw: int | None, *, begun: bool, tells: bool
) -> None:
    results = () if sw is None else (StepResult(name=VERIFY_ADM, sw=sw, data=b""),)
    report = Report(script_id="s", outcome=Outcome.LOST, results=results, changed=begun)
    assert tells_of_adm(report) is tells


def test_adm_key_was_not_sent_where_the_card_opens_no_channel_for_it() -> None:
    """REQ-HW-06: opening the channel counts as a change, and the key comes after it."""
    family = profile("scp03")
    image = blank_for(family)
    card = VirtualUicc(image)
    script = family.write_script(identify(family, card), some_data_for(family), "write", EXPIRES)
    image.faults = [Fault(FaultKind.ANSWER, ins=0x82, sw=0x6300)]
    report = run(card, script)
    assert (report.outcome, report.changed, report.results[-1].name) == (Outcome.STOPPED, True, "channel.open")
    assert tells_of_adm(report)
    assert not tells_of_adm(replace(report, outcome=Outcome.LOST))
    assert not tells_of_adm(replace(report, results=()))

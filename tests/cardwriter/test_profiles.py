"""The suite that every card family passes, on a virtual card of its product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import (
    PROFILES,
    CardFacts,
    CardFamily,
    CardProfile,
    CardRefused,
    Expectation,
    Failure,
    Kind,
    Personalisation,
    Verdict,
    challenge,
    identify_script,
    matching,
    profile,
    settle,
)
from cardwriter.script import Outcome, Purpose, Report, Script
from cardwriter.usim.bcd import is_blank
from cardwriter.usim.files import Pin
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import (
    ADM1,
    EXPIRES,
    ICCID,
    KEYS,
    OPC,
    RAND,
    SERIAL,
    K,
    a_blank,
    blank_for,
    identify,
    some_data_for,
)
from tests.cardwriter.station import run


@pytest.fixture(params=PROFILES, ids=lambda one: one.name)
def family(request: pytest.FixtureRequest) -> CardProfile:
    """Each registered profile in turn."""
    found: CardProfile = request.param
    return found


@pytest.fixture
def image(family: CardProfile) -> CardImage:
    """Return a blank card of the family's product."""
    return blank_for(family)


def write(family: CardProfile, card: VirtualUicc, facts: CardFacts, data: Personalisation) -> Verdict:
    script = family.write_script(facts, data, "write", EXPIRES)
    return family.judge_write(script, run(card, script))


def verify(family: CardProfile, card: VirtualUicc, facts: CardFacts, data: Personalisation) -> Verdict:
    asked = challenge(KEYS, RAND)
    script = family.verify_script(facts, data, asked, "verify", EXPIRES)
    return family.judge_verify(script, run(card, script), Expectation(facts, data, KEYS, asked))


def read_again(family: CardProfile, card: VirtualUicc, data: Personalisation) -> Verdict:
    """Settle as the service does: identify, and verify only what is not blank."""
    facts = identify(family, card)
    return settle(
        facts, verify(family, card, facts, data) if not family.is_blank(facts) else None, blank=family.is_blank(facts)
    )


def test_identify_tells_who_the_card_is_and_that_it_is_blank(family: CardProfile, image: CardImage) -> None:
    """REQ-HW-02: recognised by file probe. REQ-HW-03: blank when both IMSI files are all FF."""
    facts = identify(family, VirtualUicc(image))
    assert facts.iccid == ("" if family.name == "serial_only" else ICCID)
    assert facts.serial == (SERIAL if "2f02" in image.files else None)
    assert facts.mnc_length == 2
    assert facts.pin1_enabled is False
    assert facts.adm_tries == 3
    assert facts.sizes["EF.SMSP"] == 40
    assert family in matching(facts)
    assert family.is_blank(facts)


def test_identify_changes_nothing_and_spends_no_try(image: CardImage) -> None:
    saves: list[CardImage] = []
    run(VirtualUicc(image, saves.append), identify_script("identify", EXPIRES))
    assert saves == []


def test_blank_card_becomes_verified(family: CardProfile, image: CardImage) -> None:
    """REQ-HW-04: identify, blank test, write, read back, proof. REQ-HW-12: the ICCID reported is the one read back."""
    card = VirtualUicc(image)
    facts, data = identify(family, card), some_data_for(family)
    written = write(family, card, facts, data)
    assert (written.kind, written.failure) == (Kind.UNKNOWN, Failure.NOT_PROVEN)
    proven = verify(family, card, facts, data)
    assert (proven.kind, proven.failure, proven.iccid, proven.sqn_ms) == (Kind.VERIFIED, None, ICCID, 0)
    assert read_again(family, card, data).kind is Kind.VERIFIED


def test_both_directories_hold_the_imsi(family: CardProfile, image: CardImage) -> None:
    card = VirtualUicc(image)
    write(family, card, identify(family, card), some_data_for(family))
    facts = identify(family, card)
    assert facts.imsi_usim == facts.imsi_gsm == bytes.fromhex("084906002143658709")


def test_proof_leaves_the_cards_sequence_number_alone(family: CardProfile, image: CardImage) -> None:
    image.seqs = {0: 2}
    card = VirtualUicc(image)
    facts, data = identify(family, card), some_data_for(family)
    write(family, card, facts, data)
    assert verify(family, card, facts, data).sqn_ms == 0x40
    assert image.seqs == {0: 2}


def test_imsi_is_the_last_file_written(family: CardProfile, image: CardImage) -> None:
    script = family.write_script(identify(family, VirtualUicc(image)), some_data_for(family), "write", EXPIRES)
    assert script.steps[-1].name == "update.imsi"
    if family.name == "serial_only":
        assert (script.card, script.serial) == (None, image.files["2f02"].content.hex())
    else:
        assert (script.card, script.serial) == (image.files["2fe2"].content.hex(), None)


def test_adm_counter_is_asked_before_the_one_try(family: CardProfile, image: CardImage) -> None:
    script = family.write_script(identify(family, VirtualUicc(image)), some_data_for(family), "write", EXPIRES)
    names = [step.name for step in script.steps]
    assert names.index("query.adm1") < names.index("verify.adm1")
    assert names.count("verify.adm1") == 1


def test_only_card_changing_steps_of_a_write_are_journaled(family: CardProfile, image: CardImage) -> None:
    facts = identify(family, VirtualUicc(image))
    write_script = family.write_script(facts, some_data_for(family), "write", EXPIRES)
    opening = {"channel"} if family.greeting else set()
    changing = {step.name.partition(".")[0] for step in write_script.steps if step.changes_card}
    assert changing == {"verify", "update"} | opening
    verify_script = family.verify_script(facts, some_data_for(family), challenge(KEYS, RAND), "verify", EXPIRES)
    assert not any(step.changes_card for step in verify_script.steps)
    assert verify_script.purpose is Purpose.VERIFY


def test_twelve_files_written_and_read_back_in_forty_commands() -> None:
    """The field's usual tool needs 158 without reading back. Two are left for the station to see whose card it is."""
    card = VirtualUicc(a_blank())
    family = profile("preset_key")
    facts, data = identify(family, card), some_data_for(family, msisdn=None)
    script = family.write_script(facts, data, "write", EXPIRES)
    assert sum(step.name.startswith("update.") for step in script.steps) == 12
    card.apdus = 0
    run(card, script)
    assert verify(family, card, facts, data).kind is Kind.VERIFIED
    assert card.apdus + 2 <= 40


def test_card_without_a_number_does_not_keep_that_of_its_last_kit(family: CardProfile) -> None:
    """REQ-HW-09: a write that broke off leaves files behind, and the card's next kit may have no number to write."""
    image = blank_for(family)
    card = VirtualUicc(image)
    write(family, card, identify(family, card), some_data_for(family))
    for path in ("7fff/6f07", "7f20/6f07", *(("2fe2",) if family.assigns_iccid else ())):
        mark = image.file(path)
        assert mark is not None
        mark.content = b"\xff" * len(mark.content)
    begun, other = identify(family, card), some_data_for(family, msisdn=None)
    assert begun.own_number
    write(family, card, begun, other)
    number = image.file("7fff/6f40")
    assert number is not None
    assert is_blank(number.content)
    assert verify(family, card, begun, other).kind is Kind.VERIFIED


# Power cuts and other faults


def _commands(family: CardProfile, script: Callable[[CardFacts], Script]) -> int:
    card = VirtualUicc(blank_for(family))
    facts = identify(family, card)
    card.apdus = 0
    run(card, script(facts))
    return card.apdus


@pytest.mark.parametrize("kind", [FaultKind.DIE_BEFORE, FaultKind.DIE_AFTER])
def test_power_cut_at_any_command_of_a_write_ends_in_a_true_verdict(family: CardProfile, kind: FaultKind) -> None:
    """REQ-HW-08: loss in mid-write stays unknown until the card is read again, which decides. REQ-HW-09."""
    data = some_data_for(family)
    for at in range(1, _commands(family, lambda facts: family.write_script(facts, data, "write", EXPIRES)) + 1):
        image = blank_for(family)
        card = VirtualUicc(image)
        facts = identify(family, card)
        image.faults = [Fault(kind, at)]
        first = write(family, card, facts, data)
        harmless = 4 if family.greeting else 2  # SELECT and the counter; INITIALIZE UPDATE and its GET RESPONSE
        assert first.kind is (Kind.NOTHING_WRITTEN if at <= harmless else Kind.UNKNOWN), at
        assert image.codes[family.adm].tries == 3

        settled = read_again(family, card, data)
        assert settled.kind is _truth(image), (at, settled)
        if settled.kind is Kind.NOTHING_WRITTEN:
            again = identify(family, card)
            write(family, card, again, data)
            assert verify(family, card, again, data).kind is Kind.VERIFIED


def _truth(image: CardImage) -> Kind:
    """Say from the card's own files what has become of it: all that hold an IMSI are blank, or none, or some."""
    found = [image.file(path) for path in ("7fff/6f07", "7f20/6f07")]
    written = [file.content[0] != 0xFF for file in found if file is not None]
    if all(written):
        return Kind.VERIFIED
    return Kind.DAMAGED if any(written) else Kind.NOTHING_WRITTEN


@pytest.mark.parametrize("kind", [FaultKind.DIE_BEFORE, FaultKind.DIE_AFTER, FaultKind.MUTE])
def test_power_cut_while_reading_back_leaves_it_unknown_and_repeatable(
    family: CardProfile, image: CardImage, kind: FaultKind
) -> None:
    card, data, asked = VirtualUicc(image), some_data_for(family), challenge(KEYS, RAND)
    facts = identify(family, card)
    write(family, card, facts, data)
    for at in range(1, _commands(family, lambda facts: family.verify_script(facts, data, asked, "v", EXPIRES)) + 1):
        image.faults = [Fault(kind, at)]
        assert verify(family, card, facts, data).kind is Kind.UNKNOWN, at
    assert verify(family, card, facts, data).kind is Kind.VERIFIED


def test_card_that_resets_in_mid_write_is_never_judged_wrongly(family: CardProfile) -> None:
    data = some_data_for(family)
    for at in range(1, _commands(family, lambda facts: family.write_script(facts, data, "write", EXPIRES)) + 1):
        image = blank_for(family)
        card = VirtualUicc(image)
        facts = identify(family, card)
        image.faults = [Fault(FaultKind.RESET, at)]
        write(family, card, facts, data)
        assert read_again(family, card, data).kind is _truth(image), at
        assert image.codes[family.adm].tries == 3


@pytest.mark.parametrize("ins", [0xD6, 0xDC])
def test_memory_failure_damages_the_card(family: CardProfile, ins: int) -> None:
    """REQ-HW-06: a write error carries its status word."""
    data = some_data_for(family)
    script = family.write_script(identify(family, VirtualUicc(blank_for(family))), data, "write", EXPIRES)
    for at in range(1, sum(step.apdu[1] == ins for step in script.steps) + 1):
        image = blank_for(family)
        card = VirtualUicc(image)
        facts = identify(family, card)
        image.faults = [Fault(FaultKind.ANSWER, at, ins=ins, sw=0x6581)]
        verdict = write(family, card, facts, data)
        assert (verdict.kind, verdict.failure, verdict.sw) == (Kind.DAMAGED, Failure.WRITE_ERROR, 0x6581), at


@pytest.mark.parametrize("sw", [0x63C1, 0x9180])
def test_update_with_internal_retries_or_a_waiting_command_is_a_success(
    family: CardProfile, image: CardImage, sw: int
) -> None:
    card, data = VirtualUicc(image), some_data_for(family)
    facts = identify(family, card)
    image.faults = [Fault(FaultKind.FINISH, 1, ins=0xD6, sw=sw), Fault(FaultKind.FINISH, 3, ins=0xD6, sw=sw)]
    write(family, card, facts, data)
    assert not image.faults
    assert verify(family, card, facts, data).kind is Kind.VERIFIED


def test_refused_update_before_the_imsi_means_nothing_written(family: CardProfile, image: CardImage) -> None:
    card = VirtualUicc(image)
    facts = identify(family, card)
    image.faults = [Fault(FaultKind.ANSWER, 2, ins=0xD6, sw=0x6A82)]
    verdict = write(family, card, facts, some_data_for(family))
    assert (verdict.kind, verdict.failure) == (Kind.NOTHING_WRITTEN, Failure.WRITE_ERROR)
    assert (verdict.step, verdict.sw) == ("update.spn", 0x6A82)


def test_record_of_another_length_than_the_card_told_is_refused_by_it(family: CardProfile, image: CardImage) -> None:
    card = VirtualUicc(image)
    facts = identify(family, card)
    wrong = replace(facts, sizes={**facts.sizes, "EF.SMSP": facts.sizes["EF.SMSP"] + 4})
    verdict = write(family, card, wrong, some_data_for(family))
    assert (verdict.kind, verdict.step, verdict.sw) == (Kind.NOTHING_WRITTEN, "update.smsp", 0x6700)


def test_refused_update_of_the_imsi_itself_is_unknown(family: CardProfile, image: CardImage) -> None:
    card, data = VirtualUicc(image), some_data_for(family)
    facts = identify(family, card)
    script = family.write_script(facts, data, "write", EXPIRES)
    updates = [step for step in script.steps if step.apdu[1] == 0xD6]
    image.faults = [Fault(FaultKind.ANSWER, len(updates), ins=0xD6, sw=0x6F00)]
    verdict = family.judge_write(script, run(card, script))
    assert (verdict.kind, verdict.step) == (Kind.UNKNOWN, "update.imsi")


# Keys and codes


@pytest.mark.parametrize("flipped", ["k", "opc"])
def test_wrong_key_on_the_card_ends_damaged(family: CardProfile, flipped: str) -> None:
    wrong = {"k": K, "opc": OPC}[flipped].reveal()
    keys = {"k": K, "opc": OPC} | {flipped: Secret(bytes([wrong[0] ^ 1]) + wrong[1:])}
    takes_keys = some_data_for(family).keys is not None
    card = VirtualUicc(blank_for(family) if takes_keys else blank_for(family, **keys))
    data = some_data_for(family, Milenage(keys["k"], keys["opc"]))
    facts = identify(family, card)
    write(family, card, facts, data)
    verdict = verify(family, card, facts, data)
    assert (verdict.kind, verdict.failure, verdict.sw) == (Kind.DAMAGED, Failure.WRONG_KEY, 0x9862)


def test_wrong_adm_is_tried_once_and_never_again(family: CardProfile, image: CardImage) -> None:
    card, data = VirtualUicc(image), some_data_for(family, adm1=Secret(b"00000000"))
    verdict = write(family, card, identify(family, card), data)
    assert (verdict.kind, verdict.failure, verdict.sw) == (Kind.NOTHING_WRITTEN, Failure.ADM_REFUSED, 0x63C2)
    with pytest.raises(CardRefused, match="2 of 3 tries") as refused:
        write(family, card, identify(family, card), data)
    assert refused.value.failure is Failure.ADM_REFUSED
    assert image.codes[family.adm].tries == 2


def test_counter_that_fell_since_identify_stops_the_script_before_the_try(
    family: CardProfile, image: CardImage
) -> None:
    card = VirtualUicc(image)
    facts = identify(family, card)
    image.codes[family.adm].tries = 1
    verdict = write(family, card, facts, some_data_for(family))
    assert (verdict.kind, verdict.step, verdict.sw) == (Kind.NOTHING_WRITTEN, "query.adm1", 0x63C1)
    assert image.codes[family.adm].tries == 1


def test_no_key_stands_in_any_text_form(family: CardProfile, image: CardImage) -> None:
    """REQ-HW-10: keys are never logged."""
    card, data = VirtualUicc(image), some_data_for(family)
    facts = identify(family, card)
    asked = challenge(KEYS, RAND)
    write_script = family.write_script(facts, data, "write", EXPIRES)
    verify_script = family.verify_script(facts, data, asked, "verify", EXPIRES)
    reports = [run(card, write_script), run(card, verify_script)]
    answers = KEYS.f2345(RAND)
    seen: list[Any] = [facts, data, write_script, verify_script, *reports, KEYS, answers, image]
    seen.append(Expectation(facts, data, KEYS, asked))
    text = "".join(map(repr, seen)).lower()
    for secret in (K.reveal(), OPC.reveal(), ADM1.reveal(), answers.ck, answers.ik, answers.res):
        assert secret.hex() not in text
        assert repr(secret)[2:-1].lower() not in text
    wire = "".join(str(report.to_wire()) for report in reports) + str(verify_script.to_wire())
    for secret in (K.reveal(), OPC.reveal(), ADM1.reveal()):
        assert secret.hex() not in wire


def test_steps_that_carry_secrets_are_marked(family: CardProfile, image: CardImage) -> None:
    facts = identify(family, VirtualUicc(image))
    write_script = family.write_script(facts, some_data_for(family), "write", EXPIRES)
    keys = family.keys.files if isinstance(family, CardFamily) and family.keys else ()
    assert [step.name for step in write_script.steps if step.secret] == [
        "verify.adm1",
        *(f"update.{file.name}" for file in keys),
    ]
    verify_script = family.verify_script(facts, some_data_for(family), challenge(KEYS, RAND), "verify", EXPIRES)
    assert {step.name.partition(".")[0] for step in verify_script.steps if step.secret} == {"authenticate"}


def test_proof_without_its_answer_is_asked_again(family: CardProfile, image: CardImage) -> None:
    """A killed station reports from its journal, where the secret answer is not: no reason to scrap a card."""
    card, data = VirtualUicc(image), some_data_for(family)
    facts = identify(family, card)
    write(family, card, facts, data)
    asked = challenge(KEYS, RAND)
    script = family.verify_script(facts, data, asked, "verify", EXPIRES)
    report = run(card, script)
    bare = tuple(replace(result, data=b"") if result.name == "authenticate" else result for result in report.results)
    verdict = family.judge_verify(script, replace(report, results=bare), Expectation(facts, data, KEYS, asked))
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.NOT_PROVEN)


# Refusals


def test_written_card_is_refused_and_named(family: CardProfile, image: CardImage) -> None:
    """REQ-HW-03: a card already written is refused."""
    card = VirtualUicc(image)
    write(family, card, identify(family, card), some_data_for(family))
    with pytest.raises(CardRefused) as refused:
        family.write_script(identify(family, card), some_data_for(family), "again", EXPIRES)
    assert refused.value.failure is Failure.NOT_BLANK


def test_card_with_pin_in_use_is_refused(family: CardProfile, image: CardImage) -> None:
    image.codes[Pin.PIN1].enabled = True
    facts = identify(family, VirtualUicc(image))
    assert facts.pin1_enabled
    with pytest.raises(CardRefused) as refused:
        family.write_script(facts, some_data_for(family), "write", EXPIRES)
    assert refused.value.failure is Failure.PIN_ENABLED


def test_card_of_another_kind_is_refused_with_what_it_lacks(family: CardProfile, image: CardImage) -> None:
    del image.files["7fff/6f42"]
    facts = identify(family, VirtualUicc(image))
    assert matching(facts) == ()
    with pytest.raises(CardRefused, match=r"missing: EF\.SMSP") as refused:
        family.write_script(facts, some_data_for(family), "write", EXPIRES)
    assert refused.value.failure is Failure.WRONG_KIND


def test_report_of_another_script_is_not_judged(family: CardProfile, image: CardImage) -> None:
    script = family.write_script(identify(family, VirtualUicc(image)), some_data_for(family), "write", EXPIRES)
    strange = Report(script_id="other", outcome=Outcome.COMPLETED, results=())
    with pytest.raises(ValueError, match="does not belong"):
        family.judge_write(script, strange)


def test_file_changed_behind_our_back_is_a_mismatch(family: CardProfile, image: CardImage) -> None:
    card, data = VirtualUicc(image), some_data_for(family)
    facts = identify(family, card)
    write(family, card, facts, data)
    image.files["7fff/6f46"].content = b"\xff" * 17
    verdict = verify(family, card, facts, data)
    assert (verdict.kind, verdict.failure, verdict.step) == (Kind.DAMAGED, Failure.VERIFY_MISMATCH, "read.spn")


def test_another_card_in_the_reader_is_noticed(family: CardProfile, image: CardImage) -> None:
    card, data = VirtualUicc(image), some_data_for(family)
    facts = identify(family, card)
    write(family, card, facts, data)
    image.files["2f02" if family.name == "serial_only" else "2fe2"].content = bytes.fromhex("98680021436587092193")
    verdict = verify(family, card, facts, data)
    assert (verdict.kind, verdict.failure) == (Kind.UNKNOWN, Failure.ANOTHER_CARD)


def test_profile_is_found_by_its_name(family: CardProfile) -> None:
    assert profile(family.name) is family
    with pytest.raises(KeyError):
        profile("no such family")

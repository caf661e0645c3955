"""Which files a product's cards get, and what stands in them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cardwriter.crypto.milenage import Constants, Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.crypto.tuak import Tuak
from cardwriter.profiles import (
    CardFacts,
    CardFamily,
    CardRefused,
    Expectation,
    Failure,
    Kind,
    Product,
    challenge,
    identify_script,
    measured_for,
    profile,
    read_facts,
    unknown_files,
)
from cardwriter.usim.bcd import CodecError
from cardwriter.usim.five_gs import decode_routing_indicator, decode_suci
from cardwriter.usim.isim import decode_pcscf, decode_text
from cardwriter.usim.names import decode_ecc, decode_languages, decode_opl, decode_pnn
from cardwriter.usim.network import decode_plmn_acts
from cardwriter.usim.services import services
from cardwriter.virtual.families import add_whole_set
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop.samples import WHOLE_SET
from tests.cardwriter.samples import (
    EXPIRES,
    ICCID,
    KEYS,
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

SJA5 = profile("sysmo_isim_sja5")
PRESET = profile("preset_key")


def content(image: CardImage, path: str) -> bytes:
    file = image.file(path)
    assert file is not None
    return file.content


def facts_of(image: CardImage, product: Product) -> CardFacts:
    return read_facts(run(VirtualUicc(image), identify_script("identify", EXPIRES, measured=measured_for(product))))


@pytest.fixture(scope="module")
def whole() -> CardImage:
    """Return a card on which every file of the set was written."""
    image = blank_for(SJA5)
    card = VirtualUicc(image)
    run(card, SJA5.write_script(identify(SJA5, card), some_data_for(SJA5), "write", EXPIRES))
    return image


def test_products_own_values_stand_in_their_files(whole: CardImage) -> None:
    assert decode_languages(content(whole, "7fff/6f05")) == decode_languages(content(whole, "2f05")) == ("zh", "en")
    assert [decode_ecc(content(whole, "7fff/6fb7")[i : i + 16]) for i in (0, 16)] == list(WHOLE_SET.emergency)
    assert decode_plmn_acts(content(whole, "7fff/6f61")) == WHOLE_SET.oplmns
    assert [decode_pnn(content(whole, "7fff/6fc5")[i : i + 24]) for i in (0, 24)] == list(WHOLE_SET.names)
    assert [decode_opl(content(whole, "7fff/6fc6")[i : i + 8]) for i in (0, 8)] == list(WHOLE_SET.name_rules)
    assert content(whole, "7fff/6f3e") == b"\x01" + b"\xff" * 7
    assert content(whole, "7fff/6f3f") == b"\x02\x03" + b"\xff" * 6
    assert decode_routing_indicator(content(whole, "7fff/5fc0/4f0a")) == "17"
    assert decode_suci(content(whole, "7fff/5fc0/4f07")) == WHOLE_SET.suci
    assert content(whole, "7fff/6f56") == b"\x00"


def test_ims_identities_follow_from_the_imsi(whole: CardImage) -> None:
    domain = "ims.mnc000.mcc460.3gppnetwork.org"
    assert decode_text(content(whole, "isim/6f03")) == domain
    assert decode_text(content(whole, "isim/6f02")) == f"460001234567890@{domain}"
    assert decode_text(content(whole, "isim/6f04")[:90]) == f"sip:460001234567890@{domain}"
    assert [decode_pcscf(content(whole, "isim/6f09")[i : i + 60]) for i in (0, 60)] == list(WHOLE_SET.pcscf)
    assert services(content(whole, "isim/6f07")) == {1}


def test_volatile_files_go_back_to_their_defaults(whole: CardImage) -> None:
    assert content(whole, "7fff/6f08") == content(whole, "7fff/6f09") == b"\x07" + b"\xff" * 32
    assert content(whole, "7fff/6f5b").hex() == "f00000f00000"
    assert content(whole, "7fff/6f5c") == b"\xff" * 3
    assert content(whole, "7fff/6fe4") == b"\xff" * 54
    assert content(whole, "7fff/5fc0/4f01").hex() == "ff" * 13 + "64f000" + "000000" + "01"


def test_service_table_keeps_the_makers_bits_and_its_length(whole: CardImage) -> None:
    before = content(blank_for(SJA5), "7fff/6f38")
    table = content(whole, "7fff/6f38")
    assert len(table) == len(before)
    assert services(table) == services(before) - {86} | {85, 89, 122, 124}


def test_service_without_its_files_stays_off() -> None:
    image, product = a_blank(), Product(services_on=(17, 85, 91))
    image.files["7fff/6f38"].content = bytes(12)
    card = VirtualUicc(image)
    run(card, PRESET.write_script(facts_of(image, product), some_data(product=product), "write", EXPIRES))
    assert services(content(image, "7fff/6f38")) == {91}


def test_service_beyond_the_cards_table_is_refused() -> None:
    product = Product(services_on=(124,), optional=("suci",))
    image = a_blank()
    add_whole_set(image)
    image.files["7fff/6f38"].content = bytes(11)
    with pytest.raises(CodecError):
        PRESET.write_script(facts_of(image, product), some_data(product=product), "write", EXPIRES)


def test_service_that_a_short_table_cannot_have_is_off_already() -> None:
    """A product whose phones conceal the IMSI switches 125 off, which most cards of 4G have no bit for."""
    product = Product(services_on=(124,), services_off=(125,))
    image = a_blank()
    before = content(image, "7fff/6f38")
    card = VirtualUicc(image)
    run(card, PRESET.write_script(facts_of(image, product), some_data(product=product), "write", EXPIRES))
    assert content(image, "7fff/6f38") == before


def test_control_addresses_that_the_card_has_no_file_for_are_not_announced() -> None:
    product = Product(files=("ist",), pcscf=("192.0.2.1",), optional=("pcscf",))
    image = a_blank()
    add_whole_set(image)
    del image.files["isim/6f09"]
    image.files["isim/6f07"].content = b"\x02"
    card = VirtualUicc(image)
    run(card, PRESET.write_script(facts_of(image, product), some_data(product=product), "write", EXPIRES))
    assert content(image, "isim/6f07") == b"\x02"


def test_imsi_services_are_left_alone_without_control_addresses() -> None:
    product = Product(files=("ist",))
    image = a_blank()
    add_whole_set(image)
    image.files["isim/6f07"].content = b"\x02"
    card = VirtualUicc(image)
    run(card, PRESET.write_script(facts_of(image, product), some_data(product=product), "write", EXPIRES))
    assert content(image, "isim/6f07") == b"\x02"


def test_file_that_a_product_asks_for_must_be_on_the_card_unless_it_may_lack() -> None:
    product = Product(gid1=b"\x01", files=("epsnsc",))
    facts = facts_of(a_blank(), product)
    with pytest.raises(CardRefused, match=r"missing: EF\.GID1") as refused:
        PRESET.write_script(facts, some_data(product=product), "write", EXPIRES)
    assert refused.value.failure is Failure.WRONG_KIND
    lenient = replace(product, optional=("gid1", "epsnsc"))
    names = [step.name for step in PRESET.write_script(facts, some_data(product=lenient), "write", EXPIRES).steps]
    assert "update.gid1" not in names
    assert names[-1] == "update.imsi"


def test_file_that_does_not_exist_in_any_standard_is_refused_by_name() -> None:
    product = Product(files=("keys", "no_such"))
    with pytest.raises(CardRefused, match="no file is named no_such"):
        PRESET.write_script(facts_of(a_blank(), product), some_data(product=product), "write", EXPIRES)


def test_names_of_no_file_are_told_apart_from_those_that_only_a_value_sets() -> None:
    assert unknown_files(Product(files=("keys", "pnn"), optional=("pnn", "imsi"))) == ("imsi", "pnn")
    assert unknown_files(WHOLE_SET) == ()


def test_long_file_is_written_and_read_back_in_stretches() -> None:
    product = Product(oplmns=WHOLE_SET.oplmns)
    image, data = a_blank(), some_data(product=product)
    image.files["7fff/6f61"].content = b"\xff" * 400
    card, asked = VirtualUicc(image), challenge(KEYS, RAND)
    facts = facts_of(image, product)
    script = PRESET.write_script(facts, data, "write", EXPIRES)
    assert {"update.oplmnwact", "update.oplmnwact+255"} <= {step.name for step in script.steps}
    run(card, script)
    check = PRESET.verify_script(facts, data, asked, "verify", EXPIRES)
    assert PRESET.judge_verify(check, run(card, check), Expectation(facts, data, KEYS, asked)).kind is Kind.VERIFIED
    assert decode_plmn_acts(content(image, "7fff/6f61")) == WHOLE_SET.oplmns


def test_card_of_a_plain_product_is_asked_for_no_more_files_than_before() -> None:
    assert measured_for(Product()) == ("hplmnwact", "ehplmn", "fplmn", "spn", "smsp", "msisdn")
    assert len(identify_script("i", EXPIRES).steps) == 18  # with the record of the own number


# The product as a card kind keeps it


def test_product_survives_as_json() -> None:
    wire = json.loads(json.dumps(WHOLE_SET.to_json()))
    assert Product.from_json(wire) == WHOLE_SET
    assert Product().to_json() == {}
    assert Product.from_json({}) == Product()


@pytest.mark.parametrize(
    "wire",
    [
        {"colour": "red"},
        {"gid1": "x"},
        {"names": [{"short": "A"}]},
        {"oplmns": [{"plmn": "46000", "act": ["6G"]}]},
        {"suci": {"schemes": [["PROFILE_C", 1]]}},
        {"languages": "zh"},
        {"services_on": ["19"]},
        {"emergency": [{"number": 110}]},
        {"emergency": [{"number": "110", "colour": "red"}]},
        {"routing_indicator": 17},
        {"allow_clear_keys": "yes"},
    ],
)
def test_product_of_another_form_is_refused(wire: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Product.from_json(wire)


# Keys


@pytest.mark.parametrize(
    "keys",
    [
        Milenage(K, OPC),
        Milenage(K, OPC, res_bits=32),
        Tuak(K, Secret(bytes(range(32)))),
        Tuak(K, Secret(bytes(range(32))), res_bits=256, mac_bits=256, ck_bits=256, ik_bits=256, iterations=2),
        Tuak(Secret(bytes(range(32))), Secret(bytes(range(32))), res_bits=32, mac_bits=128),
    ],
)
def test_keys_given_in_the_hall_are_what_the_card_then_answers_with(keys: Milenage | Tuak) -> None:
    card, data, asked = VirtualUicc(blank_for(SJA5)), some_data_for(SJA5, keys), challenge(keys, RAND)
    facts = identify(SJA5, card)
    run(card, SJA5.write_script(facts, data, "write", EXPIRES))
    check = SJA5.verify_script(facts, data, asked, "verify", EXPIRES)
    verdict = SJA5.judge_verify(check, run(card, check), Expectation(facts, data, keys, asked))
    assert (verdict.kind, verdict.iccid) == (Kind.VERIFIED, ICCID)


def test_keys_of_all_applications_are_proven() -> None:
    image, data, asked = blank_for(SJA5), some_data_for(SJA5), challenge(KEYS, RAND)
    card = VirtualUicc(image)
    facts = identify(SJA5, card)
    run(card, SJA5.write_script(facts, data, "write", EXPIRES))
    image.files["isim/af20"].content = b"\x14" + bytes(66)
    check = SJA5.verify_script(facts, data, asked, "verify", EXPIRES)
    verdict = SJA5.judge_verify(check, run(card, check), Expectation(facts, data, KEYS, asked))
    assert (verdict.kind, verdict.failure, verdict.step) == (Kind.DAMAGED, Failure.WRONG_KEY, "authenticate.isim")


def test_report_that_lacks_the_proof_of_one_application_proves_nothing() -> None:
    """REQ-HW-08: a report that calls itself complete and is not leaves the card unknown."""
    card, data, asked = VirtualUicc(blank_for(SJA5)), some_data_for(SJA5), challenge(KEYS, RAND)
    facts = identify(SJA5, card)
    run(card, SJA5.write_script(facts, data, "write", EXPIRES))
    check = SJA5.verify_script(facts, data, asked, "verify", EXPIRES)
    report = run(card, check)
    short = replace(report, results=report.results[:-1])
    assert SJA5.judge_verify(check, report, Expectation(facts, data, KEYS, asked)).kind is Kind.VERIFIED
    assert SJA5.judge_verify(check, short, Expectation(facts, data, KEYS, asked)).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("family", "keys"),
    [
        ("preset_key", KEYS),
        ("sysmo_isim_sja2", Milenage(K, OPC, res_bits=32)),
        ("sysmo_isim_sja2", Tuak(K, Secret(bytes(32)))),
        ("sysmo_isim_sja5", Tuak(K, Secret(bytes(32)), ck_bits=256)),
        ("sysmo_isim_sja5", Milenage(K, OPC, Constants(r=(64, 8, 32, 64, 96)))),
    ],
)
def test_keys_that_the_family_cannot_be_told_are_refused(family: str, keys: Milenage | Tuak) -> None:
    one = profile(family)
    data = some_data(keys=keys, product=Product(allow_clear_keys=True))
    with pytest.raises(CardRefused, match="cannot be given these keys") as refused:
        one.write_script(identify(one, VirtualUicc(blank_for(one))), data, "write", EXPIRES)
    assert refused.value.failure is Failure.WRONG_KIND


def test_keys_do_not_travel_unless_the_product_lets_them() -> None:
    facts = identify(SJA5, VirtualUicc(blank_for(SJA5)))
    with pytest.raises(CardRefused, match="in clear"):
        SJA5.write_script(facts, some_data(keys=KEYS), "write", EXPIRES)


def test_maker_that_put_keys_inside_needs_none_and_an_empty_card_does() -> None:
    facts = identify(SJA5, VirtualUicc(blank_for(SJA5)))
    names = [step.name for step in SJA5.write_script(facts, some_data(), "write", EXPIRES).steps]
    assert not any("key" in name for name in names)
    grcard = profile("grcard_v2")
    with pytest.raises(CardRefused, match="no keys"):
        grcard.write_script(identify(grcard, VirtualUicc(blank_for(grcard))), some_data(), "write", EXPIRES)


def test_family_known_from_reports_only_is_marked() -> None:
    grcard = profile("grcard_v2")
    assert isinstance(grcard, CardFamily)
    assert grcard.experimental


# Cards that get their number in the hall


def test_number_read_back_is_the_one_reported() -> None:
    """REQ-HW-12: the ICCID stored is the one read back."""
    family = profile("serial_only")
    card, data, asked = VirtualUicc(blank_for(family, serial="2026010000000042")), some_data_for(family), RAND
    facts = identify(family, card)
    assert (facts.serial, family.is_blank(facts)) == ("2026010000000042", True)
    run(card, family.write_script(facts, data, "write", EXPIRES))
    assert not family.is_blank(identify(family, card))
    check = family.verify_script(facts, data, challenge(KEYS, asked), "verify", EXPIRES)
    verdict = family.judge_verify(check, run(card, check), Expectation(facts, data, KEYS, challenge(KEYS, asked)))
    assert (verdict.kind, verdict.iccid) == (Kind.VERIFIED, ICCID)


def test_card_without_a_leased_number_is_refused() -> None:
    family = profile("serial_only")
    with pytest.raises(CardRefused, match="no ICCID") as refused:
        family.write_script(identify(family, VirtualUicc(blank_for(family))), some_data(), "write", EXPIRES)
    assert refused.value.failure is Failure.DATA_NOT_AVAILABLE


def test_card_whose_number_is_on_it_already_continues_with_the_same_data_only() -> None:
    family = profile("serial_only")
    image = blank_for(family)
    image.files["2fe2"].content = a_blank().files["2fe2"].content
    facts = identify(family, VirtualUicc(image))
    assert family.write_script(facts, some_data_for(family), "write", EXPIRES).steps
    with pytest.raises(CardRefused) as refused:
        family.write_script(facts, some_data_for(family, iccid="89860012345678901246"), "write", EXPIRES)
    assert refused.value.failure is Failure.NOT_BLANK


def test_card_with_its_number_but_no_imsi_is_unwritten_and_keeps_the_number() -> None:
    """REQ-HW-08, REQ-HW-12: the IMSI is the mark of a written card; another number than its own is a mismatch."""
    family = profile("serial_only")
    image, data, asked = blank_for(family), some_data_for(family), challenge(KEYS, RAND)
    card = VirtualUicc(image)
    facts = identify(family, card)
    run(card, family.write_script(facts, data, "write", EXPIRES))
    image.files["7fff/6f07"].content = b"\xff" * 9
    check = family.verify_script(facts, data, asked, "verify", EXPIRES)
    verdict = family.judge_verify(check, run(card, check), Expectation(facts, data, KEYS, asked))
    assert (verdict.kind, verdict.failure, verdict.iccid) == (Kind.NOTHING_WRITTEN, None, ICCID)
    image.files["2fe2"].content = a_blank(iccid="89860012345678901246").files["2fe2"].content
    verdict = family.judge_verify(check, run(card, check), Expectation(facts, data, KEYS, asked))
    assert (verdict.kind, verdict.step) == (Kind.DAMAGED, "read.iccid")


def test_makers_own_answer_to_reset_is_asked_for() -> None:
    """REQ-HW-02: the stock record names the family; a card that does not look like it is refused."""
    facts = identify(SJA5, VirtualUicc(blank_for(SJA5)))
    with pytest.raises(CardRefused, match="not a sysmo_usim_sjs1 card") as refused:
        profile("sysmo_usim_sjs1").write_script(facts, some_data(), "write", EXPIRES)
    assert refused.value.failure is Failure.WRONG_KIND


def test_card_that_knows_no_such_administrator_is_of_another_kind() -> None:
    facts = identify(SJA5, VirtualUicc(blank_for(SJA5)))
    with pytest.raises(CardRefused, match="missing: ADM 0a"):
        SJA5.write_script(replace(facts, adm_tries=None), some_data(), "write", EXPIRES)

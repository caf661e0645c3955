from __future__ import annotations

from typing import Any

import pytest

from cardwriter.profiles import IdentityError, Product, identify_script, identity_problems, profile, read_facts
from cardwriter.usim.five_gs import Scheme, SuciInfo
from cardwriter.usim.names import NameRule
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import EXPIRES, ICCID, IMSI, a_blank, some_data
from tests.cardwriter.station import run

SUCI = SuciInfo(((Scheme.NULL, 0),))


def test_data_that_belong_together_have_no_problem() -> None:
    assert identity_problems(some_data(), ICCID) == ()
    assert identity_problems(some_data(ehplmns=(), msisdn=None), ICCID) == ()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"imsi": "46000"}, ["imsi"]),
        ({"imsi": "46000123456789X"}, ["imsi"]),
        ({"mnc_length": 3, "hplmns": (PlmnAct("460001", Act.E_UTRAN),)}, ["mnc_length", "ehplmns", "iccid"]),
        ({"hplmns": ()}, ["hplmns"]),
        ({"hplmns": (PlmnAct("46002", Act.E_UTRAN), PlmnAct("46000", Act.E_UTRAN))}, ["hplmns"]),
        ({"ehplmns": ("46002", "46007")}, ["ehplmns"]),
        ({"ehplmns": ("46000", "31041")}, ["ehplmns"]),
        ({"smsc": "+8613800100500"}, ["smsc"]),
        ({"smsc": "4413800100500"}, ["smsc"]),
        ({"msisdn": "13912345678"}, ["msisdn"]),
        ({"msisdn": "139"}, ["msisdn"]),
        ({"product": Product(name_rules=(NameRule("46000", 1),))}, ["name_rules"]),
        ({"product": Product(services_on=(19,), services_off=(19,))}, ["services_on"]),
        ({"product": Product(suci=SUCI)}, ["routing_indicator"]),
        ({"product": Product(suci=SUCI, routing_indicator="0", services_on=(124, 125))}, ["services_on"]),
    ],
)
def test_contradiction_is_named_by_its_field(changes: dict[str, Any], fields: list[str]) -> None:
    assert [problem.field for problem in identity_problems(some_data(**changes), ICCID)] == fields


@pytest.mark.parametrize(
    ("iccid", "well"),
    [
        ("89860112345678901238", False),
        ("89861112345678901238", False),
        ("89860712345678901238", True),
        ("89869912345678901238", True),
        ("8944110000000000001", False),
    ],
)
def test_issuer_of_the_card_and_network_of_the_imsi_agree(iccid: str, *, well: bool) -> None:
    fields = [problem.field for problem in identity_problems(some_data(), iccid)]
    assert fields == ([] if well else ["iccid"])


def test_test_network_of_no_country_is_not_judged_by_chinese_rules() -> None:
    data = some_data(
        imsi="001010123456789", smsc="4412345678", msisdn=None, hplmns=(PlmnAct("00101", Act.GSM),), ehplmns=()
    )
    assert identity_problems(data, "8944110000000000001") == ()
    impossible = some_data(imsi="001010123456789", mnc_length=4, hplmns=(PlmnAct("0010101", Act.GSM),), ehplmns=())
    assert [problem.field for problem in identity_problems(impossible, "8944110000000000001")] == ["mnc_length"]


def test_nothing_is_built_from_contradicting_data_and_the_refusal_quotes_no_value() -> None:
    facts = read_facts(run(VirtualUicc(a_blank()), identify_script("identify", EXPIRES)))
    with pytest.raises(IdentityError) as refused:
        profile("preset_key").write_script(facts, some_data(hplmns=(), smsc="1"), "write", EXPIRES)
    assert [problem.field for problem in refused.value.problems] == ["hplmns", "smsc"]
    assert IMSI not in str(refused.value)


def test_number_for_a_card_that_has_another_is_refused() -> None:
    facts = read_facts(run(VirtualUicc(a_blank()), identify_script("identify", EXPIRES)))
    with pytest.raises(IdentityError) as refused:
        profile("preset_key").write_script(facts, some_data(iccid="89860012345678901246"), "write", EXPIRES)
    assert [problem.field for problem in refused.value.problems] == ["iccid"]

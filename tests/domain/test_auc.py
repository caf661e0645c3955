"""What the network reads of an identity, form by form."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from inventory.domain import auc
from inventory.domain.auc import (
    AucAnswer,
    AucForm,
    Subscriber,
    TransportName,
    answered,
    deletion_entry,
    deletion_head,
    entry,
    head,
)
from inventory.domain.errors import IllegalTransition
from inventory.domain.lifecycle import AucState

UNDER = TransportName("HSS1", "aes-128-ecb", "a1b2c3")
ONE = Subscriber(
    imsi="460001234567890",
    iccid="89860026000000000001",
    msisdn="13888810000",
    hlr="LJ1",
    algorithm="milenage",
    parameters={},
    eki=bytes(range(16)),
    eopc=bytes(range(16, 32)),
    sqn=64,
)
EKI, EOPC = ONE.eki.hex(), ONE.eopc.hex()


def test_open5gs_finds_what_its_hss_reads_under_the_names_it_knows() -> None:
    line = entry(AucForm.OPEN5GS, ONE, UNDER)
    document = json.loads(line)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert head(AucForm.OPEN5GS, UNDER) == ""
    assert document["imsi"] == ONE.imsi
    assert document["msisdn"] == ["8613888810000"]
    assert document["transport_key"] == {"index": "HSS1", "algorithm": "aes-128-ecb", "kcv": "a1b2c3"}
    # The HSS sends the stored SQN as it is, so it is the one behind the card's, and 64 bits wide
    security = {"k": EKI, "op": None, "opc": EOPC, "amf": "8000", "sqn": {"$numberLong": "96"}}
    assert document["security"] == security


def test_osmo_hlr_is_given_commands_of_its_vty() -> None:
    assert head(AucForm.OSMO_HLR, UNDER).splitlines()[-1] == "enable"
    assert entry(AucForm.OSMO_HLR, ONE, UNDER).splitlines() == [
        "! ICCID 89860026000000000001, SQN 64",
        "subscriber imsi 460001234567890 create",
        "subscriber imsi 460001234567890 update msisdn 8613888810000",
        f"subscriber imsi 460001234567890 update aud3g milenage k {EKI} opc {EOPC} ind-bitlen 5",
    ]


def test_the_list_says_everything_with_the_operators_own_algorithm() -> None:
    tuak = replace(ONE, algorithm="tuak", parameters={"res_bits": 32, "iterations": 2})
    [row] = csv.DictReader(io.StringIO(head(AucForm.CSV, UNDER) + entry(AucForm.CSV, tuak, UNDER)))
    assert row == {
        "imsi": ONE.imsi,
        "iccid": ONE.iccid,
        "msisdn": "8613888810000",
        "hlr": "LJ1",
        "algorithm": "tuak",
        "parameters": '{"iterations":2,"res_bits":32}',
        "eki": EKI,
        "eopc": EOPC,
        "amf": "8000",
        "sqn": "64",
        "transport_key": "HSS1",
        "transport_algorithm": "aes-128-ecb",
        "transport_kcv": "a1b2c3",
    }


def test_a_card_without_number_that_came_finished_is_told_of_all_the_same() -> None:
    bare = replace(ONE, msisdn=None, sqn=None)
    document = json.loads(entry(AucForm.OPEN5GS, bare, UNDER))
    assert (document["msisdn"], document["security"]["sqn"]) == ([], {"$numberLong": "32"})
    assert "msisdn" not in entry(AucForm.OSMO_HLR, bare, UNDER)
    [row] = csv.DictReader(io.StringIO(head(AucForm.CSV, UNDER) + entry(AucForm.CSV, bare, UNDER)))
    assert (row["msisdn"], row["sqn"], row["parameters"]) == ("", "", "")


def test_enclosed_keys_are_not_shown_by_a_repr() -> None:
    """REQ-SEC-03."""
    assert "eki" not in repr(ONE)
    assert "eopc" not in repr(ONE)


def test_only_the_list_can_say_more_than_the_standard_algorithm() -> None:
    assert [form.value for form in AucForm if form.standard_only] == ["open5gs", "osmo-hlr"]
    assert [form.suffix for form in AucForm] == ["json", "vty", "csv"]


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        ("sent", "confirmed", "confirmed"),
        ("sent", "failed", "failed"),
        ("confirmed", "confirmed", "confirmed"),
        ("failed", "failed", "failed"),
        ("failed", "confirmed", "confirmed"),
        ("sent", "deleted", "deleted"),
        ("confirmed", "deleted", "deleted"),
        ("failed", "deleted", "deleted"),
        ("deleted", "deleted", "deleted"),
    ],
)
def test_an_answer_counts_once_however_often_it_comes(before: str, said: str, after: str) -> None:
    """REQ-AUC-01."""
    assert answered(AucState(before), AucAnswer(said)) == after


@pytest.mark.parametrize(
    ("before", "said"),
    [("none", "confirmed"), ("none", "deleted"), ("deleted", "confirmed"), ("confirmed", "failed")],
)
def test_an_answer_that_contradicts_what_is_known_is_refused(before: str, said: str) -> None:
    """REQ-AUC-01."""
    with pytest.raises(IllegalTransition):
        answered(AucState(before), AucAnswer(said))


@pytest.mark.parametrize(
    ("form", "first", "line"),
    [
        (AucForm.OPEN5GS, "", '{"imsi":"460001234567890"}\n'),
        (AucForm.OSMO_HLR, "enable\n", "subscriber imsi 460001234567890 delete\n"),
        (AucForm.CSV, "imsi,iccid,hlr\r\n", "460001234567890,89860026000000000001,LJ1\r\n"),
    ],
)
def test_a_deletion_is_a_line_in_the_form_that_each_network_reads(form: AucForm, first: str, line: str) -> None:
    """REQ-AUC-01."""
    assert deletion_head(form) == first
    assert deletion_entry(form, ONE.imsi, ONE.iccid, ONE.hlr) == line


def test_a_card_without_an_iccid_leaves_its_cell_empty() -> None:
    assert deletion_entry(AucForm.CSV, ONE.imsi, None, "LJ1") == "460001234567890,,LJ1\r\n"


def test_a_transport_keys_index_puts_no_command_into_the_file() -> None:
    under = auc.TransportName("11\nsubscriber imsi 460 delete", "aes-128-ecb", "66e94b")
    said, *commands = auc.head(auc.AucForm.OSMO_HLR, under).splitlines()
    assert said.startswith("!")
    assert commands == ["enable"]

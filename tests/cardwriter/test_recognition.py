"""Telling makers apart by their answer to reset, and what is told of a card that nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cardwriter.profiles import card_report, matching, profile
from cardwriter.profiles.atr import HistoricalMask, historical_bytes
from cardwriter.usim.identity import encode_imsi
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import ADM1, OPC, K, a_blank, blank_for, identify


@pytest.mark.parametrize(
    ("atr", "historical"),
    [
        ("3b9f96801fc78031a073be21136743200718000001a5", "8031a073be21136743200718000001"),
        ("3b9f95801fc78031a073b6a10067cf3211b252c679f3", "8031a073b6a10067cf3211b252c679"),
        ("3b7d9400005555530a7486930b247c4d5468", "5555530a7486930b247c4d5468"),
        ("3b02aabb", "aabb"),
        ("3b", ""),
        ("3bff", ""),
        ("3b9f96", ""),
    ],
)
def test_historical_bytes_are_found_behind_the_interface_bytes(atr: str, historical: str) -> None:
    assert historical_bytes(bytes.fromhex(atr)).hex() == historical


def test_mask_matches_from_the_start_with_any_digit_where_it_says_so() -> None:
    atr = bytes.fromhex("3b03aabbcc")
    assert HistoricalMask("aax").matches(atr)
    assert HistoricalMask("aaxbcc").matches(atr)
    assert not HistoricalMask("aac").matches(atr)
    assert not HistoricalMask("aabbccdd").matches(atr)


@pytest.mark.parametrize("name", ["sysmo_usim_sjs1", "sysmo_isim_sja2", "sysmo_isim_sja5", "grcard_v2"])
def test_make_is_recognised_beside_the_families_of_many_makers(name: str) -> None:
    """REQ-HW-02: a card that no stock record knows is told by ATR and probe; the stock record decides between them."""
    facts = identify(profile(name), VirtualUicc(blank_for(profile(name))))
    assert [one.name for one in matching(facts)] == ["preset_key", "preset_key_separate_gsm", name]


def test_card_with_nothing_but_a_serial_is_of_the_family_named_so() -> None:
    family = profile("serial_only")
    assert matching(identify(family, VirtualUicc(blank_for(family)))) == (family,)


def test_families_say_whether_their_blanks_get_the_iccid_in_the_hall() -> None:
    assert profile("serial_only").assigns_iccid
    assert not profile("preset_key").assigns_iccid


def test_report_of_an_unknown_card_shows_what_was_read_and_hides_who_it_is() -> None:
    image = a_blank()
    facts = identify(profile("preset_key"), VirtualUicc(image))
    report = card_report(facts, profiles=("preset_key",))
    assert report["iccid"] == "898600**********1238"
    assert report["serial"] == "202601**********0042"
    assert report["imsi"] == report["imsi_gsm"] == "blank"
    assert report["sizes"]["EF.SMSP"] == 40
    assert report["profiles"] == ["preset_key"]
    text = json.dumps(report)
    assert not any(secret.reveal().hex() in text for secret in (K, OPC, ADM1))


def test_report_masks_the_imsi_of_a_written_card() -> None:
    facts = identify(profile("preset_key"), VirtualUicc(a_blank()))
    written = replace(facts, imsi_usim=encode_imsi("460001234567890"), imsi_gsm=None, serial="42", iccid="")
    report = card_report(replace(written, imsi_usim=encode_imsi("460001234567890")))
    assert (report["imsi"], report["imsi_gsm"]) == ("460001*****7890", None)
    assert (report["serial"], report["iccid"]) == ("**", None)
    assert card_report(replace(facts, imsi_usim=bytes(8) + b"\x01"))["imsi"] == "malformed"

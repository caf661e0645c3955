"""Names, groups, languages and emergency numbers as they stand on a card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim.bcd import CodecError
from cardwriter.usim.names import (
    EmergencyNumber,
    NameRule,
    NetworkName,
    decode_ecc,
    decode_languages,
    decode_opl,
    decode_pnn,
    encode_ecc,
    encode_languages,
    encode_opl,
    encode_pnn,
)


@pytest.mark.parametrize(
    ("number", "service", "content"),
    [("112", 0, "11f2ff00"), ("110", 1, "11f0ff01"), ("120", 2, "21f0ff02"), ("119", 4, "11f9ff04")],
)
def test_emergency_number_as_on_the_card(number: str, service: int, content: str) -> None:
    emergency = EmergencyNumber(number, service)
    assert encode_ecc(emergency, 4).hex() == content
    assert decode_ecc(bytes.fromhex(content)) == emergency
    assert encode_ecc(emergency, 16).hex() == content[:6] + "ff" * 12 + content[6:]


@given(st.text("0123456789", min_size=1, max_size=6), st.integers(0, 0x1F), st.integers(4, 30))
def test_emergency_number_round_trip(number: str, service: int, length: int) -> None:
    assert decode_ecc(encode_ecc(EmergencyNumber(number, service), length)) == EmergencyNumber(number, service)


@pytest.mark.parametrize(
    ("number", "service", "length"), [("", 0, 4), ("1234567", 0, 4), ("11a", 0, 4), ("112", 0x20, 4), ("112", 0, 3)]
)
def test_emergency_number_that_no_card_can_hold_is_refused(number: str, service: int, length: int) -> None:
    with pytest.raises(CodecError):
        encode_ecc(EmergencyNumber(number, service), length)


def test_blank_emergency_record_is_none_and_a_broken_one_is_refused() -> None:
    assert decode_ecc(b"\xff" * 4) is None
    with pytest.raises(CodecError):
        decode_ecc(bytes.fromhex("1aff0000"))


def test_network_names_are_in_ucs2_the_short_one_only_where_there_is_one() -> None:
    both = NetworkName("中国移动", "移动")
    content = "4309904e2d56fd79fb52a8" + "45059079fb52a8" + "ff" * 2
    assert encode_pnn(both, 20).hex() == content
    assert decode_pnn(bytes.fromhex(content)) == both
    assert decode_pnn(encode_pnn(NetworkName("CMCC"), 20)) == NetworkName("CMCC")
    assert decode_pnn(b"\xff" * 20) is None


@pytest.mark.parametrize("name", ["A" * 12, "two\nlines", "😀"])
def test_network_name_that_no_phone_can_show_is_refused(name: str) -> None:
    with pytest.raises(CodecError):
        encode_pnn(NetworkName(name), 20)


@pytest.mark.parametrize("record", ["430480c3e170", "430390d800"])
def test_network_name_in_a_foreign_coding_is_refused(record: str) -> None:
    with pytest.raises(CodecError):
        decode_pnn(bytes.fromhex(record))


def test_rule_of_a_network_name_as_on_the_card() -> None:
    rule = NameRule("46000", 1)
    assert encode_opl(rule).hex() == "64f000" + "0000fffe" + "01"
    assert decode_opl(encode_opl(NameRule("46000", 2, 0x1000, 0x1FFF))) == NameRule("46000", 2, 0x1000, 0x1FFF)
    assert decode_opl(b"\xff" * 8) is None


@pytest.mark.parametrize(
    "rule", [NameRule("460", 1), NameRule("46000", 0), NameRule("46000", 255), NameRule("46000", 1, 5, 4)]
)
def test_rule_that_no_card_can_hold_is_refused(rule: NameRule) -> None:
    with pytest.raises(CodecError):
        encode_opl(rule)


def test_rule_of_another_length_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_opl(bytes.fromhex("64f0000000fffe"))


def test_languages_as_on_the_card() -> None:
    assert encode_languages(("zh", "en"), 6).hex() == "7a68656effff"
    assert decode_languages(bytes.fromhex("7a68656effff")) == ("zh", "en")


@pytest.mark.parametrize("language", ["z", "zho", "ZH", "z1", "号卡"])
def test_language_that_is_no_pair_of_letters_is_refused(language: str) -> None:
    with pytest.raises(CodecError):
        encode_languages((language,), 6)


def test_languages_in_a_foreign_coding_are_refused() -> None:
    with pytest.raises(CodecError):
        decode_languages(bytes.fromhex("e58f"))

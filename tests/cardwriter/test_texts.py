from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim.bcd import CodecError
from cardwriter.usim.texts import (
    Smsp,
    Spn,
    decode_msisdn,
    decode_smsp,
    decode_spn,
    encode_msisdn,
    encode_smsp,
    encode_spn,
    validity_minutes,
    validity_octet,
)

NUMBERS = st.text("0123456789", min_size=5, max_size=15)
SMSP_28 = "e1ffffffffffffffffffffffff0891683108100005f0ffffff0000a9"


@pytest.mark.parametrize(
    ("spn", "content"),
    [
        (Spn("CMCC", show_plmn=True, hide_abroad=True), "03434d4343" + "ff" * 12),
        (Spn("中国移动"), "01804e2d56fd79fb52a8" + "ff" * 7),
        (Spn("", show_plmn=False), "00" + "ff" * 16),
        (Spn("号" * 7), "0180" + "53f7" * 7 + "ff"),
    ],
)
def test_provider_name_as_on_the_card(spn: Spn, content: str) -> None:
    assert encode_spn(spn).hex() == content
    assert decode_spn(bytes.fromhex(content)) == spn


@given(st.text("ABCxyz019 &-", max_size=16) | st.text("号卡中国移动A", max_size=7), st.integers(0, 3))
def test_provider_name_round_trip(name: str, display: int) -> None:
    spn = Spn(name, show_plmn=bool(display & 1), hide_abroad=bool(display & 2))
    assert decode_spn(encode_spn(spn)) == spn


@pytest.mark.parametrize("name", ["A" * 17, "号" * 8, "two\nlines", "\ud800", "😀", "\uffff"])
def test_provider_name_that_no_phone_can_show_is_refused(name: str) -> None:
    with pytest.raises(CodecError):
        encode_spn(Spn(name))


@pytest.mark.parametrize("content", ["01", "01" + "e9" * 16, "0180d800" + "ff" * 13, "01" + "40" * 16])
def test_provider_name_in_a_foreign_coding_is_refused(content: str) -> None:
    with pytest.raises(CodecError):
        decode_spn(bytes.fromhex(content))


@pytest.mark.parametrize(("length", "alpha"), [(28, 0), (40, 12), (52, 24)])
def test_service_centre_as_on_the_card(length: int, alpha: int) -> None:
    record = encode_smsp(Smsp("8613800100500"), length)
    assert record.hex() == "ff" * alpha + SMSP_28
    assert decode_smsp(record) == Smsp("8613800100500", 3 * 24 * 60)


@given(NUMBERS, st.integers(0, 255), st.integers(28, 60))
def test_service_centre_round_trip(number: str, octet: int, length: int) -> None:
    smsp = Smsp(number, validity_minutes(octet))
    assert decode_smsp(encode_smsp(smsp, length)) == smsp


def test_blank_service_centre_is_none() -> None:
    assert decode_smsp(b"\xff" * 40) is None


@pytest.mark.parametrize("record", [SMSP_28[:-2], "fd" + SMSP_28[2:], "e3" + SMSP_28[2:]])
def test_record_without_centre_or_validity_is_refused(record: str) -> None:
    with pytest.raises(CodecError):
        decode_smsp(bytes.fromhex(record))


def test_record_too_short_for_its_content_is_refused() -> None:
    with pytest.raises(CodecError):
        encode_smsp(Smsp("8613800100500"), 27)
    with pytest.raises(CodecError):
        encode_msisdn("8613912345678", 13)
    with pytest.raises(CodecError):
        decode_msisdn(bytes(13))


@pytest.mark.parametrize(
    ("octet", "minutes"),
    [
        (0, 5),
        (143, 12 * 60),
        (144, 12 * 60 + 30),
        (167, 24 * 60),
        (168, 2 * 1440),
        (169, 3 * 1440),
        (196, 30 * 1440),
        (197, 5 * 10080),
        (255, 63 * 10080),
    ],
)
def test_validity_as_the_standard_says(octet: int, minutes: int) -> None:
    assert validity_minutes(octet) == minutes
    assert validity_octet(minutes) == octet


@given(st.integers(0, 255))
def test_validity_round_trip(octet: int) -> None:
    assert validity_minutes(validity_octet(validity_minutes(octet))) == validity_minutes(octet)


@pytest.mark.parametrize("minutes", [0, 7, 31 * 1440, 64 * 10080])
def test_validity_that_no_octet_says_is_refused(minutes: int) -> None:
    with pytest.raises(CodecError):
        validity_octet(minutes)


def test_own_number_as_on_the_card() -> None:
    record = encode_msisdn("8613912345678", 26)
    assert record.hex() == "ff" * 12 + "0891683119325476f8" + "ff" * 5
    assert decode_msisdn(record) == "8613912345678"
    assert decode_msisdn(b"\xff" * 26) == ""
    assert encode_msisdn("", 26) == b"\xff" * 26


@given(NUMBERS, st.integers(14, 40))
def test_own_number_round_trip(number: str, length: int) -> None:
    assert decode_msisdn(encode_msisdn(number, length)) == number


@pytest.mark.parametrize("block", ["0881683119325476f8", "0c91683119325476f8", "0891683119a25476f8"])
def test_number_that_is_not_international_is_refused(block: str) -> None:
    with pytest.raises(CodecError):
        decode_msisdn(bytes.fromhex(block + "ff" * 5))


@pytest.mark.parametrize("number", ["1234", "1" * 16, "+8613912345678"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(CodecError):
        encode_msisdn(number, 26)

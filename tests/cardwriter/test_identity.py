from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim.bcd import CodecError, is_blank, pack, pad, unpack
from cardwriter.usim.identity import (
    Ad,
    decode_ad,
    decode_iccid,
    decode_imsi,
    encode_acc,
    encode_ad,
    encode_iccid,
    encode_imsi,
    luhn_digit,
    whole_iccid,
)

NIBBLES = "0123456789ABCDEF"


def test_first_digit_goes_into_the_low_nibble() -> None:
    assert pack("1234").hex() == "2143"
    assert pack("123").hex() == "21f3"
    assert unpack(bytes.fromhex("2143")) == "1234"


@given(st.text(NIBBLES))
def test_packed_nibbles_come_back_with_at_most_one_filler(nibbles: str) -> None:
    assert unpack(pack(nibbles)) == nibbles + "F" * (len(nibbles) % 2)


@pytest.mark.parametrize("nibbles", ["1G", "a", "1 2", "１"])
def test_what_is_no_nibble_is_not_packed(nibbles: str) -> None:
    with pytest.raises(CodecError):
        pack(nibbles)


def test_content_is_padded_but_never_cut() -> None:
    assert pad(b"\1", 3) == b"\1\xff\xff"
    with pytest.raises(CodecError, match="2 bytes do not fit"):
        pad(b"\1\2", 1)


@pytest.mark.parametrize(("content", "blank"), [("ffff", True), ("0000", True), ("", True), ("ff00", False)])
def test_blank_is_all_ff_or_all_00(content: str, *, blank: bool) -> None:
    assert is_blank(bytes.fromhex(content)) is blank


@pytest.mark.parametrize(
    ("iccid", "content"),
    [
        ("8988211000000467343", "988812010000407643F3"),
        ("89860012345678901238", "98680021436587092183"),
        ("898600A2345678901F3B", "98680 02A43658709F1B3".replace(" ", "")),
        ("8986061234567890123F", "986860214365870921F3"),
    ],
)
def test_iccid_as_on_the_card(iccid: str, content: str) -> None:
    assert encode_iccid(iccid).hex().upper() == content
    assert decode_iccid(bytes.fromhex(content)) == iccid


@given(st.text(NIBBLES, min_size=16, max_size=16).map("8986".__add__) | st.text("0123456789", min_size=19, max_size=19))
def test_iccid_round_trip(iccid: str) -> None:
    if not iccid.startswith("8986") or len(iccid) == 20:
        assert decode_iccid(encode_iccid(iccid)) == iccid


@pytest.mark.parametrize(
    ("kept", "whole"),
    [
        ("8986001234567890123", "8986001234567890123F"),
        ("89860012345678901238", "89860012345678901238"),
        ("8988211000000467343", "8988211000000467343"),
    ],
)
def test_last_f_that_stock_leaves_out_is_written_where_the_issuer_has_it(kept: str, whole: str) -> None:
    assert whole_iccid(kept) == whole
    assert len(encode_iccid(whole)) == 10


@pytest.mark.parametrize("iccid", ["", "8986001234567890123", "898821100000046734", "8988211000000467343F", "8.98E+19"])
def test_iccid_of_a_wrong_shape_is_refused(iccid: str) -> None:
    with pytest.raises(CodecError):
        encode_iccid(iccid)


@pytest.mark.parametrize("content", ["ff" * 10, "00" * 10])
def test_card_without_a_number_has_an_empty_one(content: str) -> None:
    assert decode_iccid(bytes.fromhex(content)) == ""


def test_iccid_file_of_another_length_is_refused() -> None:
    with pytest.raises(CodecError, match="10 bytes"):
        decode_iccid(bytes(9))


@pytest.mark.parametrize(("number", "check"), [("898821100000046734", "3"), ("7992739871", "3")])
def test_luhn_digit(number: str, check: str) -> None:
    assert luhn_digit(number) == check


@pytest.mark.parametrize(
    ("imsi", "content"),
    [
        ("460001234567890", "084906002143658709"),
        ("460020123456789", "084906201032547698"),
        ("460110123456789", "084906111032547698"),
        ("001010123456789", "080910101032547698"),
        ("46011012345678", "0841061110325476F8"),
        ("", "FF" * 9),
    ],
)
def test_imsi_as_on_the_card(imsi: str, content: str) -> None:
    assert decode_imsi(bytes.fromhex(content)) == imsi
    if imsi:
        assert encode_imsi(imsi).hex().upper() == content


@given(st.text("0123456789", min_size=6, max_size=15))
def test_imsi_round_trip(imsi: str) -> None:
    assert decode_imsi(encode_imsi(imsi)) == imsi
    assert len(encode_imsi(imsi)) == 9


@pytest.mark.parametrize("imsi", ["", "46000", "4600012345678901", "46000123456789A", "４６０００１２３４５６７８９０"])
def test_what_is_no_imsi_is_refused(imsi: str) -> None:
    with pytest.raises(CodecError):
        encode_imsi(imsi)


@pytest.mark.parametrize(
    "content", ["084906002143658ff9", "084106002143658709", "ff4906002143658709", "04ffffffffffffffff"]
)
def test_imsi_file_that_contradicts_itself_is_refused(content: str) -> None:
    with pytest.raises(CodecError):
        decode_imsi(bytes.fromhex(content))


@pytest.mark.parametrize(
    ("imsi", "content"), [("460001234567890", "0001"), ("460001234567895", "0020"), ("460001234567899", "0200")]
)
def test_access_class_is_the_last_digit(imsi: str, content: str) -> None:
    assert encode_acc(imsi).hex() == content


def test_normal_chinese_card_has_two_mnc_digits() -> None:
    assert encode_ad(Ad(2)).hex() == "00000002"
    assert decode_ad(bytes.fromhex("00000002")) == Ad(2)
    assert decode_ad(bytes.fromhex("80000013ff")) == Ad(3, mode=0x80)


@pytest.mark.parametrize("content", ["", "000000", "00000004", "ffffffff"])
def test_administrative_data_without_mnc_length_are_refused(content: str) -> None:
    with pytest.raises(CodecError):
        decode_ad(bytes.fromhex(content))


def test_mnc_of_four_digits_is_refused() -> None:
    with pytest.raises(CodecError):
        encode_ad(Ad(4))

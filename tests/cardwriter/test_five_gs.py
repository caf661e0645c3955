"""The files of a 5G card that conceal its subscriber."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim.bcd import CodecError
from cardwriter.usim.five_gs import (
    HomeKey,
    Scheme,
    SuciInfo,
    decode_routing_indicator,
    decode_suci,
    encode_routing_indicator,
    encode_suci,
)
from cardwriter.usim.network import reset_5gs_loci

KEY = bytes(range(32))
INFO = SuciInfo(((Scheme.PROFILE_A, 1), (Scheme.NULL, 0)), (HomeKey(27, KEY),))


def test_concealment_lists_as_on_the_card() -> None:
    content = "a004" + "0101" + "0000" + "a125" + "80011b" + "8120" + KEY.hex()
    assert encode_suci(INFO, 60).hex() == content.ljust(120, "f")
    assert decode_suci(encode_suci(INFO, 60)) == INFO
    assert decode_suci(b"\xff" * 60) is None


def test_card_without_keys_conceals_nothing() -> None:
    plain = SuciInfo(((Scheme.NULL, 0),))
    assert encode_suci(plain, 6).hex() == "a0020000a100"
    assert decode_suci(encode_suci(plain, 6)) == plain


@pytest.mark.parametrize(
    "info",
    [
        SuciInfo(((Scheme.PROFILE_B, 1),)),
        SuciInfo(((Scheme.PROFILE_A, 0),), (HomeKey(1, KEY),)),
        SuciInfo(((Scheme.NULL, 1),), (HomeKey(1, KEY),)),
        SuciInfo(((Scheme.PROFILE_A, -1),), (HomeKey(1, KEY),)),
        SuciInfo(((Scheme.PROFILE_A, 1),), (HomeKey(256, KEY),)),
        SuciInfo(((Scheme.PROFILE_A, 1),), (HomeKey(1, KEY * 2),)),
    ],
)
def test_concealment_that_no_phone_could_compute_is_refused(info: SuciInfo) -> None:
    with pytest.raises(CodecError):
        encode_suci(info, 60)


@pytest.mark.parametrize("content", ["a00101a100", "a0020901a100", "a00101", "a103800101", "a0020000a10480018101"])
def test_broken_concealment_lists_are_refused(content: str) -> None:
    with pytest.raises(CodecError):
        decode_suci(bytes.fromhex(content))


@pytest.mark.parametrize(("indicator", "content"), [("0", "f0ff0000"), ("17", "71ff0000"), ("1234", "21430000")])
def test_routing_indicator_as_on_the_card(indicator: str, content: str) -> None:
    assert encode_routing_indicator(indicator).hex() == content
    assert decode_routing_indicator(bytes.fromhex(content)) == indicator


@given(st.text("0123456789", min_size=1, max_size=4))
def test_routing_indicator_round_trip(indicator: str) -> None:
    assert decode_routing_indicator(encode_routing_indicator(indicator)) == indicator


def test_routing_indicator_of_other_characters_is_refused() -> None:
    assert decode_routing_indicator(b"\xff" * 4) == ""
    for wrong in ("", "12345", "a"):
        with pytest.raises(CodecError):
            encode_routing_indicator(wrong)
    with pytest.raises(CodecError):
        decode_routing_indicator(bytes.fromhex("a1ff0000"))


def test_location_of_a_5g_card_goes_back_to_its_home_network() -> None:
    assert reset_5gs_loci("46000").hex() == "ff" * 13 + "64f000" + "000000" + "01"

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim.bcd import CodecError
from cardwriter.usim.network import (
    KEYS_RESET,
    Act,
    PlmnAct,
    decode_hpplmn,
    decode_plmn,
    decode_plmn_acts,
    decode_plmns,
    encode_hpplmn,
    encode_plmn,
    encode_plmn_acts,
    encode_plmns,
    reset_epsloci,
    reset_loci,
    reset_psloci,
)

PLMNS = st.text("0123456789", min_size=5, max_size=6)


@pytest.mark.parametrize(
    ("plmn", "content"),
    [
        ("46000", "64f000"),
        ("46002", "64f020"),
        ("46007", "64f070"),
        ("46008", "64f080"),
        ("46001", "64f010"),
        ("46006", "64f060"),
        ("46009", "64f090"),
        ("46003", "64f030"),
        ("46005", "64f050"),
        ("46011", "64f011"),
        ("46015", "64f051"),
        ("46020", "64f002"),
        ("310410", "130014"),
        ("00101", "00f110"),
        ("99970", "99f907"),
        ("", "ffffff"),
    ],
)
def test_plmn_as_on_the_card(plmn: str, content: str) -> None:
    assert decode_plmn(bytes.fromhex(content)) == plmn
    if plmn:
        assert encode_plmn(plmn).hex() == content


@given(PLMNS)
def test_plmn_round_trip(plmn: str) -> None:
    assert decode_plmn(encode_plmn(plmn)) == plmn


@pytest.mark.parametrize("content", ["64f0", "64fa00", "64f00000"])
def test_what_is_no_plmn_is_refused(content: str) -> None:
    with pytest.raises(CodecError):
        decode_plmn(bytes.fromhex(content))


def test_networks_with_technologies_as_on_the_card() -> None:
    rows = (
        PlmnAct("46000", Act.E_UTRAN),
        PlmnAct("46000", Act.E_UTRAN | Act.UTRAN | Act.GSM),
        PlmnAct("46000", Act.NG_RAN | Act.E_UTRAN),
    )
    content = encode_plmn_acts(rows, 21)
    assert content.hex() == "64f0004000" + "64f000c080" + "64f0004800" + "ffffff0000" + "ff"
    assert decode_plmn_acts(content) == rows


@given(st.lists(st.builds(PlmnAct, PLMNS, st.sampled_from([Act.UTRAN, Act.E_UTRAN | Act.GSM])), max_size=8).map(tuple))
def test_networks_with_technologies_round_trip(items: tuple[PlmnAct, ...]) -> None:
    assert decode_plmn_acts(encode_plmn_acts(items, 42)) == items


@given(st.lists(PLMNS, max_size=8).map(tuple))
def test_network_list_round_trip(plmns: tuple[str, ...]) -> None:
    assert decode_plmns(encode_plmns(plmns, 25)) == plmns


def test_list_that_does_not_fit_its_file_is_refused() -> None:
    with pytest.raises(CodecError):
        encode_plmn_acts([PlmnAct("46000", Act.GSM)] * 2, 9)
    with pytest.raises(CodecError):
        encode_plmns(["46000", "46002"], 5)


def test_forbidden_networks_are_reset_to_nothing() -> None:
    assert encode_plmns((), 12) == b"\xff" * 12


@pytest.mark.parametrize(("minutes", "content"), [(0, "00"), (30, "05"), (60, "0a"), (480, "50")])
def test_search_period_as_on_the_card(minutes: int, content: str) -> None:
    assert encode_hpplmn(minutes).hex() == content
    assert decode_hpplmn(bytes.fromhex(content)) == minutes


@pytest.mark.parametrize("minutes", [-6, 7, 486])
def test_search_period_that_cannot_be_said_is_refused(minutes: int) -> None:
    with pytest.raises(CodecError):
        encode_hpplmn(minutes)


def test_search_period_of_an_empty_file_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_hpplmn(b"")


def test_volatile_files_go_back_to_the_home_network() -> None:
    assert reset_loci("46000").hex() == "ffffffff" + "64f0000000" + "ff01"
    assert reset_psloci("46000").hex() == "ffffffff" + "ffffff" + "64f0000000" + "ff01"
    assert reset_epsloci("46000").hex() == "ff" * 12 + "64f0000000" + "01"
    assert [len(one("46000")) for one in (reset_loci, reset_psloci, reset_epsloci)] == [11, 14, 18]
    assert len(KEYS_RESET) == 33

"""Reasons: what was said is told apart into a code and more words."""

from __future__ import annotations

import pytest

from inventory.domain.reasons import Given, Reason, is_code, is_name, understood

OFFERED = (
    Reason("hall_needs", "网点补货", "The hall runs low", ("issue",)),
    Reason("slow_selling", "滞销回收", "Sells slowly", ("recall",)),
)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("slow_selling", Given("滞销回收", "slow_selling")),
        ("滞销回收", Given("滞销回收", "slow_selling")),
        ("sells slowly", Given("Sells slowly", "slow_selling")),
        (" slow_selling : 三个月未动 ", Given("滞销回收: 三个月未动", "slow_selling")),
        ("网点补货：周末活动：二楼", Given("网点补货: 周末活动：二楼", "hall_needs")),
        ("Sells slowly:", Given("Sells slowly", "slow_selling")),
        ("it sells slowly", Given("it sells slowly")),
        (" 领导要求: 马上 ", Given("领导要求: 马上")),
    ],
)
def test_reason_is_meant_by_code_or_name_alone_or_before_a_colon(said: str, kept: Given) -> None:
    """REQ-CFG-01: kept as code and text; free words stay free words."""
    assert understood(said, OFFERED) == kept


def test_code_and_names_can_be_told_from_what_is_said_behind_them() -> None:
    assert all(map(is_code, ("hall_needs", "r2")))
    assert not any(map(is_code, ("", "r", "2r", "Hall", "hall needs", "a" * 41)))
    assert all(map(is_name, ("网点补货", "x" * 100)))
    assert not any(map(is_name, ("", "  ", "a: b", "甲：乙", "x" * 101)))

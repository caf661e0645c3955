"""An approval is bound to what was wished and to what was read."""

from dataclasses import replace
from typing import Any

import pytest

from inventory.domain.approvals import Demand

ASKED = Demand(
    act="scrap",
    permission="stock.end",
    place=7,
    wish={"items": ["89", "90"], "reason": "弯曲"},
    summary={"count": 2, "from_state": "DAMAGED"},
)


def test_the_order_of_fields_and_the_sort_of_list_say_nothing() -> None:
    same = replace(ASKED, wish={"reason": "弯曲", "items": ("89", "90")})
    assert same.sha256 == ASKED.sha256


@pytest.mark.parametrize(
    "changed",
    [
        {"act": "lose"},
        {"place": 8},
        {"wish": {"items": ["90", "89"], "reason": "弯曲"}},
        {"summary": {"count": 3, "from_state": "DAMAGED"}},
    ],
    ids=["another act", "another place", "another wish", "another number of items"],
)
def test_whatever_the_second_person_read_is_bound(changed: dict[str, Any]) -> None:
    assert replace(ASKED, **changed).sha256 != ASKED.sha256


def test_a_long_wish_is_not_printed() -> None:
    assert "弯曲" not in repr(ASKED)

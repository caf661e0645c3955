from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.channels import SaleChannel
from inventory.domain.errors import InvalidField
from inventory.domain.money import Terms, format_yuan, parse_yuan

TERMS: dict[str, Any] = {
    "cash_fee": 0,
    "prepay": 200_00,
    "return_months": 12,
    "min_monthly": 58_00,
    "commitment_months": 12,
    "sale_channel": SaleChannel.ALL,
    "waive_role": "hall_manager",
}


@given(st.integers(-(10**13), 10**13))
def test_an_amount_reads_back_to_the_fen(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"), [("0", 0), ("198", 19800), ("0.5", 50), (" 12.34 ", 1234), ("-0.07", -7), ("1000000", 100000000)]
)
def test_yuan_is_read_with_at_most_two_decimals(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "1,000", "1.234", ".5", "1e3", "１２", "12.", "+1", "¥5"])
def test_what_is_not_plain_yuan_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_yuan(text, field="prepay")
    assert refused.value.params["field"] == "prepay"


def test_a_negative_amount_is_written_with_its_sign() -> None:
    assert format_yuan(-5) == "-0.05"
    assert format_yuan(123450) == "1234.50"


@pytest.mark.parametrize("field", ["cash_fee", "prepay", "return_months", "min_monthly", "commitment_months"])
@pytest.mark.parametrize("value", [-1, 1.5, "1", True, None])
def test_terms_are_whole_numbers_from_zero_up(field: str, value: object) -> None:
    with pytest.raises(InvalidField) as refused:
        Terms(**(TERMS | {field: value}))
    assert refused.value.params["field"] == field


def test_a_prepayment_needs_a_return_period() -> None:
    with pytest.raises(InvalidField) as refused:
        Terms(**(TERMS | {"return_months": 0}))
    assert refused.value.params["field"] == "return_months"
    assert Terms(**(TERMS | {"prepay": 0, "return_months": 0})).prepay == 0

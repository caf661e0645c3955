from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.errors import InvalidField
from inventory.domain.ports import LONGEST, PortSpan, Standing, require_term, standing

TODAY = date(2026, 11, 22)
NOTICE = timedelta(days=30)
BASES = st.text("01", max_size=4).map(lambda tail: f"106{tail}")


def numbers_of(span: PortSpan) -> set[str]:
    """Give every sender number of a span whose digits are 0 and 1."""
    lengths = range(span.extension + 1)
    return {span.base + "".join(more) for length in lengths for more in product("01", repeat=length)}


@given(BASES, st.integers(0, 3), BASES, st.integers(0, 3))
def test_spans_meet_where_a_sender_number_belongs_to_both(one: str, digits: int, other: str, more: int) -> None:
    """REQ-NUM-15: a tenant gets a base with a range of extensions."""
    first, second = PortSpan(one, digits), PortSpan(other, more)
    assert first.meets(second) is second.meets(first) is bool(numbers_of(first) & numbers_of(second))


@pytest.mark.parametrize("digits", [-1, LONGEST - 8 + 1])
def test_base_and_extension_are_no_longer_than_a_sender_number(digits: int) -> None:
    with pytest.raises(InvalidField) as refused:
        PortSpan("10690123", digits)
    assert refused.value.params["field"] == "extension_digits"
    assert PortSpan("10690123", LONGEST - 8).extension == 12


@pytest.mark.parametrize(
    ("begins", "ends"), [(TODAY - timedelta(days=9), TODAY - timedelta(days=1)), (TODAY + timedelta(days=9), TODAY)]
)
def test_term_neither_is_over_nor_ends_before_it_begins(begins: date, ends: date) -> None:
    with pytest.raises(InvalidField) as refused:
        require_term(begins, ends, today=TODAY)
    assert refused.value.params["field"] == "ends_on"
    require_term(TODAY, TODAY, today=TODAY)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (TODAY - timedelta(days=1), Standing.OVER),
        (TODAY, Standing.ENDING),
        (TODAY + NOTICE, Standing.ENDING),
        (TODAY + NOTICE + timedelta(days=1), None),
    ],
)
def test_term_is_told_some_days_before_its_last_day_and_when_it_is_over(ends: date, told: Standing | None) -> None:
    assert standing(ends, today=TODAY, notice=NOTICE) is told

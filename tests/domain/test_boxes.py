import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.boxes import Range, as_ranges, parse_box_code, without
from inventory.domain.errors import InvalidIdentifier

items = st.sets(st.integers(0, 60))


def spread(ranges: list[Range]) -> set[int]:
    """Give the item numbers in the ranges."""
    return {item for lo, hi in ranges for item in range(lo, hi + 1)}


@given(items)
def test_ranges_hold_exactly_the_items_and_never_touch(given_items: set[int]) -> None:
    ranges = as_ranges(given_items)
    assert spread(ranges) == given_items
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(ranges))


@given(items, items)
def test_what_is_taken_out_is_gone_and_the_rest_stays(there: set[int], taken: set[int]) -> None:
    left = without(as_ranges(there), as_ranges(taken))
    assert spread(left) == there - taken
    assert sum(hi - lo + 1 for lo, hi in left) == len(there - taken)


@pytest.mark.parametrize("scanned", ["lj-0001", " LJ-0001 ", "BOX:LJ-0001", "box:lj-0001"])
def test_code_of_a_box_is_one_however_it_is_typed_or_scanned(scanned: str) -> None:
    assert parse_box_code(scanned) == "LJ-0001"


@pytest.mark.parametrize("scanned", ["", "BOX:", "-1", "a/b", "箱1", "X" * 33])
def test_what_is_no_code_of_a_box_is_refused(scanned: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_box_code(scanned)

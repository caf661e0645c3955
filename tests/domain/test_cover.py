"""Days of cover, low stock and who beside could help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.cover import Shelf, Suggestion, suggest

AMOUNTS = st.integers(0, 10_000)
SHELVES = st.builds(Shelf, st.text(min_size=1), AMOUNTS, AMOUNTS, AMOUNTS)


@pytest.mark.parametrize(("free", "low"), [(51, False), (50, True), (0, True)])
def test_stock_is_low_at_its_very_threshold(free: int, *, low: bool) -> None:
    assert Shelf("hall", free, 0, 50).low is low


@pytest.mark.parametrize(("free", "sold", "days"), [(10, 30, 10), (10, 60, 5), (1, 60, 0), (0, 5, 0), (10, 0, None)])
def test_cover_is_what_is_there_over_what_is_sold_a_day(free: int, sold: int, days: int | None) -> None:
    assert Shelf("hall", free, sold).days == days


def test_place_with_most_to_spare_gives_what_is_lacking() -> None:
    """Domain pain 18: hall out of stock, next hall full."""
    low = Shelf("low", 2, 30, 10)
    assert suggest(low, [Shelf("poor", 20, 60, 0), Shelf("rich", 200, 30, 50)]) == Suggestion("rich", 12)


def test_place_gives_no_more_than_it_can_spare() -> None:
    assert suggest(Shelf("low", 0, 300, 10), [Shelf("next", 30, 30, 10)]) == Suggestion("next", 16)


@pytest.mark.parametrize("beside", [[], [Shelf("next", 10, 30, 50)], [Shelf("next", 14, 30, 0)]])
def test_nobody_gives_what_it_needs_itself(beside: list[Shelf]) -> None:
    assert suggest(Shelf("low", 0, 0, 10), beside) is None


@given(SHELVES, st.lists(SHELVES, max_size=5))
def test_who_gives_is_not_low_afterwards_and_lasts(low: Shelf, beside: list[Shelf]) -> None:
    found = suggest(low, beside)
    if found is not None:
        givers = [shelf for shelf in beside if shelf.place == found.place and shelf.spare >= found.count]
        assert any(shelf.free - found.count >= max(shelf.minimum, shelf.sold * 14 // 30) for shelf in givers)
        assert 0 < found.count <= low.lacking

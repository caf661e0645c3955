"""Rows in the order of their names are known as such, and nothing else is."""

from __future__ import annotations

import pytest

from inventory.domain.loading import Ascent


def watched(*names: tuple[str | None, ...]) -> Ascent:
    """Give a watch that has seen rows with these names, in two chunks."""
    ascent = Ascent(slice(1, 3))
    rows = [("row", *given, "more") for given in names]
    for chunk in (rows[:1], rows[1:]):
        list(ascent.numbered(chunk))
    return ascent


@pytest.mark.parametrize("names", [(), (("1", "7"),), (("1", "7"), ("2", "8"), ("3", "9")), ((None, "7"), (None, "8"))])
def test_rows_rise_as_long_as_each_name_is_above_the_one_before(names: tuple[tuple[str | None, ...], ...]) -> None:
    assert watched(*names).rising


@pytest.mark.parametrize(
    "names",
    [
        (("1", "7"), ("1", "8")),
        (("1", "7"), ("2", "7")),
        (("2", "7"), ("1", "8")),
        (("1", "7"), ("2", None)),
        ((None, "7"), ("2", "8")),
        (("1", "7"), ("3", "9"), ("2", "8"), ("4", "10")),
    ],
    ids=["same", "one of two is the same", "below", "a name less", "a name more", "below in the middle"],
)
def test_rows_that_repeat_fall_or_have_other_names_do_not_rise(names: tuple[tuple[str | None, ...], ...]) -> None:
    assert not watched(*names).rising


def test_rows_are_numbered_through_all_chunks_whatever_their_order() -> None:
    ascent = Ascent(slice(0, 1))
    assert [*ascent.numbered([("b",), ("a",)]), *ascent.numbered([("c",)])] == [(0, "b"), (1, "a"), (2, "c")]
    assert ascent.count == 3

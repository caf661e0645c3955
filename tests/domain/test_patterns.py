"""Each pattern by itself; the default rules are compared with their predicates in test_fees."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain.patterns import (
    ENDINGS,
    Date,
    FewDigits,
    HasDigit,
    Pattern,
    Regex,
    Sequence,
    Shape,
    Words,
    matches,
)

letters = st.text("ABCZabc.4", min_size=1, max_size=9)
patterns: st.SearchStrategy[Pattern] = st.one_of(
    st.builds(Shape, letters, st.dictionaries(st.sampled_from("ABab"), st.text("0123456789", min_size=1), max_size=2)),
    st.builds(Sequence, st.integers(2, 7), st.sampled_from([1, -1]), st.booleans()),
    st.builds(Words, st.lists(st.text("0123456789", min_size=1, max_size=7), min_size=1, max_size=3).map(tuple)),
    st.builds(Date, st.sampled_from([0, 2, 4]), st.integers(1900, 2000), st.integers(2001, 2100)),
    st.builds(FewDigits, st.integers(1, 3), st.integers(1, 8), st.integers(1, 3)),
    st.builds(HasDigit, st.sampled_from("0123456789"), st.integers(1, 8), st.booleans()),
    st.builds(Regex, st.sampled_from([re.compile(r".*88"), re.compile(r"(\d)\1*")]), st.integers(1, 6)),
)


@settings(max_examples=40)
@given(patterns, st.text("0123456789", min_size=7, max_size=7))
def test_the_endings_of_a_block_are_those_that_match_one_by_one(pattern: Pattern, prefix: str) -> None:
    before = prefix[len(prefix) + 4 - max(pattern.reads, 4) :]
    assert set(pattern.endings(before)) == {
        value for value, ending in enumerate(ENDINGS) if matches(pattern, prefix + ending)
    }


@given(patterns)
def test_a_number_shorter_than_the_pattern_reads_does_not_match(pattern: Pattern) -> None:
    assert not matches(pattern, "8" * (pattern.reads - 1))


@pytest.mark.parametrize(
    ("shape", "yes", "no"),
    [
        ("AABB", "1122 8866", "1111 1222"),
        ("aabb", "1122 1111", "1222"),
        ("ZAAA", "1222", "2222 1322"),
        ("Z44", "344", "444 345"),
        ("A..A", "1231 1111", "1232"),
        ("A.B", "121 111 222", ""),
        ("ABA", "121", "111"),
    ],
)
def test_letters_say_what_is_equal_and_what_differs(shape: str, yes: str, no: str) -> None:
    assert all(Shape(shape).matches_tail(tail) for tail in yes.split())
    assert not any(Shape(shape).matches_tail(tail) for tail in no.split())


def test_a_letter_may_be_limited_to_some_digits() -> None:
    assert Shape("ZAA", {"A": "68"}).matches_tail("388")
    assert not Shape("ZAA", {"A": "68"}).matches_tail("399")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (Sequence(3, 1, exact=False), "123 789", "890 321"),
        (Sequence(3, 1, exact=True), "9123 0234 0012", "0123 1234"),
        (Sequence(3, -1, exact=True), "0321 0987", "4321 9876 0109"),
        (Words(("168", "8")), "168 118", "169"),
        (Date(4, 1940, 2030), "20240229 19400101", "20230229 19000229 20310101 20240431 00000101"),
        (Date(2, 0, 9999), "000229 991231", "010229 991301"),
        (Date(0, 0, 9999), "0229 1231", "0230 0000"),
        (FewDigits(2, 4, 2), "1212 1122", "1112 1111 1234"),
        (HasDigit("4", 3, present=True), "124", "123"),
        (HasDigit("4", 3, present=False), "123", "124"),
        (Regex(re.compile(r"1[0-9]8"), 3), "108", "208"),
    ],
)
def test_what_a_pattern_takes_and_leaves(pattern: Pattern, yes: str, no: str) -> None:
    assert all(pattern.matches_tail(tail.rjust(pattern.reads, "5")) for tail in yes.split())
    assert not any(pattern.matches_tail(tail.rjust(pattern.reads, "5")) for tail in no.split())

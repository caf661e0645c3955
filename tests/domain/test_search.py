import re
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.domain.errors import InvalidSearch
from inventory.domain.number_keys import NumberKeys, digit_mask, number_keys
from inventory.domain.search import NumberQuery, SearchWish, compile_search

digits = st.text("0123456789", max_size=6)
numbers = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
# Few letters and digits, so that wishes are met often enough to tell something.
wishes = st.builds(
    SearchWish,
    starts=st.sampled_from(["", "1", "138", "1381"]),
    ends=st.text("018", max_size=6),
    contains=st.text("08", max_size=3),
    pattern=st.one_of(
        st.just(""), st.from_regex(r"13?[?*08]{0,4}\*?[?08]{0,6}", fullmatch=True).filter(lambda text: len(text) <= 11)
    ),
    letters=st.text("AB?8", max_size=6),
    without=st.text("49", max_size=2),
)
likely = st.tuples(st.sampled_from(["138", "139", "150"]), st.text("0148", min_size=8, max_size=8)).map("".join)


def meets(wish: SearchWish, number: str) -> bool:
    """Say straight away what a wish asks of a number."""
    shape = number[len(number) - len(wish.letters) :]
    known = [(symbol, digit) for symbol, digit in zip(wish.letters, shape, strict=True) if symbol != "?"]
    neighbours = pairwise(zip(wish.letters, shape, strict=True))
    return (
        number.startswith(wish.starts)
        and number.endswith(wish.ends)
        and wish.contains in number
        and (not wish.pattern or fnmatchcase(number, wish.pattern))
        and all(symbol == digit for symbol, digit in known if symbol.isdecimal())
        and all(len({digit for symbol, digit in known if symbol == letter}) < 2 for letter in wish.letters)
        and all(a[1] != b[1] for a, b in neighbours if a[0] != b[0] and "?" not in {a[0], b[0]})
        and not set(wish.without) & set(number)
    )


@given(wishes, st.one_of(likely, numbers))
@example(SearchWish(pattern="138*8888"), "13812348888")
@example(SearchWish(pattern="13812348888"), "13812348888")
@example(SearchWish(pattern="1381234888"), "13812348888")
@example(SearchWish(letters="AABBCC"), "13812112233")
@example(SearchWish(letters="AABBCC"), "13812111133")
@example(SearchWish(letters="AB8?AB"), "13812128512")
@example(SearchWish(letters="ABA8AB"), "13812121812")
@example(SearchWish(starts="138", pattern="139*"), "13912345678")
@example(SearchWish(ends="000000"), "13800000000")
@example(SearchWish(pattern="1?8*6*6"), "13812346666")
def test_a_compiled_search_finds_the_numbers_that_meet_the_wish(wish: SearchWish, number: str) -> None:
    assert compile_search(wish).matches(number) is meets(wish, number)


@pytest.mark.parametrize(
    ("wish", "query"),
    [
        (SearchWish(), NumberQuery()),
        (SearchWish(ends="8888"), NumberQuery(tails=(8888,))),
        (SearchWish(ends="888"), NumberQuery(tails=tuple(range(888, 10_000, 1000)))),
        (
            SearchWish(ends="168888"),
            NumberQuery(tails=(8888,), rev_lo=888861 * 10**5, rev_hi=888862 * 10**5),
        ),
        (SearchWish(starts="1381"), NumberQuery(lo="1381", hi="1381:")),
        (SearchWish(pattern="138*8888"), NumberQuery(tails=(8888,), lo="138", hi="138:")),
        (SearchWish(contains="66"), NumberQuery(must=1 << 6, regexes=("66",))),
        (SearchWish(contains="6"), NumberQuery(must=1 << 6)),
        (SearchWish(without="4"), NumberQuery(must_not=1 << 4)),
        (
            SearchWish(starts="138", pattern="139*"),
            NumberQuery(lo="139", hi="138:"),
        ),
    ],
)
def test_what_an_index_answers_needs_no_expression(wish: SearchWish, query: NumberQuery) -> None:
    assert compile_search(wish) == query


def test_the_letters_of_a_pair_shape_are_ninety_tails() -> None:
    query = compile_search(SearchWish(letters="AABB"))
    assert query.tails is not None
    assert len(query.tails) == 90
    assert query.regexes == ()


def test_a_longer_shape_keeps_its_tails_and_says_the_rest_in_expressions_that_postgresql_knows() -> None:
    query = compile_search(SearchWish(letters="AABBCC"))
    assert query.tails is not None
    assert len(query.tails) == 90
    assert query.regexes == (r"(.)(?:\1)(.)(?:\2)(.)(?:\3)$",)
    assert query.regexes_not == (r"(.)\1.{3}$", r"(.)\1.{1}$")


def test_a_wish_that_nothing_meets_has_no_tails() -> None:
    assert compile_search(SearchWish(pattern="138")).tails == ()
    assert compile_search(SearchWish(ends="88", letters="AB")).tails == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starts", "13a"),
        ("ends", "１"),
        ("contains", "6*"),
        ("pattern", "138-8"),
        ("letters", "aabb"),
        ("without", "four"),
        ("ends", "1" * 12),
        ("pattern", "?" * 12),
    ],
)
def test_a_part_with_wrong_characters_or_too_long_is_named(field: str, value: str) -> None:
    part: dict[str, Any] = {field: value}
    with pytest.raises(InvalidSearch) as refused:
        compile_search(replace(SearchWish(), **part))
    assert refused.value.params["field"] == field


def test_the_keys_of_a_number() -> None:
    assert number_keys("13812340088") == NumberKeys(88, digit_mask("0123488"), 88004321831)
    assert number_keys("13812345670").rev == 7654321831


@given(numbers)
def test_keys_say_what_the_number_says(number: str) -> None:
    keys = number_keys(number)
    assert f"{keys.tail:04d}" == number[-4:]
    assert f"{keys.rev:011d}"[::-1] == number
    assert [digit for digit in "0123456789" if keys.mask >> int(digit) & 1] == sorted(set(number))


@given(wishes)
def test_every_expression_is_one_that_python_compiles(wish: SearchWish) -> None:
    query = compile_search(wish)
    for regex in (*query.regexes, *query.regexes_not):
        re.compile(regex)


def test_a_search_for_digits_anywhere_begins_at_the_endings_that_hold_them() -> None:
    assert compile_search(SearchWish(contains="1314")).likely == (1314,)
    assert compile_search(SearchWish(contains="51314", ends="4")).likely == (1314,)
    assert len(compile_search(SearchWish(contains="777")).likely) == 19
    assert compile_search(SearchWish(contains="777", ends="1")).likely == (7771,)
    assert compile_search(SearchWish(contains="7")).likely == ()
    assert len(compile_search(SearchWish(without="47")).likely) == 8**4
    assert len(compile_search(SearchWish(without="4", contains="777")).likely) == 17

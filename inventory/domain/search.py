"""Compiles what a person wishes of a number into conditions that an index can answer.

The number row has `tail`, `mask` and `rev` (see `number_keys`), so most wishes are a list of tails or a range; what
they leave open are regular expressions on the few rows that remain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

from inventory.domain.errors import InvalidSearch
from inventory.domain.number_keys import digit_mask, number_keys
from inventory.domain.patterns import BLOCK_DIGITS, ENDINGS, Shape

_AFTER_NINE: Final = ":"
"""The character after 9: `13` <= number < `13:` are all numbers that begin with 13 (collation C)."""
_MOBILE_LENGTH: Final = 11
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_FORMS: Final = {
    "starts": _DIGITS,
    "ends": _DIGITS,
    "contains": _DIGITS,
    "pattern": re.compile(r"[0-9?*]+", re.ASCII),
    "letters": re.compile(r"[A-Z0-9?]+", re.ASCII),
    "without": _DIGITS,
}


@dataclass(frozen=True)
class SearchWish:
    """What a person asks of a number of `length` digits; all parts hold together.

    `starts`, `ends`, `contains` are digits; `pattern` is the whole number with `?` for one digit and `*` for any run of
    them (`138*8888`); `letters` is the end of the number, equal letters for equal digits and different letters side by
    side for different ones (`AABB`, `A?A8`); `without` are digits that must not occur.
    """

    starts: str = ""
    ends: str = ""
    contains: str = ""
    pattern: str = ""
    letters: str = ""
    without: str = ""
    length: int = _MOBILE_LENGTH


@dataclass(frozen=True)
class NumberQuery:
    """Conditions on a number row that hold together; None is no condition.

    `tails`: `tail = ANY(tails)`. `lo`, `hi`: `lo <= number < hi` as text in collation C. `rev_lo`, `rev_hi`:
    `rev_lo <= rev < rev_hi`. `must`: `mask & must = must`. `must_not`: `mask & must_not = 0`. Each of `regexes` matches
    somewhere in the number, none of `regexes_not` does; they read the same in Python and PostgreSQL.

    `likely` is no condition but a hint: the tails among which matches are thickest.
    """

    tails: tuple[int, ...] | None = None
    lo: str | None = None
    hi: str | None = None
    rev_lo: int | None = None
    rev_hi: int | None = None
    must: int = 0
    must_not: int = 0
    regexes: tuple[str, ...] = ()
    regexes_not: tuple[str, ...] = ()
    likely: tuple[int, ...] = field(default=(), compare=False)

    def matches(self, number: str) -> bool:
        """Tell whether a number meets all conditions: what the database does, said once more."""
        keys = number_keys(number)
        return (
            (self.tails is None or keys.tail in self.tails)
            and (self.lo is None or self.lo <= number)
            and (self.hi is None or number < self.hi)
            and (self.rev_lo is None or self.rev_lo <= keys.rev)
            and (self.rev_hi is None or keys.rev < self.rev_hi)
            and keys.mask & self.must == self.must
            and keys.mask & self.must_not == 0
            and all(re.search(regex, number) for regex in self.regexes)
            and not any(re.search(regex, number) for regex in self.regexes_not)
        )


def _needed(part: str) -> str:
    """Return what this part of a wish may hold, as a whole sentence: that is what can be said in another language."""
    if part == "pattern":
        reason = "digits, ? for one digit and * for several are needed"
    elif part == "letters":
        reason = "letters for digits, digits, and ? for any digit are needed"
    else:
        reason = "digits are needed"
    return reason


def _check(wish: SearchWish) -> None:
    for part, form in _FORMS.items():
        value: str = getattr(wish, part)
        if value and form.fullmatch(value) is None:
            raise InvalidSearch(field=part, value=value, reason=_needed(part))
        if len(value.replace("*", "")) > wish.length:
            raise InvalidSearch(field=part, value=value, reason=f"the numbers searched have {wish.length} digits")


@lru_cache(maxsize=1024)
def compile_search(wish: SearchWish) -> NumberQuery:
    """Turn a wish into conditions. Where nothing can meet it, the list of tails is empty.

    Raises
    ------
    InvalidSearch
        A part holds characters it may not hold, or is longer than the numbers searched; `field` says which.
    """
    _check(wish)
    head, star, rest = wish.pattern.partition("*")
    end = rest.rpartition("*")[2] if star else head
    starts = [digits for digits in (wish.starts, head.partition("?")[0]) if digits]
    ends = [digits for digits in (wish.ends, end.rpartition("?")[2]) if len(digits) > BLOCK_DIGITS]
    regexes, regexes_not = _letter_regexes(wish.letters)
    if len(wish.contains) > 1:
        regexes.append(wish.contains)
    if wish.pattern and ("?" in head or "*" in rest or len(end) > BLOCK_DIGITS):
        regexes.append(f"^{wish.pattern.replace('?', '.').replace('*', '.*')}$")
    rev_ranges = [_rev_range(digits, wish.length) for digits in ends]
    tails = () if wish.pattern and not star and len(head) != wish.length else _tails(wish, end)
    return NumberQuery(
        tails=tails,
        likely=_likely(wish, tails),
        lo=max(starts, default=None),
        hi=min((digits + _AFTER_NINE for digits in starts), default=None),
        rev_lo=max((lo for lo, _ in rev_ranges), default=None),
        rev_hi=min((hi for _, hi in rev_ranges), default=None),
        must=digit_mask(wish.contains),
        must_not=digit_mask(wish.without),
        regexes=tuple(regexes),
        regexes_not=tuple(regexes_not),
    )


def _tails(wish: SearchWish, end: str) -> tuple[int, ...] | None:
    """Give the last four digits that fit every part that says something about them."""
    shapes = [text[-BLOCK_DIGITS:].replace("?", ".") for text in (wish.ends, end, wish.letters)]
    sets = [set(Shape(shape).endings("")) for shape in shapes if shape.strip(".")]
    if not sets:
        return None
    return tuple(sorted(set.intersection(*sets)))


def _likely(wish: SearchWish, tails: tuple[int, ...] | None) -> tuple[int, ...]:
    """Give the tails that hold the digits (or the end of more digits than a tail has) and none of the unwanted."""
    if len(wish.contains) <= 1 and not wish.without:
        return ()
    digits, unwanted = wish.contains[-BLOCK_DIGITS:], set(wish.without)
    fitting = {tail for tail, text in enumerate(ENDINGS) if digits in text and unwanted.isdisjoint(text)}
    return tuple(sorted(fitting if tails is None else fitting.intersection(tails)))


def _rev_range(ends: str, length: int) -> tuple[int, int]:
    """Give the half-open range of `rev` of the numbers of `length` digits that end so."""
    lowest = int(ends[::-1])
    unit = 10 ** (length - len(ends))
    return lowest * unit, (lowest + 1) * unit


def _letter_regexes(letters: str) -> tuple[list[str], list[str]]:
    """Say in regular expressions what tails cannot: a shape of more than four digits.

    PostgreSQL knows no back reference inside a lookahead, so what must differ is a second expression that must not
    match.
    """
    if len(letters) <= BLOCK_DIGITS:
        return [], []
    groups = {letter: number for number, letter in enumerate(dict.fromkeys(filter(str.isalpha, letters)), start=1)}
    seen: set[str] = set()
    same = ""
    # A back reference stands in brackets: a digit may follow it.
    for symbol in letters:
        same += "." if symbol == "?" else rf"(?:\{groups[symbol]})" if symbol in seen else _first(symbol)
        seen |= {symbol} & set(groups)
    return [f"{same}$"], [rf"(.)\1.{{{after}}}$" for after in _different(letters)]


def _first(symbol: str) -> str:
    return "(.)" if symbol.isalpha() else symbol


def _different(letters: str) -> Iterator[int]:
    """Give the places, counted from the end, whose digit and the one before must not be the same."""
    for place, (left, right) in enumerate(pairwise(letters), start=2):
        if left != right and "?" not in {left, right}:
            yield len(letters) - place

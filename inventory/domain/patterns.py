"""Patterns that fee rules look for in a number, and what each reads of it.

A pattern reads a fixed count of last digits (`reads`), so it is evaluated once per distinct ending and not once per
number. `endings` answers for a whole ten-thousand block at once: given the digits that stand before the last four, it
gives the endings 0..9999 that match.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from typing import Final, Protocol

BLOCK_DIGITS: Final = 4
"""The last digits that tell the numbers of a ten-thousand block (万号段) apart."""
ENDINGS: Final = tuple(f"{ending:04d}" for ending in range(10**BLOCK_DIGITS))
"""The endings of a block as text, by their value."""
DIGITS: Final = "0123456789"

_MONTH_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS: Final = frozenset(
    f"{month:02d}{day:02d}" for month, length in enumerate(_MONTH_LENGTHS, start=1) for day in range(1, length + 1)
)
_LEAP_DAY: Final = "0229"
_TWO_DIGIT_YEARS: Final = 2000


def _is_free(symbol: str) -> bool:
    """Tell whether a symbol of a shape may be the same digit as its neighbours."""
    return symbol == "." or symbol.islower()


class Pattern(Protocol):
    """One way a number can be remarkable."""

    @property
    def reads(self) -> int:
        """How many last digits decide."""

    def matches_tail(self, tail: str) -> bool:
        """Tell whether exactly `reads` digits match."""

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings 0..9999 that match behind `before`.

        `before` holds the `reads` - 4 digits in front of the last four; it is empty where four digits or fewer are
        read.
        """


def matches(pattern: Pattern, number: str) -> bool:
    """Tell whether a number of any length matches; one shorter than the pattern reads does not."""
    return len(number) >= pattern.reads and pattern.matches_tail(number[len(number) - pattern.reads :])


def _try(pattern: Pattern, before: str, candidates: Iterable[str] = ENDINGS) -> Iterator[int]:
    """Give the matching endings by trying the candidates, which must hold all that can match at all."""
    unread = max(0, BLOCK_DIGITS - pattern.reads)
    return (int(ending) for ending in candidates if pattern.matches_tail(before + ending[unread:]))


def _ending_like(words: Iterable[str]) -> tuple[str, ...]:
    """Give the endings that agree with the end of a word."""
    tails = tuple(word[-BLOCK_DIGITS:] for word in words)
    return tuple(ending for ending in ENDINGS if ending.endswith(tails))


@dataclass(frozen=True)
class Shape:
    """Digits that repeat, written with letters: `AABB` is 1122 or 8866.

    One letter stands for one digit, a digit for itself, `.` for any digit. Capital letters and digits that stand side
    by side and are not the same are different digits, so `ZAAA` is a run of exactly three; small letters may equal
    their neighbours. `allowed` limits the digits of a letter.
    """

    letters: str
    allowed: Mapping[str, str] = field(default_factory=dict)

    @property
    def reads(self) -> int:
        """How many last digits decide."""
        return len(self.letters)

    @cached_property
    def _apart(self) -> tuple[int, ...]:
        """The places whose digit differs from the one before."""
        return tuple(
            place
            for place, (left, right) in enumerate(pairwise(self.letters), start=1)
            if left != right and not _is_free(left) and not _is_free(right)
        )

    def _bind(self, digits: str) -> dict[str, str] | None:
        """Give the digit of each letter if the digits, perhaps only the first of them, fit the shape."""
        bound: dict[str, str] = {}
        for symbol, digit in zip(self.letters, digits, strict=False):
            if symbol.isalpha():
                if bound.setdefault(symbol, digit) != digit or digit not in self.allowed.get(symbol, DIGITS):
                    return None
            elif symbol not in {".", digit}:
                return None
        if any(place < len(digits) and digits[place] == digits[place - 1] for place in self._apart):
            return None
        return bound

    def matches_tail(self, tail: str) -> bool:
        """Tell whether exactly `reads` digits fit the shape."""
        return self._bind(tail) is not None

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`, trying only the digits that are still open."""
        bound = self._bind(before)
        if bound is None:
            return
        rest = self.letters[len(before) :].rjust(BLOCK_DIGITS, ".")
        # Every `.` is a digit of its own, a letter the same digit in all its places.
        slots = [symbol if symbol != "." else f".{place}" for place, symbol in enumerate(rest)]
        known = bound | {symbol: symbol for symbol in rest if symbol.isdecimal()}
        open_slots = [slot for slot in dict.fromkeys(slots) if slot not in known]
        for choice in product(*(self.allowed.get(slot, DIGITS) for slot in open_slots)):
            digits = known | dict(zip(open_slots, choice, strict=True))
            ending = "".join(digits[slot] for slot in slots)
            if self.matches_tail((before + ending)[-self.reads :]):
                yield int(ending)


@dataclass(frozen=True)
class Sequence:
    """The last `length` digits rise (`step` 1) or fall (-1) by one each, without a step over 9-0.

    `exact`: the digit before them does not go on with the sequence.
    """

    length: int
    step: int
    exact: bool

    @property
    def reads(self) -> int:
        """How many last digits decide."""
        return self.length + self.exact

    @cached_property
    def _runs(self) -> frozenset[str]:
        straight = DIGITS[:: self.step]
        return frozenset(straight[start : start + self.length] for start in range(len(DIGITS) - self.length + 1))

    @cached_property
    def _candidates(self) -> tuple[str, ...]:
        return _ending_like(self._runs)

    def matches_tail(self, tail: str) -> bool:
        """Tell whether the digits are such a sequence."""
        goes_on = self.exact and int(tail[0]) + self.step == int(tail[1])
        return tail[self.exact :] in self._runs and not goes_on

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`."""
        return _try(self, before, self._candidates)


@dataclass(frozen=True)
class Words:
    """The number ends with one of these digit strings."""

    words: tuple[str, ...]

    @property
    def reads(self) -> int:
        """How many last digits decide: the longest word."""
        return max(map(len, self.words))

    @cached_property
    def _candidates(self) -> tuple[str, ...]:
        return _ending_like(self.words)

    def matches_tail(self, tail: str) -> bool:
        """Tell whether the digits end with a word."""
        return tail.endswith(self.words)

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`."""
        return _try(self, before, self._candidates)


@dataclass(frozen=True)
class Date:
    """The last digits are a real date: `year_digits` 4 (YYYYMMDD), 2 (YYMMDD) or 0 (MMDD).

    `first` and `last` are the years that count; two digits are years from 2000 to 2099, whose leap years are also those
    of 1901 to 1999.
    """

    year_digits: int
    first: int = 0
    last: int = 9999

    @property
    def reads(self) -> int:
        """How many last digits decide."""
        return self.year_digits + 4

    def matches_tail(self, tail: str) -> bool:
        """Tell whether the digits are a date of the calendar."""
        year, day = tail[: self.year_digits], tail[self.year_digits :]
        if day not in _DAYS:
            return False
        if self.year_digits == 0:
            return True
        number = int(year) + (0 if self.year_digits == len("YYYY") else _TWO_DIGIT_YEARS)
        return self.first <= number <= self.last and (day != _LEAP_DAY or isleap(number))

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`."""
        return _try(self, before, _DAYS)


@dataclass(frozen=True)
class FewDigits:
    """The last `reads` digits use exactly `kinds` different digits, each at least `each` times."""

    kinds: int
    reads: int
    each: int

    def matches_tail(self, tail: str) -> bool:
        """Tell whether the digits are few enough and each common enough."""
        used = set(tail)
        return len(used) == self.kinds and all(tail.count(digit) >= self.each for digit in used)

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`; none can, once `before` uses too many digits."""
        if len(set(before)) <= self.kinds:
            yield from _try(self, before)


@dataclass(frozen=True)
class HasDigit:
    """The last `reads` digits hold `digit`, or, with `present` false, do not hold it."""

    digit: str
    reads: int
    present: bool

    def matches_tail(self, tail: str) -> bool:
        """Tell whether the digit is there as asked."""
        return (self.digit in tail) is self.present

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`."""
        return _try(self, before)


@dataclass(frozen=True)
class Regex:
    """The last `reads` digits match a regular expression as a whole: the way out when no other pattern says it."""

    regex: re.Pattern[str]
    reads: int

    def matches_tail(self, tail: str) -> bool:
        """Tell whether the expression matches all the digits."""
        return self.regex.fullmatch(tail) is not None

    def endings(self, before: str) -> Iterator[int]:
        """Give the endings that match behind `before`."""
        return _try(self, before)

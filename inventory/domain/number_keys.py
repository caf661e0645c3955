"""What a number's row carries for the pattern search: its last four digits, which digits occur, and itself reversed."""

from __future__ import annotations

from typing import NamedTuple

_LONGEST_REVERSED = 18


class NumberKeys(NamedTuple):
    """`tail`: last four digits; `mask`: bit d is set when digit d occurs; `rev`: the digits read backwards.

    A port number may have twenty digits: of them `rev` has the last eighteen, which eight bytes hold.
    """

    tail: int
    mask: int
    rev: int


def digit_mask(digits: str) -> int:
    """Give the mask of the digits that occur: bit d for digit d."""
    mask = 0
    for digit in digits:
        mask |= 1 << int(digit)
    return mask


def number_keys(number: str) -> NumberKeys:
    """Give the search keys of a number (digits only, at least one)."""
    return NumberKeys(int(number[-4:]), digit_mask(number), int(number[::-1][:_LONGEST_REVERSED]))

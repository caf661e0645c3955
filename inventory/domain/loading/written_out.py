"""Stock that is written by hand: rows as in a list, and ranges `first-last`, each written out as its items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from inventory.domain.errors import InvalidField
from inventory.domain.identifiers import luhn_digit

MOST: Final = 100_000
"""Items that one text may stand for; more come in a file."""
_RANGE: Final = re.compile(r"\s*([0-9A-F]{3,20})\s*[-–~]\s*([0-9A-F]{3,20})\s*", re.ASCII | re.IGNORECASE)
_FIXED: Final = re.compile(r"\s*0[0-9]{2,3}\s*-\s*[0-9]{7,8}\s*", re.ASCII)
"""A fixed line as it is written: area code and number, which are the ends of nothing."""
_ICCID: Final = re.compile("89[0-9]{17,18}")


def written_out(text: str, *, field: str = "items", check_digit: bool | None = None) -> str:
    """Return the rows of a list with each range in it written out, one item a line.

    `898600…0017-898600…0033` is every card between them. `check_digit` says that ICCIDs end with a check digit (ITU-T
    E.118 clause 4.1), which follows from the digits before it and is not counted, or that their last digit counts like
    any other. It must be said where both ends could have one: one range in a hundred looks so by chance.

    Raises
    ------
    InvalidField
        Nothing is written, a range cannot be, it may be read in two ways, or the items are more than `MOST`.
    """
    lines: list[str] = []
    for line in filter(str.strip, text.splitlines()):
        ends = None if _FIXED.fullmatch(line) else _RANGE.fullmatch(line)
        lines += [line] if ends is None else _between(field, ends[1].upper(), ends[2].upper(), check_digit=check_digit)
        if len(lines) > MOST:
            raise _too_many(field, line)
    if not lines:
        raise InvalidField(field=field, value="", reason="name at least one item")
    return "\n".join([*lines, ""])


def _between(field: str, first: str, last: str, *, check_digit: bool | None) -> Iterator[str]:
    """Give the items from `first` to `last`, both among them."""
    value = f"{first}-{last}"
    checked = first != last and all(_ICCID.fullmatch(end) and luhn_digit(end[:-1]) == end[-1] for end in (first, last))
    if checked and check_digit is None:
        raise InvalidField(field=field, value=value, reason="say whether the last digit is a check digit")
    checked = checked and check_digit is True
    if checked:
        first, last = first[:-1], last[:-1]
    same = next((at for at, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first) - 1)
    start, end = first[same:], last[same:]
    if len(start) != len(end) or not (start + end).isdecimal():
        raise InvalidField(field=field, value=value, reason="both ends have the same length and differ in digits only")
    if start > end:
        raise InvalidField(field=field, value=value, reason="the first comes before the last")
    if int(end) - int(start) >= MOST:
        raise _too_many(field, value)
    items = (f"{first[:same]}{place:0{len(start)}}" for place in range(int(start), int(end) + 1))
    return (item + luhn_digit(item) for item in items) if checked else items


def _too_many(field: str, value: str) -> InvalidField:
    return InvalidField(field=field, value=value, reason=f"{MOST} items at most; send more in a file")

"""Boxes (箱): their codes, and the ranges of item numbers that lie in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from inventory.domain.errors import InvalidIdentifier

PREFIX: Final = "BOX:"
"""What a label's barcode says before the code, so that one field for the scanner tells a box from a card."""
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_.-]{0,31}", re.ASCII)

Range = tuple[int, int]
"""First and last item number, both included."""


def parse_box_code(value: str) -> str:
    """Return the code of a box in its normal form: large letters, without blanks and without the label's prefix.

    Raises
    ------
    InvalidIdentifier
        It has another form.
    """
    code = "".join(value.split()).upper().removeprefix(PREFIX)
    if _CODE.fullmatch(code) is None:
        reason = "1 to 32 letters, digits, dots, dashes, underscores, as printed on the box"
        raise InvalidIdentifier(field="box", value=value, reason=reason)
    return code


def as_ranges(items: Iterable[int]) -> list[Range]:
    """Gather item numbers into ranges, in order."""
    ranges: list[Range] = []
    for item in sorted(set(items)):
        if ranges and ranges[-1][1] == item - 1:
            ranges[-1] = (ranges[-1][0], item)
        else:
            ranges.append((item, item))
    return ranges


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """Give what is left of the ranges when others are taken out of them."""
    left = list(ranges)
    for lo, hi in taken:
        pieces = [piece for low, high in left for piece in ((low, min(high, lo - 1)), (max(low, hi + 1), high))]
        left = [piece for piece in pieces if piece[0] <= piece[1]]
    return sorted(set(left))

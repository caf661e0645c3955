"""How a movement of many items becomes a few ledger lines that any one item finds again.

A line of level n lies inside one aligned block of 10^(n+1) item numbers and holds at least 10^n of them. So the whole
life of an item is seven equality probes on (level, block), and a probe never meets a crowd: at most ten lines of one
document share a block.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LEVELS: Final = 7
"""Levels 0 to 6: a line holds at most 10^7 items, longer ranges are more lines."""
_LARGEST_BLOCK: Final = 10**LEVELS


class Line(NamedTuple):
    """A run of items `lo` to `hi`, both included, inside the aligned block `block` of 10^(level+1) item numbers."""

    level: int
    block: int
    lo: int
    hi: int


class Probe(NamedTuple):
    """Where a line that contains the item may stand; such a line also has lo <= item <= hi."""

    level: int
    block: int


def cut(lo: int, hi: int) -> list[Line]:
    """Cut the range of item numbers `lo` to `hi`, both included, into lines; they cover it exactly, in order.

    `lo` is not negative and not above `hi`. Up to 10^7 items become one or two lines, except where the range passes a
    multiple of 10^7.
    """
    lines: list[Line] = []
    while lo <= hi:
        end = min(hi, lo - lo % _LARGEST_BLOCK + _LARGEST_BLOCK - 1)
        lines += _cut_inside_block(lo, end)
        lo = end + 1
    return lines


def _cut_inside_block(lo: int, hi: int) -> list[Line]:
    level = next(level for level in range(LEVELS) if lo // 10 ** (level + 1) == hi // 10 ** (level + 1))
    # A few items on both sides of a boundary would be a tiny line in a large block: cut there. Both parts then lie
    # against the boundary and fill a tenth of their own, smaller block.
    boundary = hi - hi % 10**level
    if lo < boundary and hi - lo + 1 < 10**level:
        return _cut_inside_block(lo, boundary - 1) + _cut_inside_block(boundary, hi)
    return [Line(level, lo // 10 ** (level + 1), lo, hi)]


def probes(item_no: int) -> list[Probe]:
    """Give the seven places where the lines of an item stand."""
    return [Probe(level, item_no // 10 ** (level + 1)) for level in range(LEVELS)]


def allocate(next_free: int, count: int) -> range:
    """Give `count` item numbers, none below `next_free`, that begin at a multiple of a power of ten.

    The power is the smallest that holds them all, up to 10^7, so that a load of 10,000 fills one aligned block.
    """
    alignment = 1
    while alignment < count and alignment < _LARGEST_BLOCK:
        alignment *= 10
    first = -(-next_free // alignment) * alignment
    return range(first, first + count)

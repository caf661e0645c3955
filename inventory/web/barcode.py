"""A barcode as a drawing in the page: sharp on paper at any size, no script, no font, no picture to fetch."""

from __future__ import annotations

from typing import Final, NamedTuple

from inventory.domain.barcodes import bars

HEIGHT: Final = 40
"""In modules; the style sheet gives millimetres."""


class Barcode(NamedTuple):
    """What the template draws: a path over `width` times `HEIGHT` modules."""

    text: str
    width: int
    height: int
    path: str


def barcode(text: str) -> Barcode:
    """Return the Code 128 of a text of printable ASCII characters as an SVG path."""
    width, found = bars(text)
    return Barcode(text, width, HEIGHT, "".join(f"M{place} 0h{size}v{HEIGHT}h-{size}z" for place, size in found))

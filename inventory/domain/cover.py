"""How long stock lasts, when it is low, and who beside could give some: sums only, no stock is looked at here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

HISTORY_DAYS: Final = 30
"""What was sold in so many days says how much is sold a day."""
KEEP_DAYS: Final = 14
"""A place that gives some away keeps enough for so many days, and one that asks wants enough for them."""


@dataclass(frozen=True)
class Shelf:
    """What a place has of a sort, what it sold of it in the last `HISTORY_DAYS`, and its threshold (0: none)."""

    place: str
    free: int
    sold: int
    minimum: int = 0

    @property
    def low(self) -> bool:
        """Whether the free items have come down to the threshold."""
        return self.free <= self.minimum

    @property
    def days(self) -> int | None:
        """Whole days that the free items last at the pace of the history; None where nothing was sold."""
        return None if not self.sold else self.free * HISTORY_DAYS // self.sold

    @property
    def spare(self) -> int:
        """What the place could give away: what is above its threshold and above what it sells in `KEEP_DAYS`."""
        return max(0, self.free - max(self.minimum, self._needed()))

    @property
    def lacking(self) -> int:
        """What the place needs to be above its threshold and to last `KEEP_DAYS`."""
        return max(0, max(self.minimum + 1, self._needed()) - self.free)

    def _needed(self) -> int:
        """Give what is sold in `KEEP_DAYS`, rounded up."""
        return -(-self.sold * KEEP_DAYS // HISTORY_DAYS)


@dataclass(frozen=True)
class Suggestion:
    """That a place beside gives so many items."""

    place: str
    count: int


def suggest(low: Shelf, beside: Iterable[Shelf]) -> Suggestion | None:
    """Give who of the places beside has most to spare and how many items it gives, or None if nobody has any."""
    best = max(beside, key=lambda shelf: shelf.spare, default=None)
    if best is None or not (count := min(best.spare, low.lacking)):
        return None
    return Suggestion(best.place, count)

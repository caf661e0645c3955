"""What a stocktake (盘点) finds: each item that was scanned or should have been, against the book."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from inventory.domain.kinds import ResourceKind
from inventory.domain.lifecycle import SIM_WITH_CUSTOMER, NumberState, SimState


class Finding(StrEnum):
    """What stands between the book and what was scanned; what agrees has none."""

    MISSING = "missing"
    """It should lie here and was not scanned."""
    ON_HOLD = "on_hold"
    """Not scanned, and under way with a sale: at the desk, in a reader."""
    WRITTEN = "written"
    """Not scanned, written for a customer and not handed over yet."""
    MOVED = "moved"
    """It came, left or was sold while the count went on: no difference."""
    NOT_HOLDER = "not_holder"
    """It lies here and belongs elsewhere."""
    IN_TRANSIT = "in_transit"
    """It lies here and nobody has signed for it yet."""
    LOST = "lost"
    """It was given up as lost and is found."""
    IN_USE = "in_use"
    """By the book a customer has it."""
    ENDED = "ended"
    """By the book it is scrapped, written off or returned."""
    NOT_IN_STOCK = "not_in_stock"
    """The city has no such item."""
    DAMAGED_FOUND = "damaged_found"
    """It lies where it should and is broken, which the book does not know."""


SHORT: Final = frozenset({Finding.MISSING, Finding.ON_HOLD, Finding.WRITTEN})
"""What was not scanned and should have been."""
EXTRA: Final = frozenset(
    {Finding.NOT_HOLDER, Finding.IN_TRANSIT, Finding.LOST, Finding.IN_USE, Finding.ENDED, Finding.NOT_IN_STOCK}
)
"""What was scanned and should not lie here."""

_WITH_CUSTOMER: Final = frozenset({*map(str, SIM_WITH_CUSTOMER), str(NumberState.IN_USE), str(SimState.SHIPPED)})


def of_unscanned(*, state: str, on_hold: bool, arrived: bool) -> Finding:
    """Give the finding on an item that lies here by the book and was not scanned.

    `arrived` says that a document brought it here after the count was opened.
    """
    if arrived:
        return Finding.MOVED
    if state == SimState.WRITTEN:
        return Finding.WRITTEN
    return Finding.ON_HOLD if on_hold else Finding.MISSING


def of_astray(kind: ResourceKind, *, state: str, in_transit: bool, lies_here_now: bool) -> Finding:
    """Give the finding on an item of the city that was scanned and did not lie here by the book at that moment."""
    if lies_here_now:
        return Finding.MOVED
    if state == SimState.LOST:
        return Finding.LOST
    if state in _WITH_CUSTOMER:
        return Finding.IN_USE
    if state not in {str(known) for known in kind.in_hand}:
        return Finding.ENDED
    return Finding.IN_TRANSIT if in_transit else Finding.NOT_HOLDER

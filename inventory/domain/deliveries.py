"""A delivery: a document whose items are on their way until the receiver signs for them (签收) or sends them back."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """How far a document has been answered."""

    IN_TRANSIT = "IN_TRANSIT"
    PARTLY_ANSWERED = "PARTLY_ANSWERED"
    """Some items are signed for or sent back, the others are still on their way."""
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """All items were sent back."""
    SETTLED = "SETTLED"
    """Some items were signed for and all the others sent back."""


OPEN = frozenset({DeliveryState.IN_TRANSIT, DeliveryState.PARTLY_ANSWERED})
"""States in which items are still on their way."""


def delivery_state(*, count: int, accepted: int, refused: int) -> DeliveryState:
    """Give the state of a document of `count` items of which so many are signed for and so many sent back."""
    answered = accepted + refused
    if not answered:
        return DeliveryState.IN_TRANSIT
    if answered < count:
        return DeliveryState.PARTLY_ANSWERED
    if not refused:
        return DeliveryState.ACCEPTED
    return DeliveryState.SETTLED if accepted else DeliveryState.REFUSED

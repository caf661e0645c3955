"""Replacement of a card (补卡, 换卡): why a customer gets another card for a number in use."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

EXTRA_CHECK_CLASS: Final = 3
"""Cards of numbers of this class or a better one are replaced only after an extra check: such numbers are worth
stealing, and a replaced card is how they are stolen."""


class ReplaceReason(StrEnum):
    """Why the old card is replaced; it is told with the order and stays with it."""

    LOST = "lost"
    """丢失"""
    BROKEN = "broken"
    """损坏"""
    EXCHANGE = "exchange"
    """Another size or generation."""


def needs_extra_check(number_class: int) -> bool:
    """Tell whether the holder of such a number proves itself in a second way, such as by numbers often called."""
    return number_class <= EXTRA_CHECK_CLASS

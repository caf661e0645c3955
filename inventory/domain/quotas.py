"""Quotas of issues: how many items a place may be given in a day or a month of the halls' calendar."""

from __future__ import annotations

from datetime import date
from enum import StrEnum


class Period(StrEnum):
    """How long a quota lasts; then it begins anew."""

    DAY = "DAY"
    MONTH = "MONTH"

    def begin(self, today: date) -> date:
        """Give the first day of the period that `today` lies in."""
        return today if self is Period.DAY else today.replace(day=1)

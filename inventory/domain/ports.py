"""SMS ports (短信端口号): which sender numbers a tenant gets with a base, and how long (REQ-NUM-15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from inventory.domain.errors import InvalidField

LONGEST: Final = 20
"""Digits of a sender number, base and extension together."""


class Standing(StrEnum):
    """What is to be told of the term of a rented port."""

    ENDING = "ending"
    OVER = "over"
    """Its last day is over and the port is still rented: nothing is taken from a tenant by itself."""


@dataclass(frozen=True)
class PortSpan:
    """The sender numbers that come with a base: the base alone and with up to `extension` digits behind it."""

    base: str
    extension: int

    def __post_init__(self) -> None:
        most = LONGEST - len(self.base)
        if not 0 <= self.extension <= most:
            reason = f"0 to {most}: a sender number has {LONGEST} digits at most"
            raise InvalidField(field="extension_digits", value=self.extension, reason=reason)

    def meets(self, other: PortSpan) -> bool:
        """Tell whether a sender number belongs to both."""
        shorter, longer = sorted((self, other), key=lambda span: len(span.base))
        return longer.base.startswith(shorter.base) and len(longer.base) <= len(shorter.base) + shorter.extension


def require_term(begins_on: date, ends_on: date, *, today: date) -> None:
    """Let pass a term that is not over and does not end before it begins.

    Raises
    ------
    InvalidField
        It is, or does.
    """
    earliest = max(begins_on, today)
    if ends_on < earliest:
        raise InvalidField(field="ends_on", value=ends_on.isoformat(), reason=f"{earliest.isoformat()} or later")


def standing(ends_on: date, *, today: date, notice: timedelta) -> Standing | None:
    """Give what is to be told of a term on a day, if anything is: `notice` before its last day it counts as ending."""
    if ends_on < today:
        return Standing.OVER
    return Standing.ENDING if ends_on <= today + notice else None

"""What every operator adapter does: request issue data for a blank, report what its card said; and how it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class OperatorError(Exception):
    """A call did not bring what was asked for; says why, never what was in it."""


class OperatorUnavailable(OperatorError):
    """No answer in time, or one that says "later". Asking the same again is safe: it has the same key."""


class OperatorRefused(OperatorError):
    """The system says no, such as for a serial that it does not know; asking again brings the same."""


class OperatorBroken(OperatorError):
    """What came back is no answer to what was asked."""


@dataclass(frozen=True, kw_only=True)
class IssueWish:
    """Issue data for one blank card.

    `request` is our own name of it: the same request again brings the same data, whatever was lost on the way. `serial`
    is the blank's, 16 or 20 digits; `number` the subscriber's, None where the card comes before it.
    """

    request: str
    serial: str
    product: str
    number: str | None = None


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What one card is to get: `parts` are opaque, in order; `iccid` and `imsi` are what it will be called by.

    It is used up once it is given: what does not end on that card is retired (domain/cardjobs.py, `fetched`).
    """

    transaction: str
    iccid: str
    imsi: str
    parts: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CardSaid:
    """What became of an issue: the card's answer as it came, None if it gave none, and its last status word."""

    transaction: str
    serial: str
    answer: bytes | None = field(repr=False)
    sw: int | None


@dataclass(frozen=True)
class Receipt:
    """Whether the system takes the card for written, by the MAC in its answer; `reason` is its own word for why not."""

    accepted: bool
    reason: str | None = None


class OperatorAdapter(Protocol):
    """One operator's card-data system. Both calls may be repeated, and end within a deadline, whatever happens."""

    async def request(self, wish: IssueWish) -> Issue:
        """Give the issue data for a blank.

        Raises
        ------
        OperatorUnavailable, OperatorRefused, OperatorBroken
            As they say.
        """
        ...

    async def report(self, said: CardSaid) -> Receipt:
        """Hand in what the card said, unmodified, and give the system's word on it.

        Raises
        ------
        OperatorUnavailable, OperatorRefused, OperatorBroken
            As they say.
        """
        ...

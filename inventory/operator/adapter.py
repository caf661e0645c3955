"""What every operator adapter does: request issue data for a blank, report what its card said; and how it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

_LONGEST_NAME: Final = 64
_LONGEST_WORD: Final = 200


def _on_a_line(text: str) -> str:
    """Return what a system says as it may stand in a log, a page and the database."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:_LONGEST_WORD]


class OperatorError(Exception):
    """A call did not bring what was asked for; says why, never what was in it."""

    def __init__(self, why: str) -> None:
        """Say why on one line, of bounded length."""
        super().__init__(_on_a_line(why))


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

    Raises
    ------
    OperatorBroken
        Something is missing or of another form: an adapter cannot give what could never be kept or reported.
    """

    transaction: str
    iccid: str
    imsi: str
    parts: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Check what an adapter, perhaps an operator's own, has made."""
        names: dict[str, object] = {"transaction": self.transaction, "iccid": self.iccid, "imsi": self.imsi}
        for name, value in names.items():
            if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
                raise OperatorBroken(f"its {name} is no text of 1 to {_LONGEST_NAME} printable characters")
        parts: tuple[object, ...] = self.parts
        if not parts or not all(isinstance(part, bytes) and part for part in parts):
            raise OperatorBroken("its parts are not bytes")


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

    def __post_init__(self) -> None:
        """Keep the reason to one line; what is no word on the answer is none.

        Raises
        ------
        OperatorBroken
            It says neither yes nor no, or its reason is no text.
        """
        said: tuple[object, object] = (self.accepted, self.reason)
        if not isinstance(said[0], bool) or not isinstance(said[1], str | None):
            raise OperatorBroken("its receipt is none")
        object.__setattr__(self, "reason", None if self.reason is None else _on_a_line(self.reason))


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

"""Bulk writing: which inserted card an order takes, and how far the order is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from inventory.domain.lifecycle import SimState

MOST_CARDS: Final = 100_000
"""So many cards one order asks for at most."""
PACE_SPAN: Final = timedelta(minutes=10)
"""The pace of an order is that of the cards written in so much time."""


class NotTaken(StrEnum):
    """Why an inserted card is left as it is; the catalogue of cards has the sentences."""

    NOT_IN_STOCK = "not_in_stock"
    ELSEWHERE = "elsewhere"
    """By the book it lies with another place."""
    ON_THE_WAY = "on_the_way"
    LEGAL_HOLD = "legal_hold"
    """An outside order lies on it."""
    WRONG_KIND = "wrong_kind"
    FINISHED = "finished"
    UNKNOWN = "unknown"
    """It is not known what is on it, and reading it has not told."""
    DAMAGED = "damaged"
    NOT_FREE = "not_free"
    EXPIRED = "expired"
    ADM_REFUSED = "adm_refused"
    ADM_IN_DOUBT = "adm_in_doubt"
    """Its key was sent and nobody knows what came of it: a person decides, not an order."""
    ENOUGH = "enough"
    """The last cards of the order are being written in other readers."""
    NO_DATA = "no_data"


@dataclass(frozen=True, kw_only=True)
class Inserted:
    """A card of stock as an order sees it: `here` if it lies with the station's place, a clerk of it, or who ordered.

    `finished` cards have an identity of some HLR; `on_the_way` are those in transit or owed under a recall order.
    """

    state: str
    kind_code: str
    here: bool
    finished: bool
    on_the_way: bool
    legal_hold: bool
    expired: bool
    adm_refused: bool
    adm_sent: bool


_BY_STATE = {
    SimState.DAMAGED: NotTaken.DAMAGED,
    SimState.WRITE_UNKNOWN: NotTaken.UNKNOWN,
    SimState.WRITTEN: NotTaken.FINISHED,
    SimState.IN_USE: NotTaken.FINISHED,
}


def why_not(card: Inserted | None, *, kind_code: str) -> NotTaken | None:
    """Say why the card cannot be written for an order of this kind, None where it can; None: stock has no such card."""
    if card is None:
        return NotTaken.NOT_IN_STOCK
    if card.state != SimState.AVAILABLE:
        return _BY_STATE.get(SimState(card.state), NotTaken.NOT_FREE)
    against = {
        NotTaken.FINISHED: card.finished,
        NotTaken.WRONG_KIND: card.kind_code != kind_code,
        NotTaken.ELSEWHERE: not card.here,
        NotTaken.ON_THE_WAY: card.on_the_way,
        NotTaken.LEGAL_HOLD: card.legal_hold,
        NotTaken.EXPIRED: card.expired,
        NotTaken.ADM_REFUSED: card.adm_refused,
        NotTaken.ADM_IN_DOUBT: card.adm_sent,
    }
    return next((reason for reason, stands in against.items() if stands), None)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an order is: cards by how they ended, and those under way.

    `recent` were written within `PACE_SPAN`, the first of all jobs was begun at `first_at`.
    """

    wanted: int
    written: int = 0
    damaged: int = 0
    unknown: int = 0
    untouched: int = 0
    under_way: int = 0
    recent: int = 0
    first_at: datetime | None = None

    @property
    def left(self) -> int:
        """Cards that are still to be written."""
        return max(0, self.wanted - self.written)

    @property
    def begins(self) -> bool:
        """Whether another card may be begun: one that is under way counts as written until it is not."""
        return self.under_way < self.left

    def pace(self, now: datetime) -> int:
        """Give cards an hour, as of the last `PACE_SPAN` or the time since the first card if that is shorter."""
        if self.first_at is None or now <= self.first_at:
            return 0
        return self.recent * timedelta(hours=1) // min(PACE_SPAN, now - self.first_at)

    def minutes_left(self, now: datetime) -> int | None:
        """Give the whole minutes, rounded up, that the rest takes at this pace; None where nothing is written."""
        pace = self.pace(now)
        return -(-self.left * 60 // pace) if pace else None

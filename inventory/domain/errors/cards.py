"""Why a card is not written, and stations that cannot."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


class CardUnknown(DomainError):
    """The card on the reader is not in stock, or not this kit's (`iccid`)."""

    code = "card_unknown"
    refusal = Refusal.NOT_FOUND
    message = "Card {iccid} is not in stock here or does not belong to this kit"


class CardBeingWritten(DomainError):
    """The kit's card has an open or unsettled write job (`iccid`)."""

    code = "card_being_written"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} is being written or its outcome is unknown; wait for the write job to end"


class CardNotVerified(DomainError):
    """A confirm before the card is proven (`iccid`)."""

    code = "card_not_verified"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} is not proven; write and verify it first"


class WriteJobOpen(DomainError):
    """The kit or card has an open write job (`job`)."""

    code = "write_job_open"
    refusal = Refusal.CONFLICT
    message = "Write job {job} is still open; wait for it or cancel it"


class StationUnknown(DomainError):
    """No station has this id (`station`)."""

    code = "station_unknown"
    refusal = Refusal.NOT_FOUND
    message = "Station {station} is not known; enrol it"


class StationOffline(DomainError):
    """The station's link is down (`station`)."""

    code = "station_offline"
    refusal = Refusal.BUSY
    message = "Station {station} is not connected; start it and try again"


class EnrolCodeInvalid(DomainError):
    """A wrong, used or stale enrolment code."""

    code = "enrol_code_invalid"
    refusal = Refusal.GONE
    message = "The enrolment code is wrong, used or too old; ask for a new one"

"""Why a card is not written, and stations that cannot."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


class CardUnknown(DomainError):
    """The card on the reader is not in stock, or not this kit's (`iccid`)."""

    code = "card_unknown"
    refusal = Refusal.NOT_FOUND
    message = "Card {iccid} is not in stock here or does not belong to this kit"


class NoCardInReader(DomainError):
    """No card of stock that could be taken lies in the desk's reader: neither an ICCID nor a chip serial is known."""

    code = "no_card_in_reader"
    refusal = Refusal.CONFLICT
    message = "No card that can be sold is in the reader; put in a blank one and wait until the desk shows its number"


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


class BulkOrderOpen(DomainError):
    """The station has an open bulk order (`order`)."""

    code = "bulk_order_open"
    refusal = Refusal.CONFLICT
    message = "Bulk order {order} of this station is still open; finish or cancel it"


class AdmInDoubt(DomainError):
    """The card's ADM key was sent to it before, and nobody knows what came of it (`card`)."""

    code = "adm_in_doubt"
    refusal = Refusal.CONFLICT
    message = "The ADM key of card {card} was sent before without an answer; take another card, or decide to try again"


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


class ReaderTaken(DomainError):
    """The reader stands at another seat (`reader`, `staff`, `since`)."""

    code = "reader_taken"
    refusal = Refusal.CONFLICT
    message = (
        "Reader {reader} is bound to another seat by {staff} since {since}; take another, or take it over knowingly"
    )


class CardMustStay(DomainError):
    """The card in a dispenser may not be moved there now (`movement`, `state` of its record, `-` if none is known)."""

    code = "card_must_stay"
    refusal = Refusal.CONFLICT
    message = (
        "The card in the dispenser is {state} and may not be moved to {movement}; finish its sale or read it first"
    )


class KioskNotReady(DomainError):
    """The self-service machine serves nobody now (`reason`)."""

    code = "kiosk_not_ready"
    refusal = Refusal.CONFLICT
    message = "The machine cannot serve a customer now: {reason}; see to it, or go to the counter"


class EnrolCodeInvalid(DomainError):
    """A wrong, used or stale enrolment code."""

    code = "enrol_code_invalid"
    refusal = Refusal.GONE
    message = "The enrolment code is wrong, used or too old; ask for a new one"

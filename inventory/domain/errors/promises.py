"""Why a kit is not held, kept or sold."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


class SaleChannelRefused(DomainError):
    """The number's class is not sold in this channel (`number_class`, `channel`, `sold_in`)."""

    code = "sale_channel_refused"
    refusal = Refusal.FORBIDDEN
    message = "Numbers of class {number_class} are not sold in channel {channel}; they are sold in {sold_in}"


class NumberNotFree(DomainError):
    """The number is held, booked or in use (`number`, `state`, `held_until`)."""

    code = "number_not_free"
    refusal = Refusal.CONFLICT
    message = "{number} is {state} until {held_until}; choose another"


class NumberNotOnSale(DomainError):
    """The number is in no pool the caller may sell from (`number`)."""

    code = "number_not_on_sale"
    refusal = Refusal.CONFLICT
    message = "{number} is not on sale here; choose another"


class SimNotFree(DomainError):
    """The card is not available (`iccid`, `state`)."""

    code = "sim_not_free"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} is {state}; take another"


class NoDataUnit(DomainError):
    """The HLR's pool of subscription data is empty (`hlr`)."""

    code = "no_data_unit"
    refusal = Refusal.CONFLICT
    message = "No free IMSI is left for HLR {hlr}; load a pool or choose a number of another HLR"


class HlrMismatch(DomainError):
    """Number and card data belong to different HLRs (`number_hlr`, `sim_hlr`)."""

    code = "hlr_mismatch"
    refusal = Refusal.CONFLICT
    message = "The number belongs to HLR {number_hlr}, the card's data to {sim_hlr}"


class HoldKeyWrong(DomainError):
    """A hold key that does not belong to the hold (`hold`)."""

    code = "hold_key_wrong"
    refusal = Refusal.FORBIDDEN
    message = "The hold key does not open hold {hold}"


class HoldExpired(DomainError):
    """The hold's time is over (`hold`, `expired_at`)."""

    code = "hold_expired"
    refusal = Refusal.GONE
    message = "Hold {hold} ended at {expired_at}; hold again"


class HoldNotActive(DomainError):
    """The hold was released, confirmed or rolled back before (`hold`, `state`)."""

    code = "hold_not_active"
    refusal = Refusal.GONE
    message = "Hold {hold} is {state}; it can no longer be used"


class HoldExtendedTooOften(DomainError):
    """Two extensions, or twice the first duration, are used up (`hold`, `reason`)."""

    code = "hold_extended_too_often"
    refusal = Refusal.CONFLICT
    message = "Hold {hold} can be extended no further: {reason}; confirm it or hold again"


class QuoteNotAccepted(DomainError):
    """The customer did not accept the quote in force (`version`)."""

    code = "quote_not_accepted"
    refusal = Refusal.CONFLICT
    message = "Version {version} of the quote was not accepted; show the customer the quote and send its version"


class RealNameReferenceMissing(DomainError):
    """A confirm without the real-name reference (REQ-CMP-06)."""

    code = "real_name_reference_missing"
    refusal = Refusal.INVALID
    message = "Send the reference of the real-name check"

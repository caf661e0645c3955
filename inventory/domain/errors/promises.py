"""Why a kit is not held, kept or sold."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


class SaleChannelRefused(DomainError):
    """The number's class is not sold in this channel (`number_class`, `channel`, `sold_in`, `reason`)."""

    code = "sale_channel_refused"
    refusal = Refusal.FORBIDDEN
    message = "Numbers of class {number_class} are not sold in channel {channel}: {reason}"


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


class NotSoldInHalls(DomainError):
    """The number is an SMS port, which is rented, or an access code (`number`; REQ-NUM-15, REQ-NUM-16)."""

    code = "not_sold_in_halls"
    refusal = Refusal.CONFLICT
    message = "{number} is an SMS port or an access code, which no hall sells; choose a subscriber number"


class LegalHold(DomainError):
    """An outside order lies on the item, or on an item of the kit (`field`, `value`); the order itself is not told."""

    code = "legal_hold"
    refusal = Refusal.CONFLICT
    message = "{field} {value} is under a legal hold and may be neither sold nor given up; take another"


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


class NoNumberedData(DomainError):
    """No data with an ICCID are left for a blank that has a chip serial only (`hlr`)."""

    code = "no_numbered_data"
    refusal = Refusal.CONFLICT
    message = (
        "No free IMSI with an ICCID is left for HLR {hlr}, and this blank has no ICCID of its own; "
        "load a pool with the column iccid or take a card that has its ICCID"
    )


class NumberNotInUse(DomainError):
    """The number serves no customer, so nothing of its line can be changed (`number`, `state`)."""

    code = "number_not_in_use"
    refusal = Refusal.CONFLICT
    message = "{number} is {state} and serves no customer; only the card of a number in use is replaced"


class SimNotInUse(DomainError):
    """The card serves no number, so it can serve no second one (`iccid`, `state`; REQ-SIM-17)."""

    code = "sim_not_in_use"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} is {state}; only a card in use is given a second number"


class CardServesNoMore(DomainError):
    """The card serves as many numbers as a card of the product may (`iccid`, `numbers`, `most`; REQ-SIM-17)."""

    code = "card_serves_no_more"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} serves {numbers} numbers, a card of the product may serve {most}; take a product of more"


class ServiceOrderOpen(DomainError):
    """Another service order is open on the number or its card (`number`, `business`, `reason`, `until`; REQ-LCK-01)."""

    code = "service_order_open"
    refusal = Refusal.CONFLICT
    message = "A service order ({business}, {reason}) is open on {number} until {until}; finish or release it first"


class ExtraCheckMissing(DomainError):
    """The number is one worth stealing, and nobody says how its holder proved itself a second time (`number_class`)."""

    code = "extra_check_missing"
    refusal = Refusal.CONFLICT
    message = "Numbers of class {number_class} get another card only after an extra check; say what was checked"


class NetworkNotReady(DomainError):
    """The city waits for the network's word, and the network does not know the card yet (`iccid`; REQ-AUC-01)."""

    code = "network_not_ready"
    refusal = Refusal.CONFLICT
    message = "The network has not confirmed card {iccid}; the old card works until it has: tell it, then confirm"


class LineNotWaiting(DomainError):
    """The hold has no sale that waits for the network, so there is nothing to roll back (`hold`, `state`)."""

    code = "line_not_waiting"
    refusal = Refusal.CONFLICT
    message = (
        "Hold {hold} has no sale that waits for the network, it is {state}; "
        "an open hold is released, a line in use is ended by its customer"
    )


class CardToBeDeleted(DomainError):
    """The network was told to delete an identity on the card, after its sale was rolled back (`iccid`)."""

    code = "card_to_be_deleted"
    refusal = Refusal.CONFLICT
    message = "The network was told to delete what is on card {iccid}; take another card for this kit, or release it"


class NetworkHasIdentity(DomainError):
    """The number was sold before with a card that the network may still have (`hold`, `iccid`)."""

    code = "network_has_identity"
    refusal = Refusal.CONFLICT
    message = (
        "The network may still have the identity of card {iccid}, with which the number of {hold} was sold; "
        "have it deleted there and keep the answer deleted, then release; or sell it again"
    )


class NotHeldTogether(DomainError):
    """Card and number are neither one line nor in one kit (`iccid`, `number`)."""

    code = "not_held_together"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} and number {number} are not in one kit; hold them together first"


class HlrMismatch(DomainError):
    """Number and card data belong to different HLRs (`number_hlr`, `sim_hlr`)."""

    code = "hlr_mismatch"
    refusal = Refusal.CONFLICT
    message = "The number belongs to HLR {number_hlr}, the card's data to {sim_hlr}"


class CardKindDiffers(DomainError):
    """The card is of another product than the kit was quoted with (`iccid`, `kind`, `quoted`)."""

    code = "card_kind_differs"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} is of product {kind}, the kit was quoted with {quoted}; take a card of that product"


class CardLacksCapability(DomainError):
    """The card's product cannot do what the kit demands (`kind`, `capability`; REQ-SIM-14)."""

    code = "card_lacks_capability"
    refusal = Refusal.CONFLICT
    message = "Cards of product {kind} do not have {capability}; take a card of another product"


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

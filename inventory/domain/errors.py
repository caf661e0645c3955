"""Refusals: one class each, with a stable code; edges translate them, nobody else does.

The English message is for logs. The text a person reads comes from the catalogue at the edge, by `code`, filled with
`params` (docs/errors.md lists every code).
"""

from __future__ import annotations

import enum
from typing import Any, ClassVar


class Refusal(enum.Enum):
    """What sort of refusal it is; each edge maps the sort to its own status (HTTP, exit code)."""

    INVALID = "invalid"
    """The request itself is wrong: a field, its value, its combination."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """The request is fine, the state of the stock does not allow it."""
    GONE = "gone"
    """A promise that has ended: an expired hold, a used code."""
    TOO_OFTEN = "too_often"
    """The caller must wait before it tries again."""
    BUSY = "busy"
    """Try again: a lock time-out, a station that does not answer."""


class DomainError(Exception):
    """Base of every refusal.

    Keyword arguments become `params`; `field`, `value`, `reason` and `item` are the usual ones. Never pass a secret.
    """

    code: ClassVar[str]
    refusal: ClassVar[Refusal]
    message: ClassVar[str]

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.message.format_map(_Lenient(params)))


class _Lenient(dict[str, Any]):
    """Leaves a placeholder without a value readable instead of failing inside error handling."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class InvalidField(DomainError):
    """A field of the request holds a value that cannot be (`field`, `value`, `reason`)."""

    code = "invalid_field"
    refusal = Refusal.INVALID
    message = "{field} = {value!r} is refused: {reason}"


class MissingField(DomainError):
    """A field that the request needs is not there (`field`)."""

    code = "missing_field"
    refusal = Refusal.INVALID
    message = "{field} is missing; send it"


class InvalidIdentifier(DomainError):
    """An ICCID, IMSI, number, serial or public id is not well formed (`field`, `value`, `reason`)."""

    code = "invalid_identifier"
    refusal = Refusal.INVALID
    message = "{field} = {value!r} is not a valid identifier: {reason}"


class InvalidSearch(DomainError):
    """A search wish cannot be compiled (`field`, `value`, `reason`)."""

    code = "invalid_search"
    refusal = Refusal.INVALID
    message = "The search {value!r} cannot be read: {reason}"


class ReasonMissing(DomainError):
    """An act that is only allowed with a reason came without one."""

    code = "reason_missing"
    refusal = Refusal.INVALID
    message = "This act needs a reason; give one"


class IdempotencyKeyMissing(DomainError):
    """A write came without its idempotency key."""

    code = "idempotency_key_missing"
    refusal = Refusal.INVALID
    message = "Every write needs an Idempotency-Key header; send a fresh random key and keep it for retries"


class FeeUnchanged(DomainError):
    """A fee change that changes nothing (`number`)."""

    code = "fee_unchanged"
    refusal = Refusal.INVALID
    message = "The fee of {number} is already the one asked for; nothing was changed"


class LevelSkipped(DomainError):
    """A movement that jumps over a level or leaves the line of custody (`giver`, `receiver`)."""

    code = "level_skipped"
    refusal = Refusal.INVALID
    message = "{giver} and {receiver} are not direct neighbours; items move one level at a time"


class OrganisationUnknown(DomainError):
    """An organisation id that no one has (`organisation`)."""

    code = "organisation_unknown"
    refusal = Refusal.NOT_FOUND
    message = "Organisation {organisation} is not known; check its id"


class SegmentUnknown(DomainError):
    """A number outside every segment (`number`)."""

    code = "segment_unknown"
    refusal = Refusal.NOT_FOUND
    message = "No segment holds {number}; load its segment first"


class NotFound(DomainError):
    """A thing that does not exist, or not for this caller (`what`, `value`)."""

    code = "not_found"
    refusal = Refusal.NOT_FOUND
    message = "{what} {value} does not exist or is not yours to see"


class UnknownInterface(DomainError):
    """The interface number is unknown or closed (`interface`)."""

    code = "unknown_interface"
    refusal = Refusal.UNAUTHENTICATED
    message = "Interface {interface} is not known or is closed; use the interface number you were given"


class BadCredentials(DomainError):
    """Wrong secret, or staff, interface and secret do not fit; says no more on purpose."""

    code = "bad_credentials"
    refusal = Refusal.UNAUTHENTICATED
    message = "The staff id, interface number and secret do not belong together"


class InterfaceClosed(DomainError):
    """An administrator's act on an interface that is closed (`interface`)."""

    code = "interface_closed"
    refusal = Refusal.CONFLICT
    message = "Interface {interface} is closed for good; grant another"


class BuiltInInterface(DomainError):
    """The built-in interface of direct users cannot be closed or renumbered (`interface`, REQ-IF-05)."""

    code = "built_in_interface"
    refusal = Refusal.CONFLICT
    message = "Interface {interface} is built in and stays; close one of the others"


class TooManySignIns(DomainError):
    """A staff id failed to sign in too often (`minutes`: how long the failures count)."""

    code = "too_many_sign_ins"
    refusal = Refusal.TOO_OFTEN
    message = "Too many failed sign-ins; wait {minutes} minutes, then try again"


class OutsideWorkingHours(DomainError):
    """A writing call outside the working window (`opens`, `closes`: the next opening and its end)."""

    code = "outside_working_hours"
    refusal = Refusal.FORBIDDEN
    message = "Closed now; this may be done between {opens} and {closes}"


class PermissionDenied(DomainError):
    """The caller's role lacks a permission (`permission`)."""

    code = "permission_denied"
    refusal = Refusal.FORBIDDEN
    message = "This needs the permission {permission}; ask a superior"


class OutsideScope(DomainError):
    """An organisation or item outside the caller's subtree (`what`)."""

    code = "outside_scope"
    refusal = Refusal.FORBIDDEN
    message = "{what} is not in your part of the organisation"


class SamePerson(DomainError):
    """The approver equals the requester."""

    code = "same_person"
    refusal = Refusal.FORBIDDEN
    message = "The one who asks cannot approve; a second person must"


class SaleChannelRefused(DomainError):
    """The number's class is not sold in this channel (`number_class`, `channel`, `sold_in`)."""

    code = "sale_channel_refused"
    refusal = Refusal.FORBIDDEN
    message = "Numbers of class {number_class} are not sold in channel {channel}; they are sold in {sold_in}"


class IllegalTransition(DomainError):
    """The life cycle has no such move (`state`, `event`)."""

    code = "illegal_transition"
    refusal = Refusal.CONFLICT
    message = "{event} is not possible in state {state}"


class StaleVersion(DomainError):
    """The item has moved on since it was read (`item`)."""

    code = "stale_version"
    refusal = Refusal.CONFLICT
    message = "{item} was changed by someone else; read it again"


class IdempotencyMismatch(DomainError):
    """The same idempotency key came with another request."""

    code = "idempotency_mismatch"
    refusal = Refusal.CONFLICT
    message = "This Idempotency-Key was used for another request; use a fresh key"


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


class NotHolder(DomainError):
    """The giver of a movement does not hold the item (`item`, `holder`)."""

    code = "not_holder"
    refusal = Refusal.CONFLICT
    message = "{item} is held by {holder}, not by the giver"


class ItemNotMovable(DomainError):
    """The item's state forbids the movement (`item`, `state`)."""

    code = "item_not_movable"
    refusal = Refusal.CONFLICT
    message = "{item} is {state} and may not move now"


class MovementRefused(DomainError):
    """Items of a document that may not move; nothing moved (`count`, `items`: the first 100, each with its `code`)."""

    code = "movement_refused"
    refusal = Refusal.CONFLICT
    message = "{count} items of the document may not move; nothing was moved. Take them off the document"


class NotEnoughStock(DomainError):
    """Fewer movable items of the sort than asked for (`wanted`, `found`, `of`)."""

    code = "not_enough_stock"
    refusal = Refusal.CONFLICT
    message = "{wanted} of {of} were asked for, only {found} may move; ask for fewer"


class ApproverNeeded(DomainError):
    """An act for two persons came without a second one who may approve (`approver`, `permission`)."""

    code = "approver_needed"
    refusal = Refusal.FORBIDDEN
    message = "This needs the approval of a second person with the permission {permission}, not of {approver}"


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


class NotBlank(DomainError):
    """The card on the reader is not blank (`iccid`)."""

    code = "not_blank"
    refusal = Refusal.CONFLICT
    message = "Card {iccid} carries an identity already; take a blank card"


class WrongCardKind(DomainError):
    """The card on the reader is of another kind (`found`, `wanted`)."""

    code = "wrong_card_kind"
    refusal = Refusal.CONFLICT
    message = "The card is {found}, the order needs {wanted}"


class AdmTriesLow(DomainError):
    """The ADM counter is below its full value; a further try could block the card (`tries`)."""

    code = "adm_tries_low"
    refusal = Refusal.CONFLICT
    message = "The card allows {tries} more tries of its ADM key; it is left alone, take another card"


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


class LoadRejected(DomainError):
    """A file with faults; nothing of it was taken (`rows`, `first`)."""

    code = "load_rejected"
    refusal = Refusal.INVALID
    message = "{rows} rows are refused, the first: {first}; correct the file and load it again"


class AlreadyLoaded(DomainError):
    """The same file again (`digest`, `batch`)."""

    code = "already_loaded"
    refusal = Refusal.CONFLICT
    message = "A file with digest {digest} was loaded as batch {batch}"


class DuplicateIdentifier(DomainError):
    """An identifier that must be unique exists (`kind`, `value`, `where`)."""

    code = "duplicate_identifier"
    refusal = Refusal.CONFLICT
    message = "{kind} {value} exists already: {where}"


class SegmentOverlap(DomainError):
    """Two segments would hold the same number (`segment`, `existing`)."""

    code = "segment_overlap"
    refusal = Refusal.CONFLICT
    message = "Segment {segment} overlaps {existing}"


class RuleSetInvalid(DomainError):
    """A rule set that cannot be used (`field`, `value`, `reason`)."""

    code = "rule_set_invalid"
    refusal = Refusal.INVALID
    message = "Rule set refused at {field}: {reason}"


class Busy(DomainError):
    """A lock or time-out; the same request may be repeated."""

    code = "busy"
    refusal = Refusal.BUSY
    message = "The service is busy; try again in a moment"

"""What is wrong with a request itself, whatever it asks for."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


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


class IdempotencyMismatch(DomainError):
    """The same idempotency key came with another request."""

    code = "idempotency_mismatch"
    refusal = Refusal.CONFLICT
    message = "This Idempotency-Key was used for another request; use a fresh key"


class NotFound(DomainError):
    """A thing that does not exist, or not for this caller (`what`, `value`)."""

    code = "not_found"
    refusal = Refusal.NOT_FOUND
    message = "{what} {value} does not exist or is not yours to see"


class StaleVersion(DomainError):
    """The item has moved on since it was read (`item`)."""

    code = "stale_version"
    refusal = Refusal.CONFLICT
    message = "{item} was changed by someone else; read it again"


class IllegalTransition(DomainError):
    """The life cycle has no such move (`state`, `event`)."""

    code = "illegal_transition"
    refusal = Refusal.CONFLICT
    message = "{event} is not possible in state {state}"


class Busy(DomainError):
    """A lock or time-out; the same request may be repeated."""

    code = "busy"
    refusal = Refusal.BUSY
    message = "The service is busy; try again in a moment"


class TooManyLists(DomainError):
    """As many lists as may be read at once are being taken along by others; the request may be repeated."""

    code = "too_many_lists"
    refusal = Refusal.BUSY
    message = "Too many lists are being taken along at once; try again in a moment"


class NoRoomForList(DomainError):
    """The service's disk has too little room for a list on its way; the request may be repeated."""

    code = "no_room_for_list"
    refusal = Refusal.BUSY
    message = "The service's disk has too little room for this list"

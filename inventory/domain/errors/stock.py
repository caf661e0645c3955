"""Why stock is not taken in, moved or priced as asked."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


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


class NotSiblings(DomainError):
    """A transfer between places that have not the same parent (`giver`, `receiver`)."""

    code = "not_siblings"
    refusal = Refusal.INVALID
    message = "{giver} and {receiver} have not the same parent; recall to a common parent and issue from there"


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


class NotReceiver(DomainError):
    """Someone else than the receiver answers a delivery (`movement`, `receiver`)."""

    code = "not_receiver"
    refusal = Refusal.FORBIDDEN
    message = "Only {receiver} signs for {movement}; ask its staff to sign or to send back"


class DeliveryAnswered(DomainError):
    """Nothing of the document is on its way any more (`movement`, `state`)."""

    code = "delivery_answered"
    refusal = Refusal.CONFLICT
    message = "{movement} is {state}: nothing of it is on its way any more"


class NotEnoughStock(DomainError):
    """Fewer movable items of the sort than asked for (`wanted`, `found`, `of`)."""

    code = "not_enough_stock"
    refusal = Refusal.CONFLICT
    message = "{wanted} of {of} were asked for, only {found} may move; ask for fewer"


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

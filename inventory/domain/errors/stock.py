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


class NotGiver(DomainError):
    """Someone else than the giver takes a delivery back (`movement`, `giver`)."""

    code = "not_giver"
    refusal = Refusal.FORBIDDEN
    message = "Only {giver} takes {movement} back; the receiver signs for it or sends it back"


class NotOtherSide(DomainError):
    """Someone who does not stand for the other side answers for it in a dispute (`movement`, `side`)."""

    code = "not_other_side"
    refusal = Refusal.FORBIDDEN
    message = "Only {side} gives the other side's word on {movement}; ask its staff"


class DeliveryDisputed(DomainError):
    """A dispute is answered like a delivery (`movement`)."""

    code = "delivery_disputed"
    refusal = Refusal.CONFLICT
    message = "{movement} is a dispute; both sides settle it: accepted, back or lost"


class DeliveryFromCity(DomainError):
    """A delivery from another city is disputed (`movement`)."""

    code = "delivery_from_city"
    refusal = Refusal.CONFLICT
    message = "{movement} came from another city; sign for what arrived and send the rest back"


class NotDisputed(DomainError):
    """A delivery is settled like a dispute (`movement`)."""

    code = "not_disputed"
    refusal = Refusal.CONFLICT
    message = "{movement} is not in dispute; the receiver signs for it or sends it back"


class DeliveryAnnounced(DomainError):
    """What a load announced is sent back or taken back: nobody here gave it (`movement`)."""

    code = "delivery_announced"
    refusal = Refusal.CONFLICT
    message = "{movement} announces what comes from outside; scan what came, and dispute what did not"


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


class NothingOfLoad(DomainError):
    """Nothing of the load lies with the giver, or is on the delivery (`load`)."""

    code = "nothing_of_load"
    refusal = Refusal.CONFLICT
    message = "Nothing of {load} is there; look where its items lie"


class QuotaExceeded(DomainError):
    """More than is left of what a place may be issued (`place`, `resource`, `sort`, `period`, `wanted`, `left`, …)."""

    code = "quota_exceeded"
    refusal = Refusal.CONFLICT
    message = "{wanted} of {resource} {sort} were to be issued, {left} of {most} are left to {place} ({period})"


class RecallOrderClosed(DomainError):
    """A recall order that is fulfilled or ended already (`order`, `state`)."""

    code = "recall_order_closed"
    refusal = Refusal.CONFLICT
    message = "{order} is {state}: nothing is owed under it any more"


class StocktakeNotOpen(DomainError):
    """Something scanned, or a signature, for a stocktake that is closed (`stocktake`, `state`)."""

    code = "stocktake_not_open"
    refusal = Refusal.CONFLICT
    message = "{stocktake} is {state}; open another count"


class BoxSealed(DomainError):
    """Something to be packed lies in another box with an unbroken seal, or the box itself has one (`box`)."""

    code = "box_sealed"
    refusal = Refusal.CONFLICT
    message = "Box {box} is sealed; open it first"


class BoxNotSealed(DomainError):
    """Only a sealed box, inside no other sealed one, goes as one (`box`, `reason`)."""

    code = "box_not_sealed"
    refusal = Refusal.CONFLICT
    message = "Box {box} does not go as one: {reason}"


class LoadRejected(DomainError):
    """A file with faults; nothing of it was taken (`rows`, `first`)."""

    code = "load_rejected"
    refusal = Refusal.INVALID
    message = "{rows} rows are refused, the first: {first}; correct the file and load it again"


class LoadNotRunning(DomainError):
    """A load has ended (`load`, `state`)."""

    code = "load_not_running"
    refusal = Refusal.CONFLICT
    message = "{load} is {state}: it has ended; look at what came of it"


class LoadNotUndoable(DomainError):
    """A load of which something has moved or changed, or that has nothing in stock, cannot be undone (`load`)."""

    code = "load_not_undoable"
    refusal = Refusal.CONFLICT
    message = "{load} cannot be undone: something of it has moved or changed, or it has nothing in stock"


class UploadIncomplete(DomainError):
    """A file that is not here whole cannot be loaded (`upload`, `offset`, `size`)."""

    code = "upload_incomplete"
    refusal = Refusal.CONFLICT
    message = "Of {upload} only {offset} of {size} bytes are here; send the rest, then load it"


class UploadOffset(DomainError):
    """A piece of an upload at another place than where it goes on (`offset`, `sent`)."""

    code = "upload_offset"
    refusal = Refusal.CONFLICT
    message = "The upload goes on at byte {offset}, not at {sent}; send from there"


class UploadDamaged(DomainError):
    """A file that came whole and is not the one that was announced, or can no longer be read (`name`)."""

    code = "upload_damaged"
    refusal = Refusal.CONFLICT
    message = "{name} has not the digest that was announced, or can no longer be read; send it again from its beginning"


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


class PortSpanOverlaps(DomainError):
    """A port and its extensions would meet those of one that is rented or cools (`number`, `other`; REQ-NUM-15)."""

    code = "port_span_overlaps"
    refusal = Refusal.CONFLICT
    message = (
        "{number} with its extensions meets {other}, rented or cooling; give fewer extension digits or another port"
    )


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

"""How lists that are taken along as files speak: heads and states in the language of the page."""

from __future__ import annotations

from inventory.i18n import Language, texts
from inventory.sheets import Cell
from inventory.web.approval_views import act_name
from inventory.web.names import event_name
from inventory.web.states import state_name
from inventory.web.texts import translations

_HEADS = {
    "accepted": "Signed for",
    "act": "What is done",
    "active": "In use",
    "after_cash_fee_fen": "Selection fee after (fen)",
    "after_commitment_months": "Commitment after (months)",
    "after_min_monthly_fen": "Minimum a month after (fen)",
    "after_number_class": "Class after",
    "after_prepay_fen": "Prepayment after (fen)",
    "after_return_months": "Returned over, after (months)",
    "algorithm": "Algorithm",
    "answer_reason": "Reason of the answer",
    "answered_at": "Answered",
    "answered_by": "Answered by",
    "approval": "Approval",
    "approver": "Approver",
    "asked": "Asked for",
    "asked_at": "Asked",
    "asked_by": "Asked by",
    "at": "When",
    "authority": "Authority",
    "bad_rows": "Bad rows",
    "batch": "Load",
    "before_cash_fee_fen": "Selection fee before (fen)",
    "before_commitment_months": "Commitment before (months)",
    "before_min_monthly_fen": "Minimum a month before (fen)",
    "before_number_class": "Class before",
    "before_prepay_fen": "Prepayment before (fen)",
    "before_return_months": "Returned over, before (months)",
    "begins_on": "Rented from",
    "below": "Recalled from (code)",
    "box": "Box",
    "bulk_order": "Bulk order",
    "came": "Came in",
    "capacity_kb": "Capacity (KB)",
    "carrier": "Range holder",
    "cash_fee_fen": "Selection fee (fen)",
    "change": "Change number",
    "close_reason": "Reason to end it",
    "closed_at": "Closed",
    "closed_by": "Closed by",
    "code": "Code",
    "column": "Column",
    "commitment_months": "Commitment (months)",
    "confirmed": "Confirmed",
    "cooled_on": "Free from",
    "count": "Quantity",
    "counted_by": "Counted by",
    "damaged": "Damaged",
    "deletion": "File",
    "day": "Day",
    "days": "Lasts (days)",
    "deleted": "Deleted there",
    "document": "Document",
    "ended_at": "Ended",
    "ended_by": "Ended by",
    "ends_on": "Rented until",
    "expected": "Expected",
    "expires_at": "Valid until",
    "export": "File",
    "extension_digits": "Extension digits",
    "extra": "Too much",
    "failed": "Refused",
    "fault": "Fault",
    "fee_fen": "Price (fen)",
    "form": "Form of the file",
    "free": "Free",
    "give": "Can give",
    "given_on": "Day of the order",
    "giver": "Giver",
    "group": "Segment group",
    "held_until": "Held until",
    "hlr": "HLR",
    "holder": "Place (code)",
    "holder_name": "Place",
    "interface": "Interface",
    "index": "Index",
    "item": "Item",
    "kcv": "Check value",
    "kind": "Kind of document",
    "last_movement": "Last document",
    "left": "Left",
    "legal_hold": "Legal hold",
    "level": "Level",
    "lift_reason": "Reason to lift it",
    "lifted_at": "Lifted",
    "lifted_by": "Lifted by",
    "lifted_with": "Second person",
    "low": "Low",
    "low_since": "Low since",
    "max_numbers": "Numbers on a card",
    "min_monthly_fen": "Minimum a month (fen)",
    "mine": "Mine to answer",
    "mine_asked": "Asked by me",
    "minimum": "Threshold",
    "missing": "Missing",
    "most": "At most",
    "name": "Name",
    "name_en": "English name",
    "name_zh": "Chinese name",
    "number": "Number",
    "number_class": "Class",
    "on_the_way": "On its way",
    "open_reason": "Reason to open it",
    "opened_at": "Seal broken",
    "opened_by": "Seal broken by",
    "owed_by": "Owed by (code)",
    "own": "At the place itself",
    "packed_at": "Packed",
    "packed_by": "Packed by",
    "parent": "Answers",
    "period": "In a",
    "place": "Place (code)",
    "pool": "Sale pool",
    "prepay_fen": "Prepayment (fen)",
    "profile": "Card family",
    "promised": "Promised",
    "purpose": "Purpose",
    "reader": "Card reader",
    "purposes": "For",
    "reason": "Reason",
    "reason_code": "Code of the reason",
    "recall_order": "Recall order",
    "receiver": "Receiver",
    "receiver_name": "Taken by",
    "reference": "Its reference",
    "refused": "Sent back",
    "resource": "What",
    "return_months": "Returned over (months)",
    "returner_name": "Handed back by",
    "review_on": "Review on",
    "row": "Row",
    "rows": "Rows",
    "scanned": "Scanned",
    "seal": "Seal",
    "segment": "Segment",
    "sent": "Not answered",
    "serial": "Chip serial",
    "settled": "Settled",
    "smsc": "Short message centre",
    "sold": "Sold",
    "sort": "Sort",
    "source": "File",
    "staff": "Written by",
    "standing": "Term",
    "state": "State",
    "station": "Station",
    "station_name": "Name of the station",
    "status_word": "Status word",
    "step": "Step",
    "stocktake": "Stocktake",
    "taken": "Taken",
    "tenant": "Tenant",
    "tenant_ref": "Customer or contract",
    "transport_index": "Transport key",
    "unknown": "Unknown",
    "untouched": "Not written",
    "updated_at": "Changed",
    "used_at": "Used",
    "value": "Value",
    "vendor": "Vendor",
    "wanted": "Wanted",
    "went": "Went out",
    "with_below": "With places below",
    "written": "Written",
}
"""Names of columns, in English; the catalogue has the Chinese ones."""


class PageWording:
    """Speaks as the page does, of states of items as those of the kind `resource` are called."""

    def __init__(self, language: Language, resource: str = "") -> None:
        self._language = language
        self._resource = resource
        self._gettext = translations(language).gettext

    def head(self, column: str) -> str:
        """Return the head of a column."""
        return self._gettext(_HEADS[column])

    def cell(self, column: str, value: Cell) -> Cell:
        """Return the value, states and kinds of documents by their names."""
        if column == "state" and isinstance(value, str):
            return state_name(value, self._resource, language=self._language)
        if column == "fault" and isinstance(value, str):
            said = texts("cards", self._language).get(("failure", value))
            return value if said is None else f"{said} ({value})"
        if column == "act" and isinstance(value, str):
            return act_name(value, self._language)
        if column == "kind" and isinstance(value, str):
            return event_name(f"movement.{value.lower()}", self._language)
        return value

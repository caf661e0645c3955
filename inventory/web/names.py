"""What things are called on pages, in the page's language."""

from __future__ import annotations

from collections.abc import Iterable

from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind
from inventory.domain.money import format_yuan
from inventory.domain.replacement import ReplaceReason
from inventory.i18n import Language
from inventory.services.catalogue import CodeTables
from inventory.services.once import Answer
from inventory.store.organisation import Node
from inventory.web.texts import translations

_EVENTS = {
    "number.held": "held",
    "sim.held": "held",
    "number.released": "set free",
    "sim.released": "set free",
    "number.expired": "set free: the hold expired",
    "sim.expired": "set free: the hold expired",
    "number.booked": "booked",
    "number.assigned": "sold, being completed",
    "sim.assigned": "sold, being completed",
    "number.activated": "in use",
    "sim.activated": "in use",
    "number.rolled_back": "sale rolled back, held again",
    "sim.rolled_back": "sale rolled back, held again",
    "number.card_replaced": "its card was replaced",
    "sim.number_added": "serves a second number",
    "sim.replaced": "replaced by another card",
    "sim.loss_reported": "reported lost by its customer",
    "sim.loss_withdrawn": "the loss was taken back",
    "sim.write_started": "being written",
    "sim.written": "written and proven",
    "sim.nothing_written": "nothing was written",
    "sim.write_unknown": "outcome of writing unknown",
    "sim.network_refused": "refused by the network",
    "sim.network_deleted": "deleted by the network",
    "sim.adm_again": "its ADM key is tried once more",
    "sim.damaged": "damaged",
    "number.status_released": "state set by hand",
    "sim.status_released": "state set by hand",
    "number.fee_changed": "fee changed",
    "number.legal_hold_placed": "put under a legal hold",
    "sim.legal_hold_placed": "put under a legal hold",
    "number.legal_hold_lifted": "a legal hold was lifted",
    "sim.legal_hold_lifted": "a legal hold was lifted",
    "number.posted": "state set by a document",
    "number.rented": "rented",
    "number.term_extended": "term extended",
    "number.term_ending": "the term ends soon",
    "number.term_over": "the term is over",
    "number.rent_ended": "taken back from its tenant",
    "number.cooled": "free to rent again",
    "sim.posted": "state set by a document",
    "movement.intake": "taken into stock",
    "movement.issue": "issued",
    "movement.recall": "recalled",
    "movement.transfer": "transferred",
    "movement.scrap": "scrapped",
    "movement.sale": "handed to the customer",
    "movement.hand_in": "handed in by the customer",
    "movement.roll_back": "back from the customer: the sale was rolled back",
    "movement.receipt": "signed for",
    "movement.return": "sent back",
    "movement.dispute": "in dispute",
    "movement.withdrawal": "taken back by the giver",
    "movement.takeover": "taken over from a leaver",
    "movement.city_out": "sent to another city",
    "movement.city_in": "came from another city",
    "movement.undo": "taken out again: its load was undone",
    "movement.loss": "declared lost",
    "movement.find": "found again",
    "movement.write_off": "written off",
    "movement.vendor_return": "returned to the vendor",
    "movement.void": "void",
    "movement.block": "disabled",
    "movement.unblock": "enabled again",
}
"""What happens to items, in English sentences; the catalogue has the Chinese ones."""


_WHY_REPLACED = {
    ReplaceReason.LOST: "lost",
    ReplaceReason.BROKEN: "does not work",
    ReplaceReason.EXCHANGE: "other size or generation",
}
REPLACEMENTS = frozenset({"sim.replaced", "number.card_replaced"})
"""The events whose reason is a `ReplaceReason`."""
_FINDINGS = {
    "missing": "missing",
    "on_hold": "not scanned: held for a sale",
    "written": "not scanned: written for a customer",
    "moved": "moved during the count",
    "not_holder": "too much: held elsewhere",
    "in_transit": "too much: not signed for yet",
    "lost": "too much: was given up as lost",
    "in_use": "too much: in use by a customer",
    "ended": "too much: scrapped or returned",
    "not_in_stock": "too much: not in stock",
    "damaged_found": "broken",
}
"""What a stocktake finds, by its code."""


def finding_name(code: str, language: Language) -> str:
    """Return a finding of a stocktake in words."""
    return translations(language).gettext(_FINDINGS[code])


def event_name(name: str, language: Language) -> str:
    """Return what happened in words."""
    return translations(language).gettext(_EVENTS[name]) if name in _EVENTS else name


def replace_reason(code: str, language: Language) -> str:
    """Return in words why a card is replaced."""
    return translations(language).gettext(_WHY_REPLACED[ReplaceReason(code)])


def kind_name(kind: ResourceKind, language: Language) -> str:
    """Return the name of a kind of stock."""
    return kind.en if language == "en" else kind.zh


def node_name(node: Node, language: Language) -> str:
    """Return the name of an organisation."""
    return node.name_en if language == "en" else node.name_zh


def class_name(number_class: int, language: Language) -> str:
    """Return the name of a number class."""
    gettext = translations(language).gettext
    match number_class:
        case 0:
            return gettext("special")
        case 9:
            return gettext("ordinary")
        case _:
            return gettext("class %(cls)d") % {"cls": number_class}


def sorts_of_stock(tables: CodeTables, classes: Iterable[int], language: Language) -> dict[str, str]:
    """Return each kind of stock and each sort of it by `kind/sort`: products of cards, classes of numbers."""
    found = {f"{kind.name}/": kind_name(kind, language) for kind in KINDS.values()}
    for row in tables.card_kinds:
        name = row.name_en if language == "en" else row.name_zh
        found[f"{SIM.name}/{row.code}"] = f"{kind_name(SIM, language)} · {name}"
    for cls in classes:
        found[f"{NUMBER.name}/{cls}"] = f"{kind_name(NUMBER, language)} · {class_name(cls, language)}"
    return found


def yuan(fen: int) -> str:
    """Return an amount for people."""
    return f"¥{format_yuan(fen)}"


def in_months(months: int, language: Language) -> str:
    """Return a length of time in months."""
    return translations(language).ngettext("%(num)d month", "%(num)d months", months) % {"num": months}


def document_done(answer: Answer | None, language: Language) -> dict[str, str]:
    """Return what a page says of a document just written, and its id; nothing if none was."""
    if answer is None:
        return {"done": "", "done_document": ""}
    words = translations(language).gettext("Done: document %(document)s, %(count)d items.")
    document, count = answer.body["id"], answer.body["count"]
    return {"done": words % {"document": document, "count": count}, "done_document": document}

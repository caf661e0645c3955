"""What things are called on pages, in the page's language."""

from __future__ import annotations

from inventory.domain.kinds import ResourceKind
from inventory.domain.money import format_yuan
from inventory.i18n import Language
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
    "sim.write_started": "being written",
    "sim.written": "written and proven",
    "sim.nothing_written": "nothing was written",
    "sim.write_unknown": "outcome of writing unknown",
    "sim.damaged": "damaged",
    "number.status_released": "state set by hand",
    "sim.status_released": "state set by hand",
    "number.fee_changed": "fee changed",
    "movement.intake": "taken into stock",
    "movement.issue": "issued",
    "movement.recall": "recalled",
    "movement.transfer": "transferred",
    "movement.scrap": "scrapped",
    "movement.sale": "handed to the customer",
    "movement.receipt": "signed for",
    "movement.return": "sent back",
}
"""What happens to items, in English sentences; the catalogue has the Chinese ones."""


def event_name(name: str, language: Language) -> str:
    """Return what happened in words."""
    return translations(language).gettext(_EVENTS[name]) if name in _EVENTS else name


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

"""What the pages of approvals show: the act in words, and what the second person must read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.access.permissions import Permission
from inventory.domain.kinds import kind_named
from inventory.i18n import Language
from inventory.services.approving import ApprovalView
from inventory.services.auc_exports import EXPORT, PREFIX
from inventory.services.disputing import SETTLE, Outcome
from inventory.services.ending import Ending
from inventory.services.fees import CHANGE_FEE
from inventory.services.leaving import TAKE_OVER
from inventory.services.legal_holds import LIFT
from inventory.services.status_release import RELEASE_STATUS
from inventory.services.stocktake_posting import POST_STOCKTAKE
from inventory.services.transport_keys import IMPORT_KEY
from inventory.web.item_views import terms_line
from inventory.web.names import kind_name, node_name
from inventory.web.states import state_name
from inventory.web.texts import translations

_ACTS = {
    RELEASE_STATUS: "Set a state by hand",
    CHANGE_FEE: "Change a fee",
    TAKE_OVER: "Take over what a leaver had",
    POST_STOCKTAKE: "Post a stocktake: what is missing becomes lost",
    SETTLE: "Settle a dispute",
    IMPORT_KEY: "Take in a transport key",
    EXPORT: "Tell the network of proven cards",
    LIFT: "Lift a legal hold",
    Ending.SCRAP: "Scrap",
    Ending.LOSE: "Declare lost",
    Ending.FIND: "Take back what was found",
    Ending.WRITE_OFF: "Write off",
    Ending.RETURN_TO_VENDOR: "Return to the vendor",
    Ending.SEND_TO_CITY: "Send to another city",
    Ending.VOID: "Void",
    Ending.DISABLE: "Disable",
    Ending.ENABLE: "Enable",
}
_LABELS = {
    "reason": "Reason",
    "order_ref": "Order",
    "stocktake": "Stocktake",
    "legal_hold": "Legal hold",
    "counted_by": "Counted by",
    "receiver": "To",
    "to_city": "To city",
    "left": "Left on the account",
    "reference": "Reference",
    "document": "Document",
    "handed_in_by": "Handed in by",
    "index": "Key index",
    "algorithm": "Algorithm",
    "kcv": "Check value",
    "purpose": "Purpose of the key",
    "form": "Form of the file",
    "transport_key": "Transport key",
    "hlr": "HLR",
    "most": "At most",
}
"""Parts of a summary that are shown as they are."""


_OUTCOMES = {
    Outcome.ACCEPTED: "It arrived",
    Outcome.BACK: "It is with the giver",
    Outcome.LOST: "It is lost",
}
"""How a dispute ends."""


def act_name(act: str, language: Language) -> str:
    """Return the act in words."""
    return translations(language).gettext(_ACTS[act]) if act in _ACTS else act


def shown(view: ApprovalView, language: Language) -> dict[str, Any]:
    """Return an approval as the pages show it."""
    row, summary = view.row, view.row.summary
    items = [str(item) for item in summary.get("items", ())]
    return {
        "name": view.name,
        "act": act_name(row.act, language),
        "state": str(view.state),
        "mine": view.mine,
        "for_province": row.permission == Permission.BETWEEN_CITIES,
        "may_answer": view.may_answer,
        "place": f"{node_name(view.place, language)} ({view.place.code})",
        "count": summary.get("count", len(items)),
        "kind": kind_name(kind_named(summary["resource"]), language) if "resource" in summary else "",
        "items": items,
        "more": max(0, summary.get("count", 0) - len(items)),
        "facts": _facts(summary, language),
        "reason": summary.get("reason") or "",
        "done_here": row.act != IMPORT_KEY,  # its parts are kept nowhere, so no page can send them
        "asked_by": row.asked_by,
        "asked_at": row.asked_at,
        "expires_at": row.expires_at,
        "answered_by": row.answered_by,
        "answer_reason": row.answer_reason,
    }


def _facts(summary: Mapping[str, Any], language: Language) -> list[dict[str, str]]:
    """Return what the summary says beside the items, as labelled lines."""
    gettext = translations(language).gettext
    facts: list[tuple[str, str]] = []
    if summary.get("to_state"):
        states = [state_name(state, language=language) for state in _states(summary)]
        facts.append((gettext("State"), f"{', '.join(states)} → {state_name(summary['to_state'], language=language)}"))
    if "outcome" in summary:
        facts.append((gettext("How it ends"), gettext(_OUTCOMES[Outcome(summary["outcome"])])))
    if "before" in summary:
        facts.append((gettext("Before"), terms_line(summary["before"], language)))
        facts.append((gettext("After"), terms_line(summary["after"], language)))
    facts += [(gettext(label), str(summary[name])) for name, label in _LABELS.items() if summary.get(name)]
    return [{"label": label, "value": value} for label, value in facts]


def _states(summary: Mapping[str, Any]) -> list[str]:
    """Return the states that the items are in now."""
    state = summary.get("from_state")
    return [state] if isinstance(state, str) else list(summary.get("from_states", ()))


def outcome(answer: Mapping[str, Any]) -> str:
    """Return the address of what an act brought about: its document, or the item."""
    if answer.get("id", "").startswith(f"{PREFIX}-"):
        return "/network"
    if "id" in answer:
        folder = {"c": "count", "l": "legal-holds"}.get(answer["id"][0], "documents")
        return f"/{folder}/{answer['id']}"
    if "number" in answer:
        return f"/items/number/{answer['number']}"
    return f"/items/{answer['resource']}/{answer['item']}"

"""The kit under way at the desk, of a sale or a replacement, and its write job, in words for the person who sells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from inventory.domain.fees import Business
from inventory.domain.lifecycle import HoldState, NumberState, SimState, WriteJobState
from inventory.domain.replacement import ReplaceReason, needs_extra_check
from inventory.i18n import Language, texts
from inventory.store.legal_orders import END_REASON
from inventory.web.names import class_name, in_months, replace_reason, yuan
from inventory.web.texts import translations

_OPEN_JOB = frozenset(
    {WriteJobState.CREATED, WriteJobState.IDENTIFYING, WriteJobState.WRITING, WriteJobState.VERIFYING}
)
_LIVE = frozenset({HoldState.ACTIVE, HoldState.BOOKED})
_LOG_LINES = 60
_MILLISECOND = timedelta(milliseconds=1)

_JOB = {
    "created": ("busy", "Waiting for the station …"),
    "identifying": ("busy", "Reading the card …"),
    "writing": ("busy", "Writing. Leave the card in the reader."),
    "verifying": ("busy", "Reading back and proving."),
    "verified": ("good", "The card is written and proven."),
    "nothing_written": ("warn", "Nothing was written."),
    "damaged": ("bad", "The card is damaged."),
    "unknown": ("warn", "It is not known what is on the card."),
    "cancelled": ("warn", "Cancelled."),
}
_JOB_SIGNS = {
    "created": "wait",
    "identifying": "wait",
    "writing": "write",
    "verifying": "wait",
    "verified": "yes",
    "nothing_written": "again",
    "damaged": "bin",
    "unknown": "ask",
    "cancelled": "again",
}
"""What is drawn beside the words on a job."""
_ANOTHER_CARD = frozenset({"take_another_card", "swap_card"})
"""Next steps that begin with a new card."""
_SPOILED = "Mark it as spoiled and put it into the box of spoiled cards; the keeper counts and scraps it."
_ASIDE = "It stays in stock. Put it aside and tell the keeper which card it is."
_HANDLING = {
    ("damaged", None): _SPOILED,
    (
        "unknown",
        None,
    ): "Keep it apart; do not sell, throw away or write it. Put into any reader it is read and settled.",
    ("nothing_written", "adm_refused"): _ASIDE,
    ("nothing_written", "pin_enabled"): _ASIDE,
    ("nothing_written", "not_blank"): _ASIDE,
    ("nothing_written", "wrong_kind"): _ASIDE,
}
"""What to do with the card itself, by how its job ended and the failure (None: any)."""
_SILENT = frozenset({"wait", "confirm_sale"})
"""Next steps that the page shows by itself."""
_ELEMENTS = {
    "sim_fee": "SIM card",
    "cash_fee": "Selection fee",
    "prepay": "Prepayment",
    "return_months": "Returned over",
    "min_monthly": "Minimum a month",
    "commitment_months": "Commitment",
}
_CLOSED = {
    HoldState.RELEASED: "The kit was released; number and card are free again.",
    HoldState.EXPIRED: "The time ran out; number and card are free again.",
    HoldState.ROLLED_BACK: "The sale was rolled back; a fresh kit has number and card.",
    END_REASON: "An outside order lies on the number or the card, and the kit was ended. Hold others for the customer.",
}
_REPLACEMENT_CLOSED = {
    HoldState.RELEASED: "The order was released; the old card goes on working, the new one is free again.",
    HoldState.EXPIRED: "The time ran out; the old card goes on working, the new one is free again.",
    END_REASON: "An outside order lies on the number or a card, and the replacement was ended.",
}
_SECOND_CLOSED = {
    HoldState.RELEASED: "The number was released and is free again; the card goes on working.",
    HoldState.EXPIRED: "The time ran out; the number is free again, the card goes on working.",
    END_REASON: "An outside order lies on the number or the card, and the kit was ended. Hold others for the customer.",
}


def sale_view(
    hold: Mapping[str, Any], job: Mapping[str, Any] | None, language: Language, *, own: bool, now: datetime
) -> dict[str, Any]:
    """Return the sale panel for a hold and its last write job; `own` tells whether the person itself held it."""
    gettext = translations(language).gettext
    expires = datetime.fromisoformat(hold["expires_at"])
    live = hold["state"] in _LIVE
    done = hold["state"] == HoldState.CONFIRMED
    second = hold["business"] == Business.SECOND_NUMBER
    written = hold["sim_state"] == SimState.WRITTEN or hold["sim_finished"] or done or second
    working = job is not None and job["state"] in _OPEN_JOB
    again = bool(hold.get("original_hold"))  # what the network did not take is sold with another card
    kit_card = (hold["iccid"], hold["chip_serial"])
    unsettled = job is not None and job["state"] == WriteJobState.UNKNOWN
    needs_card = live and hold["iccid"] is None and hold["chip_serial"] is None
    swap_first = job is not None and job["next_step"] in _ANOTHER_CARD and job["card"] in kit_card
    endings = _REPLACEMENT_CLOSED if hold["replace_reason"] else _SECOND_CLOSED if second else _CLOSED
    closed = endings.get(hold["close_reason"]) or endings.get(hold["state"], "")
    passed = (True, written, done)
    labels = (gettext("1 Hold"), gettext("2 Write"), gettext("3 Confirm"))
    return {
        "id": hold["hold"],
        "number": hold["number"],
        "iccid": hold["iccid"],
        "chip_serial": hold["chip_serial"],
        "second": second,
        "replaces": hold["old_iccid"] if hold["replace_reason"] else None,
        "replace_reason": replace_reason(hold["replace_reason"], language) if hold["replace_reason"] else "",
        "may_hand_in": hold["replace_reason"] not in {None, ReplaceReason.LOST},
        "extra_check": bool(hold["replace_reason"]) and needs_extra_check(hold["quote"]["number_class"]),
        "state": hold["state"],
        "open": live,
        "done": done,
        "own": own,
        "staff_no": hold["staff_no"],
        "steps": [
            {"label": label, "done": is_done, "current": live and not is_done and all(passed[:index])}
            for index, (label, is_done) in enumerate(zip(labels, passed, strict=True))
        ],
        "left_ms": max(0, (expires - now) // _MILLISECOND),
        "expires_at": expires,
        "quote": quote_lines(hold["quote"], language) if hold["quote"] else [],
        "rule_set_version": (hold["quote"] or {}).get("rule_set_version"),
        "job": None if job is None else _job_view(job, language, working=working, kit_card=kit_card),
        "swap_first": swap_first,
        "needs_card": needs_card,
        "can_write": live and own and hold["sim_state"] == SimState.HELD and not (written or working or unsettled),
        "can_take_card": live and own and not working and (again or (not written and (needs_card or job is not None))),
        "can_confirm": live and own and written and hold["number"] is not None,
        "can_extend": own and hold["state"] == HoldState.ACTIVE and not working,
        "can_release": live and not working and not unsettled,
        "waits": hold.get("number_state") == NumberState.COMPLETING,
        "kept": live and hold.get("network_has_it", False),
        "closed_text": gettext(closed) if closed else "",
    }


def job_says(state: str, language: Language) -> tuple[str, str]:
    """Return tone and headline of a write job in this state."""
    tone, headline = _JOB[state.lower()]
    return tone, translations(language).gettext(headline)


def _job_view(
    job: Mapping[str, Any], language: Language, *, working: bool, kit_card: tuple[str | None, str | None]
) -> dict[str, Any]:
    words, gettext = texts("cards", language), translations(language).gettext
    handling = _HANDLING.get((job["state"], None)) or _HANDLING.get((job["state"], job["failure"]), "")
    tone, headline = job_says(job["state"], language)
    if job["waits_for_operator"]:
        headline = gettext("Waiting for the operator's card-data system. Leave the card in the reader.")
    steps = job["steps"][-_LOG_LINES:]
    return {
        "open": working,
        "tone": tone,
        "headline": headline,
        "failure": words["failure", job["failure"]] if job["failure"] else "",
        "card": job["card"] or "",
        "left_kit": job["card"] not in kit_card,
        "handling": gettext(handling) if handling else "",
        "sign": _JOB_SIGNS[job["state"]],
        "failed_at": " · ".join(part for part in (job["failed_step"], job["failed_sw"]) if part),
        "advice": "" if job["next_step"] in _SILENT else words["next_step", job["next_step"]],
        "done": job["steps_done"],
        "total": max(job["steps_total"] or 0, job["steps_done"], 1),
        "at": steps[-1]["name"] if steps else "",
        "log": [{"name": step["name"], "sw": step["sw"]} for step in steps],
    }


def quote_lines(quote: Mapping[str, Any], language: Language) -> list[dict[str, Any]]:
    """Return the quote as labelled lines, every element of it (REQ-FEE-04, 06); the last is what is to be paid."""
    gettext = translations(language).gettext
    lines = [(gettext("Class"), class_name(quote["number_class"], language))]
    for element in quote["elements"]:
        amount = element["amount"]
        value = yuan(amount) if element["unit"] == "fen" else in_months(amount, language)
        label = _ELEMENTS[element["code"]]
        lines.append((gettext(label), value))
    lines.append((gettext("To pay now"), yuan(quote["due_now"])))
    return [{"label": label, "value": value, "total": line == lines[-1]} for line in lines for label, value in [line]]

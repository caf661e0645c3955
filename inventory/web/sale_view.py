"""The kit under way at the desk and its write job, in words for the person who sells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from inventory.domain.lifecycle import HoldState, SimState, WriteJobState
from inventory.i18n import Language, texts
from inventory.web.names import class_name, in_months, yuan
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
}


def sale_view(
    hold: Mapping[str, Any], job: Mapping[str, Any] | None, language: Language, *, own: bool, now: datetime
) -> dict[str, Any]:
    """Return the sale panel for a hold and its last write job; `own` tells whether the person itself held it."""
    gettext = translations(language).gettext
    expires = datetime.fromisoformat(hold["expires_at"])
    live = hold["state"] in _LIVE
    done = hold["state"] == HoldState.CONFIRMED
    written = hold["sim_state"] == SimState.WRITTEN or done
    working = job is not None and job["state"] in _OPEN_JOB
    unsettled = job is not None and job["state"] == WriteJobState.UNKNOWN
    closed = _CLOSED.get(hold["state"], "")
    passed = (True, written, done)
    labels = (gettext("1 Hold"), gettext("2 Write"), gettext("3 Confirm"))
    return {
        "id": hold["hold"],
        "number": hold["number"],
        "iccid": hold["iccid"],
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
        "job": None if job is None else _job_view(job, language, working=working),
        "needs_card": live and hold["iccid"] is None and hold["chip_serial"] is None,
        "can_write": live and own and hold["sim_state"] == SimState.HELD and not working and not unsettled,
        "can_confirm": live and own and hold["sim_state"] == SimState.WRITTEN and hold["number"] is not None,
        "can_extend": own and hold["state"] == HoldState.ACTIVE and not working,
        "can_release": live and not working and not unsettled,
        "closed_text": gettext(closed) if closed else "",
    }


def _job_view(job: Mapping[str, Any], language: Language, *, working: bool) -> dict[str, Any]:
    words = texts("cards", language)
    tone, headline = _JOB[job["state"].lower()]
    steps = job["steps"][-_LOG_LINES:]
    return {
        "open": working,
        "tone": tone,
        "headline": translations(language).gettext(headline),
        "failure": words["failure", job["failure"]] if job["failure"] else "",
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

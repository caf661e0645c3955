"""The board of a bulk order: what each reader shows, large enough to be read from where the cards are changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inventory.domain.bulk import NotTaken
from inventory.domain.lifecycle import BULK_ORDER_OPEN, BulkOrderState
from inventory.i18n import Language, texts
from inventory.web.reader_view import reader_says
from inventory.web.sale_view import job_says
from inventory.web.texts import translations

_NO_FAULT = frozenset({NotTaken.FINISHED, NotTaken.ENOUGH})
"""Cards that are simply to be taken out."""
_UNDER_WAY = "wait"


def order_view(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order's head for a list or the board; times are read, the state is as stored."""
    return {
        **order,
        "open": order["state"] in BULK_ORDER_OPEN,
        "running": order["state"] == BulkOrderState.RUNNING,
        "opened": datetime.fromisoformat(order["opened_at"]),
    }


def board_view(order: Mapping[str, Any], language: Language, *, may_act: bool) -> dict[str, Any]:
    """Return the board: the order, its readers, and one line that a screen reader says when it changes."""
    readers = [_reader(reader, order, language) for reader in order["readers"]]
    gettext = translations(language).gettext
    line = gettext("%(written)s of %(wanted)s written, %(damaged)s spoiled, %(unknown)s unknown") % order
    wrong = [
        f"{reader['label'] or reader['name']}: {reader['headline']}" for reader in readers if reader["tone"] == "bad"
    ]
    return {"order": order_view(order), "readers": readers, "said": " · ".join([line, *wrong]), "may_act": may_act}


def _reader(reader: Mapping[str, Any], order: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return one reader's tile."""
    job = reader["job"]
    tone, headline, advice = _says(reader, order, language)
    is_open = order["state"] in BULK_ORDER_OPEN
    working = job is not None and job["next_step"] == _UNDER_WAY
    return {
        "name": reader["name"],
        "label": reader["label"],
        "card": reader["card"] or "",
        "tone": tone,
        "headline": headline,
        "advice": advice,
        "in_doubt": reader["not_taken"] == NotTaken.ADM_IN_DOUBT and order["online"] and is_open,
        "done": job["steps_done"] if working else None,
        "total": max(job["steps_total"] or 0, job["steps_done"], 1) if working else None,
    }


def _says(reader: Mapping[str, Any], order: Mapping[str, Any], language: Language) -> tuple[str, str, str]:
    """Return tone, headline and advice; of a station that is offline nothing is believed."""
    job, reason = reader["job"], reader["not_taken"]
    if not order["online"]:
        return reader_says("offline", language)
    if job is not None:
        return _job(job, language)
    if reason is not None:
        return "empty" if reason in _NO_FAULT else "bad", texts("cards", language)["not_taken", reason], ""
    return reader_says(_case(reader, order), language)


def _job(job: Mapping[str, Any], language: Language) -> tuple[str, str, str]:
    """Return what a job says: while it works where it is, afterwards what to do, and below it why."""
    words = texts("cards", language)
    tone, headline = job_says(job["state"], language)
    if job["next_step"] == _UNDER_WAY:
        return tone, headline, ""
    why = [headline, words["failure", job["failure"]] if job["failure"] else "", job["failed_sw"]]
    return tone, words["next_step", job["next_step"]], " · ".join(part for part in why if part)


def _case(reader: Mapping[str, Any], order: Mapping[str, Any]) -> str:
    """Return what a reader shows that the order has done nothing with."""
    if reader["state"] != "card":
        return str(reader["state"])
    if reader["readable"] is False:
        return "unreadable"
    return "looking" if order["state"] == BulkOrderState.RUNNING else "not_running"

"""What the hall desk shows: the card in the reader, the kit and its job, in words for the person at the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from inventory.domain.lifecycle import HoldState, SimState, WriteJobState
from inventory.domain.search import SearchWish
from inventory.i18n import Language
from inventory.web.names import class_name, in_months, yuan
from inventory.web.texts import translations

_OPEN_JOB = frozenset(
    {WriteJobState.CREATED, WriteJobState.IDENTIFYING, WriteJobState.WRITING, WriteJobState.VERIFYING}
)
_LIVE = frozenset({HoldState.ACTIVE, HoldState.BOOKED})
_LOG_LINES = 60

_READER = {
    "no_card": ("empty", "Put a card in.", ""),
    "busy": ("busy", "Another program uses the reader.", "Close it, then take the card out and put it in again."),
    "mute": ("bad", "The card does not answer.", "Turn it round, or take another one."),
    "lost": ("bad", "The reader is gone.", "Plug it in again."),
    "service_down": (
        "bad",
        "The smart card service is not running.",
        "If it does not start by itself, restart the PC.",
    ),
}
_CARD = {
    "looking": ("busy", "Reading the card …", ""),
    "unreadable": ("bad", "The card cannot be read.", "Take another one."),
    "unknown": ("bad", "This card is not in stock here.", "Put it aside and tell the keeper."),
    "blank": ("good", "A blank card, ready to be written.", ""),
    "held": ("busy", "The card is part of a sale.", ""),
    "written": ("warn", "This card is written already.", "Take a blank one."),
    "other": ("warn", "This card cannot be sold now.", "Take another one."),
}
_CASE_OF_STATE: dict[str, str] = {
    SimState.HELD: "held",
    SimState.WRITING: "held",
    SimState.WRITE_UNKNOWN: "held",
    SimState.WRITTEN: "written",
    SimState.COMPLETING: "written",
    SimState.IN_USE: "written",
}
_JOB = {
    "created": "Waiting for the station …",
    "identifying": "Reading the card …",
    "writing": "Writing. Leave the card in the reader.",
    "verifying": "Reading back and proving.",
    "verified": "The card is written and proven.",
    "nothing_written": "Nothing was written.",
    "damaged": "The card is damaged.",
    "unknown": "It is not known what is on the card.",
    "cancelled": "Cancelled.",
}
_NEXT = {
    "wait": "",
    "confirm_sale": "",
    "try_again": "Try again with the same card.",
    "insert_card": "Put the card of this sale into the reader and try again.",
    "take_another_card": "Release the kit and hold it again with another card.",
    "swap_card": "Put the card aside for scrapping, release the kit and hold it again with another card.",
    "read_again": "Put the same card in again: reading it settles what happened.",
    "call_keeper": "Tell the keeper: there is no card data left for this number.",
}
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


def typed_search(text: str, without: str) -> SearchWish:
    """Read what was typed at the desk: `139*66` is a pattern, `AABB` letters, bare digits are how the number ends."""
    wanted = "".join(text.split()).upper()
    if any(sign in wanted for sign in "?*"):
        return SearchWish(pattern=wanted, without=without)
    if any(sign.isalpha() for sign in wanted):
        return SearchWish(letters=wanted, without=without)
    return SearchWish(ends=wanted, without=without)


def choose_reader(stations: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return station and reader of the desk: an online one with a card first, else any there is."""
    pairs = [(station, reader) for station in stations for reader in station["readers"]]
    if not pairs:
        return None
    return max(pairs, key=lambda pair: (pair[0]["online"], pair[1]["state"] == "card"))


def reader_view(stations: Sequence[Mapping[str, Any]], language: Language) -> dict[str, Any] | None:
    """Return the reader panel, or None while no station has a reader."""
    chosen = choose_reader(stations)
    if chosen is None:
        return None
    gettext = translations(language).gettext
    station, reader = chosen
    card, stock = reader["card"] or {}, reader["stock"]
    tone, headline, advice = _READER.get(reader["state"], _CARD[_card_case(reader)])
    iccid = card.get("iccid") if reader["state"] == "card" else None
    return {
        "label": reader["name"],
        "station": station["name"],
        "online": station["online"],
        "tone": tone,
        "line": iccid or gettext("no card"),
        "headline": gettext(headline),
        "advice": gettext(advice) if advice else "",
        "iccid": iccid,
        "state": stock["state"] if stock and iccid else None,
        "ready": _card_case(reader) == "blank" and reader["state"] == "card" and station["online"],
    }


def _card_case(reader: Mapping[str, Any]) -> str:
    card, stock = reader["card"], reader["stock"]
    if reader["looking"] or card is None:
        return "looking"
    if not card["readable"]:
        return "unreadable"
    if stock is None:
        return "unknown"
    if stock["state"] == SimState.AVAILABLE and card["blank"]:
        return "blank"
    return _CASE_OF_STATE.get(stock["state"], "other")


def sale_view(hold: Mapping[str, Any], job: Mapping[str, Any] | None, language: Language) -> dict[str, Any]:
    """Return the sale panel for a hold and its last write job."""
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
        "steps": [
            {"label": label, "done": is_done, "current": live and not is_done and all(passed[:index])}
            for index, (label, is_done) in enumerate(zip(labels, passed, strict=True))
        ],
        "expires_ms": int(expires.timestamp() * 1000),
        "expires_at": expires,
        "quote": quote_lines(hold["quote"], language) if hold["quote"] else [],
        "rule_set_version": (hold["quote"] or {}).get("rule_set_version"),
        "job": None if job is None else _job_view(job, language, working=working),
        "can_write": live and hold["sim_state"] == SimState.HELD and not working and not unsettled,
        "can_confirm": live and hold["sim_state"] == SimState.WRITTEN,
        "can_extend": hold["state"] == HoldState.ACTIVE and not working,
        "can_release": live and not working and not unsettled,
        "closed_text": gettext(closed) if closed else "",
    }


def _job_view(job: Mapping[str, Any], language: Language, *, working: bool) -> dict[str, Any]:
    gettext = translations(language).gettext
    headline, advice = _JOB[job["state"].lower()], _NEXT[job["next_step"]]
    return {
        "open": working,
        "headline": gettext(headline),
        "advice": gettext(advice) if advice else "",
        "done": job["steps_done"],
        "total": max(job["steps_total"] or 0, job["steps_done"], 1),
        "log": [{"name": step["name"], "sw": step["sw"]} for step in job["steps"][-_LOG_LINES:]],
    }


def quote_lines(quote: Mapping[str, Any], language: Language) -> list[dict[str, str]]:
    """Return the quote as labelled lines, every element of it (REQ-FEE-04, 06)."""
    texts = translations(language)
    lines = [(texts.gettext("Class"), class_name(quote["number_class"], language))]
    for element in quote["elements"]:
        amount = element["amount"]
        value = yuan(amount) if element["unit"] == "fen" else in_months(amount, language)
        label = _ELEMENTS[element["code"]]
        lines.append((texts.gettext(label), value))
    lines.append((texts.gettext("To pay now"), yuan(quote["due_now"])))
    return [{"label": label, "value": value} for label, value in lines]

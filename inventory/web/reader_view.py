"""The card reader of the desk: which one it is, what lies in it, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from inventory.domain.lifecycle import SimState
from inventory.i18n import Language
from inventory.web.texts import translations

READER_COOKIE = "haoka_reader"
_LONGEST_COOKIE = 400

_STATION = {
    "none": (
        "empty",
        "No station",
        "No station of this place is connected. Start the station program on the PC that has the reader.",
    ),
    "no_reader": ("bad", "No card reader", "Plug the reader into the PC of this station."),
    "offline": (
        "bad",
        "The station does not answer.",
        "Start the station program on its PC and check the network. Nothing can be written until it is back.",
    ),
    "choose": ("empty", "Which reader stands at this desk?", "Choose it once; this browser remembers it."),
}
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
    "doubtful": ("warn", "It is not known what is on this card.", "Leave it in: reading it settles what happened."),
    "written": ("warn", "This card is written already.", "Take a blank one."),
    "in_use": ("warn", "This card is a customer's line.", "Give it to the customer, or take a blank one."),
    "damaged": ("bad", "This card is booked as damaged.", "Put it aside for scrapping and take another one."),
    "other": ("warn", "This card cannot be sold now.", "Take another one."),
}
_CASE_OF_STATE: dict[str, str] = {
    SimState.HELD: "held",
    SimState.WRITING: "held",
    SimState.WRITE_UNKNOWN: "doubtful",
    SimState.WRITTEN: "written",
    SimState.COMPLETING: "in_use",
    SimState.IN_USE: "in_use",
    SimState.DAMAGED: "damaged",
}


@dataclass(frozen=True)
class Place:
    """A reader of a station, both as the service gives them."""

    station: Mapping[str, Any]
    reader: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the browser remembers of it."""
        return quote(f"{self.station['id']}|{self.reader['name']}", safe="")


def remembered(value: str | None) -> str | None:
    """Return the choice that the browser sent back if it may be one."""
    return value if value and len(value) <= _LONGEST_COOKIE and unquote(value).startswith("st-") else None


def places(stations: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Return every reader of the stations."""
    return [Place(station, reader) for station in stations for reader in station["readers"]]


def choose_reader(stations: Sequence[Mapping[str, Any]], chosen: str | None) -> Place | None:
    """Return the desk's reader: the chosen one; else that of the only station there is, one with a card before others.

    None while nobody chose among several stations, or there is no reader: never another desk's reader by accident.
    """
    found = places(stations)
    kept = next((place for place in found if place.name == chosen), None)
    if kept is not None:
        return kept
    candidates = [place for place in found if place.station["online"]] or found
    if len({place.station["id"] for place in candidates}) != 1:
        return None
    return max(candidates, key=lambda place: place.reader["state"] == "card")


def reader_view(stations: Sequence[Mapping[str, Any]], chosen: str | None, language: Language) -> dict[str, Any]:
    """Return the values of the reader panel."""
    place = choose_reader(stations, chosen)
    found = places(stations)
    if place is not None:
        shown = _at(place)
    elif found:
        shown = _view("choose", _STATION)
    else:
        shown = _view("no_reader" if stations else "none", _STATION)
    gettext, headline, advice = translations(language).gettext, shown["headline"], shown["advice"]
    several = len(found) > 1
    options = [
        {
            "value": one.name,
            "label": f"{one.station['name']} · {one.reader['name']}",
            "chosen": place is not None and one.name == place.name,
        }
        for one in found
    ]
    return shown | {
        "headline": gettext(headline),
        "advice": gettext(advice) if advice else "",
        "line": shown["iccid"] or gettext("no card"),
        "options": options if several else [],
    }


def _at(place: Place) -> dict[str, Any]:
    """Return what the reader shows; of a station that is offline nothing is believed."""
    station, reader = place.station, place.reader
    case = _card_case(reader) if reader["state"] == "card" else reader["state"]
    shown = _view(case, _READER | _CARD) if station["online"] else _view("offline", _STATION)
    card, stock = reader["card"] or {}, reader["stock"]
    iccid = card.get("iccid") if reader["state"] == "card" and station["online"] else None
    return shown | {
        "label": reader["name"],
        "station": station["name"],
        "online": station["online"],
        "iccid": iccid,
        "known": stock is not None and iccid is not None,
        "state": stock["state"] if stock and iccid else None,
        "ready": case == "blank" and bool(station["online"]),
    }


def _view(case: str, table: Mapping[str, tuple[str, str, str]]) -> dict[str, Any]:
    tone, headline, advice = table[case]
    return {
        "tone": tone, "headline": headline, "advice": advice, "label": "", "station": "", "online": True,
        "iccid": None, "known": False, "state": None, "ready": False,
    }  # fmt: skip


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
    if stock["hold"] is not None and stock["state"] == SimState.WRITTEN:
        return "held"
    return _CASE_OF_STATE.get(stock["state"], "other")

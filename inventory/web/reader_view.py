"""The card reader of the desk: which one it is, what lies in it, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from inventory.domain.lifecycle import SimState
from inventory.i18n import Language
from inventory.store.holds import SimOffer
from inventory.web.texts import translations

SEAT_COOKIE = "haoka_seat"
_SEAT = re.compile(r"[0-9a-f]{32}", re.ASCII)

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
    "choose": ("empty", "Which reader stands at this desk?", "Choose it once; this browser keeps it."),
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
_DISPENSER = {
    "handed_out": ("good", "The card is at the gate.", "Let the customer take it."),
    "card_inside": ("warn", "A card is inside already.", "Hand it out or put it into the bin before the next one."),
    "card_at_gate": ("warn", "A card waits at the gate.", "It has to be taken away before the next one comes."),
    "stacker_empty": ("bad", "The stack of cards is empty.", "Fill blank cards in, then feed one."),
    "bin_full": ("bad", "The bin is full.", "Empty it and count its cards as spoiled."),
    "card_jam": ("bad", "A card is stuck.", "Open the dispenser, take the card out and read it in another reader."),
    "dispenser_failed": ("bad", "The dispenser does not answer.", "Check its power and cable, then feed a card."),
}
"""What a dispenser says of its last movement."""
_SUPPLY = {"empty": "none left", "few": "few left", "enough": "enough"}
_CARD = {
    "looking": ("busy", "Reading the card …", ""),
    "unreadable": ("bad", "The card cannot be read.", "Take another one."),
    "unknown": ("bad", "This card is not in stock here.", "Put it aside and tell the keeper."),
    "blank": ("good", "A blank card, ready to be written.", ""),
    "finished": (
        "good",
        "A finished card, ready to be sold.",
        "Choose a number; the card is sold without being written.",
    ),
    "scanned_blank": ("warn", "This card is blank.", "Put it into the reader: it is written before it is sold."),
    "not_blank": ("bad", "The card is not blank, but the stock says it is.", "Put it aside and tell the keeper."),
    "not_finished": (
        "bad",
        "The card is blank, but the stock says it is finished.",
        "Put it aside and tell the keeper.",
    ),
    "held": ("busy", "The card is part of a sale.", ""),
    "doubtful": ("warn", "It is not known what is on this card.", "Leave it in: reading it settles what happened."),
    "written": ("warn", "This card is written already.", "Take a blank one."),
    "in_use": ("warn", "This card is a customer's line.", "Give it to the customer, or take a blank one."),
    "damaged": ("bad", "This card is booked as damaged.", "Put it aside for scrapping and take another one."),
    "reported_lost": (
        "bad",
        "A customer has reported this card lost.",
        "Keep it and tell the keeper; do not hand it out.",
    ),
    "replaced": ("warn", "This card's line has another card or has ended.", "Put it aside for scrapping."),
    "given_up": ("warn", "This card is booked as lost.", "Keep it and tell the keeper: it is booked as found."),
    "disabled": ("bad", "This card is disabled.", "Put it aside and tell the keeper."),
    "not_running": ("empty", "A card lies in the reader.", "The order does not run."),
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
    SimState.REPORTED_LOST: "reported_lost",
    SimState.REPLACED: "replaced",
    SimState.RETIRED: "replaced",
    SimState.LOST: "given_up",
    SimState.DISABLED: "disabled",
}
_SIGNS = {
    "no_card": "insert",
    "mute": "turn",
    "no_reader": "plug",
    "lost": "plug",
    "service_down": "plug",
    "offline": "plug",
    "none": "plug",
    "looking": "wait",
    "busy": "wait",
    "held": "wait",
    "blank": "yes",
    "finished": "yes",
    "doubtful": "ask",
    "choose": "ask",
    "scanned_blank": "insert",
    "in_use": "person",
    "reported_lost": "person",
    "replaced": "bin",
    "damaged": "bin",
    "not_running": "",
}
"""What is drawn beside the card; what is not named here gets a cross. The words say the same."""
_READY = frozenset({"blank", "finished"})


@dataclass(frozen=True)
class Place:
    """A reader of a station, both as the service gives them."""

    station: Mapping[str, Any]
    reader: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What a choice of it sends."""
        return f"{self.station['id']}|{self.reader['name']}"

    @property
    def mine(self) -> bool:
        """Whether it is bound to the seat that looks."""
        return self.reader["seat"] is not None and bool(self.reader["seat"]["mine"])


def seat_of(value: str | None) -> str | None:
    """Return the seat's name that the browser sent if it may be one."""
    return value if value and _SEAT.fullmatch(value) else None


def places(stations: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Return every reader of the stations."""
    return [Place(station, reader) for station in stations for reader in station["readers"]]


def choose_reader(stations: Sequence[Mapping[str, Any]]) -> Place | None:
    """Return the reader that is bound to the seat; else one that no seat has, of the only station there is.

    Of these one with a card comes first. None while nobody chose among several stations, or there is no reader: never
    another seat's reader by accident.
    """
    found = places(stations)
    kept = next((place for place in found if place.mine), None)
    if kept is not None:
        return kept
    unbound = [place for place in found if place.reader["seat"] is None]
    candidates = [place for place in unbound if place.station["online"]] or unbound
    if len({place.station["id"] for place in candidates}) != 1:
        return None
    return max(candidates, key=lambda place: place.reader["state"] == "card")


def reader_view(stations: Sequence[Mapping[str, Any]], language: Language, *, wanted: str = "") -> dict[str, Any]:
    """Return the values of the reader panel; `wanted` is the reader chosen in its form, if not the desk's own."""
    place = choose_reader(stations)
    found = places(stations)
    if place is not None:
        shown = _at(place)
    elif found:
        shown = _view("choose", _STATION)
    else:
        shown = _view("no_reader" if stations else "none", _STATION)
    gettext, headline, advice = translations(language).gettext, shown["headline"], shown["advice"]
    options = [
        {
            "value": one.name,
            "label": _option(one),
            "chosen": one.name == (wanted or (place and place.name)),
        }
        for one in found
    ]
    return shown | {
        "headline": gettext(headline),
        "advice": gettext(advice) if advice else "",
        "dispenser": dispenser_view(place, gettext),
        "line": shown["name"] or gettext("no card"),
        "scan": "",
        "options": options,
        "offers": _digest(options, shown),
        "taken": [one["label"] for one, at in zip(options, found, strict=True) if at.reader["seat"] and not at.mine],
    }


def _digest(options: Sequence[Mapping[str, Any]], shown: Mapping[str, Any]) -> str:
    """Return what changes when the form that binds a reader has something else to offer: typing lasts until then."""
    offered = [(one["value"], one["label"]) for one in options]
    return format(crc32(repr((offered, shown["bound"])).encode()), "08x")


def _stands(seen: Mapping[str, Any]) -> str:
    """Name what a dispenser lacks although its last movement went well."""
    return "bin_full" if seen["bin_full"] else "stacker_empty" if seen["stacker"] == "empty" else ""


def dispenser_view(place: Place | None, gettext: Callable[[str], str]) -> dict[str, Any] | None:
    """Return what a reader that moves its cards says of stack, bin and its last movement; None of another one."""
    seen = place.reader.get("dispenser") if place is not None and place.station["online"] else None
    if seen is None:
        return None
    tone, headline, advice = _DISPENSER.get(seen["stop"] or _stands(seen), ("", "", ""))
    supply = _SUPPLY.get(seen["stacker"], "")
    return {
        "supply": gettext(supply) if supply else "–",
        "in_bin": "–" if seen["in_bin"] is None else seen["in_bin"],
        "tone": tone,
        "headline": gettext(headline) if headline else "",
        "advice": gettext(advice) if advice else "",
    }


def _option(place: Place) -> str:
    """Return how a reader is offered: its label, where it is, and who has it."""
    seat = place.reader["seat"]
    owner = f"{seat['staff_no']}" if seat is not None and not place.mine else ""
    return " · ".join(
        part for part in (place.reader["label"], place.station["name"], place.reader["name"], owner) if part
    )


def reader_says(case: str, language: Language) -> tuple[str, str, str]:
    """Return tone, headline and advice of a reader that shows this, such as `no_card`, `looking` or `offline`."""
    tone, headline, advice = (_STATION | _READER | _CARD)[case]
    gettext = translations(language).gettext
    return tone, gettext(headline), gettext(advice) if advice else ""


def scanned_view(card: SimOffer, against: str | None, language: Language) -> dict[str, Any]:
    """Return what the reader panel shows of a card that was scanned; `against` is why it cannot be sold, in words."""
    free = card.state == SimState.AVAILABLE
    case = "other" if against else "finished" if card.hlr_code else "scanned_blank"
    shown = _view(case if free else _CASE_OF_STATE.get(card.state, "other"), _CARD)
    gettext, headline, advice = translations(language).gettext, shown["headline"], shown["advice"]
    name = card.iccid or card.serial
    return shown | {
        "headline": gettext(headline),
        "advice": against if free and against else gettext(advice) if advice else "",
        "iccid": card.iccid,
        "name": name,
        "line": name,
        "key": card.iccid,
        "state": card.state,
        "hlr": card.hlr_code or "",
        "ready": shown["ready"] and card.iccid is not None,
        "scan": card.iccid or "",
    }


def _at(place: Place) -> dict[str, Any]:
    """Return what the reader shows; of a station that is offline nothing is believed.

    `name` is the number read from the card or, while it has none, its chip serial; `field` and `key` are how the stock
    names its record.
    """
    station, reader = place.station, place.reader
    case = _card_case(reader) if reader["state"] == "card" else reader["state"]
    shown = _view(case, _READER | _CARD) if station["online"] else _view("offline", _STATION)
    seen = reader["state"] == "card" and station["online"]
    card, stock = (reader["card"] if seen else None) or {}, (reader["stock"] if seen else None) or {}
    field = "iccid" if stock.get("iccid") else "chip_serial"
    iccid, serial = card.get("iccid"), card.get("serial")
    return shown | {
        "label": reader["label"],
        "reader": reader["name"],
        "bound": place.mine,
        "choice": place.name,
        "station": station["name"],
        "online": station["online"],
        "iccid": iccid,
        "serial": serial,
        "name": iccid or serial,
        "field": field,
        "key": stock.get(field),
        "state": stock.get("state"),
        "hlr": (stock.get("hlr") or "") if case == "finished" else "",
        "ready": case in _READY and seen,
    }


def _view(case: str, table: Mapping[str, tuple[str, str, str]]) -> dict[str, Any]:
    tone, headline, advice = table[case]
    return {
        "tone": tone, "headline": headline, "advice": advice, "label": "", "reader": "",
        "bound": False, "choice": "", "station": "", "online": True,
        "iccid": None, "serial": None, "name": None, "field": "iccid", "key": None, "state": None, "hlr": "",
        "sign": _SIGNS.get(case, "no"), "ready": case in _READY,
    }  # fmt: skip


def _card_case(reader: Mapping[str, Any]) -> str:
    card, stock = reader["card"], reader["stock"]
    if reader["looking"] or card is None:
        return "looking"
    if not card["readable"]:
        return "unreadable"
    if stock is None:
        return "unknown"
    if stock["state"] == SimState.AVAILABLE:
        return _free_case(blank=bool(card["blank"]), finished=stock["hlr"] is not None)
    if stock["hold"] is not None and stock["state"] == SimState.WRITTEN:
        return "held"
    return _CASE_OF_STATE.get(stock["state"], "other")


def _free_case(*, blank: bool, finished: bool) -> str:
    """Return what a free card is, or how the card contradicts the stock."""
    if finished:
        return "not_finished" if blank else "finished"
    return "blank" if blank else "not_blank"

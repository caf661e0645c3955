"""What a typed or scanned identifier stands for, so that one field finds everything."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.boxes import PREFIX, parse_box_code
from inventory.domain.errors import NotFound
from inventory.domain.organisation import LABEL
from inventory.store import organisation

_PUBLIC_ID = re.compile(r"([MBHRCL])-[1-9][0-9]{5}-[1-9][0-9]{0,18}")
_LONGEST_NUMBER = 13
"""Numbers of machines have 13 digits, SMS ports more but only behind 106; ICCIDs and chip serials are longer."""
_PATTERN = re.compile(r"[0-9A-F]*[?*][0-9A-F?*]*")


class Thing(StrEnum):
    """What an identifier may name."""

    NUMBER = "number"
    SIM = "sim"
    DOCUMENT = "document"
    LOAD = "load"
    HOLD = "hold"
    RECALL_ORDER = "recall_order"
    STOCKTAKE = "stocktake"
    LEGAL_HOLD = "legal_hold"
    BOX = "box"
    PLACE = "place"
    PATTERN = "pattern"
    """Not one thing: names with `?` and `*` in them."""


_IDS = {
    "M": Thing.DOCUMENT,
    "B": Thing.LOAD,
    "H": Thing.HOLD,
    "R": Thing.RECALL_ORDER,
    "C": Thing.STOCKTAKE,
    "L": Thing.LEGAL_HOLD,
}


class Found(NamedTuple):
    """A thing and the name that it goes by; whether there is such an item, its page tells."""

    thing: Thing
    name: str


async def look_up(session: AsyncSession, caller: Caller, typed: str) -> Found:
    """Return what the text names: a public id, a pattern, a place of the city, else an item by its form.

    Scanners and people put blanks and dashes into numbers, and small letters for large ones.

    Raises
    ------
    InvalidIdentifier
        It begins like the label of a box and goes on otherwise.
    NotFound
        It has no letter or digit, or is the label of no place of the city.
    """
    text = "".join(typed.split()).upper()
    if _PUBLIC_ID.fullmatch(text):
        return Found(_IDS[text[0]], text.lower())
    if text.startswith(PREFIX):
        return Found(Thing.BOX, parse_box_code(text))
    if _PATTERN.fullmatch(text):
        return Found(Thing.PATTERN, text)
    labelled = text.startswith(LABEL)
    code = typed.strip()[len(LABEL) if labelled else 0 :]
    async with session.begin():
        place = await organisation.by_code(session, code)
    if place is not None and place.city_id == caller.city_id:
        return Found(Thing.PLACE, place.code)
    if labelled:
        raise NotFound(what="organisation", value=code)
    name = "".join(sign for sign in text if sign.isalnum())
    if not name:
        raise NotFound(what="item", value=typed)
    if len(name) <= _LONGEST_NUMBER or (name.startswith("106") and name.isdecimal()):
        return Found(Thing.NUMBER, name)
    return Found(Thing.SIM, name)

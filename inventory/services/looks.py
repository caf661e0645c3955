"""Look at the card in a reader without any job: what it is, whether it is blank, which stock record it has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import CardFacts, card_report, identify_script, matching
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import parse_iccid
from inventory.services.card_data import Workbench
from inventory.services.numbering import gets_iccid
from inventory.services.orders import Run
from inventory.store import kits, stations
from inventory.store.kits import Card
from inventory.store.notices import Notice, notify
from inventory.store.stations import StationRow

SCRIPT_LIFE = timedelta(minutes=10)
"""After this a station does not begin a script; long enough for a hall PC whose clock is off by minutes."""
CLOCK_SKEW = timedelta(minutes=10)
"""How far behind a hall PC's clock may be: it may begin a script so much later."""
_ID_BYTES = 16


def expiry(now: datetime) -> int:
    """Give the UTC seconds after which a script that is handed out now may not begin."""
    return int((now + SCRIPT_LIFE).timestamp())


async def order_look(
    session: AsyncSession, bench: Workbench, station: StationRow, reader: str, *, now: datetime
) -> Run:
    """Order a look at the card in the reader; the reader remembers that it is under way."""
    script = identify_script(f"look-{bench.entropy(_ID_BYTES).hex()}", expiry(now))
    await stations.change_reader(
        session, city_id=station.city_id, station_id=station.station_id, name=reader, script_id=script.id
    )
    return Run(None, reader, script)


async def keep_look(
    session: AsyncSession, station: StationRow, reader: str, facts: CardFacts | None, card: Card | None
) -> None:
    """Keep what a look found, for the desk; None: the card could not be read."""
    await stations.change_reader(
        session,
        city_id=station.city_id,
        station_id=station.station_id,
        name=reader,
        facts=_shown(facts, card),
        sim_item_no=None if card is None else card.item_no,
        script_id=None,
    )
    await notify(session, Notice(city_id=station.city_id, station_id=station.station_id))


async def card_of(session: AsyncSession, city_id: int, facts: CardFacts, *, lock: bool = False) -> Card | None:
    """Return the stock record of the card that was read: by its ICCID, or by chip serial where it has none in stock.

    A card that is numbered in the hall bears its ICCID from its writing on, the record from its verdict on. What a torn
    writing left of it names no card, and may be on no card that came with its number.
    """
    torn = False
    if facts.iccid:
        try:
            iccid = parse_iccid(facts.iccid).iccid
        except InvalidIdentifier:
            torn = True
        else:
            card = await kits.find_card(session, city_id=city_id, iccid=iccid, lock=lock)
            if card is not None:
                return card
    if facts.serial is None:
        return None
    card = await kits.find_card(session, city_id=city_id, serial=facts.serial.upper(), lock=lock)
    if card is None or not facts.iccid:
        return card
    return card if (gets_iccid(card.profile, card.iccid) if torn else card.iccid is None) else None


def _shown(facts: CardFacts | None, card: Card | None) -> dict[str, Any]:
    """Give what the desk needs to know; no IMSI, it is on a customer's card perhaps.

    Of a card that the stock does not know it is all that was read, masked: someone may know the make (REQ-HW-02).
    """
    if facts is None:
        return {"readable": False}
    unknown = {} if card is not None else {"report": card_report(facts, tuple(one.name for one in matching(facts)))}
    return unknown | {
        "readable": True,
        "iccid": facts.iccid or None,
        "serial": facts.serial,
        "blank": facts.blank,
        "usim": facts.usim,
        "adm_tries": facts.adm_tries,
        "pin1_enabled": facts.pin1_enabled,
    }

"""The account of spoiled cards, and what a vendor gets to read."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.domain.calendar import business_day
from inventory.domain.errors import InvalidField
from inventory.services.exporting import Listing, claim_listing
from inventory.services.faulty_cards import FaultQuery, read_account
from inventory.services.stations import revoke
from inventory.store.ends import GIVEN_BACK
from tests.builders_stock import TOWN
from tests.cards.hall import CardKeys, Hall, card_of, fresh
from tests.cards.test_bulk import opened, put_in

pytestmark = [pytest.mark.database, pytest.mark.anyio]
_LOAD = """
INSERT INTO load_batch (city_id, batch_id, resource, source, sha256, state, vendor, rows, accepted, rejected, staff_no,
                        interface_no, created_at)
OVERRIDING SYSTEM VALUE VALUES (530700, CAST(:batch AS int), 'sim', :source, decode(md5(:digest), 'hex'), 'COMMITTED',
                                :vendor, 8, 8, 0, 'x', 'x', now())
"""


async def counted(hall: Hall, query: FaultQuery | None = None) -> list[tuple[str, str, int, str, int]]:
    async with hall.database.session() as session:
        found = await read_account(session, hall.caller, query or FaultQuery())
    return [(row.station, row.vendor, row.batch_id, row.fault, row.count) for row in found]


async def claimed(hall: Hall, query: FaultQuery) -> list[dict[str, str]]:
    """Read the claim file as a vendor does."""
    listing: Listing = claim_listing(query)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(listing.columns)
    async with hall.database.session() as session:
        async for batch in listing.open(session, hall.caller):
            writer.writerows(batch)
    return list(csv.DictReader(io.StringIO(text.getvalue())))


@pytest.fixture
async def hall(hall: Hall) -> Hall:
    """Give a hall whose cards 0 and 1 came from one vendor, the others from nobody named; three of five were spoiled.

    Cards 0 and 2 have another K than the stock says, card 1 refuses its ADM key, cards 3 and 4 are fine.
    """
    for batch, source, vendor in ((1, "delivery-7.txt", "Eastern Cards"), (2, "batch.csv", None)):
        await hall.change(_LOAD, batch=batch, source=source, digest=source, vendor=vendor)
    await hall.change("UPDATE sim SET batch_id = 2 WHERE item_no > 1")
    await opened(hall, count=5)
    for item_no in (0, 2):
        await put_in(hall, card_of(item_no, replace(CardKeys.of(item_no), k=CardKeys.of(7).k)))
    refusing = card_of(1, replace(CardKeys.of(1), adm1=CardKeys.of(7).adm1))
    for card in (refusing, refusing, card_of(3), card_of(4)):
        await put_in(hall, card)
    return hall


async def test_each_spoiled_card_counts_once_by_station_load_and_fault(hall: Hall) -> None:
    """REQ-SIM-12: whose cards they are, and what was wrong with them; good ones and second tries do not count."""
    assert await counted(hall) == [
        ("柜台一", "", 2, "wrong_key", 1),
        ("柜台一", "Eastern Cards", 1, "adm_refused", 1),
        ("柜台一", "Eastern Cards", 1, "wrong_key", 1),
    ]


async def test_conditions_bound_the_account(hall: Hall) -> None:
    today = business_day(hall.now)
    station = f"st-530700-{hall.station.station_id}"
    assert [row[4] for row in await counted(hall, FaultQuery(vendor="Eastern Cards", station=station))] == [1, 1]
    assert len(await counted(hall, FaultQuery(first=today, last=today))) == 3
    assert await counted(hall, FaultQuery(last=today - timedelta(days=1))) == []
    assert await counted(hall, FaultQuery(first=today + timedelta(days=1))) == []
    with pytest.raises(InvalidField):
        await counted(hall, FaultQuery(last=today.max))
    hall.caller = TOWN.caller(TOWN.other_hall)
    assert await counted(hall) == []


async def test_claim_names_card_load_fault_and_status_word_and_nothing_that_was_written(hall: Hall) -> None:
    """REQ-SIM-12, REQ-SEC-01: what the vendor needs to answer for its cards, without subscriber or key."""
    rows = await claimed(hall, FaultQuery(vendor="Eastern Cards"))
    told = [
        {name: row[name] for name in ("item", "batch", "source", "fault", "status_word", "station")} for row in rows
    ]
    same = {"batch": "b-530700-1", "source": "delivery-7.txt", "station": "柜台一"}
    assert told == [
        {"item": "89860026000000000000", "fault": "wrong_key", "status_word": "9862", **same},
        {"item": "89860026000000000001", "fault": "adm_refused", "status_word": told[1]["status_word"], **same},
    ]
    assert told[1]["status_word"].startswith("63c")
    assert rows[0]["at"].startswith(f"{hall.now:%Y-%m-%d}")
    assert not any("46000" in value for row in rows for value in row.values())


async def test_a_card_that_went_back_to_its_vendor_is_claimed_under_the_name_that_is_printed_on_it(hall: Hall) -> None:
    """REQ-SIM-12: the claim goes with the cards, whose names are free in stock by then."""
    for name in ("iccid", "serial"):
        await hall.change(f"UPDATE sim SET {name} = '{GIVEN_BACK}1{GIVEN_BACK}' || {name} WHERE item_no = 0")
    [row, _] = await claimed(hall, FaultQuery(vendor="Eastern Cards"))
    assert (row["item"], row["serial"]) == ("89860026000000000000", "0000000000000000")


async def test_what_a_station_spoiled_stays_on_the_account_when_the_station_is_revoked(hall: Hall) -> None:
    station = f"st-530700-{hall.station.station_id}"
    before = await counted(hall)
    async with hall.database.session() as session:
        await revoke(session, hall.caller, fresh(), station, "PC replaced", now=hall.now)
    assert await counted(hall, FaultQuery(station=station)) == before
    assert len(await claimed(hall, FaultQuery(station=station))) == 3

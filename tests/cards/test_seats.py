"""A reader stands at one seat, bears one label, and is taken over only knowingly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inventory.domain.errors import InvalidField, ReaderTaken, StationUnknown
from inventory.services import seats, stations
from inventory.services.seats import SeatWish
from tests.builders_stock import CITY
from tests.cards.hall import READER, Hall, card_of, fresh

pytestmark = [pytest.mark.database, pytest.mark.anyio]

HERE, THERE = "a" * 32, "b" * 32


async def bind(hall: Hall, seat: str, staff: str = "LJ102", **wish: Any) -> dict[str, Any]:
    asked = SeatWish(**{"station": f"st-{CITY}-{hall.station.station_id}", "reader": READER, "seat": seat, **wish})
    async with hall.database.session() as session:
        caller = replace(hall.caller, staff_no=staff)
        return (await seats.bind_reader(session, caller, fresh(), asked, now=hall.now)).body


async def shown(hall: Hall, seat: str | None) -> tuple[str | None, bool | None]:
    async with hall.database.session() as session:
        (station,) = await stations.read_stations(session, hall.caller, seat=seat, now=hall.now)
    (reader,) = station["readers"]
    return reader["label"], reader["seat"] and reader["seat"]["mine"]


async def test_reader_of_a_seat_stays_its_own_whoever_signs_in_and_gets_a_label(hall: Hall) -> None:
    await hall.insert(card_of(0))
    assert await shown(hall, HERE) == (None, None)
    assert (await bind(hall, HERE))["label"] == "1"
    assert (await shown(hall, HERE), await shown(hall, THERE)) == (("1", True), ("1", False))
    assert (await bind(hall, HERE, staff="LJ103", label="三号台"))["label"] == "三号台"


async def test_reader_of_another_seat_is_refused_with_its_user_and_taken_over_only_if_that_is_said(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await bind(hall, HERE)
    with pytest.raises(ReaderTaken) as refused:
        await bind(hall, THERE, staff="LJ103")
    assert (refused.value.params["reader"], refused.value.params["staff"]) == ("1", "LJ102")
    await bind(hall, THERE, staff="LJ103", take_over=True)
    assert (await shown(hall, HERE), await shown(hall, THERE)) == (("1", False), ("1", True))
    told = await hall.one("SELECT data FROM event WHERE name = 'station.reader_bound' ORDER BY event_no DESC LIMIT 1")
    assert told[0]["taken_from"] == "LJ102"


async def test_label_is_short_and_one_readers_alone_and_reader_and_station_must_be_there(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await hall.change(
        "INSERT INTO station_reader (city_id, station_id, name, state, insertion, label, seen_at)"
        " VALUES (:city, :station, 'second', 'no_card', 0, '1', now())",
        city=CITY, station=hall.station.station_id,
    )  # fmt: skip
    assert (await bind(hall, HERE))["label"] == "2"
    for wish in ({"label": "1"}, {"label": "x" * 13}, {"reader": "none"}):
        with pytest.raises(InvalidField):
            await bind(hall, HERE, **wish)
    with pytest.raises(StationUnknown):
        await bind(hall, HERE, station=f"st-{CITY}-999")


async def test_seat_that_binds_another_reader_leaves_the_first(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await hall.change(
        "INSERT INTO station_reader (city_id, station_id, name, state, insertion, seen_at)"
        " VALUES (:city, :station, 'second', 'no_card', 0, now())",
        city=CITY, station=hall.station.station_id,
    )  # fmt: skip
    await bind(hall, HERE)
    await bind(hall, HERE, reader="second")
    row = await hall.one("SELECT count(*), min(name) FROM station_reader WHERE city_id = :city AND seat IS NOT NULL")
    assert tuple(row) == (1, "second")


async def leave(hall: Hall, seat: str, reader: str = READER) -> dict[str, Any]:
    wish = SeatWish(station=f"st-{CITY}-{hall.station.station_id}", reader=reader, seat=seat)
    async with hall.database.session() as session:
        return (await seats.leave_reader(session, hall.caller, fresh(), wish, now=hall.now)).body


async def test_seat_leaves_its_reader_whose_label_stays(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await bind(hall, HERE, label="三号台")
    assert (await leave(hall, HERE))["label"] == "三号台"
    assert await shown(hall, HERE) == ("三号台", None)
    assert (await bind(hall, THERE))["label"] == "三号台"
    told = await hall.one("SELECT data FROM event WHERE name = 'station.reader_left'")
    assert told[0] == {"reader": READER, "label": "三号台"}


async def test_seat_cannot_leave_what_it_has_not_bound(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await bind(hall, HERE)
    for seat, reader in ((THERE, READER), (HERE, "second")):
        with pytest.raises(InvalidField):
            await leave(hall, seat, reader)
    assert await shown(hall, HERE) == ("1", True)

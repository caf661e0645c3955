from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from cardwriter.crypto.secret import Secret
from inventory.access.permissions import Role
from inventory.domain.errors import (
    BadCredentials,
    DuplicateIdentifier,
    EnrolCodeInvalid,
    InvalidField,
    OutsideScope,
    StationUnknown,
)
from inventory.services import links, stations
from inventory.services.links import LinkState, ReaderSeen
from inventory.services.stations import Enrolled
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.vault.enrolment import EnrolKeys
from inventory.vault.transport import TransportAlgorithm
from tests.builders_stock import CITY, TOWN
from tests.cards.hall import READER, TRANSPORT_KEY, Hall, card_of, encrypt, fresh

pytestmark = [pytest.mark.database, pytest.mark.anyio]
KEYS = EnrolKeys(b"a secret of tests")
KEEPER = TOWN.caller(TOWN.hall, role=Role.HALL_KEEPER)


async def code(hall: Hall, **changes: Any) -> str:
    async with hall.database.session() as session:
        answer = await stations.add_code(
            session, replace(KEEPER, **changes), fresh(), TOWN.hall, keys=KEYS, now=hall.now
        )
    return str(answer.body["code"])


async def enrol(hall: Hall, code: str) -> Enrolled:
    async with hall.database.session() as session:
        return await stations.enrol(session, code, "三号台", keys=KEYS, now=hall.now)


async def seen(hall: Hall) -> list[dict[str, Any]]:
    async with hall.database.session() as session:
        return await stations.read_stations(session, hall.caller, now=hall.now)


async def test_a_code_makes_a_station_whose_credential_opens_its_link(hall: Hall) -> None:
    enrolled = await enrol(hall, await code(hall))
    async with hall.database.session() as session:
        admitted = await links.admit_station(session, enrolled.credential, now=hall.now)
    assert (admitted.name, admitted.org_id, f"st-{CITY}-{admitted.station_id}") == (
        "三号台", TOWN.hall, enrolled.station_id,
    )  # fmt: skip


async def test_a_code_is_read_whatever_way_a_person_types_it(hall: Hall) -> None:
    told = await code(hall)
    assert (await enrol(hall, f" {told.lower().replace('-', ' ')}")).name == "三号台"


async def test_a_code_is_good_once(hall: Hall) -> None:
    told = await code(hall)
    enrolled = await enrol(hall, told)
    station = await admitted(hall, enrolled)
    async with hall.database.session() as session:
        await links.open_link(session, station, "first", now=hall.now)
    with pytest.raises(EnrolCodeInvalid):
        await enrol(hall, told)


async def admitted(hall: Hall, enrolled: Enrolled) -> Any:
    async with hall.database.session() as session:
        return await links.admit_station(session, enrolled.credential, now=hall.now)


async def test_a_lost_answer_to_the_enrolment_may_be_asked_for_again(hall: Hall) -> None:
    """Until the station has connected; it stays one station with one credential."""
    told = await code(hall)
    assert await enrol(hall, told) == await enrol(hall, told)
    assert (await hall.one("SELECT count(*) FROM station"))[0] == 2


async def test_an_old_or_invented_code_is_refused_and_kept_as_a_security_event(hall: Hall) -> None:
    told = await code(hall)
    hall.now += timedelta(minutes=31)
    for wrong in (told, "AAAA-AAAA-AAAA-AAAA"):
        with pytest.raises(EnrolCodeInvalid):
            await enrol(hall, wrong)
    kept = await hall.one("SELECT count(*), min(code) FROM security_event")
    assert tuple(kept) == (2, "enrol_code_invalid")


async def test_codes_and_credentials_are_at_rest_as_digests_only(hall: Hall) -> None:
    told = await code(hall)
    enrolled = await enrol(hall, told)
    lies = repr(await hall.dump())
    assert told not in lies
    assert enrolled.credential not in lies + repr(enrolled)


async def test_a_keeper_enrols_for_its_own_part_only(hall: Hall) -> None:
    with pytest.raises(OutsideScope):
        await code(hall, scope=frozenset({TOWN.other_hall}))


async def test_a_revoked_station_is_refused_and_its_link_is_over(hall: Hall) -> None:
    enrolled = await enrol(hall, await code(hall))
    station = await admitted(hall, enrolled)
    async with hall.database.session() as session:
        await links.open_link(session, station, "only", now=hall.now)
        assert await links.keep_link(session, station, "only", now=hall.now) is LinkState.HELD
        await stations.revoke(session, KEEPER, fresh(), enrolled.station_id, "撤柜", now=hall.now)
        assert await links.keep_link(session, station, "only", now=hall.now) is LinkState.REVOKED
        with pytest.raises(BadCredentials):
            await links.admit_station(session, enrolled.credential, now=hall.now)
        with pytest.raises(StationUnknown):
            await stations.revoke(session, KEEPER, fresh(), enrolled.station_id, "again", now=hall.now)
    assert enrolled.station_id not in {one["id"] for one in await seen(hall)}


async def test_a_second_link_takes_the_station_over(hall: Hall) -> None:
    async with hall.database.session() as session:
        await links.open_link(session, hall.station, "second", now=hall.now)
        assert await links.keep_link(session, hall.station, "link", now=hall.now) is LinkState.TAKEN_OVER
        await links.close_link(session, hall.station, "link")
    assert (await seen(hall))[0]["online"] is True


async def test_a_clerk_sees_the_stations_of_its_own_hall_and_no_other(hall: Hall) -> None:
    hall.caller = TOWN.caller()
    assert len(await seen(hall)) == 1
    hall.caller = TOWN.caller(TOWN.other_hall)
    assert await seen(hall) == []


async def test_the_desk_sees_the_card_and_its_stock_record_as_soon_as_it_is_in(hall: Hall) -> None:
    """REQ-HW-01, REQ-HW-02: readers and cards are shown live, by what was read from the card."""
    hold = await hall.hold(0)
    await hall.insert(card_of(0))
    [station] = await seen(hall)
    [reader] = station["readers"]
    assert (reader["state"], reader["looking"]) == ("card", False)
    assert (reader["card"]["iccid"], reader["card"]["blank"], reader["card"]["adm_tries"]) == (
        "89860026000000000000", True, 3,
    )  # fmt: skip
    names = {"iccid": "89860026000000000000", "chip_serial": "0" * 16}
    assert reader["stock"] == {"state": "HELD", "hold": hold, "hlr": None, **names}
    hall.source.remove()
    await hall.see_readers()
    [reader] = (await seen(hall))[0]["readers"]
    assert (reader["state"], reader["card"], reader["stock"]) == ("no_card", None, None)


async def test_a_card_of_somebody_else_shows_no_stock_record(hall: Hall) -> None:
    await hall.change("UPDATE sim SET holder_id = :other", other=TOWN.other_hall)
    await hall.insert(card_of(0))
    assert (await seen(hall))[0]["readers"][0]["stock"] is None


async def test_a_card_that_no_record_knows_is_reported_as_read_for_who_may_know_it(hall: Hall) -> None:
    """REQ-HW-02: an unknown card is only read; what it told can be passed on, without its numbers."""
    await hall.insert(card_of(0))
    assert "report" not in (await seen(hall))[0]["readers"][0]["card"]
    await hall.insert(card_of(987654))
    report = (await seen(hall))[0]["readers"][0]["card"]["report"]
    assert report["profiles"] == ["preset_key", "preset_key_separate_gsm", "serial_only"]
    assert (report["iccid"], report["sizes"]["EF.SMSP"]) == ("898600**********7654", 40)


async def test_a_card_without_a_readable_iccid_is_shown_as_unreadable(hall: Hall) -> None:
    card = card_of(0)
    del card.image.files["2fe2"]
    await hall.insert(card)
    assert (await seen(hall))[0]["readers"][0]["card"]["readable"] is False


async def test_a_card_is_looked_at_once_for_each_insertion(hall: Hall) -> None:
    card = card_of(0)
    await hall.insert(card)
    for _ in range(3):
        assert await hall.see_readers() == []
    assert len(hall.sent) == 1
    await hall.insert(card)
    assert len(hall.sent) == 2


async def comes_back_with(hall: Hall, *readers: str) -> list[str]:
    """Let the station's link come up anew with these readers; give those that are listed then."""
    await hall.connect()
    async with hall.database.session() as session:
        shown = [ReaderSeen(name, "no_card", 0) for name in readers]
        await links.see_readers(session, hall.bench, hall.station, shown, now=hall.now)
        await links.drop_gone_readers(session, hall.station, now=hall.now)
    return [reader["name"] for station in await seen(hall) for reader in station["readers"]]


async def test_a_reader_that_was_plugged_in_elsewhere_is_forgotten_after_a_day(hall: Hall) -> None:
    """The name of a USB reader tells its place: what was there before would stand in every list for ever."""
    assert await comes_back_with(hall, "ACS 00", "ACS 01") == ["ACS 00", "ACS 01"]
    hall.later(hours=23)
    assert await comes_back_with(hall, "ACS 01") == ["ACS 00", "ACS 01"]
    hall.later(hours=2)
    assert await comes_back_with(hall, "ACS 01") == ["ACS 01"]
    assert await comes_back_with(hall, "ACS 00", "ACS 01") == ["ACS 00", "ACS 01"]


@pytest.mark.parametrize("kept_for", ["label = 'L1'", "bulk_job_id = 1"])
async def test_a_reader_that_somebody_named_or_awaits_stays_in_the_list(hall: Hall, kept_for: str) -> None:
    await comes_back_with(hall, "ACS 00")
    async with hall.database.session() as session, session.begin():
        await session.execute(text(f"UPDATE station_reader SET {kept_for}"))
    hall.later(days=2)
    assert await comes_back_with(hall, "ACS 01") == ["ACS 00", "ACS 01"]


async def test_a_reader_whose_card_is_not_settled_stays_in_the_list(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await hall.start(await hall.hold(0))
    hall.later(days=2)
    assert READER in await comes_back_with(hall, "ACS 01")


async def test_a_look_under_way_is_not_ordered_again(hall: Hall) -> None:
    """While our own script holds the card the reader is busy for a moment; that is no new card."""
    async with hall.database.session() as session:
        for state, orders in (("card", 1), ("busy", 0), ("card", 0)):
            found = await links.see_readers(
                session, hall.bench, hall.station, [ReaderSeen("r", state, 1)], now=hall.now
            )
            assert len(found) == orders


async def test_a_card_that_another_program_held_is_looked_at_when_it_lets_go(hall: Hall) -> None:
    async with hall.database.session() as session:
        for state, orders in (("busy", 0), ("card", 1)):
            found = await links.see_readers(
                session, hall.bench, hall.station, [ReaderSeen("r", state, 1)], now=hall.now
            )
            assert len(found) == orders


async def test_steps_are_kept_as_they_happen_and_nonsense_is_dropped(hall: Hall) -> None:
    """REQ-HW-04: live progress; the report that follows adds nothing twice."""
    started = await hall.start(await hall.hold(0))
    await hall.take_up()
    job = started.body["id"]
    good = {"job": job, "script": f"{job}.1.identify", "index": 0, "name": "select.iccid", "sw": "9000"}
    bad: list[dict[str, Any]] = [
        {}, {"job": None}, {**good, "job": "j-1"}, {**good, "script": "x"}, {**good, "index": -1},
        {**good, "index": 5000}, {**good, "job": "j-530701-1"}, {**good, "script": f"{job}.2.write"},
    ]  # fmt: skip
    async with hall.database.session() as session:
        for message in (good, good, *bad):
            await links.hear_step(session, hall.station, message, now=hall.now)
    shown = await hall.job(job)
    assert [(step["script"], step["name"], step["sw"]) for step in shown["steps"]] == [
        ("identify", "select.iccid", "9000")
    ]
    assert (shown["steps_done"], shown["steps_total"] > 10) == (1, True)


async def test_a_transport_key_is_kept_wrapped_and_its_index_is_given_once(hall: Hall) -> None:
    wish = TransportKeyWish(
        index="11", algorithm=TransportAlgorithm.AES_128_ECB, parts=(Secret(TRANSPORT_KEY),), kcv=encrypt(bytes(16))[:3]
    )
    row = await hall.one("SELECT wrapped FROM transport_key")
    assert TRANSPORT_KEY not in row[0]
    async with hall.database.session() as session:
        with pytest.raises(DuplicateIdentifier):
            await found_transport_key(session, KEEPER, fresh(), wish, vault=hall.bench.vault, now=hall.now)


@pytest.mark.parametrize("index", ["7\n subscriber imsi 460001234567890 delete", " 7", "7\u2028"])
async def test_an_index_that_is_more_than_a_name_on_a_line_is_refused(hall: Hall, index: str) -> None:
    """It stands in files that programs of the network read line by line."""
    key = Secret(TRANSPORT_KEY)
    algorithm = TransportAlgorithm.AES_128_ECB
    wish = TransportKeyWish(index=index, algorithm=algorithm, parts=(key,), kcv=encrypt(bytes(16))[:3])
    async with hall.database.session() as session:
        with pytest.raises(InvalidField, match="printable"):
            await found_transport_key(session, KEEPER, fresh(), wish, vault=hall.bench.vault, now=hall.now)


@pytest.mark.parametrize(
    ("parts", "field"), [((TRANSPORT_KEY,), "kcv"), ((bytes(16), bytes(8)), "parts"), ((bytes(24),), "parts")]
)
async def test_parts_that_do_not_make_the_key_are_refused(hall: Hall, parts: tuple[bytes, ...], field: str) -> None:
    wish = TransportKeyWish(
        index="12", algorithm=TransportAlgorithm.AES_128_ECB, parts=tuple(map(Secret, parts)), kcv=b"\0\0\0"
    )
    async with hall.database.session() as session:
        with pytest.raises(InvalidField) as refused:
            await found_transport_key(session, KEEPER, fresh(), wish, vault=hall.bench.vault, now=hall.now)
    assert refused.value.params["field"] == field
    assert TRANSPORT_KEY.hex() not in str(refused.value)

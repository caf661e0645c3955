from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cardwriter.script import Outcome, Purpose, Script
from cardwriter.virtual.uicc import VirtualUicc
from drivers.virtual import VirtualSource
from inventory.services import card_writing, links
from inventory.services.auditing import audit
from inventory.services.card_reports import Reported
from inventory.services.orders import Ack, Order, Run
from inventory.store import stations
from tests.builders_stock import CITY, TOWN
from tests.cards.hall import CardKeys, Hall, InSlot, card_of, imsi_on

pytestmark = [pytest.mark.database, pytest.mark.anyio]
BLANK = b"\xff" * 9


async def until(hall: Hall, purpose: Purpose, item_no: int = 0) -> tuple[str, Run]:
    """Go on with a job until the script of this purpose has been handed out; give the job and the order."""
    started = await hall.start(await hall.hold(item_no))
    orders: list[Order] = await hall.take_up()
    while True:
        [order] = [order for order in orders if isinstance(order, Run)]
        if order.script.purpose is purpose:
            return str(started.body["id"]), order
        orders = await hall.report(hall.run(order))


async def state(hall: Hall, job: str) -> str:
    return str((await hall.job(job))["state"])


async def test_a_lost_answer_leaves_the_card_unknown_until_it_is_read(hall: Hall) -> None:
    """REQ-HW-07, REQ-HW-08: written, but the report never came; reading the same card proves it, no new card needed."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    reported = hall.run(order)
    hall.journal.acknowledge(order.script.id)
    hall.source.remove()
    await hall.reconnect()
    assert await state(hall, job) == "unknown"
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", 1)
    await hall.insert(card)
    assert await state(hall, job) == "verified"
    assert await hall.states(0) == ("WRITTEN", "BOUND", 1)
    await hall.work(await hall.report(reported))
    assert await state(hall, job) == "verified"


async def test_an_undelivered_script_is_unknown_until_the_card_is_read_blank(hall: Hall) -> None:
    """A delivered script without an answer is never "nothing written" by guess; only the card says so."""
    card = card_of(0)
    await hall.insert(card)
    job, _ = await until(hall, Purpose.WRITE)
    hall.source.remove()
    await hall.reconnect()
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", 1)
    await hall.insert(card)
    assert await state(hall, job) == "nothing_written"
    assert await hall.states(0) == ("HELD", "RESERVED", 1)
    assert (await hall.one("SELECT count(*) FROM sim_identity WHERE city_id = :city"))[0] == 0


async def broken(hall: Hall) -> set[str]:
    """Give what the audit finds, but for the events that a kit of this hall begins without."""
    async with hall.database.session() as session:
        return {finding["check"] for finding in (await audit(session, now=hall.now)).findings} - {"version_gap"}


async def unknown_card_that_left_its_kit(hall: Hall, *, written: bool) -> tuple[VirtualUicc, str]:
    """Lose the outcome of card 0 and sell the kit with card 1; give the first card and its job."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    if written:
        hall.run(order)
        hall.journal.acknowledge(order.script.id)
    hall.source.remove()
    await hall.reconnect()
    hold = str((await hall.job(job))["hold"])
    await hall.take_card(hold, 1)
    await hall.insert(card_of(1))
    second = await hall.start(hold)
    await hall.work(await hall.take_up())
    assert await state(hall, str(second.body["id"])) == "verified"
    assert await hall.states(1) == ("WRITTEN", "BOUND", 1)
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", None)
    assert await broken(hall) == set()
    return card, job


@pytest.mark.parametrize(
    ("written", "ends", "left"),
    [(True, "verified", ("AVAILABLE", "BOUND", None)), (False, "nothing_written", ("AVAILABLE", "FREE", None))],
)
async def test_kit_goes_on_with_another_card_and_the_unknown_one_is_settled_by_itself(
    hall: Hall, ends: str, left: tuple[str, str, None], *, written: bool
) -> None:
    """REQ-RSV-16, REQ-HW-08: new data for the new card; the first card's IMSI stays with it until it is read."""
    card, job = await unknown_card_that_left_its_kit(hall, written=written)
    hall.source.remove()
    await hall.insert(card)
    assert await state(hall, job) == ends
    assert await hall.states(0) == left
    assert await hall.states(1) == ("WRITTEN", "BOUND", 1)
    row = await hall.one("SELECT hold_id, hlr_code FROM sim WHERE city_id = :city AND item_no = 0")
    assert tuple(row) == (None, "LJ1" if written else None)
    assert await broken(hall) == set()


@pytest.mark.parametrize(
    ("purpose", "ends"), [(Purpose.IDENTIFY, "verified"), (Purpose.WRITE, "verified"), (Purpose.VERIFY, "verified")]
)
async def test_a_killed_station_settles_its_job_after_the_restart(hall: Hall, purpose: Purpose, ends: str) -> None:
    """REQ-HW-07, REQ-HW-08: the script ran to its end, the process died before anybody heard of it."""
    await hall.insert(card_of(0))
    job, order = await until(hall, purpose)
    hall.run(order)
    await hall.restart_station()
    assert await state(hall, job) == ends
    assert hall.journal.unacknowledged() == ()


async def test_a_station_killed_before_it_touched_the_card_has_written_nothing(hall: Hall) -> None:
    """The journal proves that no card-changing step was sent: the data go back without another look."""
    await hall.insert(card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    hall.journal.open(order.script, job=order.job, reader=order.reader, insertion=1)
    hall.source.remove()
    await hall.restart_station()
    assert await state(hall, job) == "nothing_written"
    assert await hall.states(0) == ("HELD", "RESERVED", 1)


async def test_a_station_killed_after_it_began_to_write_is_settled_by_reading(hall: Hall) -> None:
    await hall.insert(card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    entry = hall.journal.open(order.script, job=order.job, reader=order.reader, insertion=1)
    assert entry is not None
    entry.before_change(2)
    await hall.restart_station()
    ended = await hall.job(job)
    assert (ended["state"], ended["failure"]) == ("nothing_written", None)
    assert await hall.states(0) == ("HELD", "RESERVED", 1)


async def test_a_silent_station_leaves_its_cards_unknown_and_its_other_jobs_unharmed(hall: Hall) -> None:
    """The watchdog: data of an unanswered script are quarantined, a job that had changed nothing ends."""
    await hall.insert(card_of(0))
    written, _ = await until(hall, Purpose.WRITE)
    created = str((await hall.start(await hall.hold(1))).body["id"])
    hall.later(seconds=61)
    async with hall.database.session() as session:
        assert await links.settle_silent(session, now=hall.now) == 1
        assert await links.settle_silent(session, now=hall.now) == 0
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", 1)
    ended = await hall.job(created)
    assert (ended["state"], ended["failure"]) == ("cancelled", "report_failed")
    assert await hall.states(1) == ("HELD", "RESERVED", 2)
    assert await state(hall, written) == "unknown"
    await hall.reconnect()
    assert await state(hall, written) == "nothing_written"


@pytest.mark.parametrize(
    ("purpose", "ends"),
    [(None, "cancelled"), (Purpose.IDENTIFY, "nothing_written"), (Purpose.WRITE, "unknown"),
     (Purpose.VERIFY, "unknown")],
)  # fmt: skip
async def test_a_revoked_station_leaves_no_job_open(hall: Hall, purpose: Purpose | None, ends: str) -> None:
    """Its link never comes back: the watchdog ends what it had begun."""
    await hall.insert(card_of(0))
    if purpose is None:
        job = str((await hall.start(await hall.hold(0))).body["id"])
    else:
        job, _ = await until(hall, purpose)
    await hall.change("UPDATE station SET revoked_at = now(), online_since = NULL, link_id = NULL")
    hall.later(seconds=61)
    async with hall.database.session() as session:
        assert await links.settle_silent(session, now=hall.now) == 1
        assert await links.settle_silent(session, now=hall.now) == 0
    assert await state(hall, job) == ends


async def test_a_station_that_cannot_be_settled_does_not_stop_the_others(hall: Hall) -> None:
    await hall.insert(card_of(0))
    await until(hall, Purpose.WRITE)
    await hall.change("UPDATE sim SET state = 'IN_USE' WHERE item_no = 0")
    elsewhere = await second_station(hall)
    job = str((await elsewhere.start(await hall.hold(1))).body["id"])
    hall.later(seconds=61)
    async with hall.database.session() as session:
        assert await links.settle_silent(session, now=hall.now) == 1
    assert await state(hall, job) == "cancelled"
    elsewhere.journal.close()


async def test_a_job_that_the_new_links_journal_took_on_is_not_left_unknown(hall: Hall) -> None:
    """The write script's report was in the journal: its verify script has just gone out over this link."""
    await hall.insert(card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    [_, verify] = await hall.report(hall.run(order))
    assert isinstance(verify, Run)
    async with hall.database.session() as session:
        await card_writing.resume(session, hall.station, handed={verify.script.id}, now=hall.now)
    assert await state(hall, job) == "verifying"
    async with hall.database.session() as session:
        await card_writing.resume(session, hall.station, now=hall.now)
    assert await state(hall, job) == "unknown"


async def test_a_late_report_does_not_settle_an_unknown_card_by_itself(hall: Hall) -> None:
    """Others may have had the card since: the report only makes the service look at it again."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    reported = hall.run(order)
    hall.later(seconds=61)
    async with hall.database.session() as session:
        await links.settle_silent(session, now=hall.now)
    _, *orders = await hall.report(reported)
    assert await state(hall, job) == "unknown"
    await hall.work(orders)
    assert await state(hall, job) == "verified"


async def test_an_unknown_card_is_settled_at_any_station(hall: Hall) -> None:
    """REQ-HW-08: re-inserting and reading decides, wherever that is."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    hall.run(order)
    hall.source.remove()
    hall.journal.acknowledge(order.script.id)
    await hall.reconnect()
    assert await state(hall, job) == "unknown"
    elsewhere = await second_station(hall)
    await elsewhere.insert(card)
    elsewhere.journal.close()
    ended = await hall.job(job)
    assert (ended["state"], ended["station"]) == ("verified", f"st-{CITY}-{elsewhere.station.station_id}")


async def second_station(hall: Hall) -> Hall:
    """Give the same service with another station of the hall, connected."""
    async with hall.database.session() as session, session.begin():
        other_id = await stations.add_station(
            session, city_id=CITY, org_id=TOWN.hall, name="柜台二", credential_sha256=b"y" * 32, now=hall.now
        )
        other = await stations.find_station(session, city_id=CITY, station_id=other_id)
    assert other is not None
    elsewhere = replace(hall, station=other, source=VirtualSource(), folder=hall.folder / "other")
    await elsewhere.connect()
    return elsewhere


async def silenced(hall: Hall) -> tuple[str, Run]:
    """Give a job whose write script was handed out to a station that fell silent before it said more."""
    job, order = await until(hall, Purpose.WRITE)
    hall.later(seconds=61)
    async with hall.database.session() as session:
        await links.settle_silent(session, now=hall.now)
    assert await state(hall, job) == "unknown"
    return job, order


async def test_a_blank_look_elsewhere_settles_nothing_while_the_write_script_may_still_begin(hall: Hall) -> None:
    """REQ-HW-08: the silent station may have its script still before it; the IMSI stays with the card until then."""
    card = card_of(0)
    await hall.insert(card)
    job, _ = await silenced(hall)
    elsewhere = await second_station(hall)
    await elsewhere.insert(card)
    assert await state(hall, job) == "unknown"
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", 1)
    elsewhere.later(minutes=21)
    await elsewhere.insert(card)
    assert await state(hall, job) == "nothing_written"
    elsewhere.journal.close()


async def test_a_blank_look_elsewhere_settles_once_the_write_script_was_reported(hall: Hall) -> None:
    card = card_of(0)
    await hall.insert(card)
    job, order = await silenced(hall)
    elsewhere = await second_station(hall)
    hall.source.remove()
    await hall.report(hall.run(order))
    await elsewhere.insert(card)
    assert await state(hall, job) == "nothing_written"
    elsewhere.journal.close()


async def test_a_card_read_back_blank_elsewhere_settles_nothing_while_the_write_script_may_still_begin(
    hall: Hall,
) -> None:
    """The card seemed to hold an IMSI at the look and holds none when it is read back."""
    card = card_of(0)
    await hall.insert(card)
    job, _ = await silenced(hall)
    elsewhere = await second_station(hall)
    imsi = card.image.files["7fff/6f07"]
    imsi.content = bytes.fromhex("084906001032547698")

    def wipe(script: Script) -> None:
        if script.purpose is Purpose.VERIFY:
            imsi.content = BLANK

    elsewhere.before_run = wipe
    await elsewhere.insert(card)
    assert elsewhere.sent[-1].purpose is Purpose.VERIFY
    assert await state(hall, job) == "unknown"
    elsewhere.journal.close()


async def test_a_report_or_step_of_another_station_settles_no_job(hall: Hall) -> None:
    """REQ-HW-05: a job listens to the station that has its script."""
    await hall.insert(card_of(0))
    _, order = await until(hall, Purpose.WRITE)
    reported = hall.run(order)
    elsewhere = await second_station(hall)
    before = await hall.dump()
    assert await elsewhere.report(reported) == [Ack(order.script.id)]
    step = {"job": order.job, "script": order.script.id, "index": 0, "name": "select.usim", "sw": "9000"}
    async with hall.database.session() as session:
        await links.hear_step(session, elsewhere.station, step, now=hall.now)
    assert await hall.dump() == before
    elsewhere.journal.close()


async def test_an_unknown_kit_outlives_its_hold_and_gets_a_new_lease_when_settled(hall: Hall) -> None:
    """REQ-RSV-15: a kit with an unknown card neither expires nor is released."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    hall.run(order)
    hall.source.remove()
    hall.journal.acknowledge(order.script.id)
    await hall.reconnect()
    hall.later(hours=5)
    row = await hall.one("SELECT state, job_id FROM hold WHERE city_id = :city")
    assert tuple(row) == ("ACTIVE", 1)
    await hall.connect()
    await hall.insert(card)
    assert await state(hall, job) == "verified"
    row = await hall.one("SELECT state, job_id, expires_at > :now FROM hold WHERE city_id = :city", now=hall.now)
    assert tuple(row) == ("ACTIVE", None, True)


async def test_a_proof_that_fails_for_a_moment_is_asked_again_with_a_fresh_challenge(hall: Hall) -> None:
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.VERIFY)
    reported = hall.run(order)
    results = tuple(
        replace(result, sw=0x6F00, data=b"") if result.name == "authenticate" else result
        for result in reported.report.results
    )
    shaky = replace(reported, report=replace(reported.report, results=results))
    await hall.work(await hall.report(shaky))
    assert await state(hall, job) == "verified"
    apdus = {script.steps[-1].apdu for script in hall.sent if script.purpose is Purpose.VERIFY}
    assert len(apdus) == 2


async def test_an_unknown_card_that_keeps_failing_is_left_until_it_is_inserted_again(hall: Hall) -> None:
    """One reading for each insertion: a card that answers nothing useful does not keep the reader busy for ever."""
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.VERIFY)
    orders = await hall.report(_without_power(hall.run(order)))
    rounds = 0
    while runs := [order for order in orders if isinstance(order, Run)]:
        rounds += 1
        reported = hall.run(runs[0])
        orders = await hall.report(_without_power(reported) if runs[0].script.purpose is Purpose.VERIFY else reported)
    assert rounds == 2
    assert await state(hall, job) == "unknown"
    hall.source.remove()
    await hall.insert(card)
    assert await state(hall, job) == "verified"


async def test_the_same_unknown_card_with_other_keys_is_damaged_and_its_imsi_stays_quarantined(hall: Hall) -> None:
    card = card_of(0, replace(CardKeys.of(0), opc=CardKeys.of(3).opc))
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    hall.run(order)
    hall.journal.acknowledge(order.script.id)
    await hall.reconnect()
    ended = await hall.job(job)
    assert (ended["state"], ended["failure"]) == ("damaged", "wrong_key")
    assert imsi_on(card) != BLANK
    assert await hall.states(0) == ("DAMAGED", "QUARANTINED", 1)


async def test_a_card_swapped_between_identify_and_write_is_not_touched(hall: Hall) -> None:
    """REQ-HW-05: the station refuses a script for another card, before any command of it."""
    await hall.insert(card_of(0))
    job, order = await until(hall, Purpose.WRITE)
    other = card_of(1)
    hall.source.insert(InSlot(other))
    reported = hall.run(order)
    assert (reported.report.outcome, reported.report.error) == (Outcome.REFUSED, "other_card")
    await hall.work(await hall.report(reported))
    assert await state(hall, job) == "nothing_written"
    assert imsi_on(other) == BLANK
    assert await hall.states(0) == ("HELD", "RESERVED", 1)


async def test_a_job_begins_again_when_the_link_breaks_before_anything_was_written(hall: Hall) -> None:
    await hall.insert(card_of(0))
    job, _ = await until(hall, Purpose.IDENTIFY)
    await hall.reconnect()
    assert await state(hall, job) == "verified"


async def test_a_report_that_does_not_fit_its_script_leaves_the_card_unknown(hall: Hall) -> None:
    card = card_of(0)
    await hall.insert(card)
    job, order = await until(hall, Purpose.WRITE)
    reported = hall.run(order)
    results = tuple(reversed(reported.report.results))
    await hall.report(replace(reported, report=replace(reported.report, results=results)))
    ended = await hall.job(job)
    assert (ended["state"], ended["failure"]) == ("unknown", "report_failed")


async def test_a_job_of_another_city_or_of_no_sense_is_only_acknowledged(hall: Hall) -> None:
    await hall.insert(card_of(0))
    _, order = await until(hall, Purpose.IDENTIFY)
    reported = hall.run(order)
    before = await hall.dump()
    for name in ("j-530701-1", "j-530700-999", "nonsense"):
        assert len(await hall.report(replace(reported, job=name))) == 1
    assert await hall.dump() == before


async def test_two_processes_that_resume_a_station_at_once_settle_each_job_once(hall: Hall) -> None:
    await hall.insert(card_of(0))
    job, _ = await until(hall, Purpose.WRITE)
    async with hall.database.session() as one, hall.database.session() as two:
        await asyncio.gather(*(card_writing.give_up(session, hall.station, now=hall.now) for session in (one, two)))
    events = await hall.one("SELECT count(*) FROM event WHERE name = 'sim.write_unknown'")
    assert (events[0], await state(hall, job)) == (1, "unknown")


def _without_power(reported: Reported) -> Reported:
    """Give the report that a card without power would have left."""
    return replace(reported, report=replace(reported.report, outcome=Outcome.LOST, results=(), error="answer_lost"))

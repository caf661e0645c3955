"""The chain of events: gap-free, in commit order, never ahead of a transaction that is still running."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from inventory.access.permissions import Role
from inventory.domain.errors import OutsideScope
from inventory.services.events import read_events
from inventory.services.sealing import seal_all, seal_city, verify_chain
from inventory.store.events import EventDraft, record
from inventory.store.sealing import count_unsealed
from tests.builders_stock import CITY, NOW, TOWN
from tests.promises.conftest import NUMBERS, Counter
from tests.promises.test_ending import rows, swept

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def seal(counter: Counter) -> int:
    """Seal what can be sealed and give how many events that was."""
    async with counter.database.session() as session:
        return await seal_all(session, now=counter.now)


async def test_positions_are_gap_free_and_every_block_follows_the_one_before(counter: Counter) -> None:
    for number in NUMBERS[:3]:
        await counter.hold(number)
        await seal(counter)
    assert await rows(counter, "SELECT position FROM sealed_event ORDER BY 1") == [(n,) for n in range(1, 7)]
    async with counter.database.session() as session, session.begin():
        report = await verify_chain(session, CITY)
    assert (report.blocks, report.events, report.fault) == (3, 6, None)


async def test_events_behind_a_running_transaction_wait_for_it(counter: Counter) -> None:
    """A reader that has seen position n never finds anything new before it."""
    draft = EventDraft(name="test.early", kind="test", item_no=1)
    async with counter.database.session() as session, session.begin():
        await record(session, [draft], city_id=CITY, staff_no="T", interface_no="T", now=NOW)
        await counter.hold(NUMBERS[0])
        assert await seal(counter) == 0
    assert await seal(counter) == 3
    first = await rows(counter, "SELECT name FROM event JOIN sealed_event USING (city_id, event_no) WHERE position = 1")
    assert first == [("test.early",)]


async def test_of_two_sealers_at_once_one_does_nothing(counter: Counter) -> None:
    await counter.hold(NUMBERS[0])
    lock = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"
    async with counter.database.session() as other, other.begin():
        await other.execute(text(lock), {"name": f"seal/{CITY}"})
        async with counter.database.session() as session:
            assert await seal_city(session, CITY, now=NOW) == 0
    sealed = await asyncio.gather(seal(counter), seal(counter))
    assert sum(sealed) == 2


async def test_feed_gives_sealed_events_only_and_goes_on_where_it_ended(counter: Counter) -> None:
    await counter.hold(NUMBERS[0])
    auditor = TOWN.caller(TOWN.city, role=Role.AUDITOR)
    async with counter.database.session() as session:
        assert await read_events(session, auditor, after=0, limit=9) == {"events": [], "next": 0}
    await seal(counter)
    async with counter.database.session() as session:
        page = await read_events(session, auditor, after=0, limit=1)
        rest = await read_events(session, auditor, after=page["next"], limit=9)
        assert await count_unsealed(session, CITY) == 0
    assert [event["position"] for event in page["events"] + rest["events"]] == [1, 2]


async def test_acceptance_system_reads_its_own_events_and_the_end_of_its_holds(counter: Counter) -> None:
    """REQ-RSV-04: the event of the end reaches the owner, nothing of others does."""
    await counter.hold(NUMBERS[0])
    await counter.by(TOWN.caller(interface_no="LJ-HALL-02")).hold(NUMBERS[1])
    await swept(counter.at(30))
    await seal(counter)
    async with counter.database.session() as session:
        page = await read_events(session, TOWN.caller(role=Role.ACCEPTANCE), after=0, limit=99)
    assert sorted(event["name"] for event in page["events"]) == ["hold.created", "hold.expired", "number.held"]


async def test_whole_chain_is_for_the_city_company_only(counter: Counter) -> None:
    async with counter.database.session() as session:
        with pytest.raises(OutsideScope):
            await read_events(session, TOWN.caller(TOWN.hall, role=Role.AUDITOR), after=0, limit=9)


async def test_city_whose_chain_is_broken_does_not_stop_the_others(counter: Counter) -> None:
    await counter.hold(NUMBERS[0])
    await seal(counter)
    draft = EventDraft(name="test.event", kind="test", item_no=1)
    async with counter.database.session() as session, session.begin():
        await session.execute(text("DELETE FROM seal_block"))  # the next block begins at a position that is taken
        for city_id in (CITY, CITY + 100):
            await record(session, [draft], city_id=city_id, staff_no="T", interface_no="T", now=NOW)
    assert await seal(counter) == 1
    assert await rows(counter, "SELECT city_id FROM seal_block") == [(CITY + 100,)]

"""The audit is quiet after honest work and names every row that somebody has touched behind its back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from inventory.services.auditing import CHAIN, SUMS, audit
from inventory.services.sealing import seal_all
from inventory.store.audit_sql import CHECKS
from tests.builders_stock import finish_card, write_card
from tests.promises.conftest import NUMBERS, Counter

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARDS = tuple(f"8986002600{item_no:010d}" for item_no in range(8))


async def run(counter: Counter, *statements: str) -> None:
    """Run statements as somebody with the database's password could."""
    async with counter.database.session() as session, session.begin():
        for statement in statements:
            await session.execute(text(statement))


async def audited(counter: Counter) -> Any:
    """Give the result of an audit made now."""
    async with counter.database.session() as session:
        return await audit(session, now=counter.now)


@pytest.fixture
async def busy(counter: Counter) -> Counter:
    """Leave one line sold, one kit held, one booked, one released, one expired, one card finished; all sealed."""
    sold = await counter.hold(NUMBERS[0], iccid=CARDS[0])
    async with counter.database.session() as session, session.begin():
        await write_card(session, int(sold.body["hold"].rsplit("-", 1)[1]))
    await counter.confirm(sold.body["hold"])
    await counter.hold(NUMBERS[1], iccid=CARDS[1])
    booked = await counter.hold(NUMBERS[2], iccid=CARDS[2])
    await counter.book(booked.body["hold"], customer_ref="C-1")
    released = await counter.hold(NUMBERS[3], iccid=CARDS[3])
    await counter.release(released.body["hold"])
    await counter.hold(NUMBERS[4], minutes=1)
    await counter.at(2).hold(NUMBERS[4])
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 7, data_no=700)
    async with counter.database.session() as session:
        await seal_all(session, now=counter.now)
    return counter


async def test_audit_of_honest_work_is_quiet(busy: Counter) -> None:
    done = await audited(busy)
    assert (done.ok, done.findings) == (True, [])
    figures = done.figures["530700"]
    assert figures["loaded"] == {"number": 8, "sim": 8}
    assert sum(figures["states"]["number"].values()) == sum(figures["holders"]["number"].values()) == 8
    assert figures["states"]["number"] == {"IN_USE": 1, "HELD": 2, "BOOKED": 1, "UNUSED": 4}
    assert figures["unsealed"] == 0


async def test_unsealed_tail_is_reported_and_is_no_fault(busy: Counter) -> None:
    await busy.hold(NUMBERS[6])
    done = await audited(busy)
    assert (done.ok, done.figures["530700"]["unsealed"]) == (True, 2)


TAMPERED: list[tuple[str, tuple[str, ...]]] = [
    ("held_twice", ("UPDATE hold SET number_item_no = 1 WHERE number_item_no = 2",)),
    ("held_twice", ("UPDATE hold SET sim_item_no = 1 WHERE sim_item_no = 2",)),
    ("held_twice", ("UPDATE hold SET data_no = (SELECT data_no FROM hold WHERE number_item_no = 1)",)),
    ("hold_without_its_items", ("UPDATE number SET state = 'UNUSED' WHERE item_no = 1",)),
    ("hold_without_its_items", ("UPDATE sim SET hold_id = NULL WHERE item_no = 1",)),
    ("hold_without_its_items", ("UPDATE number SET hold_until = hold_until + interval '1 day' WHERE item_no = 2",)),
    ("item_without_its_hold", ("UPDATE number SET hold_id = 1 WHERE item_no = 6",)),
    ("item_without_its_hold", ("UPDATE number SET state = 'HELD' WHERE item_no = 6",)),
    ("item_without_its_hold", ("UPDATE sim SET state = 'HELD' WHERE item_no = 6",)),
    ("item_without_its_hold", ("UPDATE hold SET state = 'RELEASED' WHERE number_item_no = 1",)),
    (
        "imsi_on_two_cards",
        (
            "ALTER TABLE sim_identity DROP CONSTRAINT uq_sim_identity_city_id_imsi",
            """INSERT INTO sim_identity SELECT city_id, 6, slot, application, imsi, hlr_code, state, auc, NULL
               FROM sim_identity WHERE item_no = 0""",
        ),
    ),
    ("data_unit_astray", ("UPDATE subscription_data SET state = 'FREE' WHERE state = 'BOUND'",)),
    ("data_unit_astray", ("UPDATE subscription_data SET state = 'RESERVED' WHERE state = 'FREE'",)),
    ("data_unit_astray", ("UPDATE subscription_data SET sim_item_no = 5 WHERE state = 'BOUND'",)),
    ("data_unit_astray", ("UPDATE subscription_data SET state = 'LEASED' WHERE state = 'RESERVED'",)),
    ("data_unit_astray", ("UPDATE sim_identity SET imsi = '460001111111111' WHERE item_no = 7",)),
    ("line_incomplete", ("UPDATE sim_identity SET number_item_no = NULL WHERE item_no = 0",)),
    ("line_incomplete", ("UPDATE sim_identity SET auc = 'none' WHERE item_no = 0",)),
    ("line_incomplete", ("UPDATE sim SET state = 'DAMAGED' WHERE item_no = 0",)),
    ("version_gap", ("UPDATE number SET version = version + 1 WHERE item_no = 6",)),
    ("version_gap", ("DELETE FROM event WHERE name = 'number.activated'",)),
    ("version_gap", ("UPDATE sim SET version = 0 WHERE item_no = 0",)),
    ("version_gap", ("DELETE FROM event WHERE name = 'data.free'",)),
    ("state_without_event", ("UPDATE subscription_data SET state = 'RETIRED' WHERE state = 'BOUND'",)),
    ("state_without_event", ("UPDATE number SET state = 'FROZEN' WHERE item_no = 0",)),
    ("registry_disagrees", ("DELETE FROM identifier WHERE kind = 'iccid' AND value LIKE '%3'",)),
    ("registry_disagrees", ("UPDATE identifier SET city_id = 530100 WHERE kind = 'imsi'",)),
    ("registry_disagrees", ("UPDATE sim SET serial = 'FFFFFFFFFFFFFFFF' WHERE item_no = 6",)),
    ("balance_differs", ("UPDATE number SET holder_id = 5 WHERE item_no = 6",)),
    ("balance_differs", ("UPDATE sim SET holder_id = 4 WHERE item_no = 0",)),
    ("balance_differs", ("UPDATE movement SET item_count = 2 WHERE kind = 'SALE'",)),
    ("event_outside_chain", ("DELETE FROM sealed_event WHERE position = 3",)),
    ("event_outside_chain", ("DELETE FROM event WHERE name = 'hold.booked'",)),
    (SUMS, ("DELETE FROM number WHERE item_no = 6",)),
    (SUMS, ("UPDATE number SET holder_id = 99 WHERE item_no = 6",)),
    (CHAIN, ("UPDATE event SET reason = 'another' WHERE name = 'hold.released'",)),
    (CHAIN, ("UPDATE event SET at = at + interval '1 second' WHERE name = 'number.held' AND item_no = 0",)),
    (CHAIN, ("UPDATE seal_block SET hash = previous_hash",)),
    (CHAIN, ("UPDATE seal_block SET previous_hash = hash",)),
    (CHAIN, ("DELETE FROM sealed_event WHERE position = 1",)),
]


@pytest.mark.parametrize(("check", "statements"), TAMPERED)
async def test_tampered_row_is_found(busy: Counter, check: str, statements: tuple[str, ...]) -> None:
    await run(busy, *statements)
    done = await audited(busy)
    assert not done.ok
    assert check in {finding["check"] for finding in done.findings}


def test_every_check_is_shown_a_tampered_row() -> None:
    assert {check for check, _ in TAMPERED} == {*CHECKS, SUMS, CHAIN}


async def test_missing_block_is_found(busy: Counter) -> None:
    await busy.hold(NUMBERS[6])
    async with busy.database.session() as session:
        await seal_all(session, now=busy.now)
    await run(busy, "DELETE FROM seal_block WHERE block_no = 1")
    assert [finding["detail"] for finding in (await audited(busy)).findings] == ["block 1 is missing"]

"""The audit is quiet after honest work and names every row that somebody has touched behind its back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from inventory.access.permissions import Role
from inventory.services.auditing import CHAIN, SUMS, audit
from inventory.services.fees import FeeWish, change_fee
from inventory.services.sealing import seal_all
from inventory.store.audit_sql import CHECKS
from tests.builders_stock import TOWN, finish_card, write_card
from tests.promises.conftest import NUMBERS, Counter, fresh

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARDS = tuple(f"8986002600{item_no:010d}" for item_no in range(8))

_JOB = """
    INSERT INTO write_job (city_id, hold_id, station_id, reader, sim_item_no, data_no, state, staff_no, interface_no,
                           created_at)
    SELECT city_id, hold_id, 1, 'R', sim_item_no, data_no, '{state}', 'T', 'T', created_at
    FROM hold WHERE number_item_no = 1
"""
_ORDERED = """
    WITH o AS (
        INSERT INTO legal_order (city_id, resource, state, reference, authority, reason, given_on, item_count, staff_no,
                                 interface_no, created_at)
        SELECT city_id, 'number', 'IN_FORCE', '7', 'A', 'R', created_at, 1, 'T', 'T', created_at FROM hold LIMIT 1
        RETURNING city_id, order_id)
    INSERT INTO legal_order_line SELECT city_id, order_id, 1, 'number', 6, 6 FROM o
"""
_SWAPPED = (  # the ledger sends number 6 to the other hall, the stock number 1: the sums stay right
    """INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, staff_no, interface_no,
                             created_at)
       SELECT city_id, 'TRANSFER', 'number', 'ACCEPTED', 3, 5, 1, 'T', 'T', created_at FROM hold LIMIT 1""",
    """INSERT INTO movement_line (city_id, movement_id, line_no, resource, level, block, lo, hi)
       SELECT city_id, movement_id, 1, 'number', 0, 0, 6, 6 FROM movement WHERE kind = 'TRANSFER'""",
    "UPDATE number SET holder_id = 5 WHERE item_no = 1",
)


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
    """Leave one line sold, one kit held, one booked, one released, one expired, one card finished, one fee changed."""
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
    keeper = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN)
    wish = FeeWish(number=NUMBERS[5], min_monthly=3900, commitment_months=12, reason="asked for")
    async with counter.database.session() as session:
        await change_fee(session, keeper, fresh(), wish, now=counter.now)
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
    ("data_unit_astray", ("UPDATE subscription_data SET state = 'QUARANTINED' WHERE state = 'RESERVED'",)),
    (
        "data_unit_astray",
        (
            "UPDATE subscription_data SET state = 'LEASED' WHERE state = 'RESERVED'",
            "UPDATE hold SET job_id = 1 WHERE state IN ('ACTIVE', 'BOOKED')",
        ),
    ),
    (
        "data_unit_astray",
        (
            "DELETE FROM sim_identity WHERE item_no = 7",
            "UPDATE subscription_data SET sim_item_no = NULL WHERE sim_item_no = 7",
        ),
    ),
    ("data_unit_astray", ("UPDATE sim_identity SET imsi = '460001111111111' WHERE item_no = 7",)),
    ("data_unit_astray", ("UPDATE subscription_data SET iccid = '89860027000000000001' WHERE data_no = 700",)),
    (
        "data_unit_astray",
        ("UPDATE subscription_data SET iccid = (SELECT iccid FROM sim WHERE item_no = 6) WHERE data_no = 5",),
    ),
    ("line_incomplete", ("UPDATE sim_identity SET number_item_no = NULL WHERE item_no = 0",)),
    ("line_incomplete", ("UPDATE sim_identity SET auc = 'none' WHERE item_no = 0",)),
    ("line_incomplete", ("UPDATE sim SET state = 'DAMAGED' WHERE item_no = 0",)),
    (
        "line_incomplete",
        (
            """UPDATE sim_identity SET item_no = 0, slot = 2 WHERE item_no = 7""",
            "UPDATE subscription_data SET sim_item_no = 0 WHERE sim_item_no = 7",
        ),
    ),
    ("version_gap", ("UPDATE number SET version = version + 1 WHERE item_no = 6",)),
    ("version_gap", ("DELETE FROM event WHERE name = 'number.activated'",)),
    ("version_gap", ("UPDATE sim SET version = 0 WHERE item_no = 0",)),
    ("version_gap", ("DELETE FROM event WHERE name = 'data.free'",)),
    ("state_without_event", ("UPDATE subscription_data SET state = 'RETIRED' WHERE state = 'BOUND'",)),
    ("state_without_event", ("UPDATE number SET state = 'FROZEN' WHERE item_no = 0",)),
    ("state_without_event", ("UPDATE number SET state = 'DISABLED' WHERE item_no = 6",)),
    ("state_without_event", ("UPDATE sim SET state = 'LOST' WHERE item_no = 6",)),
    ("state_without_event", ("UPDATE subscription_data SET state = 'RETIRED' WHERE data_no = 5",)),
    ("registry_disagrees", ("DELETE FROM identifier WHERE kind = 'iccid' AND value LIKE '%3'",)),
    ("registry_disagrees", ("UPDATE identifier SET city_id = 530100 WHERE kind = 'imsi'",)),
    ("registry_disagrees", ("UPDATE subscription_data SET iccid = '89860027000000000001' WHERE data_no = 5",)),
    ("registry_disagrees", ("UPDATE sim SET serial = 'FFFFFFFFFFFFFFFF' WHERE item_no = 6",)),
    ("balance_differs", ("UPDATE number SET holder_id = 5 WHERE item_no = 6",)),
    ("balance_differs", ("UPDATE sim SET holder_id = 4 WHERE item_no = 0",)),
    ("balance_differs", ("UPDATE movement SET item_count = 2 WHERE kind = 'SALE'",)),
    ("delivery_astray", ("UPDATE number SET transit_id = 9 WHERE item_no = 6",)),
    ("delivery_astray", ("UPDATE movement SET state = 'IN_TRANSIT' WHERE kind = 'SALE'",)),
    ("cities_disagree", ("UPDATE movement SET kind = 'CITY_OUT' WHERE kind = 'SALE'",)),
    ("cities_disagree", ("UPDATE movement SET kind = 'CITY_IN', other_city = city_id, other_id = movement_id",)),
    ("event_outside_chain", ("DELETE FROM sealed_event WHERE position = 3",)),
    ("event_outside_chain", ("DELETE FROM event WHERE name = 'hold.booked'",)),
    ("write_job_astray", ("UPDATE hold SET job_id = 1 WHERE number_item_no = 1",)),
    ("write_job_astray", (_JOB.format(state="created"),)),
    ("write_job_astray", ("UPDATE sim SET state = 'WRITING' WHERE item_no = 1",)),
    (
        "write_job_astray",
        (
            _JOB.format(state="unknown"),
            "UPDATE hold SET job_id = (SELECT job_id FROM write_job) WHERE number_item_no = 1",
            "UPDATE sim SET state = 'WRITING' WHERE item_no = 1",
        ),
    ),
    ("item_astray", _SWAPPED),
    ("item_astray", ("UPDATE sim SET holder_id = 3 WHERE item_no = 1",)),
    ("item_astray", ("UPDATE number SET holder_id = 3 WHERE item_no = 0",)),
    ("item_astray", ("UPDATE sim SET holder_id = 4 WHERE item_no = 0",)),
    ("recall_astray", ("UPDATE sim SET recall_id = 9 WHERE item_no = 6",)),
    ("legal_hold_astray", ("UPDATE sim SET legal_hold = true WHERE item_no = 6",)),
    ("legal_hold_astray", (_ORDERED, "UPDATE number SET legal_hold = false WHERE item_no = 6")),
    ("legal_hold_astray", (_ORDERED.replace("6, 6", "1, 1"), "UPDATE number SET legal_hold = true WHERE item_no = 1")),
    ("fee_without_change", ("UPDATE number_fee SET terms = jsonb_set(terms, '{prepay}', '1')",)),
    ("fee_without_change", ("UPDATE number_fee SET cls = cls + 1",)),
    ("fee_without_change", ("UPDATE number SET cls = cls + 1 WHERE item_no = 5",)),
    ("fee_without_change", ("DELETE FROM number_fee",)),
    ("fee_without_change", ("DELETE FROM fee_change",)),
    ("port_astray", ("UPDATE number SET kind = 'sms_port' WHERE item_no = 6",)),
    ("port_astray", ("UPDATE number SET kind = 'sms_port', state = 'RENTED' WHERE item_no = 6",)),
    (
        "port_astray",
        (
            """INSERT INTO port_rent (city_id, item_no, tenant_ref, tenant, extension_digits, begins_on, ends_on,
                                      staff_no, created_at)
               SELECT city_id, 6, 'T', 'T', 0, '2026-01-01', '2027-01-01', 'T', created_at FROM hold LIMIT 1""",
        ),
    ),
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


async def test_chain_that_was_cut_off_and_sealed_anew_is_found_until_it_is_put_right(busy: Counter) -> None:
    assert (await audited(busy)).ok
    await run(
        busy,
        "DELETE FROM seal_block",
        "DELETE FROM sealed_event",
        "UPDATE event SET reason = 'another' WHERE name = 'hold.released'",
    )
    async with busy.database.session() as session:
        await seal_all(session, now=busy.now)
    for _ in range(2):
        findings = (await audited(busy)).findings
        assert [finding["detail"] for finding in findings] == ["the end that the last audit saw is gone"]

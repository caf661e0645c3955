"""A migration that was broken off is made good by the next try."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from inventory.store.engine import Database, connect
from inventory.store.migrate import upgrade
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]

_WAITING = """SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


async def broken_indexes(database: Database) -> list[str]:
    """Give the names of the indexes that PostgreSQL keeps and never uses."""
    async with database.session() as session:
        names = await session.scalars(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
        return list(names)


@pytest.mark.parametrize(
    ("before", "index"),
    [
        ("0006", "ix_movement_line_life"),
        ("0017", "ix_movement_giver"),
        ("0021", "ix_movement_batch"),
        ("0023", "uq_write_job_of_kit"),
        ("0024", "ix_subscription_data_plain"),
        ("0034", "ix_sim_identity_number"),
        ("0035", "ix_event_reason"),
        ("0042", "ix_sim_second_number"),
        ("0045", "ix_sim_identity_gone"),
        ("0046", "ix_sim_identity_to_delete"),
    ],
)
async def test_index_whose_building_was_broken_off_is_built_again(
    empty_database_url: str, before: str, index: str
) -> None:
    """A long transaction, such as a report, keeps the building waiting whatever table it reads."""
    await asyncio.to_thread(upgrade, empty_database_url, to=before)
    database = connect(empty_database_url)
    async with database.session() as clerk, clerk.begin():
        await clerk.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await clerk.execute(text("SELECT 1"))
        building = asyncio.create_task(asyncio.to_thread(upgrade, empty_database_url))
        await until_locked(database, unless=building)
        assert await clerk.scalar(text(_WAITING)) == 1
        with pytest.raises(OperationalError):
            await building
    assert await broken_indexes(database) == [index]

    await asyncio.to_thread(upgrade, empty_database_url)

    assert await broken_indexes(database) == []
    await database.close()


async def test_keys_under_way_are_marked_when_the_table_is_no_longer_locked(empty_database_url: str) -> None:
    """Halls go on selling meanwhile, and a marking that was broken off is made good by the next try."""
    await asyncio.to_thread(upgrade, empty_database_url, to="0030")
    database = connect(empty_database_url)
    async with database.session() as session, session.begin():
        await session.execute(text(_BREAK_OFF))
        await session.execute(text("CREATE TRIGGER break_off BEFORE UPDATE ON sim EXECUTE FUNCTION break_off()"))

    with pytest.raises(DBAPIError, match="broken off"):
        await asyncio.to_thread(upgrade, empty_database_url, to="0031")
    async with database.session() as session, session.begin():
        assert await session.scalar(text("SELECT count(adm_sent) FROM sim")) == 0
        await session.execute(text("DROP TRIGGER break_off ON sim"))

    await asyncio.to_thread(upgrade, empty_database_url, to="0031")

    async with database.session() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "0031"
    await database.close()


_CARDS_THAT_ENDED = """
    SET LOCAL session_replication_role = replica;
    INSERT INTO sim (city_id, item_no, state, version, holder_id, batch_id, updated_at, iccid, kind_code, generation)
    SELECT 530700, item_no, state, 1, 1, 1, now(), 'C' || item_no, 'K', 1
    FROM (VALUES (1, 'REPLACED'), (2, 'SCRAPPED'), (3, 'IN_USE')) AS card (item_no, state);
    INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
    SELECT 530700, item_no, slot, 'USIM', '46000' || item_no || slot, 'H', 'VERIFIED',
           CASE item_no WHEN 3 THEN 'confirmed' ELSE 'deleted' END
    FROM generate_series(1, 3) AS item_no, generate_series(1, 2) AS slot
"""


async def test_identities_of_cards_that_lie_replaced_are_to_be_deleted(empty_database_url: str) -> None:
    """REQ-AUC-01: until now they counted as deleted, and nobody had told the network."""
    await asyncio.to_thread(upgrade, empty_database_url, to="0046")
    database = connect(empty_database_url)
    async with database.session() as session, session.begin():
        for statement in _CARDS_THAT_ENDED.split(";"):
            await session.execute(text(statement))

    await asyncio.to_thread(upgrade, empty_database_url, to="0047")

    async with database.session() as session:
        told = await session.scalars(text("SELECT imsi FROM sim_identity WHERE to_delete ORDER BY imsi"))
        assert list(told) == ["4600011", "4600012"]
    await database.close()


_BREAK_OFF = """
    CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken off''; END'
"""

_PORTS_AS_NUMBERS = """
    INSERT INTO hlr (code, city_id, name, smsc) VALUES ('H', 530700, 'H', '+8613800888500');
    INSERT INTO rule_set (id, scope, version, status, valid_from, author, document)
    VALUES (1, 'default', 1, 'active', now(), 'x', '{}');
    INSERT INTO segment (prefix, size, kind, city_id, carrier, hlr_code, first_item_no)
    VALUES ('106901', 0, 'sms_port', 530700, 'mobile', 'H', 0), ('95588', 0, 'access_code', 530700, 'mobile', 'H', 0),
           ('1388888', 10000, 'mobile', 530700, 'mobile', 'H', 0);
    INSERT INTO number (city_id, item_no, state, version, holder_id, pool, batch_id, updated_at, number, kind, cls,
                        outcome, rule_set_id, tail, mask, rev)
    SELECT 530700, item_no, state, 2, 1, 'hall', 1, now(), number, kind, 9, 0, 1, 0, 0, 0
    FROM (VALUES (1, 'UNUSED', '10690123', 'sms_port'), (2, 'RECYCLED', '106901', 'sms_port'),
                 (3, 'VOID', '10690188', 'sms_port'), (4, 'UNUSED', '95588', 'access_code'),
                 (5, 'UNUSED', '13888880001', 'mobile')) AS stock (item_no, state, number, kind)
"""


async def test_ports_and_access_codes_that_were_mere_numbers_get_states_of_their_own(empty_database_url: str) -> None:
    """REQ-NUM-15, REQ-NUM-16: what was on sale is on sale no more, and an event says so."""
    await asyncio.to_thread(upgrade, empty_database_url, to="0026")
    database = connect(empty_database_url)
    async with database.session() as session, session.begin():
        for statement in _PORTS_AS_NUMBERS.split(";"):
            await session.execute(text(statement))

    await asyncio.to_thread(upgrade, empty_database_url)

    async with database.session() as session:
        numbers = await session.execute(text("SELECT number, state, version, pool FROM number ORDER BY item_no"))
        events = await session.execute(
            text("SELECT item_no, version, from_state, to_state FROM event ORDER BY item_no")
        )
        assert list(map(tuple, numbers)) == [
            ("10690123", "FREE", 3, None),
            ("106901", "FREE", 3, None),
            ("10690188", "VOID", 2, "hall"),
            ("95588", "IDLE", 3, None),
            ("13888880001", "UNUSED", 2, "hall"),
        ]
        assert list(map(tuple, events)) == [
            (1, 3, "UNUSED", "FREE"), (2, 3, "RECYCLED", "FREE"), (4, 3, "UNUSED", "IDLE")
        ]  # fmt: skip
    await database.close()

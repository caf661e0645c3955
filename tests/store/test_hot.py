"""Hot statements say to the database what they are given, and raise what SQLAlchemy would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.store.engine import Database, connect, is_unique_violation
from inventory.store.hot import HotStatement

pytestmark = [pytest.mark.database, pytest.mark.anyio]
NOW = datetime(2026, 11, 22, 10, 30, 1, 250000, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def database(empty_database_url: str, anyio_backend: str) -> AsyncIterator[Database]:
    """Give an empty database."""
    del anyio_backend
    database = connect(empty_database_url, pool_size=2)
    yield database
    await database.close()


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """Give an autocommit connection."""
    async with database.autocommit() as connection:
        yield connection


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", 7),
        ("bigint", 2**40),
        ("text", "it's :not a name, nor $1"),
        ("text", None),
        ("boolean", True),
        ("timestamptz", NOW),
        ("bytea", b"\x00\xff\\"),
        ("jsonb", {"price": 100, "names": ["丽江", 'a"b']}),
        ("bigint[]", [1, 2**40]),
        ("text[]", ["plain", "with, comma", 'with "quote"', "back\\slash", "{}", "NULL", ""]),
        ("text[]", []),
    ],
)
async def test_a_value_comes_back_as_it_was_given(connection: AsyncConnection, kind: str, value: Any) -> None:
    assert await HotStatement(f"SELECT CAST(:value AS {kind})").row(connection, {"value": value}) == (value,)


async def test_a_name_may_stand_many_times_and_more_may_be_given(connection: AsyncConnection) -> None:
    statement = HotStatement("SELECT CAST(:a AS int) + CAST(:b AS int), CAST(:a AS int)")
    assert await statement.row(connection, {"a": 1, "b": 2, "c": 3}) == (3, 1)


async def test_no_row_is_none(connection: AsyncConnection) -> None:
    assert await HotStatement("SELECT 1 WHERE CAST(:no AS boolean)").row(connection, {"no": False}) is None


async def test_one_text_is_prepared_once_whatever_the_size_of_its_numbers(connection: AsyncConnection) -> None:
    statement = HotStatement("SELECT CAST(:n AS bigint)")
    for number in (1, 2**20, 2**40, None):
        await statement.row(connection, {"n": number})
    prepared = await connection.scalar(text("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'bigint'"))
    assert prepared == 1


async def test_a_duplicate_is_the_error_that_sqlalchemy_names_and_shows_no_value(connection: AsyncConnection) -> None:
    await connection.execute(text("CREATE TABLE t (k text CONSTRAINT pk_t PRIMARY KEY)"))
    insert = HotStatement("INSERT INTO t VALUES (CAST(:k AS text)) RETURNING k")
    await insert.row(connection, {"k": "secret"})
    with pytest.raises(IntegrityError) as refusal:
        await insert.row(connection, {"k": "secret"})
    assert is_unique_violation(refusal.value, "pk_t")
    assert "parameters" not in str(refusal.value)


async def test_inside_a_session_it_is_part_of_the_transaction(database: Database, connection: AsyncConnection) -> None:
    await connection.execute(text("CREATE TABLE t (k text)"))
    async with database.session() as session:
        await HotStatement("INSERT INTO t VALUES (CAST(:k AS text)) RETURNING k").row(session, {"k": "x"})
        await session.rollback()
    assert await connection.scalar(text("SELECT count(*) FROM t")) == 0


async def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    statement = HotStatement("SELECT pg_backend_pid()")
    async with database.autocommit() as connection:
        first = await statement.row(connection, {})
        assert first is not None
        async with database.autocommit() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first[0]})
        with pytest.raises(OperationalError):
            await statement.row(connection, {})
    async with database.autocommit() as connection:
        second = await statement.row(connection, {})
    assert second not in {None, first}

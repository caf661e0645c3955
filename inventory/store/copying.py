"""COPY: rows straight into a table, in the session's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from psycopg import AsyncConnection, sql
from sqlalchemy.ext.asyncio import AsyncSession

CHUNK = 20_000
"""Rows between two calls of `on_progress`."""


async def copy_rows(
    session: AsyncSession,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Copy the rows into the columns of the table and return how many there were."""
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, AsyncConnection)  # noqa: S101 - the engine is made with psycopg 3 only
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    done = 0
    source = iter(rows)
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        while chunk := list(islice(source, CHUNK)):
            for row in chunk:
                await copy.write_row(row)
            done += len(chunk)
            if on_progress is not None:
                on_progress(done)
    return done

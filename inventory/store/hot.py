"""Hot statements: sent by the driver itself, prepared once on each connection.

SQLAlchemy's way through text, binds and rows costs more than such a statement does in the database, and psycopg parses
a text of this length anew at every call. Here the text is turned into PostgreSQL's own `$1` once, and every value goes
as text whose type the statement's casts say: one prepared statement whatever the size of a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.store.engine import driver_of

_NAME: Final = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


class HotStatement:
    """One statement with parameters written `:name`, every one cast where it stands."""

    def __init__(self, text: str) -> None:
        places: dict[str, int] = {}
        self._query = _NAME.sub(lambda found: f"${places.setdefault(found[1], len(places) + 1)}", text).encode()
        self._names = tuple(places)

    async def row(self, connection: AsyncConnection | AsyncSession, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run it and return the first row, or None without one.

        Raises
        ------
        sqlalchemy.exc.DBAPIError
            As SQLAlchemy raises it, without the values.
        """
        if isinstance(connection, AsyncSession):
            connection = await connection.connection()
        driver = driver_of(connection)
        try:
            cursor = psycopg.AsyncRawCursor(driver)
            await cursor.execute(self._query, [_text(given[name]) for name in self._names], prepare=True)
            return await cursor.fetchone()
        except psycopg.Error as error:
            lost = driver.closed
            if lost:
                await connection.invalidate(error)
            raise DBAPIError.instance(
                None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
            ) from error


def _text(value: Any) -> str | None:
    """Write a value as PostgreSQL reads it."""
    if value is None or type(value) is str:
        return value
    match value:
        case datetime():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
        case dict():
            return json.dumps(value)
        case list():
            return "{" + ",".join(_element(one) for one in value) + "}"
        case _:
            return str(value)


def _element(value: int | str) -> str:
    """Write one element of an array literal."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

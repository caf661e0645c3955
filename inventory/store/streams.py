"""Rows of any number, read through a cursor of the server: neither side ever holds them all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from sqlalchemy import Select, TextClause
from sqlalchemy.ext.asyncio import AsyncSession

BATCH = 1000
_Row = TypeVar("_Row")
Stream = AsyncGenerator[list[_Row], None]
"""Rows batch by batch; to be closed (`contextlib.aclosing`) by whoever may stop before the end."""


async def in_batches(session: AsyncSession, query: Select[Any] | TextClause, make: Callable[..., _Row]) -> Stream[_Row]:
    """Give the rows of the query made of their columns, at most `BATCH` at a time, all as of one moment."""
    result = await session.stream(query.execution_options(yield_per=BATCH))
    try:
        async for rows in result.partitions():
            yield [make(*row) for row in rows]
    finally:
        await result.close()

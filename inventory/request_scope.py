"""What a route of the API and of the pages alike may ask for: the runtime, the time, a session or connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.runtime import Runtime


def runtime_of(connection: HTTPConnection) -> Runtime:
    """Return the process's runtime; for HTTP and WebSocket alike."""
    runtime: Runtime = connection.app.state.runtime
    return runtime


BIGGEST = 2**63 - 1
"""Largest integer that PostgreSQL's bigint holds."""

RuntimeDep = Annotated[Runtime, Depends(runtime_of)]


async def _now(runtime: RuntimeDep) -> datetime:
    return runtime.clock()


NowDep = Annotated[datetime, Depends(_now)]
"""The time of this request, aware, UTC."""


async def _session(runtime: RuntimeDep) -> AsyncIterator[AsyncSession]:
    async with runtime.database.session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]
"""A session: it takes a connection when first used and is closed before the answer leaves; never committed here."""


async def _connection(runtime: RuntimeDep) -> AsyncIterator[AsyncConnection]:
    async with runtime.database.autocommit() as connection:
        yield connection


ConnectionDep = Annotated[AsyncConnection, Depends(_connection, scope="function")]
"""An autocommit connection for hot statements; name it after the caller, so that a refused caller takes none."""

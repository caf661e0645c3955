"""A city with its tree and rules, on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inventory.store.engine import connect
from tests.services.town import Town, found_town


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def town(database_url: str, anyio_backend: str) -> AsyncIterator[Town]:
    """Give the city Lijiang, without stock."""
    del anyio_backend
    database = connect(database_url, pool_size=4)
    try:
        yield await found_town(database)
    finally:
        await database.close()

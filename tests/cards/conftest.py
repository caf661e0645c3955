"""A hall with a station, blank cards and kits to sell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inventory.store.engine import connect
from tests.cards.hall import Hall, stock_hall


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def hall(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Hall]:
    """Give a hall with eight of everything (or the fixture's parameter); its station is connected, its reader empty."""
    database = connect(database_url, pool_size=4)
    found = await stock_hall(database, tmp_path, cards=getattr(request, "param", 8))
    yield found
    found.journal.close()
    await database.close()

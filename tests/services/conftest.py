"""A city with its tree and rules, on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inventory.store.engine import connect
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from tests.services.town import Town, found_town


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Give a vault with a key file of its own."""
    return Vault(FileKeyProvider(tmp_path / "vault.key"))


@pytest.fixture
async def town(database_url: str, vault: Vault, anyio_backend: str) -> AsyncIterator[Town]:
    """Give the city Lijiang, without stock."""
    del anyio_backend
    database = connect(database_url, pool_size=4)
    try:
        yield await found_town(database, vault)
    finally:
        await database.close()

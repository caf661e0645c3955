"""A city with its tree and rules, on a database of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from inventory.store.engine import connect
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from tests.conftest import Databases
from tests.services.town import Town, found_town


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Give a vault with a key file of the tests' own."""
    return Vault(FileKeyProvider(tmp_path_factory.mktemp("vault") / "vault.key"))


@pytest.fixture(scope="session")
def founded_town(databases: Databases, _migrated: str, vault: Vault) -> Iterator[tuple[str, Town]]:
    """Give a database with the city in it, to be copied, and the city."""
    name = "town"
    url = databases.create(name, template=_migrated)

    async def found() -> Town:
        database = connect(url, pool_size=1)
        try:
            return await found_town(database, vault)
        finally:
            await database.close()

    yield name, asyncio.run(found())
    databases.drop(name)


@pytest.fixture
async def town(databases: Databases, founded_town: tuple[str, Town], anyio_backend: str) -> AsyncIterator[Town]:
    """Give the city Lijiang, without stock, in a database of this test's own."""
    del anyio_backend
    template, city = founded_town
    with databases.copy(template) as url:
        database = connect(url, pool_size=4)
        try:
            yield replace(city, database=database)
        finally:
            await database.close()

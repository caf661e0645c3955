"""Where a bench measures: a database of its own with the demo's operator in it, founded through the services."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.cli.bench.engine import Engine
from inventory.cli.demo.memory import Login, Memory
from inventory.cli.demo.operator import found, founder
from inventory.cli.demo.vendor import TRANSPORT_KEY_INDEX, DemoVendor
from inventory.services.once import WriteKey
from inventory.services.rule_sets import install_default
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.settings import Settings
from inventory.store import migrate
from inventory.store.embedded import EmbeddedServer, packaged_bin_dir
from inventory.store.engine import Database, connect
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.transport import TransportAlgorithm, key_check_value

_SEED = bytes(range(32))
"""The invented vendor's cards are the same in every run."""
_keys = itertools.count(1)


@dataclass(frozen=True)
class Ground:
    """An operator without stock, in a database that the bench may empty; `folder` takes its files."""

    engine: Engine
    database: Database
    caller: Caller
    """The city company."""
    seller: Caller
    """The acceptance system of one hall."""
    login: Login
    """How the seller calls the service."""
    vault: Vault
    folder: Path
    now: datetime

    way_to_hall: tuple[tuple[str, str], ...] = (("530700", "LJ-D1"), ("LJ-D1", "LJ-P1"))
    """Codes of givers and receivers from the city down to the seller's hall."""

    def at_once(self) -> AsyncSession:
        """Give a session whose every statement is a transaction of its own."""
        return AsyncSession(self.database.autocommitting)


def fresh_key() -> WriteKey:
    """Give a write key that no other write of this process has."""
    return WriteKey.of(f"bench {next(_keys)}", "bench", None)


@contextmanager
def bench_database(settings: Settings) -> Iterator[Engine]:
    """Give an empty migrated database, removed at the end: on the server that is set, or on an embedded one.

    Raises
    ------
    inventory.store.embedded.EmbeddedServerError
        The embedded server cannot run here; the message says why.
    """
    if settings.database_url is not None:
        url = settings.sqlalchemy_url()
        with _database_on(url) as made:
            yield Engine(made, packaged_bin_dir())
        return
    server = EmbeddedServer(settings.data_dir / "bench")
    server.erase()  # what a bench left behind that was killed
    try:
        with server:
            migrate.upgrade(server.url)
            yield Engine(server.url, server.bin_dir)
    finally:
        server.erase()


@contextmanager
def _database_on(url: str) -> Iterator[str]:
    """Make a database on a running server and remove it at the end."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"haoka_bench_{uuid.uuid4().hex[:8]}"
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            made = make_url(url).set(database=name).render_as_string(hide_password=False)
            migrate.upgrade(made)
            yield made
        finally:
            connection.execute(drop)


@asynccontextmanager
async def prepared(engine: Engine, folder: Path, *, now: datetime) -> AsyncIterator[Ground]:
    """Found the demo's operator in the migrated, empty database, with its rules and its vendor's transport key."""
    database = connect(engine.url, application="haoka-bench")
    try:
        vault = Vault(FileKeyProvider(folder / "vault.key"))
        memory, vendor = Memory(folder / "memory.json", _SEED.hex()), DemoVendor(_SEED)
        async with database.session() as session:
            await found(session, memory, now=now)
            await install_default(session, now=now)
            algorithm, key = TransportAlgorithm.AES_128_ECB, Secret(vendor.transport_key)
            wish = TransportKeyWish(
                index=TRANSPORT_KEY_INDEX, algorithm=algorithm, parts=(key,), kcv=key_check_value(algorithm, key)
            )
            await found_transport_key(session, founder(memory), fresh_key(), wish, vault=vault, now=now)
        city, login = founder(memory), memory.logins["acceptance"]
        seller = replace(
            city,
            interface_no=login.interface_no,
            staff_no=login.staff_no,
            role=Role.ACCEPTANCE,
            org_id=memory.places["square"],
            scope=frozenset(memory.places[name] for name in ("square", "clerk", "clerk2")),
        )
        yield Ground(engine, database, city, seller, login, vault, folder, now)
    finally:
        await database.close()

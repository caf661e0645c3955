"""Fixtures that every test may ask for: databases on a real server, and a folder for what a run leaves to look at."""

from __future__ import annotations

import itertools
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from sqlalchemy import make_url

from inventory.store.embedded import EmbeddedServer
from inventory.store.migrate import upgrade

pytest_plugins = ["tests.gate"]

# No deadline: what is right is right at any speed. A change is judged by the same examples as the one before it;
# `--hypothesis-profile=seek` looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("seek", deadline=None, max_examples=1000)
settings.load_profile("same")

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _no_signal_is_left_blocked() -> Iterator[None]:
    """Fail what leaves signals blocked: whatever starts later inherits that, and does not hear when told to stop."""
    yield
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


@dataclass(frozen=True)
class Databases:
    """Makes databases on one server; `admin_url` is a SQLAlchemy URL of a role that may create them."""

    admin_url: str
    prefix: str
    _copies: Iterator[int] = field(default_factory=partial(itertools.count, 1))

    def create(self, name: str, *, template: str = "template0") -> str:
        """Make a database and give its SQLAlchemy URL."""
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(self.prefix + name), self._named(template))
        )
        return make_url(self.admin_url).set(database=self.prefix + name).render_as_string(hide_password=False)

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """Give the SQLAlchemy URL of a copy of a database, which lasts as long as the block."""
        name = f"{template}_{next(self._copies)}"
        yield self.create(name, template=template)
        self.drop(name)

    def drop(self, name: str) -> None:
        """Remove a database; whoever is still connected is cut off."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.prefix + name)))

    def _named(self, template: str) -> sql.Identifier:
        return sql.Identifier(template if template == "template0" else self.prefix + template)

    def _execute(self, statement: sql.Composed) -> None:
        url = make_url(self.admin_url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(statement)


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One embedded PostgreSQL for the whole run; HAOKA_TEST_PG names the folder of other binaries."""
    bin_dir = os.environ.get("HAOKA_TEST_PG")
    fast = {"fsync": "off", "full_page_writes": "off"}  # the data live as long as the run
    server = EmbeddedServer(
        tmp_path_factory.mktemp("postgresql"), bin_dir=Path(bin_dir) if bin_dir else None, settings=fast
    )
    with server:
        yield server
    server.erase()  # where its account cannot enter pytest's folder, the data are in its refuge


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Databases:
    """Where test databases are made: the embedded server, or the one HAOKA_DATABASE_URL names."""
    prefix = f"haoka_test_{uuid.uuid4().hex[:8]}_"
    url = os.environ.get("HAOKA_DATABASE_URL")
    if url is None:
        server: EmbeddedServer = request.getfixturevalue("embedded_server")
        url = server.url_for("postgres")
    return Databases(url, prefix)


@pytest.fixture(scope="session")
def _migrated(databases: Databases) -> Iterator[str]:
    upgrade(databases.create("template"))
    yield "template"
    databases.drop("template")


@pytest.fixture
def database_url(databases: Databases, _migrated: str) -> Iterator[str]:
    """SQLAlchemy URL of a migrated database of this test's own."""
    with databases.copy(_migrated) as url:
        yield url


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """SQLAlchemy URL of a database of this test's own with nothing in it."""
    with databases.copy("template0") as url:
        yield url


@pytest.fixture(scope="session")
def output_dir() -> Path:
    """Folder for screenshots and reports that stay after the run (not in git)."""
    folder = ROOT / "test-output"
    folder.mkdir(exist_ok=True)
    return folder

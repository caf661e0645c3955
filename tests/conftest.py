"""Fixtures that every test may ask for: databases on a real server, and a folder for what a run leaves to look at."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from hypothesis import settings
from psycopg import sql
from sqlalchemy import make_url

from inventory.access import passwords
from inventory.store import engine
from inventory.store.embedded import EmbeddedServer
from inventory.store.migrate import upgrade
from tests.builders import Operator, found_operator
from tests.patience import PATIENCE

# The readers are a plugin, not a name that conftest files import: each import would make a service of its own.
pytest_plugins = ["tests.gate", "tests.order", "tests.drivers.fixtures"]

# No deadline: what is right is right at any speed. A change is judged by the same examples as the one before it;
# `--hypothesis-profile=seek` looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("seek", deadline=None, max_examples=1000)
settings.load_profile("same")

ROOT = Path(__file__).parent.parent
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108 - a folder in it of our own, with a random name
_FAST = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
"""The data live as long as the run."""


@pytest.fixture(autouse=True)
def _no_signal_is_left_blocked() -> Iterator[None]:
    """Fail what leaves signals blocked: whatever starts later inherits that, and does not hear when told to stop."""
    yield
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_cheap() -> Iterator[None]:
    """Hash passwords with little work in this process: hundreds of tests sign in, and none is there to be guessed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(CHEAPEST))
        yield


@pytest.fixture(scope="session", autouse=True)
def _locks_are_waited_for() -> Iterator[None]:
    """Let this process wait for a lock as long as a slow machine needs to bring the other one of a race."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "LOCK_TIMEOUT", f"{PATIENCE:.0f}s")
        yield


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """Give a folder whose syncs cost nothing where there is memory for files."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Databases:
    """Makes databases on one server; `admin_url` is a SQLAlchemy URL of a role that may create them."""

    admin_url: str
    prefix: str
    _copies: Iterator[int] = field(default_factory=partial(itertools.count, 1))
    _left: list[str] = field(default_factory=list)

    def create(self, name: str, *, template: str = "template0") -> str:
        """Make a database and give its SQLAlchemy URL."""
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(self.prefix + name), self._named(template)
            )
        )
        return make_url(self.admin_url).set(database=self.prefix + name).render_as_string(hide_password=False)

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """Give the SQLAlchemy URL of a copy of a database for the block.

        It goes with the next one: the server waits 0.1 s for connections that are just ending before it drops one.
        """
        self.tidy()
        name = f"{template}_{next(self._copies)}"
        yield self.create(name, template=template)
        self._left.append(name)

    def tidy(self) -> None:
        """Remove the copies that have been used."""
        while self._left:
            self.drop(self._left.pop())

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
    """One embedded PostgreSQL for the whole run; HAOKA_TEST_PG names the folder of other binaries.

    Its data are in memory where there is room: a copy of a database is 300 files, made in a tenth of the time there.
    """
    bin_dir = os.environ.get("HAOKA_TEST_PG")
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM
    folder = Path(tempfile.mkdtemp(prefix="haoka-test-", dir=_MEMORY)) if roomy else tmp_path_factory.mktemp("server")
    folder.chmod(0o711)  # its account goes through
    server = EmbeddedServer(folder, bin_dir=Path(bin_dir) if bin_dir else None, settings=_FAST)
    with server:
        yield server
    server.erase()  # where its account cannot enter the folder, the data are in its refuge
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Where test databases are made: the embedded server, or the one HAOKA_DATABASE_URL names."""
    prefix = f"haoka_test_{uuid.uuid4().hex[:8]}_"
    url = os.environ.get("HAOKA_DATABASE_URL")
    if url is None:
        server: EmbeddedServer = request.getfixturevalue("embedded_server")
        url = server.url_for("postgres")
    made = Databases(url, prefix)
    yield made
    made.tidy()


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


@pytest.fixture(scope="session")
def founded(databases: Databases, _migrated: str) -> Iterator[tuple[str, Operator]]:
    """Give a database with the operator in it, to be copied, and the operator."""
    name = "operator"
    operator = found_operator(databases.create(name, template=_migrated))
    yield name, operator
    databases.drop(name)


@pytest.fixture
def operator(founded: tuple[str, Operator]) -> Operator:
    """Give the small operator."""
    return founded[1]


@pytest.fixture
def operator_url(databases: Databases, founded: tuple[str, Operator]) -> Iterator[str]:
    """Give the SQLAlchemy URL of a database of this test's own with the operator in it."""
    with databases.copy(founded[0]) as url:
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

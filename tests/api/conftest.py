"""The service in this process, against a database of its own with a small operator in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from inventory.app import create_app
from inventory.observability import configure_logging
from inventory.settings import Settings
from tests.builders import FOUNDED, Operator, found_operator
from tests.conftest import Databases


@dataclass
class Clock:
    """The service's clock, moved by the test."""

    now: datetime = FOUNDED

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass: `advance(minutes=31)`."""
        self.now += timedelta(**span)


@pytest.fixture(scope="session", autouse=True)
def _logging() -> None:
    """Log as the service does: no local variable, no secret."""
    configure_logging(level="WARNING", form="json")


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
def clock() -> Clock:
    """Give the service's clock; it stands still unless the test moves it."""
    return Clock()


@pytest.fixture
def app(operator_url: str, tmp_path: Path, clock: Clock) -> FastAPI:
    """Give the service; `app.state.runtime` has its database and vault."""
    settings = Settings(database_url=SecretStr(operator_url), data_dir=tmp_path, database_pool=4)
    return create_app(settings, clock=clock)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Give a client of the running service; one event loop for the whole test."""
    with TestClient(app) as client:
        yield client

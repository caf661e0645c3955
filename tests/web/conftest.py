"""The console in this process, against a database of its own with a stocked hall and people who may sign in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.app import create_app
from inventory.runtime import open_runtime
from inventory.settings import Settings
from tests.builders import FOUNDED, Operator, found_operator
from tests.conftest import Databases
from tests.web.stock import Person, fill, hire


@dataclass(frozen=True)
class Stocked:
    """A database to be copied, the operator in it and its people."""

    name: str
    operator: Operator
    people: Mapping[Role, Person]


@pytest.fixture(scope="session")
def stocked(databases: Databases, _migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stocked]:
    """Give a stocked hall, once for all tests."""
    name, folder = "console", tmp_path_factory.mktemp("console")
    url = databases.create(name, template=_migrated)
    operator = found_operator(url)
    settings = Settings(database_url=SecretStr(url), data_dir=folder, database_pool=2)

    async def stock() -> dict[Role, Person]:
        runtime = open_runtime(settings, application="stock")
        try:
            async with runtime.database.session() as session:
                await fill(session, operator, runtime.vault, folder, now=FOUNDED)
                return await hire(session, operator, now=FOUNDED)
        finally:
            await runtime.close()

    yield Stocked(name, operator, asyncio.run(stock()))
    databases.drop(name)


@contextmanager
def serving(stocked: Stocked, databases: Databases, folder: Path) -> Iterator[FastAPI]:
    """Give the service on a copy of the stocked hall; its clock stands still."""
    with databases.copy(stocked.name) as url:
        settings = Settings(database_url=SecretStr(url), data_dir=folder, database_pool=4, caller_cache_seconds=0)
        yield create_app(settings, clock=lambda: FOUNDED)


def sign_in(browser: TestClient, person: Person) -> None:
    """Sign the person in."""
    form = {"interface_no": person.interface_no, "staff_no": person.staff_no, "password": person.password}
    assert browser.post("/sign-in", data=form).status_code == HTTPStatus.SEE_OTHER


@pytest.fixture
def console(stocked: Stocked, databases: Databases, tmp_path: Path) -> Iterator[FastAPI]:
    """Give the service on a copy of the stocked hall of this test's own."""
    with serving(stocked, databases, tmp_path) as app:
        yield app


@pytest.fixture
def browser(console: FastAPI, stocked: Stocked) -> Iterator[Callable[..., TestClient]]:
    """Give a function that opens a browser, signed in as a role if one is named; it does not follow redirects."""
    with TestClient(console, base_url="http://haoka.test", follow_redirects=False) as first:

        def opened(role: Role | None = None, language: str = "en") -> TestClient:
            first.cookies.clear()
            first.headers["Accept-Language"] = language
            if role is not None:
                sign_in(first, stocked.people[role])
            return first

        yield opened

"""The service in this process, against a database of its own with a small operator in it."""

from __future__ import annotations

import asyncio
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
from inventory.runtime import Runtime
from inventory.services.rule_sets import install_default
from inventory.settings import Settings
from inventory.store import catalogue, kits
from inventory.store.catalogue import CardKindRow, HlrRow
from tests.api.calls import write
from tests.builders import FOUNDED, Operator


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


@pytest.fixture
def stocked(app: FastAPI, client: TestClient, operator: Operator) -> TestClient:
    """Give the client of a city with one segment in stock."""
    runtime: Runtime = app.state.runtime

    async def prepare() -> None:
        async with runtime.database.session() as session:
            await install_default(session, now=FOUNDED)
            async with session.begin():
                await catalogue.add_hlr(session, HlrRow("LJ1", operator.city_id, "丽江一", "+8613800888500"))
        await runtime.database.close()

    asyncio.run(prepare())
    segment = {"prefixes": ["1388804"], "carrier": "mobile", "hlr": "LJ1", "pool": "hall"}
    answer = write(client, operator.city_admin, "/v1/segments", segment)
    assert answer.status == 201, answer.body
    return client


@pytest.fixture
def warehouse(app: FastAPI, client: TestClient, operator: Operator) -> TestClient:
    """Give the client of a city that knows a card product, a transport key and an HLR."""
    runtime: Runtime = app.state.runtime

    async def prepare() -> None:
        async with runtime.database.session() as session:
            await install_default(session, now=FOUNDED)
        async with runtime.database.session() as session, session.begin():
            await catalogue.add_hlr(session, HlrRow("LJ1", operator.city_id, "丽江一", "+8613800888500"))
            await catalogue.add_card_kind(session, CardKindRow("4G-P", "白卡", "Blank", "p", 128, ["USIM"], {}, 1000))
            await kits.add_transport_key(session, index="11", algorithm="aes-128-ecb", wrapped=b"", kcv=bytes(3))
        await runtime.database.close()

    asyncio.run(prepare())
    return client

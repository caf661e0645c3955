"""Commands that talk to a service in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from inventory.app import create_app
from inventory.runtime import Runtime
from inventory.services.rule_sets import install_default
from inventory.settings import Settings
from inventory.store import catalogue, kits
from inventory.store.catalogue import CardKindRow, HlrRow
from tests.builders import FOUNDED, Operator


@pytest.fixture
def shell(
    operator_url: str, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """Make commands talk to the service in this process as the city's admin."""
    app: FastAPI = create_app(
        Settings(database_url=SecretStr(operator_url), data_dir=tmp_path, database_pool=4), clock=lambda: FOUNDED
    )
    runtime: Runtime = app.state.runtime

    async def prepare() -> None:
        async with runtime.database.session() as session:
            await install_default(session, now=FOUNDED)
            async with session.begin():
                await catalogue.add_hlr(session, HlrRow("LJ1", operator.city_id, "丽江一", "+8613800888500"))
                await catalogue.add_card_kind(session, CardKindRow("4G-P", "白卡", "Blank", "p", 128, [], {}, 1000))
                await kits.add_transport_key(session, index="11", algorithm="aes-128-ecb", wrapped=b"", kcv=bytes(3))
        await runtime.database.close()

    asyncio.run(prepare())
    login = operator.city_admin
    for name, value in {"INTERFACE": login.interface_no, "STAFF": login.staff_no, "SECRET": login.key}.items():
        monkeypatch.setenv(f"HAOKA_{name}", value)
    monkeypatch.setenv("COLUMNS", "200")
    with capture_logs(), TestClient(app) as service:

        @contextmanager
        def to_the_service(*, headers: dict[str, str], **_rest: object) -> Iterator[TestClient]:
            service.headers.update(headers)
            yield service

        monkeypatch.setattr(httpx2, "Client", to_the_service)
        yield monkeypatch

"""The page of SMS ports: rent, extend, take back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.domain.identifiers import NumberKind
from inventory.services.numbers import SegmentWish, take_segments
from inventory.store.engine import connect
from tests.builders import FOUNDED
from tests.web.conftest import Stocked
from tests.web.stock import HLR, administrator, fresh

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
PORT = "10690123"
RENT = {
    "act": "rent",
    "number": PORT,
    "tenant": "He Bank",
    "tenant_ref": "KH-7",
    "begins_on": "2026-11-03",
    "ends_on": "2026-11-20",
    "extension_digits": "4",
}


async def own_base(console: FastAPI, stocked: Stocked) -> None:
    """Make the base of the ports the city's, on a connection of this event loop."""
    base = SegmentWish(prefixes=("106901",), kind=NumberKind.SMS_PORT, carrier="mobile", hlr_code=HLR, listed=True)
    database = connect(console.state.runtime.settings.sqlalchemy_url(), pool_size=1)
    try:
        async with database.session() as session:
            await take_segments(session, administrator(stocked.operator), fresh(), base, now=FOUNDED)
    finally:
        await database.close()


def test_port_is_rented_extended_and_taken_back_and_the_auditor_looks_on(
    browser: Browser, console: FastAPI, stocked: Stocked
) -> None:
    """REQ-NUM-15: tenant, term, extensions, on a page."""
    admin = browser(Role.CITY_ADMIN)
    asyncio.run(own_base(console, stocked))
    took = admin.post("/loads", data={"kind": "number_list"}, files={"file": ("ports.txt", f"{PORT}\n".encode())})
    assert took.status_code == 303

    rented = admin.post("/ports", data=RENT).text
    assert "Done." in rented
    assert all(word in rented for word in ("He Bank", "2026-11-20", "ends soon"))
    assert "illegal_transition" in admin.post("/ports", data=RENT).text
    assert "invalid_field" in admin.post("/ports", data=RENT | {"ends_on": "soon"}).text
    assert 'value="extend"' in admin.get(f"/ports?port={PORT}").text
    assert "ends soon" not in admin.post("/ports", data={"act": "extend", "number": PORT, "until": "2028-01-01"}).text
    assert "reason_missing" in admin.post("/ports", data={"act": "end", "number": PORT}).text
    assert "Cooling" in admin.post("/ports", data={"act": "end", "number": PORT, "reason": "over"}).text
    life = admin.get(f"/items/number/{PORT}").text
    assert all(word in life for word in ("rented", "term extended", "taken back from its tenant"))
    watching = browser(Role.AUDITOR).get(f"/ports?port={PORT}").text
    assert "He Bank" in watching
    assert 'method="post" action="/ports"' not in watching

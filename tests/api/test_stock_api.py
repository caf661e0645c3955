"""Stock over HTTP: take segments, issue, recall, read, release, change a fee."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.runtime import Runtime
from inventory.services.rule_sets import install_default
from inventory.store import catalogue
from inventory.store.catalogue import HlrRow
from tests.builders import FOUNDED, Login, Operator

pytestmark = pytest.mark.database
_keys = itertools.count(1)


def write(client: TestClient, login: Login, path: str, body: dict[str, Any]) -> Any:
    """Send a write with a fresh key and give the response."""
    return client.post(f"/v1{path}", json=body, headers={**login.headers, "Idempotency-Key": f"stock-{next(_keys)}"})


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
    body = {"prefixes": ["1388804"], "carrier": "mobile", "hlr": "LJ1", "pool": "hall"}
    answer = write(client, operator.city_admin, "/segments", body)
    assert answer.status_code == 201, answer.text
    return client


def test_segment_is_taken_and_read_back_with_its_class(stocked: TestClient, operator: Operator) -> None:
    number = stocked.get("/v1/numbers/13888048888", headers=operator.city_admin.headers).json()

    assert (number["state"], number["holder"], number["segment"]) == ("UNUSED", "530700", "1388804")
    assert (number["fee"]["class"], number["fee"]["prepay_fen"]) == (2, 3_000_000)


def test_issue_recall_and_the_life_of_a_number(stocked: TestClient, operator: Operator) -> None:
    """REQ-SIM-08: each item's path can be listed from intake to now."""
    item = {"items": ["13888040001"]}
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": item, "receiver_name": "和丽"}
    up = {"resource": "number", "giver": "LI-D1", "receiver": "530700", "selection": item, "returner_name": "和丽"}

    issued = write(stocked, operator.city_admin, "/movements:issue", down)
    recalled = write(stocked, operator.city_admin, "/movements:recall", up)

    assert (issued.status_code, recalled.status_code) == (201, 201)
    page = stocked.get(f"/v1/movements/{issued.json()['id']}", headers=operator.city_admin.headers).json()
    assert page["movement"] == issued.json()
    assert [(line["item"], line["fee"]["class"]) for line in page["items"]] == [("13888040001", 9)]
    life = stocked.get("/v1/numbers/13888040001/history", headers=operator.city_admin.headers).json()
    assert [(entry["what"], entry["giver"], entry["receiver"], entry["person"]) for entry in life["entries"]] == [
        ("movement.intake", None, "530700", None),
        ("movement.issue", "530700", "LI-D1", "和丽"),
        ("movement.recall", "LI-D1", "530700", "和丽"),
    ]


def test_stock_shows_a_place_and_its_children(stocked: TestClient, operator: Operator) -> None:
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 100}}
    write(stocked, operator.city_admin, "/movements:issue", down)

    counts = stocked.get("/v1/stock", headers=operator.city_admin.headers).json()["counts"]

    assert [(row["place"], row["state"], row["count"], row["own"]) for row in counts] == [
        ("530700", "UNUSED", 10_000, 9_900),
        ("LI-D1", "UNUSED", 100, 100),
    ]


def test_status_is_released_within_the_life_cycle_only(stocked: TestClient, operator: Operator) -> None:
    path = "/numbers/13888040001:release-status"

    withdrawn = write(stocked, operator.city_admin, path, {"to_state": "RECYCLED", "reason": "重新定级"})
    used = write(stocked, operator.city_admin, path, {"to_state": "IN_USE", "reason": "试一试"})

    assert (withdrawn.json()["to_state"], withdrawn.json()["version"]) == ("RECYCLED", 1)
    assert (used.status_code, used.json()["code"]) == (409, "illegal_transition")


def test_changed_fee_shows_on_the_number_and_in_its_changes(stocked: TestClient, operator: Operator) -> None:
    """REQ-FEE-03: the history can be listed per number and per operator."""
    body = {"class": 6, "reason": "朗朗上口"}

    changed = write(stocked, operator.city_admin, "/numbers/13888040001:change-fee", body)

    assert (changed.json()["before"]["class"], changed.json()["after"]["class"]) == (9, 6)
    number = stocked.get("/v1/numbers/13888040001", headers=operator.city_admin.headers).json()
    assert (number["fee"]["class"], number["fee"]["changed"]) == (6, True)
    of_number = stocked.get("/v1/numbers/13888040001/fee-changes", headers=operator.city_admin.headers).json()
    by_staff = stocked.get("/v1/fee-changes?staff=LI0002", headers=operator.city_admin.headers).json()
    assert of_number == by_staff
    assert [(row["staff"], row["reason"]) for row in of_number["changes"]] == [("LI0002", "朗朗上口")]


def test_another_hall_does_not_see_what_it_does_not_hold(stocked: TestClient, operator: Operator) -> None:
    answer = stocked.get("/v1/numbers/13888040001", headers=operator.other_hall_keeper.headers)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_refused_document_names_the_items(stocked: TestClient, operator: Operator) -> None:
    body = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"items": ["13900000000"]}}

    answer = write(stocked, operator.city_admin, "/movements:issue", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "movement_refused")
    assert answer.json()["params"]["items"] == [{"item": "13900000000", "code": "not_in_stock", "state": None}]

"""Stock over HTTP: take segments, issue, recall, read, release, change a fee."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.runtime import Runtime
from inventory.services.rule_sets import install_default
from inventory.store import catalogue
from inventory.store.catalogue import HlrRow
from tests.api.calls import read, write
from tests.builders import FOUNDED, Operator

pytestmark = pytest.mark.database


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
    answer = write(client, operator.city_admin, "/v1/segments", body)
    assert answer.status == 201, answer.body
    return client


def test_segment_is_taken_and_read_back_with_its_class(stocked: TestClient, operator: Operator) -> None:
    number = read(stocked, operator.city_admin, "/v1/numbers/13888048888").body

    assert (number["state"], number["holder"], number["segment"]) == ("UNUSED", "530700", "1388804")
    assert (number["fee"]["number_class"], number["fee"]["prepay_fen"]) == (2, 3_000_000)


def test_issue_recall_and_the_life_of_a_number(stocked: TestClient, operator: Operator) -> None:
    """REQ-SIM-08: each item's path can be listed from intake to now."""
    item = {"items": ["13888047351"]}
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": item, "receiver_name": "和丽"}
    up = {"resource": "number", "giver": "LI-D1", "receiver": "530700", "selection": item, "returner_name": "和丽"}

    issued = write(stocked, operator.city_admin, "/v1/movements:issue", down)
    recalled = write(stocked, operator.city_admin, "/v1/movements:recall", up)

    assert (issued.status, recalled.status) == (201, 201)
    page = read(stocked, operator.city_admin, f"/v1/movements/{issued.body['id']}").body
    assert page["movement"] == issued.body | {"parent": None, "accepted": 1, "refused": 0}
    assert [(line["item"], line["fee"]["number_class"]) for line in page["items"]] == [("13888047351", 9)]
    life = read(stocked, operator.city_admin, "/v1/numbers/13888047351/history").body
    assert [(entry["what"], entry["giver"], entry["receiver"], entry["person"]) for entry in life["entries"]] == [
        ("movement.intake", None, "530700", None),
        ("movement.issue", "530700", "LI-D1", "和丽"),
        ("movement.recall", "LI-D1", "530700", "和丽"),
    ]


def test_stock_shows_a_place_and_its_children(stocked: TestClient, operator: Operator) -> None:
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 100}}
    write(stocked, operator.city_admin, "/v1/movements:issue", down)

    counts = read(stocked, operator.city_admin, "/v1/stock").body["counts"]

    assert [(row["place"], row["state"], row["count"], row["own"]) for row in counts] == [
        ("530700", "UNUSED", 10_000, 9_900),
        ("LI-D1", "UNUSED", 100, 100),
    ]


def test_status_is_released_within_the_life_cycle_only(stocked: TestClient, operator: Operator) -> None:
    path = "/v1/numbers/13888047351:release-status"

    withdrawn = write(stocked, operator.city_admin, path, {"to_state": "RECYCLED", "reason": "重新定级"})
    used = write(stocked, operator.city_admin, path, {"to_state": "IN_USE", "reason": "试一试"})

    assert (withdrawn.body["to_state"], withdrawn.body["version"]) == ("RECYCLED", 1)
    assert used.refusal == (409, "illegal_transition")


def test_changed_fee_shows_on_the_number_and_in_its_changes(stocked: TestClient, operator: Operator) -> None:
    """REQ-FEE-03: the history can be listed per number and per operator."""
    body = {"number_class": 6, "reason": "朗朗上口"}

    changed = write(stocked, operator.city_admin, "/v1/numbers/13888047351:change-fee", body)

    assert (changed.body["before"]["number_class"], changed.body["after"]["number_class"]) == (9, 6)
    number = read(stocked, operator.city_admin, "/v1/numbers/13888047351").body
    assert (number["fee"]["number_class"], number["fee"]["changed"]) == (6, True)
    of_number = read(stocked, operator.city_admin, "/v1/numbers/13888047351/fee-changes").body
    by_staff = read(stocked, operator.city_admin, "/v1/fee-changes?staff=LI0002").body
    assert of_number == by_staff
    assert [(row["staff"], row["reason"]) for row in of_number["changes"]] == [("LI0002", "朗朗上口")]


def test_another_hall_does_not_see_what_it_does_not_hold(stocked: TestClient, operator: Operator) -> None:
    answer = read(stocked, operator.other_hall_keeper, "/v1/numbers/13888047351")

    assert answer.refusal == (404, "not_found")


def test_refused_document_names_the_items(stocked: TestClient, operator: Operator) -> None:
    body = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"items": ["13900000000"]}}

    answer = write(stocked, operator.city_admin, "/v1/movements:issue", body)

    assert answer.refusal == (409, "movement_refused")
    assert answer.body["params"]["items"] == [{"item": "13900000000", "code": "not_in_stock", "state": None}]


def test_delivery_is_open_until_its_receiver_answers(stocked: TestClient, operator: Operator) -> None:
    body = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"count": 3}}
    write(stocked, operator.city_admin, "/v1/movements:issue", body)
    up = {"resource": "number", "giver": "LI-D1", "receiver": "530700", "selection": {"count": 3}, "on_the_way": True}
    sent = write(stocked, operator.city_admin, "/v1/movements:recall", up)

    listed = read(stocked, operator.city_admin, "/v1/movements:open").body["deliveries"]
    answered = write(stocked, operator.city_admin, f"/v1/movements/{sent.body['id']}:accept", {"person": "和丽"})
    again = write(stocked, operator.city_admin, f"/v1/movements/{sent.body['id']}:refuse", {"reason": "迟"})

    assert [(entry["id"], entry["mine"]) for entry in listed] == [(sent.body["id"], True)]
    assert (answered.status, answered.body["parent_state"]) == (201, "ACCEPTED")
    assert (again.status, again.body["code"]) == (409, "delivery_answered")
    assert read(stocked, operator.city_admin, "/v1/movements:open").body == {"deliveries": []}

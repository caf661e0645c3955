"""What a city is set up with, over HTTP: HLRs and the number plan."""

from __future__ import annotations

import uuid

import pytest
from starlette.testclient import TestClient

from tests.api.calls import read, write
from tests.builders import Operator

pytestmark = pytest.mark.database

HLR = {"code": "LJ2", "name": "丽江二", "smsc": "+8613800888501"}
TABLE = "prefix,province,city,carrier\n1388840,云南,丽江,mobile\n1338840,云南,丽江,telecom\n"


def test_hlr_is_added_listed_and_closed(client: TestClient, operator: Operator) -> None:
    """REQ-CFG-01: code tables are appended to and disabled."""
    assert write(client, operator.city_admin, "/v1/hlrs", HLR) == (201, {**HLR, "city": 530700, "active": True})
    assert write(client, operator.city_admin, "/v1/hlrs", HLR).refusal == (409, "duplicate_identifier")
    assert write(client, operator.city_admin, "/v1/hlrs/LJ2:close", {}).body == {"code": "LJ2", "active": False}
    assert read(client, operator.auditor, "/v1/hlrs").body["hlrs"] == [{**HLR, "active": False}]
    assert write(client, operator.auditor, "/v1/hlrs", HLR).refusal == (403, "permission_denied")
    assert write(client, operator.city_admin, "/v1/hlrs/none:close", {}).refusal == (404, "not_found")


def test_number_plan_is_put_in_force_from_a_table(client: TestClient, operator: Operator) -> None:
    """REQ-NUM-13: which prefixes exist is data."""
    assert read(client, operator.city_admin, "/v1/number-plan").body == {"in_force": None, "city": []}
    headers = {**operator.city_admin.headers, "Idempotency-Key": uuid.uuid4().hex}
    fields = {"version": "2607", "dated": "2026-07-01"}
    for replayed in (None, "true"):
        answer = client.post("/v1/number-plan", data=fields, files={"file": TABLE}, headers=headers)
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (201, replayed)

    told = read(client, operator.auditor, "/v1/number-plan").body
    assert (told["in_force"]["version"], told["in_force"]["rows"], told["in_force"]["source"]) == ("2607", 2, "file")
    assert told["city"] == [
        {"carrier": "mobile", "kind": "mobile", "segments": 1},
        {"carrier": "telecom", "kind": "mobile", "segments": 1},
    ]


def test_number_plan_without_its_version_is_refused(client: TestClient, operator: Operator) -> None:
    headers = {**operator.city_admin.headers, "Idempotency-Key": uuid.uuid4().hex}
    answer = client.post("/v1/number-plan", files={"file": TABLE}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_field")


def test_segments_are_listed_with_their_groups(warehouse: TestClient, operator: Operator) -> None:
    """REQ-NUM-12: segment, group, and how many numbers are in which state."""
    wish = {"prefixes": ["1388804"], "carrier": "mobile", "hlr": "LJ1", "group": "LJ"}
    assert write(warehouse, operator.city_admin, "/v1/segments", wish).status == 201
    assert read(warehouse, operator.auditor, "/v1/segments", group="LJ").body == {
        "segments": [
            {
                "prefix": "1388804",
                "size": 10_000,
                "kind": "mobile",
                "carrier": "mobile",
                "hlr": "LJ1",
                "group": "LJ",
                "states": {"UNUSED": 10_000},
            }
        ],
        "next_after": None,
    }
    file = warehouse.get("/v1/segments?format=csv", headers=operator.auditor.headers).text.splitlines()
    assert file[1] == "1388804,LJ,mobile,LJ1,mobile,UNUSED,10000"
    found = read(warehouse, operator.city_admin, "/v1/numbers", group="LJ", limit=1).body["items"]
    assert [item["item"] for item in found] == ["13888040000"]
    assert read(warehouse, operator.city_admin, "/v1/segments", prefix="13%").status == 422


def test_form_without_its_file_is_refused_and_not_a_failure(warehouse: TestClient, operator: Operator) -> None:
    """A form of text fields alone is sent in another form than one with a file."""
    headers = {**operator.city_admin.headers, "Idempotency-Key": uuid.uuid4().hex}
    answer = warehouse.post("/v1/loads", data={"kind": "sim_vendor"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

"""Legal holds over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.calls import read, write
from tests.builders import Operator

pytestmark = pytest.mark.database

NUMBER = "13888040007"
ORDER = {
    "resource": "number",
    "selection": {"first": "13888040000", "last": "13888040009"},
    "reference": "2026-7",
    "authority": "丽江市公安局",
    "reason": "协查",
    "given_on": "2026-01-05",
}


def test_order_is_placed_by_one_read_by_few_and_lifted_by_two(stocked: TestClient, operator: Operator) -> None:
    """REQ-LGL-01: the city's people place, nobody lifts alone, and nobody below learns whose order it is."""
    assert write(stocked, operator.district_keeper, "/v1/legal-holds", ORDER).refusal == (403, "permission_denied")
    placed = write(stocked, operator.city_admin, "/v1/legal-holds", ORDER)
    assert (placed.status, placed.body["state"], placed.body["count"], placed.body["kits_ended"]) == (
        201, "IN_FORCE", 10, 0,
    )  # fmt: skip
    order = placed.body["id"]

    assert read(stocked, operator.city_admin, f"/v1/numbers/{NUMBER}").body["legal_hold"] is True
    down = {"resource": "number", "giver": "530700", "receiver": "LI-D1", "selection": {"items": [NUMBER]}}
    refused = write(stocked, operator.city_admin, "/v1/movements:issue", down)
    assert refused.refusal == (409, "movement_refused")
    assert read(stocked, operator.district_keeper, "/v1/legal-holds").refusal == (403, "permission_denied")
    listed = read(stocked, operator.city_admin, "/v1/legal-holds").body["legal_holds"]
    assert [(row["id"], row["reference"], row["review_due"]) for row in listed] == [(order, "2026-7", False)]

    terms = {"reason": "结案"}
    assert write(stocked, operator.city_admin, f"/v1/legal-holds/{order}:lift", terms).refusal == (
        403,
        "approval_needed",
    )
    asked = write(
        stocked, operator.city_admin, "/v1/approvals", {"act": "lift_legal_hold", "legal_hold": order, **terms}
    )
    assert (asked.status, asked.body["summary"]["count"]) == (201, 10)
    granting = f"/v1/approvals/{asked.body['approval']}:grant"
    assert write(stocked, operator.district_keeper, granting, {}).refusal == (403, "permission_denied")
    page = read(stocked, operator.city_admin, f"/v1/legal-holds/{order}").body
    assert (page["items"][7], page["legal_hold"]["state"]) == (
        {"item": NUMBER, "state": "UNUSED", "holder": "530700"},
        "IN_FORCE",
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reference": ""}, "invalid_request"),
        ({"given_on": "2026-02-30"}, "invalid_request"),
        ({"review_on": "2026-01-05"}, "invalid_field"),
        ({"selection": {"items": ["13900000000"]}}, "not_found"),
        ({"selection": {"count": 3}}, "invalid_request"),
    ],
)
def test_order_with_something_wrong_is_refused_by_name(
    stocked: TestClient, operator: Operator, change: dict[str, object], code: str
) -> None:
    answer = write(stocked, operator.city_admin, "/v1/legal-holds", {**ORDER, **change})
    assert answer.refusal[1] == code

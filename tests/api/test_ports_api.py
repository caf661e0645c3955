"""SMS ports over HTTP: rented, extended, taken back, listed."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.api.calls import read, write
from tests.api.test_loads_api import upload
from tests.builders import Operator

pytestmark = pytest.mark.database

PORT = "10690123"
RENT = {
    "tenant": "丽江农商行",
    "tenant_ref": "KH-7",
    "begins_on": "2026-11-22",
    "ends_on": "2026-12-01",
    "extension_digits": 4,
}


def test_port_is_rented_extended_and_taken_back(warehouse: TestClient, operator: Operator) -> None:
    """REQ-NUM-15: tenant, term, extension range; not sold by halls."""
    admin = operator.city_admin
    segment = {"prefixes": ["106901"], "kind": "sms_port", "carrier": "mobile", "hlr": "LJ1", "listed": True}
    write(warehouse, admin, "/v1/segments", segment)
    upload(warehouse, admin, f"{PORT}\n106901\n".encode(), kind="number_list", card_kind="")

    rented = write(warehouse, admin, f"/v1/ports/{PORT}:rent", RENT)
    [ending] = read(warehouse, admin, "/v1/ports", ending="true").body["ports"]
    file = warehouse.get("/v1/ports?format=csv", headers=admin.headers).text
    longer = write(warehouse, admin, f"/v1/ports/{PORT}:extend-term", {"ends_on": "2028-12-01"})
    twice = write(warehouse, admin, f"/v1/ports/{PORT}:rent", RENT)
    wide = write(warehouse, admin, "/v1/ports/106901:rent", RENT)
    held = write(warehouse, operator.clerk, "/v1/holds", {"number": PORT})
    ended = write(warehouse, admin, f"/v1/ports/{PORT}:end-rent", {"reason": "退租"})

    assert (rented.status, rented.body["state"], rented.body["ends_on"]) == (201, "RENTED", "2026-12-01")
    assert (ending["number"], ending["tenant_ref"], ending["standing"]) == (PORT, "KH-7", "ending")
    assert file.count("\n") == 3
    assert (longer.body["ends_before"], longer.body["ends_on"]) == ("2026-12-01", "2028-12-01")
    assert twice.refusal == (409, "illegal_transition")
    assert wide.refusal == (409, "port_span_overlaps")
    assert held.refusal == (409, "not_sold_in_halls")
    assert (ended.status, ended.body["state"]) == (200, "COOLING")
    assert read(warehouse, operator.clerk, "/v1/ports").refusal == (403, "permission_denied")

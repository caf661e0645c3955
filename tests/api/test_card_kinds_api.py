"""Card products by API."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.calls import read, write
from tests.builders import Operator

pytestmark = pytest.mark.database
TUAK = {"name": "tuak", "res_bits": 128, "iterations": 2}
PRODUCT: dict[str, Any] = {
    "code": "5G-T",
    "name_zh": "5G 白卡",
    "name_en": "5G blank",
    "profile": "preset_key",
    "capacity_kb": 256,
    "network": {"spn": {"name": "CMCC"}, "hplmns": [{"plmn": "46000", "act": ["NG_RAN", "E_UTRAN"]}]},
    "algorithm": TUAK,
    "fee_fen": 1500,
}


def kinds(client: TestClient, operator: Operator) -> dict[str, Any]:
    found = read(client, operator.city_admin, "/v1/card-kinds").body["card_kinds"]
    return {row["code"]: row for row in found}


def test_product_is_added_and_closed_and_never_changed(warehouse: TestClient, operator: Operator) -> None:
    """REQ-CFG-01: code tables are appended to and disabled."""
    added = write(warehouse, operator.city_admin, "/v1/card-kinds", PRODUCT)
    assert (added.status, added.body["code"], added.body["max_numbers"]) == (201, "5G-T", 1)
    assert (kinds(warehouse, operator)["5G-T"]["algorithm"], kinds(warehouse, operator)["5G-T"]["active"]) == (
        TUAK,
        True,
    )
    again = write(warehouse, operator.city_admin, "/v1/card-kinds", PRODUCT | {"fee_fen": 1})
    assert again.refusal == (409, "duplicate_identifier")
    assert write(warehouse, operator.city_admin, "/v1/card-kinds/5G-T:close", {}).body["active"] is False
    assert not kinds(warehouse, operator)["5G-T"]["active"]
    assert write(warehouse, operator.city_admin, "/v1/card-kinds/none:close", {}).refusal == (404, "not_found")
    assert write(warehouse, operator.clerk, "/v1/card-kinds", PRODUCT).refusal == (403, "permission_denied")


def test_product_says_how_many_numbers_its_cards_may_serve(warehouse: TestClient, operator: Operator) -> None:
    """REQ-SIM-17: one unless it says two; no card carries three."""
    two = PRODUCT | {"code": "5G-2", "max_numbers": 2}
    assert write(warehouse, operator.city_admin, "/v1/card-kinds", two).body["max_numbers"] == 2
    write(warehouse, operator.city_admin, "/v1/card-kinds", PRODUCT)
    found = kinds(warehouse, operator)
    assert (found["5G-2"]["max_numbers"], found["5G-T"]["max_numbers"]) == (2, 1)
    three = PRODUCT | {"code": "5G-3", "max_numbers": 3}
    assert write(warehouse, operator.city_admin, "/v1/card-kinds", three).status == 422


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"profile": "nobody"}, "profile"),
        ({"network": {"spn": {"name": "\u4e2d" * 9}}}, "network"),
        ({"network": {"spn": {"name": "CMCC"}, "search_minutes": 7}}, "network"),
        ({"algorithm": {"name": "milenage", "r": [0, 0, 1, 2, 3], "c": ["1", "1", "1", "1", "1"]}}, "algorithm"),
    ],
)
def test_product_that_no_card_could_be_written_or_proven_by_is_refused_by_its_field(
    warehouse: TestClient, operator: Operator, change: dict[str, Any], field: str
) -> None:
    refused = write(warehouse, operator.city_admin, "/v1/card-kinds", PRODUCT | change)
    assert refused.refusal[1] == "invalid_field"
    assert refused.body["params"]["field"] == field
    assert "5G-T" not in kinds(warehouse, operator)

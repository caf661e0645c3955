"""Short lists as files by API."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.builders import Operator

pytestmark = pytest.mark.database

FIRST = {
    "boxes": "box",
    "stocktakes": "stocktake",
    "recall-orders": "recall_order",
    "legal-holds": "legal_hold",
    "bulk-orders": "bulk_order",
    "approvals": "approval",
    "network-exports": "export",
    "network-deletions": "deletion",
    "holidays": "day",
    "card-kinds": "code",
    "number-kinds": "code",
    "reasons": "code",
    "hlrs": "code",
}
"""Each list's address and its first column."""


def test_short_lists_are_files_too(warehouse: TestClient, operator: Operator) -> None:
    """By `Accept` as by name, with the names of their columns."""
    for path, column in FIRST.items():
        headers = {**operator.city_admin.headers, "Accept": "text/csv"}
        answers = (
            warehouse.get(f"/v1/{path}", headers=headers),
            warehouse.get(f"/v1/{path}?format=csv", headers=operator.city_admin.headers),
        )
        for file in answers:
            assert file.headers["content-type"] == "text/csv; charset=utf-8"
            assert file.content.decode("utf-8-sig").startswith(f"{column},")
        assert file.headers["content-disposition"] == f'attachment; filename="{path}.csv"'

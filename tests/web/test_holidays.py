"""The page of a city's holidays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]


def test_holidays_are_added_shown_with_their_weekday_and_removed(browser: Browser) -> None:
    """REQ-IF-06."""
    admin = browser(Role.INTERFACE_ADMIN)
    assert "No holiday to come." in admin.get("/holidays").text
    added = admin.post("/holidays", data={"first": "2027-10-01", "last": "2027-10-02", "name": "国庆节"})
    assert (added.status_code, "2027-10-01" in added.text, "Friday" in added.text) == (200, True, True)
    assert "duplicate_identifier" in admin.post("/holidays", data={"first": "2027-10-02", "name": "x"}).text
    assert "invalid_field" in admin.post("/holidays", data={"first": "soon", "name": "x"}).text
    gone = {"act": "remove", "day": "2027-10-01"}
    assert "reason_missing" in admin.post("/holidays", data=gone).text
    assert "2027-10-01" not in admin.post("/holidays", data=gone | {"reason": "调休"}).text
    rows = admin.get("/holidays?format=csv").content.decode("utf-8-sig").splitlines()
    assert (len(rows), rows[1].split(",")[1]) == (2, "国庆节")


def test_only_who_grants_interfaces_changes_them(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    page = city.get("/holidays")
    assert (page.status_code, 'action="/holidays"' in page.text) == (200, False)
    assert city.post("/holidays", data={"first": "2027-10-01", "name": "x"}).status_code == 403
    assert browser(Role.CLERK).get("/holidays").status_code == 403

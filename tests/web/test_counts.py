"""A leaver on pages: the staff id closed, the drawer scanned, the cards taken over once the witness has spoken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import VENDOR

pytestmark = pytest.mark.database


def test_leavers_drawer_is_counted_and_taken_over(browser: Callable[..., TestClient]) -> None:
    """REQ-STK-03."""
    keeper = browser(Role.HALL_KEEPER)
    assert "A clerk leaves" in keeper.get("/count").text
    assert keeper.post("/count/leave", data={"leaver": "LI-C1", "reason": " "}).status_code == 422
    begun = keeper.post("/count/leave", data={"leaver": "LI-C1", "reason": "moves away"})
    page = begun.headers["location"]
    cards = "\n".join(VENDOR.card(serial).iccid for serial in range(1, 31))
    assert keeper.post(f"{page}/scan", data={"items": cards}).status_code == 303
    assert "30 scanned" in keeper.get(page).text
    keeper.post(f"{page}/close", data={"person": "Mu"})
    assert "The drawer agrees with the book." in keeper.get(page).text
    assert "Take over what the leaver had" in keeper.get(page).text

    waits = keeper.post(f"{page}/take-over", data={"receiver": "LI-P1", "person": "Mu"})

    approval = waits.headers["location"]
    second = browser(Role.CITY_ADMIN)
    assert second.post(f"{approval}/grant", data={}).status_code == 303
    keeper = browser(Role.HALL_KEEPER)
    assert "m-530700-" in keeper.post(f"{approval}/do", data={}).text
    assert "Closed" in keeper.get(page).text


def test_scan_on_a_page_without_script_is_refused_in_words(browser: Callable[..., TestClient]) -> None:
    keeper = browser(Role.HALL_KEEPER)
    page = keeper.post("/count", data={"place": "LI-P1", "of": ""}).headers["location"]

    plain = keeper.post(f"{page}/scan", data={"items": "no card"})
    part = keeper.post(f"{page}/scan", data={"items": "no card"}, headers={"HX-Request": "true"})

    assert (plain.status_code, part.status_code) == (422, 200)
    assert "invalid_identifier" in plain.text
    assert "invalid_identifier" in part.text
    assert keeper.get(f"{page}/scan").headers["location"] == page
    assert keeper.post(f"{page}/cancel", data={"reason": "again"}).status_code == 303
    assert keeper.get(f"{page}/board").headers["hx-redirect"] == page
    assert keeper.get("/count/leave").headers["location"] == "/count"

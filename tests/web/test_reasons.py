"""The page of reasons, and that forms offer them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
REASON = {"act": "add", "code": "water_damage", "name_zh": "进水", "name_en": "Water damage", "for-release": "on"}


def test_reason_is_added_renamed_and_closed_on_its_page_and_offered_meanwhile(browser: Browser) -> None:
    """REQ-CFG-01."""
    city = browser(Role.CITY_ADMIN)
    card = f"/items/sim/{VENDOR.card(36).iccid}"
    assert city.post("/reasons", data=REASON).status_code == 200
    assert "duplicate_identifier" in city.post("/reasons", data=REASON).text
    assert "invalid_field" in city.post("/reasons", data=REASON | {"code": "x y"}).text
    offered = '<option value="Water damage"></option>'
    assert offered in city.get(card).text
    renamed = {"act": "rename", "code": "water_damage", "name_zh": "进水", "name_en": "Wet"}
    assert 'value="Wet"' in city.post("/reasons", data=renamed).text
    assert offered not in city.get(card).text
    closed = city.post("/reasons", data={"act": "close", "code": "water_damage"}).text
    assert (">closed" in closed.replace("\n", "").replace("  ", ""), "Open again" in closed) == (True, True)
    assert '<option value="Wet"></option>' not in city.get(card).text


def test_every_form_of_a_reason_offers_some(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN, "zh-CN")
    for page in ("/moves/issue", "/moves/recall", "/ends?way=disable", "/ends?way=void", "/orders", "/deliveries"):
        shown = city.get(page).text
        assert '<datalist id="reasons-' in shown, page
        assert "<option value=" in shown.partition("<datalist")[2].partition("</datalist>")[0], page


def test_reasons_are_shown_to_the_auditor_without_a_form_and_to_no_clerk(browser: Browser) -> None:
    page = browser(Role.AUDITOR).get("/reasons")
    assert (page.status_code, 'action="/reasons"' in page.text, "hall_needs" in page.text) == (200, False, True)
    assert browser(Role.CLERK).get("/reasons").status_code == 403

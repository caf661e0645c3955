"""The page of card products."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.cli.demo.vendor import CARD_KIND

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
PRODUCT = {
    "act": "add", "code": "5G-T", "name_zh": "5G 卡", "name_en": "5G card", "profile": "preset_key",
    "algorithm": "tuak", "capacity_kb": "256", "fee_fen": "1500", "max_numbers": "2", "provider": "Haoka",
}  # fmt: skip


def test_product_is_added_and_closed_and_what_cannot_be_is_refused_in_words(browser: Browser) -> None:
    """REQ-CFG-01: appended and closed, never changed."""
    city = browser(Role.CITY_ADMIN)
    assert CARD_KIND in city.get("/card-kinds").text
    added = city.post("/card-kinds", data=PRODUCT)
    assert (added.status_code, "¥15.00" in added.text) == (200, True)
    assert '<td class="num">2</td>' in added.text  # REQ-SIM-17: so many numbers may be on one of its cards
    assert "invalid_field" in city.post("/card-kinds", data=PRODUCT | {"code": "B", "max_numbers": "3"}).text
    assert "duplicate_identifier" in city.post("/card-kinds", data=PRODUCT).text
    assert "invalid_field" in city.post("/card-kinds", data=PRODUCT | {"code": "B", "capacity_kb": "much"}).text
    assert "invalid_field" in city.post("/card-kinds", data=PRODUCT | {"code": "B", "profile": "none"}).text
    assert ">closed<" in city.post("/card-kinds", data={"act": "close", "code": "5G-T"}).text


def test_products_are_shown_to_the_auditor_without_a_form_and_to_no_clerk(browser: Browser) -> None:
    page = browser(Role.AUDITOR).get("/card-kinds")
    assert (page.status_code, 'action="/card-kinds"' in page.text) == (200, False)
    assert browser(Role.CLERK).get("/card-kinds").status_code == 403

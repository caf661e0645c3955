"""SMS ports come in by hand and are rented, extended and taken back at the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from inventory.domain.calendar import business_day
from inventory.runtime import utc_now
from tests.browser.clerk import Screen
from tests.browser.test_accessible import findings

pytestmark = pytest.mark.browser

PORTS = ("10655501", "10655502", "10655503")


def test_port_is_taken_in_rented_extended_and_taken_back(screen: Callable[..., Screen]) -> None:
    """REQ-NUM-15: tenant, term and extensions, without a file and without the mouse where one types."""
    today = business_day(utc_now())
    city = screen("zh-CN", Role.CITY_ADMIN, axe=True)
    page = city.page
    city.go("/loads/segments")
    page.locator("#kind").select_option("sms_port")
    page.locator("#prefixes").fill("106555")
    page.locator("#carrier").select_option("mobile")
    page.locator("#listed").check()
    page.locator("main form button[type=submit]").click()
    expect(page.locator("h1 .mono")).to_contain_text("b-")
    city.go("/loads/by-hand")
    page.locator("#kind").select_option("number_list")
    page.locator("#items").fill("\n".join(PORTS))
    page.get_by_role("button", name="入库").click()
    expect(page.locator("h1 .mono")).to_contain_text("b-")

    city.go("/ports")
    for text in (PORTS[0], "丽江农商行", "KH-20261122-7", "4"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.locator("#begins_on").fill(today.isoformat())
    page.locator("#ends_on").fill((today + timedelta(days=20)).isoformat())
    page.locator("#ends_on").press("Enter")
    city.shows("即将到期")
    city.keep("ports")
    assert findings(page) == []
    page.get_by_role("link", name=PORTS[0]).click()
    page.locator("#until").fill((today + timedelta(days=400)).isoformat())
    page.locator("#until").press("Enter")
    city.shows("已完成")
    page.get_by_role("link", name=PORTS[0]).click()
    city.keep("port")
    assert findings(page) == []
    page.locator("#reason").fill("退租")
    page.locator("#reason").press("Enter")
    city.shows("冷却")
    for path in ("setup", "places", "segments"):
        city.go(f"/{path}")
        city.keep(path)
        assert findings(page) == [], path
    english = screen("en", Role.AUDITOR)
    english.go("/ports")
    english.shows("Cooling")
    english.keep("ports")

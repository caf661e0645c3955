"""Every page, in both languages, has no serious finding of axe-core (WCAG 2 A and AA)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from inventory.access.permissions import Role
from inventory.web.routes import ROUTERS
from tests.browser.clerk import LANGUAGES, Language, Screen
from tests.web.stock import VENDOR

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = frozenset({"serious", "critical"})
PAGES = (
    "/stock",
    "/moves",
    "/deliveries",
    "/count",
    "/orders",
    "/ends",
    "/approvals",
    "/boxes",
    "/loads",
    "/loads/by-hand",
    "/loads/segments",
    "/items/sim",
    "/documents",
    "/alerts",
    "/quotas",
    "/bulk",
    "/spoiled",
    "/stock/labels?node=LI-D1",
    "/stock/flow?kind=number&node=LI-D1",
    "/items/number?name=*88",
    "/documents/m-530700-4",
    "/items/number/13888880001",
    f"/items/sim/{VENDOR.card(20).iccid}",
    "/nothing",
    "/kiosks",
    "/waiting",
    "/desk",
)
"""What a hall's keeper sees."""
OF_THE_CITY = (
    "/setup",
    "/policies",
    "/hold-times",
    "/holidays",
    "/reasons",
    "/number-kinds",
    "/card-kinds",
    "/places",
    "/transport-keys",
    "/network",
    "/network/deletions",
    "/ports",
    "/segments",
    "/legal-holds",
    "/loads/by-hand",
    "/loads/segments",
    "/ends",
)
"""What only people of the city see, or see more of."""
PARTS = (
    "/",
    "/items",
    "/sign-in",
    "/desk/reader",
    "/desk/numbers",
    "/desk/sale",
    "/desk/events",
    "/bulk/events",
    "/spoiled/claim",
    "/quotas/left",
    "/count/leave",
    "/kiosk",
    "/kiosk/panel",
    "/kiosk/again",
)
"""Where other pages are led to, what is a part of another page, a stream or a file, and the screen of a machine."""


def test_no_page_is_left_out() -> None:
    pages = {
        route.path
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and "{" not in route.path
    }
    seen = {path.partition("?")[0] for path in PAGES + OF_THE_CITY}
    assert pages - seen - set(PARTS) == set()


def findings(page: Page) -> list[str]:
    """Give what axe finds serious: rule and element."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_serious_finding(screen: Callable[..., Screen], language: Language) -> None:
    door = screen(language, axe=True)
    door.go("/sign-in")
    door.keep("sign-in")
    assert findings(door.page) == []
    city = screen(language, Role.CITY_ADMIN, axe=True)
    for path in OF_THE_CITY:
        city.go(path)
        expect(city.page.locator("h1")).to_be_visible()
        assert findings(city.page) == [], path
    keeper = screen(language, Role.HALL_KEEPER, axe=True)
    for path in PAGES:
        keeper.go(path)
        assert findings(keeper.page) == [], path
    keeper.page.keyboard.type("8")
    keeper.page.keyboard.press("Enter")
    expect(keeper.page.locator("table.numbers")).to_be_visible()
    keeper.page.keyboard.press("ArrowDown")
    keeper.page.keyboard.press("Enter")
    expect(keeper.page.locator("[data-open-sale]")).to_be_visible()
    assert findings(keeper.page) == []
    keeper.page.keyboard.press("Alt+R")
    expect(keeper.page.locator("[data-open-sale]")).to_have_count(0)


def test_a_page_that_nobody_can_use_is_found(screen: Callable[..., Screen]) -> None:
    broken = screen("en", axe=True)
    broken.page.set_content("<html lang=en><title>x</title><body><main><img src=x><input></main></body></html>")
    assert {one.partition(":")[0] for one in findings(broken.page)} >= {"image-alt", "label"}

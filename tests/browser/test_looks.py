"""What a part of the desk fetches by itself never undoes what a person did meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from inventory.access.permissions import Role
from tests.api.live import wait_until
from tests.browser.clerk import Screen
from tests.browser.test_hall_desk import hold_first
from tests.web.stock import VENDOR

pytestmark = [pytest.mark.browser, pytest.mark.card]


class SlowLook:
    """A look that the service answers at once, and whose answer comes when it is let go."""

    def __init__(self, page: Page, path: str, news: str) -> None:
        """Let this page take a look at this news."""
        self._held: list[Route] = []
        self._page, self._path = page, re.compile(path)
        page.route(self._path, self._hold)
        page.evaluate("news => htmx.trigger(document.body, news)", news)
        wait_until(lambda: bool(page.evaluate("1") and self._held))
        self._answer = self._held[0].fetch()

    def _hold(self, route: Route) -> None:
        if route.request.method == "GET" and not self._held:
            self._held.append(route)
        else:
            route.fallback()

    def comes(self) -> None:
        """Let the answer come now, and the page do with it what it does."""
        with self._page.expect_event("requestfinished", lambda request: request == self._held[0].request):
            self._held[0].fulfill(response=self._answer)
        self._page.evaluate("new Promise(done => setTimeout(done, 50))")


def test_look_from_before_a_release_does_not_bring_the_kit_back(screen: Callable[..., Screen], card: int) -> None:
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    hold_first(desk, "3")
    look = SlowLook(desk.page, "/desk/holds/", "job")
    desk.page.keyboard.press("Alt+R")
    desk.shows("Start again", "#sale")
    look.comes()
    desk.shows("Start again", "#sale")


def test_look_from_before_a_hold_does_not_take_the_kit_away(screen: Callable[..., Screen], card: int) -> None:
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    look = SlowLook(desk.page, "/desk/sale$", "job")
    number = hold_first(desk, "3")
    look.comes()
    expect(desk.page.locator(".kit-number")).to_have_text(number)
    desk.page.keyboard.press("Alt+R")
    desk.shows("Start again", "#sale")


def test_refusal_that_is_no_parts_own_leaves_the_kit_on_the_screen(screen: Callable[..., Screen], card: int) -> None:
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    number = hold_first(desk, "3")
    nobodys = re.compile("/desk/holds/.*/extend$")
    desk.page.route(
        nobodys, lambda route: route.continue_(url=re.sub("h-530700-[0-9]+", "h-530700-999999", route.request.url))
    )
    desk.page.keyboard.press("Alt+E")
    desk.shows("not_found", "#refused")
    desk.look_again("/desk/holds/", "job")
    desk.shows("not_found", "#refused")
    expect(desk.page.locator(".kit-number")).to_have_text(number)
    desk.keep("hall-desk-refused")
    desk.page.keyboard.press("Alt+R")
    desk.shows("Start again", "#sale")
    expect(desk.page.locator("#refused .notice")).to_have_count(0)


def test_look_from_before_a_scan_does_not_bring_the_card_in_the_reader_back(
    screen: Callable[..., Screen], card: int, another_card: int
) -> None:
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    look = SlowLook(desk.page, "/desk/reader", "station")
    desk.page.locator("#scan").fill(VENDOR.card(another_card).iccid)
    desk.page.keyboard.press("Enter")
    desk.shows("Back to the card in the reader", "#reader")
    look.comes()
    desk.shows("Back to the card in the reader", "#reader")

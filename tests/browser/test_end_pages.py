"""Scrap with a counted hand-in, and a dispute, by keyboard and scanner, with the second person at the same screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen
from tests.browser.test_stock_pages import sign_here
from tests.web.stock import SECOND

pytestmark = pytest.mark.browser


def test_spoiled_cards_are_handed_in_by_scanner_and_scrapped_by_two(
    screen: Callable[..., Screen], hall_cards: Iterator[str]
) -> None:
    """REQ-SIM-12: scrapped by two people with a counted hand-in."""
    city, cards = screen("zh-CN", Role.CITY_ADMIN), list(islice(hall_cards, 2))
    for card in cards:
        city.go(f"/items/sim/{card}")
        city.page.locator("#to").select_option("DAMAGED")
        city.page.locator("#release-reason").fill("触点刮花")
        city.page.get_by_role("button", name="设置状态").click()
        expect(city.page.locator("h1 .state")).to_have_text("损坏")
    city.go("/ends")
    city.page.get_by_role("row", name="古城营业厅").get_by_role("link").click()
    offered = city.page.locator("#items").input_value().split()
    assert set(cards) <= set(offered)  # other tests of this hall spoil cards too
    expect(city.page.locator("#scan")).to_be_focused()
    for card in offered:
        city.page.keyboard.type(card)
        city.page.keyboard.press("Enter")
    city.page.locator("#person").fill("和丽")
    city.page.locator("#reason").fill("季末报废")
    city.keep("scrap")
    city.page.keyboard.press("Alt+d")
    city.shows("损坏 → 报废", "dl.facts")
    sign_here(city, SECOND)
    city.shows(cards[0])
    city.keep("scrap-slip")
    city.go("/ends?way=lose")
    city.keep("lose")


def test_receiver_disputes_and_the_giver_signs_at_the_same_screen(
    screen: Callable[..., Screen], drawer_cards: Iterator[str]
) -> None:
    clerk, card = screen("zh-CN", Role.CLERK), next(drawer_cards)
    clerk.go("/moves/recall")
    clerk.page.locator("#recall-resource").select_option("sim")
    clerk.page.locator("#recall-items").fill(card)
    clerk.page.locator("#recall-person").fill("和丽")
    clerk.page.locator("#recall-way").check()
    clerk.page.locator("form[action='/moves/recall'] button[type=submit]").click()
    clerk.shows("m-530700-")
    clerk.go("/deliveries")
    clerk.page.get_by_text("撤回未签收部分").last.click()
    clerk.keep("delivery-given")
    keeper = screen("zh-CN", Role.HALL_KEEPER)
    keeper.go("/deliveries")
    delivery = keeper.page.locator("section.panel").filter(has=keeper.page.get_by_role("button", name="提出争议")).last
    delivery.get_by_label("签收人").fill("木某")
    delivery.get_by_label("原因（退回或争议时填写）").fill("信封是空的")
    delivery.get_by_role("button", name="提出争议").click()
    dispute = keeper.page.locator("section.panel").filter(has_text="争议中。")
    dispute.get_by_label("原因").fill("和丽手中")
    keeper.keep("dispute")
    dispute.get_by_role("button", name="在发出方").click()
    keeper.shows("在发出方", "dl.facts")
    sign_here(keeper, keeper.stage.people[Role.CLERK].staff_no)
    keeper.shows(card)

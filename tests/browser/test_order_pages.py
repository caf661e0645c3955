"""Recall orders on pages: ordered, seen by who owes, handed back, ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen

pytestmark = pytest.mark.browser


def test_cards_are_ordered_back_seen_as_owed_handed_back_and_the_rest_let_go(
    screen: Callable[..., Screen], drawer_cards: Iterator[str]
) -> None:
    """REQ-SIM-09."""
    keeper = screen("zh-CN", Role.HALL_KEEPER)
    keeper.go("/orders")
    keeper.page.locator("#resource").select_option("sim")
    keeper.page.locator("#below").select_option("LI-C1")
    keeper.page.locator("#place").select_option("LI-P1")
    keeper.page.locator("#reason").fill("换季")
    keeper.page.get_by_role("button", name="下达").click()
    expect(keeper.page.get_by_role("status").filter(has_text="r-530700-")).to_be_visible()
    keeper.keep("recall-order")
    order = keeper.page.locator("section.panel h2 a.mono").first.inner_text()

    clerk = screen("en", Role.CLERK)
    clerk.go("/stock")
    clerk.page.get_by_role("link", name=order).click()
    expect(clerk.page.get_by_role("cell").filter(has_text="Available").first).to_be_visible()
    clerk.keep("recall-order-owed")
    clerk.go("/moves/recall")
    clerk.page.locator("#recall-resource").select_option("sim")
    clerk.page.locator("#recall-items").fill(next(drawer_cards))
    clerk.page.locator("#recall-person").fill("He")
    clerk.page.get_by_role("button", name="Recall", exact=True).click()
    expect(clerk.page.get_by_role("status").filter(has_text="m-530700-")).to_be_visible()
    assert clerk.stage.one("SELECT came FROM recall_order ORDER BY order_id DESC LIMIT 1") == 1

    keeper = screen("zh-CN", Role.HALL_KEEPER)
    keeper.go("/orders")
    keeper.page.get_by_label("终止原因").fill("不再需要")
    keeper.page.get_by_role("button", name="终止回收令").click()
    keeper.shows("已终止", "main")
    assert keeper.stage.one("SELECT count(*) FROM sim WHERE recall_id IS NOT NULL") == 0

"""A box is packed by scanner, its label alone moves it, and its seal is broken with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen

pytestmark = pytest.mark.browser


def test_box_is_packed_handed_over_by_its_label_and_opened(
    screen: Callable[..., Screen], hall_cards: Iterator[str]
) -> None:
    """REQ-STK-02."""
    keeper = screen("zh-CN", Role.HALL_KEEPER)
    keeper.go("/boxes")
    keeper.page.keyboard.type("lj-0001")
    keeper.page.locator("#seal").fill("S-77")
    keeper.page.locator("#place").select_option("LI-P1")
    keeper.page.locator("#items").fill("\n".join(islice(hall_cards, 3)))
    keeper.page.keyboard.press("Alt+S")
    keeper.shows("LJ-0001", "h1")
    expect(keeper.page.locator("svg.barcode")).to_have_attribute("aria-label", "BOX:LJ-0001")
    keeper.keep("box")
    keeper.go("/moves")
    keeper.page.locator("#issue-resource").select_option("sim")
    keeper.page.locator("#issue-place").select_option("LI-C1")
    keeper.page.locator("#issue-items").fill("BOX:LJ-0001")
    keeper.page.locator("#issue-person").fill("和某")
    keeper.page.get_by_role("button", name="发放").click()
    expect(keeper.page.get_by_role("status").filter(has_text="3 件")).to_be_visible()
    keeper.page.locator("#lookup").fill("BOX:LJ-0001")
    keeper.page.keyboard.press("Enter")
    keeper.shows("营业员和某", "dl.facts")
    keeper.page.locator("#reason").fill("抽检")
    keeper.page.get_by_role("button", name="拆封").click()
    keeper.shows("已开箱", "h1")
    keeper.go("/boxes")
    keeper.keep("boxes")

"""Bulk writing as the back office sees it: an order, the board above the readers, and its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen
from tests.browser.test_accessible import findings

pytestmark = [pytest.mark.browser, pytest.mark.card]


def test_cards_are_written_one_after_the_other_and_the_board_tells_of_each(
    screen: Callable[..., Screen], hall_serials: Iterator[int]
) -> None:
    """REQ-HW-05, REQ-HW-06: the next card needs no hand but the one that puts it in."""
    office = screen("zh-CN", Role.HALL_KEEPER)
    office.stage.take_out()
    office.go("/bulk")
    office.page.locator("#hlr").select_option("LJ1")
    office.page.locator("#count").fill("3")
    office.keep("bulk-orders")
    office.page.keyboard.press("Enter")
    office.shows("请插卡", ".slots")
    office.stage.insert(next(hall_serials))
    office.shows("写好了，请取出卡。", ".slots")
    office.stage.insert(next(hall_serials), stranger=True)
    office.shows("鉴权失败", ".slots")
    office.keep("bulk-board")
    office.stage.insert(next(hall_serials))
    expect(office.page.locator(".tally-main strong")).to_have_text("2")

    board = screen("en", Role.HALL_KEEPER, axe=True)
    board.go(office.page.url.removeprefix(office.stage.address))
    board.shows("Done: take the card out.", ".slots")
    assert findings(board.page) == []
    board.page.keyboard.press("Alt+P")
    board.shows("Paused")
    board.keep("bulk-board")
    board.page.get_by_text("End this order").click()
    board.page.get_by_role("button", name="Yes, end it").click()
    board.shows("Cancelled")
    office.shows("已撤销")
    office.stage.take_out()

    office.go("/spoiled")
    office.shows("鉴权失败")
    office.keep("spoiled-cards")
    with office.page.expect_download() as claim:
        office.page.locator("a[href^='/spoiled/claim'][href$='csv']").click()
    assert "9862" in claim.value.path().read_text(encoding="utf-8-sig")

"""A drawer is counted with the scanner alone: blind, on two screens, closed, and posted with a second person."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from inventory.domain.kinds import SIM
from tests.browser.clerk import Screen

pytestmark = pytest.mark.browser

IN_THE_HALL = """SELECT string_agg(iccid, ' ' ORDER BY state <> 'AVAILABLE', iccid)
                 FROM sim JOIN organisation o ON o.id = holder_id
                 WHERE o.code = 'LI-P1' AND transit_id IS NULL
                   AND state = ANY(:in_hand)"""
"""All that lies there by the book, whatever other tests have done to it; what can be sold comes first."""


def in_the_hall(keeper: Screen) -> list[str]:
    """Give the ICCIDs that a count of the hall is to find."""
    return str(keeper.stage.one(IN_THE_HALL, in_hand=sorted(SIM.in_hand))).split()


def scan(keeper: Screen, *cards: str) -> None:
    """Scan cards as a scanner types: the code and Enter, without waiting."""
    expect(keeper.page.locator("#scan")).to_be_focused()
    for card in cards:
        keeper.page.keyboard.type(card)
        keeper.page.keyboard.press("Enter")


def begin(keeper: Screen) -> None:
    """Open a count of the hall."""
    keeper.go("/count")
    keeper.page.locator("#place").select_option("LI-P1")
    keeper.page.keyboard.press("Alt+O")


def test_drawer_is_counted_on_two_screens_and_the_book_speaks_when_it_is_closed(
    screen: Callable[..., Screen], drawer_cards: Iterator[str]
) -> None:
    """REQ-STK-01: one field, Enter after each card; what is expected is hidden until the count is closed."""
    keeper = screen("en", Role.HALL_KEEPER)
    cards = in_the_hall(keeper)
    begin(keeper)
    scan(keeper, *cards[1:4], cards[1])
    keeper.shows("scanned already", "#said")
    keeper.shows("3 scanned", "#progress")
    keeper.keep("count-scan")
    second = screen("zh-CN", Role.HALL_KEEPER)
    second.page.goto(keeper.page.url)
    scan(second, *cards[4:], next(drawer_cards))
    second.shows(f"已扫 {len(cards)} 件", "#progress")
    keeper.shows(f"{len(cards)} scanned", "#progress")
    keeper.shows("scanned already", "#said")
    scan(keeper, "not a card")
    expect(keeper.page.get_by_role("alert").filter(has_text="invalid_identifier")).to_be_visible()
    keeper.page.locator("#person").fill("He")
    keeper.page.keyboard.press("Alt+C")
    keeper.shows("The drawer differs from the book.", "main")
    keeper.shows(f"Expected {len(cards)}, scanned {len(cards)}, missing 1, too much 1", "main")
    expect(keeper.page.get_by_role("row").filter(has_text=cards[0])).to_contain_text("missing")
    expect(keeper.page.get_by_role("row").filter(has_text="held elsewhere")).to_contain_text("Clerk He")
    keeper.keep("count-differs")
    second.shows("账实不符。", "main")  # it goes on by itself
    keeper.page.keyboard.press("Alt+P")
    keeper.shows("Waiting for a second person", "main")
    keeper.shows(cards[0], "main")
    keeper.keep("count-waits-for-second-person")
    second.go(keeper.page.url.removeprefix(keeper.stage.address).split("/approvals")[0] + "/count")
    second.keep("counts")


def test_drawer_that_agrees_is_posted_at_once(screen: Callable[..., Screen]) -> None:
    keeper = screen("zh-CN", Role.HALL_KEEPER)
    begin(keeper)
    scan(keeper, *in_the_hall(keeper))
    keeper.page.locator("#person").fill("和某")
    keeper.page.keyboard.press("Alt+C")
    keeper.shows("账实相符", "main")
    keeper.page.keyboard.press("Alt+P")
    keeper.shows("已过账", "h1")
    keeper.keep("count-posted")

"""A line is sold at the desk, with the keyboard alone, on a real station with a real card path."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.api.live import wait_until
from tests.browser.clerk import Language, Screen

pytestmark = [pytest.mark.browser, pytest.mark.card]

SOLD: dict[Language, tuple[str, str, str]] = {
    "zh-CN": ("空白卡，可以写卡。", "卡已写好并通过鉴权验证。", "办理成功。"),
    "en": ("A blank card, ready to be written.", "The card is written and proven.", "Sold."),
}
OVER = "The time ran out; number and card are free again."


def hold_first(desk: Screen, ending: str) -> str:
    """Search, walk to the first number found, hold it, and give it."""
    desk.page.keyboard.type(ending)
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("table.numbers")).to_be_visible()
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("[data-open-sale]")).to_be_visible()
    return desk.page.locator(".kit-number").inner_text()


@pytest.mark.parametrize("language", SOLD)
def test_a_line_is_sold_with_the_keyboard_alone(screen: Callable[..., Screen], language: Language, card: int) -> None:
    """REQ-HW-04: from the blank in the reader to the working line; REQ-FEE-04: the quote is shown before."""
    ready, proven, sold = SOLD[language]
    desk = screen(language, Role.CLERK)
    desk.stage.insert(card)
    desk.shows(ready, "#reader")
    desk.keep("hall-desk-blank")
    number = hold_first(desk, "6")
    expect(desk.page.locator(".quote .total")).to_contain_text("¥")
    expect(desk.page.locator("[data-key=W]")).to_be_focused()
    desk.keep("hall-desk-held")
    desk.page.keyboard.press("Enter")
    desk.shows(proven, "#sale")
    expect(desk.page.locator("#accepted")).to_be_focused()
    desk.keep("hall-desk-written")
    desk.page.keyboard.press("Space")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Space")
    desk.page.keyboard.press("Alt+C")
    desk.shows(sold, "#sale")
    desk.keep("hall-desk-sold")
    expect(desk.page.locator("[data-key=X]")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#q")).to_be_focused()
    assert desk.stage.one("SELECT state FROM number WHERE number = :number", number=number) == "IN_USE"


def test_hold_that_runs_out_says_so_and_frees_number_and_card_by_itself(
    screen: Callable[..., Screen], card: int
) -> None:
    """REQ-RSV-04, REQ-RSV-05: seen on the page, and in the life of the number."""
    desk = screen("en", Role.CLERK)
    desk.stage.insert(card)
    desk.shows("ready to be written", "#reader")
    number = hold_first(desk, "7")
    hold_no = desk.stage.one("SELECT hold_id FROM number WHERE number = :number", number=number)
    for statement in (
        "UPDATE hold SET expires_at = now() + interval '3 seconds' WHERE hold_id = :hold",
        "UPDATE number SET hold_until = now() + interval '3 seconds' WHERE hold_id = :hold",
        "UPDATE sim SET hold_until = now() + interval '3 seconds' WHERE hold_id = :hold",
    ):
        desk.stage.change(statement, hold=hold_no)
    desk.page.reload()
    expect(desk.page.locator(".countdown")).to_have_class("countdown short")
    desk.shows(OVER, "#sale")
    desk.keep("hall-desk-expired")
    expect(desk.page.locator("[data-key=X]")).to_be_focused()
    wait_until(lambda: desk.stage.one("SELECT state FROM number WHERE number = :n", n=number) == "UNUSED")
    desk.go(f"/items/number/{number}")
    desk.shows("set free: the hold expired")
    desk.go("/desk")
    desk.shows("ready to be written", "#reader")


def test_a_kit_is_kept_longer_and_given_back_with_two_keys(screen: Callable[..., Screen], card: int) -> None:
    """REQ-RSV-03, REQ-RSV-07."""
    desk = screen("zh-CN", Role.CLERK)
    desk.stage.insert(card)
    desk.shows("可以写卡", "#reader")
    number = hold_first(desk, "9")
    question = "SELECT extensions FROM hold h JOIN number n USING (city_id, hold_id) WHERE n.number = :number"
    desk.page.keyboard.press("Alt+E")
    wait_until(lambda: desk.stage.one(question, number=number) == 1)
    expect(desk.page.locator(".countdown")).to_contain_text("59:")
    desk.page.keyboard.press("Alt+R")
    desk.shows("号码和卡", "#sale")
    assert desk.stage.one("SELECT state FROM number WHERE number = :n", n=number) == "UNUSED"


def test_number_that_a_colleague_took_is_refused_in_words(screen: Callable[..., Screen], card: int) -> None:
    """REQ-NUM-10: a named refusal at the desk."""
    desk = screen("zh-CN", Role.CLERK)
    desk.stage.insert(card)
    desk.shows("可以写卡", "#reader")
    desk.page.keyboard.type("3")
    desk.page.keyboard.press("Enter")
    number = desk.page.locator("table.numbers th.digits").first.inner_text()
    desk.stage.change("UPDATE number SET state = 'FROZEN' WHERE number = :number", number=number)
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#sale [role=alert]")).to_contain_text("number_not_free")
    desk.keep("hall-desk-refused")
    desk.stage.change("UPDATE number SET state = 'UNUSED' WHERE number = :number", number=number)


def test_kit_of_a_lost_page_is_found_again(screen: Callable[..., Screen], card: int) -> None:
    desk = screen("en", Role.CLERK)
    desk.stage.insert(card)
    desk.shows("ready to be written", "#reader")
    number = hold_first(desk, "3")
    desk.go("/desk")
    desk.page.locator(".own-holds").get_by_role("link", name=number).click()
    expect(desk.page.locator(".kit-number")).to_have_text(number)
    desk.page.keyboard.press("Alt+R")
    desk.shows("Start again", "#sale")

"""A line is sold at the desk, with the keyboard alone, on a real station with a real card path."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from inventory.access.permissions import Role
from tests.api.live import wait_until
from tests.browser.cards import make_card
from tests.browser.clerk import Language, Screen
from tests.web.stock import VENDOR

pytestmark = [pytest.mark.browser, pytest.mark.card]

SOLD: dict[Language, tuple[str, str, str]] = {
    "zh-CN": ("空白卡，可以写卡。", "卡已写好并通过鉴权验证。", "办理成功。"),
    "en": ("A blank card, ready to be written.", "The card is written and proven.", "Sold."),
}
OVER = "The time ran out; number and card are free again."


def hold_first(desk: Screen, ending: str) -> str:
    """Search, walk to the first number found, hold it, and give it; the next key is the next step's."""
    desk.page.keyboard.type(ending)
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("table.numbers")).to_be_visible()
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("[data-open-sale] [data-focus]")).to_be_focused()
    return desk.page.locator(".kit-number").inner_text()


def end_in(desk: Screen, hold_no: int, *, seconds: int) -> None:
    """Let the hold have that time left, and look at the desk again."""
    for table, column in (("hold", "expires_at"), ("number", "hold_until"), ("sim", "hold_until")):
        desk.stage.change(
            f"UPDATE {table} SET {column} = now() + make_interval(secs => :seconds) WHERE hold_id = :hold",
            hold=hold_no,
            seconds=seconds,
        )
    desk.page.reload()


def sell(desk: Screen, card: int) -> str:
    """Sell a number with this blank, and give the number; the desk is ready for the next customer."""
    ready, proven, _ = SOLD[desk.language]
    desk.insert(card)
    desk.shows(ready, "#reader")
    number = hold_first(desk, "2")
    desk.page.keyboard.press("Enter")
    desk.shows(proven, "#sale")
    expect(desk.page.locator("#accepted")).to_be_focused()
    for key in ("Space", "Tab", "Space", "Alt+C"):
        desk.page.keyboard.press(key)
    expect(desk.page.locator("[data-key=X]")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#q")).to_be_focused()
    return number


@pytest.mark.parametrize("language", SOLD)
def test_a_line_is_sold_with_the_keyboard_alone(screen: Callable[..., Screen], language: Language, card: int) -> None:
    """REQ-HW-04: from the blank in the reader to the working line; REQ-FEE-04: the quote is shown before."""
    ready, proven, sold = SOLD[language]
    desk = screen(language, Role.CLERK)
    desk.insert(card)
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


REPLACED: dict[Language, str] = {"zh-CN": "换卡成功。", "en": "Replaced."}


@pytest.mark.parametrize("language", REPLACED)
def test_the_card_of_a_line_is_replaced_with_the_keyboard_alone(
    screen: Callable[..., Screen], language: Language, card: int, another_card: int
) -> None:
    """REQ-FLOW-03: the old card names the line, the new one is written; the old one is handed in to be scrapped."""
    ready, proven, _ = SOLD[language]
    old, new = VENDOR.card(card).iccid, VENDOR.card(another_card).iccid
    desk = screen(language, Role.CLERK)
    number = sell(desk, card)
    desk.insert(another_card)
    desk.shows(ready, "#reader")
    desk.page.keyboard.press("Alt+P")
    desk.page.keyboard.type(old)
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("ArrowDown")
    desk.keep("hall-desk-to-replace")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".kit")).to_contain_text(old)
    expect(desk.page.locator(".kit-number")).to_have_text(number)
    expect(desk.page.locator("[data-key=W]")).to_be_focused()
    desk.page.keyboard.press("Enter")
    desk.shows(proven, "#sale")
    expect(desk.page.locator("#accepted")).to_be_focused()
    for key in ("Space", "Tab", "Space", "Tab", "Space"):
        desk.page.keyboard.press(key)
    desk.keep("hall-desk-replacement-written")
    desk.page.keyboard.press("Alt+C")
    desk.shows(REPLACED[language], "#sale")
    desk.keep("hall-desk-replaced")
    states = "SELECT string_agg(state, ' ' ORDER BY iccid = :new) FROM sim WHERE iccid IN (:old, :new)"
    assert desk.stage.one(states, old=old, new=new) == "REPLACED IN_USE"
    desk.go(f"/items/sim/{old}")
    desk.keep("item-replaced")


ADDED: dict[Language, tuple[str, str]] = {
    "zh-CN": ("本卡的副号", "副号"),
    "en": ("second number of this card", "Second number"),
}


@pytest.mark.parametrize("language", ADDED)
def test_a_card_in_use_is_given_a_second_number_with_the_keyboard_alone(
    screen: Callable[..., Screen], language: Language, card: int
) -> None:
    """REQ-SIM-17: the customer's card is scanned; no reader, no writing; its page shows both numbers."""
    said, label = ADDED[language]
    iccid = VENDOR.card(card).iccid
    desk = screen(language, Role.CLERK)
    main = sell(desk, card)
    desk.stage.change("UPDATE card_kind SET max_numbers = 2")
    free = desk.stage.one(
        """SELECT min(free.number) FROM number free, number sold
           WHERE free.state = 'UNUSED' AND sold.number = :main AND free.cls = sold.cls AND free.holder_id IN (
               SELECT from_holder FROM movement WHERE kind = 'SALE' AND resource = 'number')""",
        main=main,
    )
    assert free
    desk.page.locator("details:has(#second-number) > summary").press("Enter")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type(str(free))
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type(iccid)
    desk.keep("hall-desk-second-number")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".kit")).to_contain_text(said)
    expect(desk.page.locator("#accepted")).to_be_focused()
    for key in ("Space", "Tab", "Space"):
        desk.page.keyboard.press(key)
    desk.keep("hall-desk-second-number-held")
    desk.page.keyboard.press("Alt+C")
    desk.shows(SOLD[language][2], "#sale")
    desk.go(f"/items/sim/{iccid}")
    facts = desk.page.locator("dl.facts").first
    expect(facts).to_contain_text(main)
    expect(facts).to_contain_text(label)
    expect(facts).to_contain_text(str(free))
    desk.keep("item-two-numbers")


_SERIAL_ONLY = (
    """INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)
       SELECT '4G-SERIAL', name_zh, name_en, 'serial_only', capacity_kb, capabilities, network, fee_fen FROM card_kind
       ON CONFLICT DO NOTHING""",
    "UPDATE sim SET kind_code = '4G-SERIAL', iccid = NULL WHERE iccid = :iccid",
    """UPDATE subscription_data SET iccid = :iccid
       WHERE data_no = (SELECT max(data_no) FROM subscription_data WHERE state = 'FREE' AND iccid IS NULL)""",
)
"""A card of stock loses its ICCID to a unit of card data."""


def test_blank_with_a_chip_serial_only_is_sold_by_it(screen: Callable[..., Screen], card: int) -> None:
    """REQ-HW-04, REQ-HW-12: held, written and found by the serial; the ICCID that it got is shown with its life."""
    iccid, serial = VENDOR.card(card).iccid, VENDOR.card(card).serial
    desk = screen("zh-CN", Role.CLERK)
    for statement in _SERIAL_ONLY:
        desk.stage.change(statement, **({"iccid": iccid} if ":iccid" in statement else {}))
    desk.stage.put_in(make_card(desk.stage.folder, card, numbered=False))
    expect(desk.page.locator("#reader-card[name=chip_serial]")).to_have_value(serial)
    desk.keep("hall-desk-serial-blank")
    hold_first(desk, "4")
    expect(desk.page.locator(".kit")).to_contain_text(serial)
    desk.page.keyboard.press("Enter")
    desk.shows("卡已写好并通过鉴权验证。", "#sale")
    expect(desk.page.locator(".kit")).to_contain_text(iccid)
    desk.shows(iccid, "#reader")
    desk.keep("hall-desk-serial-written")
    expect(desk.page.locator("#accepted")).to_be_focused()
    for key in ("Space", "Tab", "Space", "Alt+C"):
        desk.page.keyboard.press(key)
    desk.shows("办理成功。", "#sale")
    desk.go(f"/items/sim/{serial}")
    desk.shows(f"ICCID {iccid}")
    desk.keep("item-numbered-here")


def test_hold_that_runs_out_says_so_and_frees_number_and_card_by_itself(
    screen: Callable[..., Screen], card: int
) -> None:
    """REQ-RSV-04, REQ-RSV-05: seen on the page, and in the life of the number."""
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    number = hold_first(desk, "7")
    hold_no = desk.stage.one("SELECT hold_id FROM number WHERE number = :number", number=number)
    end_in(desk, hold_no, seconds=110)
    expect(desk.page.locator(".countdown")).to_have_class("countdown short")
    end_in(desk, hold_no, seconds=3)
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
    desk.insert(card)
    desk.shows("可以写卡", "#reader")
    number = hold_first(desk, "9")
    for other_act in ("#line", "#second-number"):  # would put another kit, or a refusal, in this one's place
        expect(desk.page.locator(other_act)).to_be_hidden()
    question = "SELECT extensions FROM hold h JOIN number n USING (city_id, hold_id) WHERE n.number = :number"
    desk.page.keyboard.press("Alt+E")
    wait_until(lambda: desk.stage.one(question, number=number) == 1)
    expect(desk.page.locator(".countdown")).to_contain_text(re.compile(r"5\d:"))
    desk.page.keyboard.press("Alt+R")
    desk.shows("号码和卡", "#sale")
    assert desk.stage.one("SELECT state FROM number WHERE number = :n", n=number) == "UNUSED"


def test_number_that_a_colleague_took_is_refused_in_words(screen: Callable[..., Screen], card: int) -> None:
    """REQ-NUM-10: a named refusal at the desk."""
    desk = screen("zh-CN", Role.CLERK)
    desk.insert(card)
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
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    number = hold_first(desk, "3")
    desk.go("/desk")
    desk.page.locator(".own-holds").get_by_role("link", name=number).click()
    expect(desk.page.locator(".kit-number")).to_have_text(number)
    desk.page.keyboard.press("Alt+R")
    desk.shows("Start again", "#sale")


def test_desk_goes_on_by_itself_when_the_service_was_away_while_a_card_was_written(
    screen: Callable[..., Screen], card: int
) -> None:
    """What the service cannot answer for a moment neither takes the sale from the screen nor ends the looking at it."""
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    number = hold_first(desk, "9")

    def away(route: Route) -> None:
        busy = route.request.method == "GET"
        route.fulfill(status=503, body="<p>The service is busy.</p>") if busy else route.continue_()

    desk.page.route("**/desk/holds/**", away)
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#unreached")).to_be_visible()
    expect(desk.page.locator(".kit-number")).to_have_text(number)
    desk.page.unroute("**/desk/holds/**")
    desk.shows("The card is written and proven.", "#sale")
    expect(desk.page.locator("#unreached")).to_be_hidden()
    desk.page.keyboard.press("Alt+R")
    desk.shows("Start again", "#sale")


def test_desk_hears_news_again_after_the_service_could_not_tell_any(screen: Callable[..., Screen]) -> None:
    """A browser gives a stream of news up for good after an answer such as 503."""
    desk, asked = screen("en", Role.CLERK), list[Route]()

    def away_once(route: Route) -> None:
        asked.append(route)
        route.fulfill(status=503, body="busy") if len(asked) == 1 else route.continue_()

    desk.page.route("**/desk/events", away_once)
    desk.page.reload()
    desk.page.wait_for_event("response", lambda answer: answer.url.endswith("/desk/events") and answer.ok)
    assert len(asked) == 2


def test_key_pressed_before_the_scripts_of_the_page_have_come_is_not_lost(
    screen: Callable[..., Screen], card: int
) -> None:
    desk, scripts = screen("en", Role.CLERK), list[Route]()
    desk.insert(card)
    number = hold_first(desk, "8")
    desk.go("/desk")
    kit = desk.page.locator(".own-holds").get_by_role("link", name=number).get_attribute("href")
    desk.page.route("**/htmx.min.js*", lambda route: scripts.append(route))  # noqa: PLW0108 - Playwright marks it
    desk.page.goto(f"{desk.stage.address}{kit}", wait_until="commit")
    expect(desk.page.locator("[data-key=R]")).to_be_visible()
    desk.page.keyboard.press("Alt+R")
    for script in scripts:
        script.continue_()
    desk.shows("Start again", "#sale")

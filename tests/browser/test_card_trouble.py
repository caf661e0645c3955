"""What goes wrong with cards, readers and stations is shown with what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect

from cardwriter.virtual.faults import Fault, FaultKind
from inventory.access.permissions import Role
from tests.api.live import wait_until
from tests.browser.clerk import Screen
from tests.browser.stage import restart_station, stop_station
from tests.browser.test_hall_desk import hold_first
from tests.web.stock import VENDOR

pytestmark = [pytest.mark.browser, pytest.mark.card]

_UPDATE_BINARY = 0xD6


def test_card_with_other_keys_is_damaged_and_the_next_card_takes_its_place(
    screen: Callable[..., Screen], card: int, another_card: int
) -> None:
    """REQ-HW-06: the class of the failure and the next step; REQ-HW-07: never confirmed."""
    desk = screen("zh-CN", Role.CLERK)
    desk.insert(card, stranger=True)
    desk.shows("可以写卡", "#reader")
    number = hold_first(desk, "5")
    desk.page.keyboard.press("Enter")
    desk.shows("鉴权失败：卡内密钥与库存不符", "#sale")
    desk.shows("此卡已登记为损坏。", "#reader")
    expect(desk.page.locator("[data-key=C]")).to_have_count(0)
    desk.keep("hall-desk-damaged")
    expect(desk.page.locator("#job")).to_contain_text(VENDOR.card(card).iccid)
    desk.shows("放入坏卡盒", "#job")
    desk.insert(another_card)
    desk.shows("可以写卡", "#reader")
    desk.page.keyboard.press("Alt+T")
    assert desk.page.locator(".kit-number").inner_text() == number
    desk.shows("卡已写好并通过鉴权验证。", "#sale")
    desk.page.keyboard.press("Alt+R")
    desk.shows("号码和卡", "#sale")


def test_reader_bound_to_a_desk_shows_its_label_there_and_its_user_everywhere_else(
    screen: Callable[..., Screen],
) -> None:
    desk = screen("zh-CN", Role.CLERK)
    desk.page.locator("#reader-name").fill("三号台")
    desk.page.get_by_role("button", name="绑定").click()
    expect(desk.page.locator(".seat-label")).to_contain_text("三号台")
    desk.keep("hall-desk-bound")
    desk.page.context.clear_cookies(name="haoka_session")
    desk.sign_in(Role.CLERK)
    expect(desk.page.locator(".seat-label")).to_contain_text("三号台")
    other = screen("en", Role.CLERK)
    expect(other.page.locator("#reader-choice")).to_have_value(re.compile("00 01$"))
    other.page.locator("#reader-choice").select_option(index=0)
    other.page.get_by_role("button", name="Bind", exact=True).click()
    other.shows("reader_taken", "#reader")
    other.look_again("/desk/reader", "station")
    other.shows("reader_taken", "#reader")  # the panel looks by itself every few seconds, and knows of no refusal
    other.keep("hall-desk-taken")
    other.page.locator("#take-over").check()
    other.page.get_by_role("button", name="Bind", exact=True).click()
    expect(other.page.locator(".seat-label")).to_contain_text("三号台")
    expect(desk.page.locator(".seat-label")).to_have_count(0)
    desk.shows("为本台席绑定读卡器", "#reader")  # and offers what may be done now
    expect(desk.page.get_by_role("button", name="解除绑定")).to_have_count(0)
    other.page.get_by_text("Change the reader of this desk").click()
    other.page.get_by_role("button", name="Leave this reader").click()
    expect(other.page.locator(".seat-label")).to_have_count(0)
    desk.stage.change("UPDATE station_reader SET seat = NULL, seat_staff = NULL, seat_at = NULL")


def test_what_a_desk_was_sent_before_its_binding_is_fetched_again(screen: Callable[..., Screen]) -> None:
    """The news of a binding may be here before its answer, and what is fetched then knows no seat yet."""
    desk = screen("en", Role.CLERK)
    desk.page.route(re.compile("/desk$"), without_a_clock)
    desk.go("/desk")
    asked: list[str] = []
    desk.page.on("response", lambda answer: asked.append(f"{answer.request.method} {urlsplit(answer.url).path}"))
    desk.page.get_by_role("button", name="Bind", exact=True).click()
    expect(desk.page.locator(".seat-label")).to_have_count(1)
    wait_until(lambda: desk.page.evaluate("1") and "GET /desk/reader" in asked[asked.index("POST /desk/reader") :])
    expect(desk.page.locator(".seat-label")).to_have_count(1)
    desk.stage.change("UPDATE station_reader SET seat = NULL, seat_staff = NULL, seat_at = NULL")


def without_a_clock(route: Route) -> None:
    """Give a page that asks for its parts at news only, not every few seconds."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("every 5s", "every 5000s"))


def test_card_torn_out_is_unknown_until_it_is_put_back_and_read(screen: Callable[..., Screen], card: int) -> None:
    """REQ-HW-08: reading the card settles what happened."""
    desk = screen("en", Role.CLERK)
    path = desk.insert(card, faults=(Fault(FaultKind.DIE_BEFORE, at=3, ins=_UPDATE_BINARY),))
    desk.shows("ready to be written", "#reader")
    hold_first(desk, "1")
    desk.page.keyboard.press("Enter")
    desk.shows("It is not known what is on the card.", "#sale")
    desk.shows("insert this card at any station", "#sale")
    desk.keep("hall-desk-unknown")
    expect(desk.page.locator("[data-key=R]")).to_have_count(0)
    desk.stage.put_in(path)
    desk.shows("Nothing was written.", "#sale")
    desk.page.keyboard.press("Alt+W")
    desk.shows("The card is written and proven.", "#sale")
    desk.page.keyboard.press("Alt+R")
    desk.shows("number and card are free again", "#sale")


def test_empty_reader_and_silent_station_say_what_to_do(screen: Callable[..., Screen], card: int) -> None:
    desk = screen("en", Role.CLERK)
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    desk.stage.take_out()
    desk.shows("Put a card in.", "#reader")
    stop_station(desk.stage)
    desk.shows("Start the station program on its PC", "#reader")
    desk.keep("hall-desk-offline")
    restart_station(desk.stage)
    desk.shows("Put a card in.", "#reader")


def test_number_held_without_a_card_takes_the_card_that_is_put_in(screen: Callable[..., Screen], card: int) -> None:
    desk = screen("en", Role.CLERK)
    desk.stage.take_out()
    desk.shows("Put a card in.", "#reader")
    number = hold_first(desk, "2")
    desk.shows("This kit has no card.", "#sale")
    desk.page.keyboard.press("Alt+S")
    desk.shows("no_card_in_reader", "#sale [role=alert]")
    desk.look_again("/desk/holds/", "job")
    desk.shows("no_card_in_reader", "#sale [role=alert]")
    desk.insert(card)
    desk.shows("ready to be written", "#reader")
    desk.page.keyboard.press("Alt+S")
    expect(desk.page.locator("[data-key=W]")).to_be_focused()
    assert desk.page.locator(".kit-number").inner_text() == number
    desk.page.keyboard.press("Alt+R")
    desk.shows("number and card are free again", "#sale")


def test_person_decides_about_a_card_that_may_have_been_sent_its_adm_key(
    screen: Callable[..., Screen], card: int
) -> None:
    """REQ-HW-08: the question stands until it is answered, whatever the page fetches meanwhile."""
    desk = screen("zh-CN", Role.CLERK)
    desk.insert(card)
    desk.shows("可以写卡", "#reader")
    hold_first(desk, "3")
    desk.stage.change("UPDATE sim SET adm_sent = true WHERE iccid = :iccid", iccid=VENDOR.card(card).iccid)
    desk.page.keyboard.press("Enter")
    desk.shows("adm_in_doubt", "#sale [role=alert]")
    desk.look_again("/desk/holds/", "job")
    desk.keep("hall-desk-adm-in-doubt")
    desk.page.get_by_role("button", name="我确认").click()
    desk.shows("卡已写好并通过鉴权验证。", "#sale")
    expect(desk.page.locator("#sale [role=alert] .notice")).to_have_count(0)
    desk.page.keyboard.press("Alt+R")
    desk.shows("号码和卡", "#sale")


def test_dispenser_at_a_desk_shows_stack_and_bin_and_what_to_do(screen: Callable[..., Screen]) -> None:
    desk = screen("zh-CN", Role.CLERK)
    desk.stage.take_out()  # a card of a kit may not be moved
    desk.shows("请插卡。", "#reader")
    seen = "'card', 'nowhere', 'stacker', 'empty', 'bin_full', false, 'in_bin', 3, 'stop', 'stacker_empty'"
    desk.stage.change(f"UPDATE station_reader SET dispenser = jsonb_build_object({seen})")
    desk.page.reload()
    desk.shows("卡箱已空。", "#reader")
    desk.shows("请装入白卡后再进卡。", "#reader")
    desk.keep("hall-desk-dispenser")
    desk.page.get_by_role("button", name="收入废卡箱").click()
    desk.shows("卡箱已空。", "#reader")
    expect(desk.page.locator("#reader .notice.bad")).to_have_count(1)
    desk.stage.change("UPDATE station_reader SET dispenser = NULL")

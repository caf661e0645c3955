"""Cards under a scanner: what a load announced, and what comes without a file."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Language, Screen

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("language", "serial", "words"),
    [
        ("zh-CN", 0, ("扫描到货", "已扫过", "不在本次到货内", "还有 2 件未到")),
        ("en", 10, ("Scan in", "scanned already", "not of", "2 are still")),
    ],
)
def test_announced_cards_are_scanned_in(
    screen: Callable[..., Screen], language: Language, serial: int, words: tuple[str, ...]
) -> None:
    first, second, third, stray = (f"898600990000000{serial + no:05d}" for no in range(4))
    admin = screen(language, Role.CITY_ADMIN)
    admin.go("/loads")
    page = admin.page
    page.locator("#kind").select_option("card_list")
    page.locator("#card_kind").select_option(index=1)
    page.locator("#announced").check()
    cards = f"ICCID\n{first}\n{second}\n{third}\n".encode()
    page.locator("#file").set_input_files({"name": "cards.csv", "mimeType": "text/csv", "buffer": cards})
    page.locator("form[data-upload] button.btn-primary").click()
    admin.keep("announced")
    page.get_by_role("link", name=words[0]).click()
    expect(page.locator("#scan")).to_be_focused()
    said = page.locator("#said")
    for card, told in ((first, first), (first, words[1]), (stray, words[2])):
        page.keyboard.type(card)
        page.keyboard.press("Enter")
        expect(said).to_contain_text(told)
    expect(page.locator("#board")).to_contain_text(words[3])
    admin.keep("scan-in")


@pytest.mark.parametrize(
    ("language", "serial", "words"), [("zh-CN", 40, ("已扫描 2", "已入库")), ("en", 50, ("2 scanned", "Taken in."))]
)
def test_cards_without_a_file_are_scanned_and_taken(
    screen: Callable[..., Screen], language: Language, serial: int, words: tuple[str, ...]
) -> None:
    first, second = (f"898600990000000{serial + no:05d}" for no in range(2))
    admin = screen(language, Role.CITY_ADMIN)
    admin.go("/loads/by-hand")
    page = admin.page
    expect(page.locator("#scan")).to_be_focused()
    for card in (first, first, second):
        page.keyboard.type(card)
        page.keyboard.press("Enter")
    expect(page.locator("#tally")).to_contain_text(words[0])
    page.locator("#card_kind").select_option(index=1)
    admin.keep("by-hand")
    page.locator("form .btn-primary").last.click()
    expect(page.locator("main")).to_contain_text(words[1])
    admin.go("/loads/segments")
    admin.keep("segments")

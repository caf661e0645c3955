"""Nothing that reaches a screen holds a secret of a card, or an IMSI in full."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Response, expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen
from tests.browser.test_hall_desk import hold_first
from tests.builders import PASSWORD
from tests.web.stock import VENDOR

pytestmark = [pytest.mark.browser, pytest.mark.card]


def test_no_page_of_a_sale_shows_a_secret_or_a_whole_imsi(screen: Callable[..., Screen], card: int) -> None:
    """REQ-SEC-01: IMSI, Ki, OPc, PIN, PUK never reach a hall's screen."""
    desk, told = screen("en", Role.CLERK), list[str]()

    def keep(response: Response) -> None:
        if "text/html" in response.headers.get("content-type", ""):
            with contextlib.suppress(Error):  # the page was left before it came: nobody saw it
                told.append(response.text())

    desk.page.on("response", keep)
    desk.insert(card)
    desk.go("/desk")
    desk.shows("ready to be written", "#reader")
    number = hold_first(desk, "4")
    desk.page.keyboard.press("Alt+W")
    desk.shows("The card is written and proven.", "#sale")
    desk.page.keyboard.press("Space")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Space")
    desk.page.keyboard.press("Alt+C")
    desk.shows("Sold.", "#sale")
    for path in (f"/items/number/{number}", f"/items/sim/{VENDOR.card(card).iccid}", "/stock"):
        desk.go(path)
        expect(desk.page.locator("h1")).to_be_visible()
    known = VENDOR.card(card)
    imsi = desk.stage.one(
        "SELECT imsi FROM sim_identity i JOIN sim s USING (city_id, item_no) WHERE s.iccid = :iccid", iccid=known.iccid
    )
    secrets = (known.k.hex(), known.opc.hex(), known.adm1.decode(), known.puk1, known.puk2, imsi, PASSWORD)
    shown = "\n".join(told).lower()
    assert known.iccid.lower() in shown
    assert [secret for secret in secrets if str(secret).lower() in shown] == []

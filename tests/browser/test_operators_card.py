"""A card that the operator's own system writes is sold at the desk: service, worker and station are processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from inventory.access.permissions import Role
from tests.browser.clerk import Screen
from tests.browser.operators_slot import SERIAL
from tests.browser.stage import Stage, restart_station, stop_station
from tests.browser.test_hall_desk import hold_first
from tests.web.stock import VENDOR

pytestmark = [pytest.mark.browser, pytest.mark.card]

_OPERATORS = (
    """INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)
       SELECT 'operator-5g', '省卡数据系统卡', 'Operator blank', 'operator', capacity_kb, capabilities, '{}', fee_fen
       FROM card_kind WHERE profile = 'preset_key' LIMIT 1""",
    "DELETE FROM card_secret WHERE item_no = (SELECT item_no FROM sim WHERE iccid = :iccid)",
    "DELETE FROM identifier WHERE kind = 'iccid' AND value = :iccid",
    "UPDATE sim SET kind_code = 'operator-5g', iccid = NULL WHERE iccid = :iccid",
)
"""A card of stock becomes a blank that only the operator's system can write."""


@pytest.fixture
def blank(stage: Stage, card: int) -> Iterator[str]:
    """Lay such a blank into the reader of the hall's PC and give its serial; the usual reader comes back afterwards."""
    for statement in _OPERATORS:
        stage.change(statement, **({"iccid": VENDOR.card(card).iccid} if ":iccid" in statement else {}))
    serial = VENDOR.card(card).serial
    stop_station(stage)
    restart_station(stage, "--readers", "virtual:tests.browser.operators_slot:slot", **{SERIAL: serial})
    yield serial
    stop_station(stage)
    restart_station(stage)


def test_card_of_the_operators_system_is_sold_with_the_keyboard_alone(
    screen: Callable[..., Screen], blank: str
) -> None:
    """REQ-HW-04, REQ-HW-12: the worker fetches the data and tells the card's answer; the clerk sees a usual sale."""
    desk = screen("en", Role.CLERK)
    expect(desk.page.locator("#reader-card[name=chip_serial]")).to_have_value(blank)
    number = hold_first(desk, "4")
    expect(desk.page.locator(".kit")).to_contain_text(blank)
    desk.page.keyboard.press("Enter")
    desk.shows("The card is written and proven.", "#sale")
    desk.keep("hall-desk-operators-card")
    expect(desk.page.locator("#accepted")).to_be_focused()
    for key in ("Space", "Tab", "Space", "Alt+C"):
        desk.page.keyboard.press(key)
    desk.shows("Sold.", "#sale")
    assert desk.stage.one("SELECT state FROM number WHERE number = :number", number=number) == "IN_USE"
    assert desk.stage.one("SELECT count(*) FROM card_issue WHERE accepted AND number = :number", number=number) == 1

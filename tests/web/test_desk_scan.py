"""A card that is scanned at the hall desk stands in the reader panel, with the numbers that it can serve."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import HLR, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
CARD = VENDOR.card(1).iccid


def finish(console: FastAPI) -> None:
    """Let the clerk's first card be a finished one of the segment's HLR."""
    url = console.state.runtime.settings.sqlalchemy_url().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE sim SET hlr_code = %s WHERE iccid = %s", (HLR, CARD))


def test_scanned_finished_card_is_ready_and_held_with_a_number_of_its_segment(
    browser: Browser, console: FastAPI
) -> None:
    """REQ-SIM-17: sold without being written, by its ICCID alone."""
    finish(console)
    clerk = browser(Role.CLERK)
    shown = clerk.get("/desk/reader", params={"scan": CARD}).text
    assert "A finished card, ready to be sold." in shown
    assert f'id="reader-card" name="iccid" value="{CARD}"' in shown
    assert f'id="reader-hlr" name="hlr" value="{HLR}"' in shown
    assert f"Only numbers of HLR {HLR}" in clerk.get("/desk/numbers", params={"q": "6", "hlr": HLR}).text
    assert "No free number fits." in clerk.get("/desk/numbers", params={"q": "6", "hlr": "elsewhere"}).text


def test_blank_unknown_and_misread_cards_are_told_apart(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    assert "This card is blank." in clerk.get("/desk/reader", params={"scan": CARD}).text
    assert "card_unknown" in clerk.get("/desk/reader", params={"scan": VENDOR.card(59_999).iccid}).text
    assert "invalid_identifier" in clerk.get("/desk/reader", params={"scan": "8986"}).text

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


def in_use(console: FastAPI, *, numbers: int) -> str:
    """Let the clerk's first card be in use with one number of a product that allows so many; give a free number."""
    url = console.state.runtime.settings.sqlalchemy_url().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE card_kind SET max_numbers = %s", (numbers,))
        connection.execute("UPDATE sim SET state = 'IN_USE' WHERE iccid = %s", (CARD,))
        main, free = connection.execute(
            "SELECT item_no, number FROM number WHERE state = 'UNUSED' AND pool IS NOT NULL ORDER BY item_no LIMIT 2"
        ).fetchall()
        connection.execute(
            """INSERT INTO sim_identity
                   (city_id, item_no, slot, application, imsi, hlr_code, state, auc, number_item_no)
               SELECT city_id, item_no, 1, 'USIM', '460001234567890', %s, 'VERIFIED', 'confirmed', %s
               FROM sim WHERE iccid = %s""",
            (HLR, main[0], CARD),
        )
    return str(free[1])


def test_second_number_is_held_at_the_desk_for_a_scanned_card_in_use(browser: Browser, console: FastAPI) -> None:
    """REQ-SIM-17: it needs no reader and no writing; the panel says what it is and asks for the confirmation."""
    number = in_use(console, numbers=2)
    clerk = browser(Role.CLERK)
    held = clerk.post("/desk/second-numbers", data={"number": number, "card": f" {CARD} "}).text
    assert "second number of this card" in held
    assert "Add the second number" in held
    assert "Write the card" not in held


def test_second_number_that_the_card_may_not_have_is_refused_in_words(browser: Browser, console: FastAPI) -> None:
    """REQ-SIM-17, REQ-NUM-10."""
    number = in_use(console, numbers=1)
    clerk = browser(Role.CLERK)
    assert "card_serves_no_more" in clerk.post("/desk/second-numbers", data={"number": number, "card": CARD}).text
    assert "missing_field" in clerk.post("/desk/second-numbers", data={"card": CARD}).text
    assert "missing_field" in clerk.post("/desk/second-numbers", data={"number": number}).text
    assert "invalid_identifier" in clerk.post("/desk/second-numbers", data={"number": number, "card": "8986"}).text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "each of them needs an approval"), ("zh", "每个号码都须先经批准")]
)
def test_number_that_needs_an_approval_says_so_before_it_is_taken(browser: Browser, language: str, said: str) -> None:
    """REQ-NUM-10: nobody promises a customer a number that the desk would then be refused."""
    clerk = browser(Role.CLERK)
    clerk.get(f"/language/{language}")
    found = clerk.get("/desk/numbers", params={"q": "13888881111"}).text
    assert said in found
    assert "<button" not in found
    assert "<button" in clerk.get("/desk/numbers", params={"q": "13888881357"}).text
    refused = clerk.post("/desk/holds", data={"number": "13888881111", "iccid": CARD}).text
    assert said in refused
    assert "own_hall" not in refused


@pytest.mark.parametrize("typed", ["13%", "AA!", "1*x"])
def test_what_a_search_may_hold_is_said_in_chinese(browser: Browser, typed: str) -> None:
    clerk = browser(Role.CLERK)
    clerk.get("/language/zh")
    said = clerk.get("/desk/numbers", params={"q": typed}).text
    assert "应为" in said
    assert "digits" not in said


@pytest.mark.parametrize(("language", "said"), [("en", "for blanks with an ICCID."), ("zh", "适用于有 ICCID 的白卡")])
def test_which_blanks_the_card_data_serve_is_said_once_for_all_numbers(
    browser: Browser, language: str, said: str
) -> None:
    """REQ-RSV-17: and not of a finished card, which has its data."""
    clerk = browser(Role.CLERK)
    clerk.get(f"/language/{language}")
    found = clerk.get("/desk/numbers", params={"q": "6"}).text
    assert (found.count(said), found.count("<button") > 1) == (1, True)
    assert said not in clerk.get("/desk/numbers", params={"q": "6", "hlr": HLR}).text

"""The page of scrap and losses: what is owed, what was handed in, and the second person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.builders import PASSWORD
from tests.web.stock import SECOND, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
SPOILED = [VENDOR.card(36).iccid, VENDOR.card(37).iccid]


@pytest.fixture
def spoiled(browser: Browser) -> Browser:
    """Give a hall that owes two spoiled cards."""
    keeper = browser(Role.HALL_KEEPER)
    for card in SPOILED:
        form = {"to": "DAMAGED", "reason": "scratched"}
        assert keeper.post(f"/items/sim/{card}/release-status", data=form).status_code == 200
    return browser


def scrap(browser: Browser, *handed_in: str) -> dict[str, str]:
    """Give the form of the hall's scrap list."""
    del browser
    return {
        "resource": "sim", "place": "LI-P1", "items": "\n".join(SPOILED), "handed_in": "\n".join(handed_in),
        "person": "He", "reason": "end of the quarter",
    }  # fmt: skip


def test_account_of_spoiled_cards_leads_to_the_scrap_list(spoiled: Browser) -> None:
    """REQ-SIM-12: damaged cards stay on the holder's account."""
    city = spoiled(Role.CITY_ADMIN)
    assert 'href="/ends?way=scrap&amp;place=LI-P1">2<' in city.get("/ends").text
    page = city.get("/ends?way=scrap&place=LI-P1").text
    assert "\n".join(SPOILED) in page


def test_hand_in_that_differs_is_told_card_by_card(spoiled: Browser) -> None:
    city = spoiled(Role.CITY_ADMIN)
    answer = city.post("/ends/scrap", data=scrap(spoiled, SPOILED[0]))
    assert (answer.status_code, "on the list and not handed in" in answer.text) == (409, True)
    assert f"{SPOILED[1]}</span>" in answer.text


def test_cards_are_scrapped_by_two_and_leave_the_account(spoiled: Browser) -> None:
    """REQ-SIM-12: scrapped by two people with a counted hand-in."""
    city = spoiled(Role.CITY_ADMIN)
    waiting = city.post("/ends/scrap", data=scrap(spoiled, *SPOILED)).headers["location"]
    assert "Damaged → Scrapped" in city.get(waiting).text
    city.post(f"{waiting}/vouch", data={"staff_no": SECOND, "password": PASSWORD})
    done = city.post(f"{waiting}/do")
    assert "/documents/m-530700-" in done.text
    assert "Nobody owes a spoiled card." in city.get("/ends").text
    page = city.get(f"/items/sim/{SPOILED[0]}").text
    assert "Out of stock" in page
    assert "state set by a document" in page


def test_number_is_sealed_off_by_one_person(browser: Browser) -> None:
    form = {"resource": "number", "place": "LI-P1", "items": "13888880001-13888880010", "reason": "order 7"}
    answer = browser(Role.HALL_KEEPER).post("/ends/disable", data=form)
    assert (answer.status_code, "10 items" in answer.text) == (200, True)


def test_keeper_is_offered_what_it_may_do(browser: Browser) -> None:
    page = browser(Role.HALL_KEEPER).get("/ends").text
    assert "Declare lost" in page
    assert "Write off" not in page
    assert "permission_denied" in browser(Role.HALL_KEEPER).post("/ends/scrap", data={"items": "1", "reason": "x"}).text


def test_act_is_not_looked_at(browser: Browser) -> None:
    assert browser(Role.CITY_ADMIN).get("/ends/void").headers["location"] == "/ends?way=void"

"""Deliveries that are not as written, on their page: disputed, settled with the other side's word, taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
CARDS = [VENDOR.card(serial).iccid for serial in (1, 2, 3)]


@pytest.fixture
def delivery(browser: Browser) -> str:
    """Give the id of a recall of three cards from the clerk, on their way to the hall."""
    form = {
        "resource": "sim", "place": "LI-C1", "items": "\n".join(CARDS), "person": "He", "on_the_way": "yes"
    }  # fmt: skip
    answer = browser(Role.CLERK).post("/moves/recall", data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.text.split('href="/documents/')[1].split('"')[0])


def test_receiver_disputes_and_both_sides_settle(browser: Browser, delivery: str) -> None:
    keeper = browser(Role.HALL_KEEPER)
    form = {"items": CARDS[0], "person": "Mu", "reason": "not in the envelope"}
    assert keeper.post(f"/deliveries/{delivery}/dispute", data=form).status_code == 200
    page = keeper.get("/deliveries").text
    assert "In dispute." in page
    case = page.split("/settle")[0].rsplit("/deliveries/", 1)[1]
    waiting = keeper.post(f"/deliveries/{case}/settle", data={"outcome": "lost", "reason": "searched"})
    assert waiting.status_code == 303
    wait = waiting.headers["location"]
    assert "It is lost" in keeper.get(wait).text
    clerk = browser(Role.CLERK)
    assert clerk.post(f"{wait}/grant").status_code == 303
    done = browser(Role.HALL_KEEPER).post(f"{wait}/do")
    assert "/documents/m-530700-" in done.text
    assert "Lost" in browser(Role.HALL_KEEPER).get(f"/items/sim/{CARDS[0]}").text


def test_box_label_does_not_settle_the_whole_dispute(browser: Browser, delivery: str) -> None:
    keeper = browser(Role.HALL_KEEPER)
    keeper.post(f"/deliveries/{delivery}/dispute", data={"person": "Mu", "reason": "not in the envelope"})
    case = keeper.get("/deliveries").text.split("/settle")[0].rsplit("/deliveries/", 1)[1]

    form = {"items": "BOX:B1", "outcome": "back", "reason": "searched"}
    answer = keeper.post(f"/deliveries/{case}/settle", data=form)

    assert (answer.status_code, "not_found" in answer.text) == (404, True)


def test_settlement_says_how_it_ends(browser: Browser, delivery: str) -> None:
    answer = browser(Role.HALL_KEEPER).post(f"/deliveries/{delivery}/settle", data={"reason": "x"})
    assert (answer.status_code, "invalid_field" in answer.text) == (422, True)


def test_giver_takes_back_what_was_not_answered(browser: Browser, delivery: str) -> None:
    clerk = browser(Role.CLERK)
    assert "Take back what is not answered yet" in clerk.get("/deliveries").text
    assert "reason_missing" in clerk.post(f"/deliveries/{delivery}/withdraw").text
    answer = clerk.post(f"/deliveries/{delivery}/withdraw", data={"reason": "wrong cards"})
    assert (answer.status_code, "3 items" in answer.text) == (200, True)
    assert "Nothing is on its way." in clerk.get("/deliveries").text

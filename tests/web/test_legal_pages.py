"""Pages of legal holds: placed at the city, seen in the hall without its words, lifted by two."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.builders import FOUNDED, PASSWORD
from tests.web.stock import SECOND, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
CARD = VENDOR.card(36).iccid
ITEM = f"/items/sim/{CARD}"
TODAY = FOUNDED.date().isoformat()
ORDER = {
    "resource": "sim", "items": CARD, "authority": "Court of Lijiang", "reference": "No. 7", "reason": "inquiry",
    "given_on": TODAY,
}  # fmt: skip


@pytest.fixture
def order(browser: Browser) -> str:
    """Give the address of an order on a card of the hall."""
    page = browser(Role.CITY_ADMIN).post("/legal-holds", data=ORDER)
    assert (page.status_code, "on 1 items; 0 promises ended" in page.text) == (200, True)
    return "/legal-holds/l-530700-1"


def test_order_is_shown_with_its_items_and_lifted_by_two(browser: Browser, order: str) -> None:
    """REQ-LGL-01: the second person signs, and the card sells again."""
    city = browser(Role.CITY_ADMIN)
    page = city.get(order).text
    for words in ("Court of Lijiang", "No. 7", CARD, "In force", "Lift it"):
        assert words in page
    waiting = city.post(f"{order}/lift", data={"reason": "case closed"}).headers["location"]
    shown = city.get(waiting).text
    assert "Lift a legal hold" in shown
    assert "l-530700-1" in shown
    city.post(f"{waiting}/vouch", data={"staff_no": SECOND, "password": PASSWORD})
    done = city.post(f"{waiting}/do")
    assert order in done.text
    assert "Lifted" in city.get(order).text
    assert "An outside order" not in city.get(ITEM).text


def test_hall_sees_that_a_card_is_under_an_order_and_not_whose(browser: Browser, order: str) -> None:
    """REQ-LGL-01: a badge and a line of its life; no reference, no authority, no page."""
    hall = browser(Role.HALL_KEEPER)
    page = hall.get(ITEM).text
    assert "An outside order lies on it" in page
    assert "put under a legal hold" in page
    assert "No. 7" not in page
    assert "Court of Lijiang" not in page
    assert "Status release" not in page
    assert hall.get(order).status_code == 403
    listed = hall.get("/items/sim?legal_hold=yes").text
    assert listed.count(f"/items/sim/{VENDOR.card(36).iccid}") == listed.count('<th scope="row"') == 1
    refused = hall.post(f"{ITEM}/release-status", data={"to": "DAMAGED", "reason": "x"})
    assert (refused.status_code, "legal_hold" in refused.text) == (409, True)


def test_what_was_sent_wrongly_is_said_and_stays_in_the_form(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    for wrong in ({"given_on": "yesterday"}, {"review_on": TODAY}, {"items": ""}, {"items": "b-530700-1"}):
        page = city.post("/legal-holds", data=ORDER | wrong)
        assert (page.status_code, "invalid_field" in page.text, "No. 7" in page.text) == (422, True, True)


def test_auditor_reads_and_places_nothing(browser: Browser, order: str) -> None:
    auditor = browser(Role.AUDITOR)
    assert "Place an order" not in auditor.get("/legal-holds").text
    assert auditor.post("/legal-holds", data=ORDER).status_code == 403
    assert auditor.post(f"{order}/lift", data={"reason": "x"}).status_code == 403

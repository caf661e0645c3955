"""Stock that is taken in without a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.cli.demo.vendor import CARD_KIND
from inventory.domain.identifiers import luhn_digit
from tests.web.stock import HLR, SEGMENT, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
KEY = "0123456789abcdef0123"
BODIES = [f"898600999999999000{n}" for n in (7, 8, 9)]
CARDS = [f"{body}{luhn_digit(body)}" for body in BODIES]


def sent(browser: TestClient, path: str, **form: str) -> str:
    """Send a form that is taken, and return the page that it leads to."""
    answer = browser.post(path, data={"idempotency_key": KEY, **form})
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
    return browser.get(answer.headers["location"]).text


def cards_in_stock(browser: TestClient) -> list[str]:
    return [card for card in CARDS if browser.get(f"/items/sim/{card}").status_code == HTTPStatus.OK]


def test_a_range_of_cards_is_tried_and_then_taken_as_it_stands(browser: Browser) -> None:
    """REQ-SIM-01, REQ-SIM-02: without a file."""
    admin = browser(Role.CITY_ADMIN)
    form = {"kind": "card_list", "card_kind": CARD_KIND, "items": f"{CARDS[0]}-{CARDS[-1]}", "check_digit": "yes"}
    tried = sent(admin, "/loads/by-hand", **form, **{"try": "yes"})
    assert "3 rows are good, 0 are not." in tried
    assert cards_in_stock(admin) == []
    again = re.search(r'action="(/loads/b-[0-9-]+/again)"', tried)
    assert again is not None
    taken = sent(admin, "/loads/by-hand", **form | {"idempotency_key": KEY + "2"})
    assert "3 rows taken, 0 refused." in taken
    assert "By hand or scanner" in taken
    assert cards_in_stock(admin) == CARDS


def test_a_card_that_is_there_already_is_named_and_the_others_may_be_kept(browser: Browser) -> None:
    admin = browser(Role.CITY_ADMIN)
    form = {"kind": "card_list", "card_kind": CARD_KIND, "items": f"{VENDOR.card(1).iccid}\n{CARDS[0]}"}
    assert "is in stock already" in sent(admin, "/loads/by-hand", **form)
    assert cards_in_stock(admin) == []
    assert "1 rows taken, 1 refused." in sent(
        admin, "/loads/by-hand", **form | {"idempotency_key": KEY + "2", "keep_good": "yes"}
    )
    assert cards_in_stock(admin) == CARDS[:1]


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("/loads/by-hand", {"kind": "card_list", "items": ""}, "name at least one item"),
        ("/loads/by-hand", {"kind": "sim_vendor", "items": "x"}, "choose what"),
        ("/loads/by-hand", {"kind": "card_list", "items": f"{CARDS[0]}-{CARDS[-1]}"}, "a check digit"),
        ("/loads/by-hand", {"kind": "number_list", "items": "13800010009-13800010001"}, "the first comes before"),
        ("/loads/segments", {"kind": "mobile", "prefixes": "", "hlr": HLR, "carrier": "mobile"}, "at least one item"),
        ("/loads/segments", {"kind": "mobile", "prefixes": SEGMENT, "hlr": HLR, "carrier": "mobile"}, SEGMENT),
        ("/loads/segments", {"kind": "mobile", "prefixes": "1380001", "hlr": "none", "carrier": "mobile"}, "none"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_form_stays_filled(
    browser: Browser, path: str, form: dict[str, str], words: str
) -> None:
    answer = browser(Role.CITY_ADMIN).post(path, data={"idempotency_key": KEY, **form})
    assert answer.status_code in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_FOUND}
    assert words in answer.text
    assert form.get("items", form.get("prefixes", "")) in answer.text


def test_segments_named_as_a_range_bring_all_their_numbers(browser: Browser) -> None:
    """REQ-NUM-14: a segment of ten thousand numbers is taken as a whole."""
    admin = browser(Role.CITY_ADMIN)
    form = {"kind": "mobile", "prefixes": "1380001-1380002", "carrier": "mobile", "hlr": HLR, "pool": "hall"}
    assert "20,000 rows taken" in sent(admin, "/loads/segments", **form)
    assert admin.get("/items/number/13800020000").status_code == HTTPStatus.OK


def test_codes_that_come_by_list_are_owned_first(browser: Browser) -> None:
    """REQ-NUM-16: access codes come without a segment of ten thousand."""
    admin = browser(Role.CITY_ADMIN)
    form = {"kind": "access_code", "prefixes": "95500", "carrier": "mobile", "hlr": HLR}
    sent(admin, "/loads/segments", **form)
    numbers = {"kind": "number_list", "items": "95500", "idempotency_key": KEY + "2"}
    assert "1 rows taken, 0 refused." in sent(admin, "/loads/by-hand", **numbers)


def test_who_takes_nothing_in_sees_no_form(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    assert {clerk.get(path).status_code for path in ("/loads/by-hand", "/loads/segments")} == {HTTPStatus.FORBIDDEN}

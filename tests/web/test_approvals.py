"""Pages of approvals: asked for by sending a form, answered elsewhere or at the same screen, done with one press."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.builders import PASSWORD
from tests.web.stock import SECOND, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
CARD = VENDOR.card(36).iccid
ITEM = f"/items/sim/{CARD}"
SET_FREE = {"to": "AVAILABLE", "reason": "cleaned and tested"}


@pytest.fixture
def waiting(browser: Browser) -> str:
    """Give the address on which the city's admin waits for a second person's word on a damaged card of the hall."""
    city = browser(Role.CITY_ADMIN)
    assert city.post(f"{ITEM}/release-status", data={"to": "DAMAGED", "reason": "scratched"}).status_code == 200
    asked = city.post(f"{ITEM}/release-status", data=SET_FREE)
    assert asked.status_code == 303
    return str(asked.headers["location"])


def test_form_for_two_persons_leads_to_the_page_that_waits(browser: Browser, waiting: str) -> None:
    page = browser(Role.CITY_ADMIN).get(waiting).text
    for words in (CARD, "Damaged → Available", "cleaned and tested", "Waiting for a second person", "every 2s"):
        assert words in page


def test_the_same_form_sent_twice_asks_once(browser: Browser, waiting: str) -> None:
    del waiting
    city = browser(Role.CITY_ADMIN)
    form = SET_FREE | {"idempotency_key": "e" * 32}
    first, again = (city.post(f"{ITEM}/release-status", data=form).headers["location"] for _ in range(2))
    assert first == again


def test_second_person_answers_in_its_inbox_and_the_first_does_it(browser: Browser, waiting: str) -> None:
    keeper = browser(Role.HALL_KEEPER)
    assert waiting in keeper.get("/approvals").text
    assert "Alt G" in keeper.get(waiting).text
    assert keeper.post(f"{waiting}/grant").headers["location"] == "/approvals"
    city = browser(Role.CITY_ADMIN)
    assert city.get(f"{waiting}/state").headers["hx-redirect"] == waiting
    assert "Alt D" in city.get(waiting).text
    done = city.post(f"{waiting}/do")
    assert (done.status_code, f'href="{ITEM}"' in done.text) == (200, True)
    assert "Available" in city.get(ITEM).text


def test_refusal_is_read_with_its_reason(browser: Browser, waiting: str) -> None:
    keeper = browser(Role.HALL_KEEPER)
    assert "reason_missing" in keeper.post(f"{waiting}/refuse").text
    assert keeper.post(f"{waiting}/refuse", data={"reason": "not tested"}).status_code == 303
    assert "not tested" in browser(Role.CITY_ADMIN).get(waiting).text


def test_second_person_signs_at_the_screen_of_the_first(browser: Browser, waiting: str) -> None:
    city = browser(Role.CITY_ADMIN)
    signed = city.post(f"{waiting}/vouch", data={"staff_no": SECOND, "password": PASSWORD})
    assert (signed.status_code, signed.headers["location"]) == (303, waiting)
    assert "set-cookie" not in signed.headers
    assert f"Granted by {SECOND}" in city.get(waiting).text
    assert "WEB1" in city.get("/stock").text  # still the first one's session


def test_own_password_is_no_second_person(browser: Browser, waiting: str) -> None:
    answer = browser(Role.CITY_ADMIN).post(f"{waiting}/vouch", data={"staff_no": "WEB1", "password": PASSWORD})
    assert (answer.status_code, "same_person" in answer.text) == (403, True)


def test_wrong_password_is_counted_and_shown_nowhere(
    browser: Browser, waiting: str, console: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    city, failures = browser(Role.CITY_ADMIN), console.state.runtime.settings.sign_in_failures
    with caplog.at_level(logging.DEBUG):
        for _ in range(failures):
            wrong = city.post(f"{waiting}/vouch", data={"staff_no": SECOND, "password": "hunter2 hunter2"})
            assert (wrong.status_code, "bad_credentials" in wrong.text) == (401, True)
            assert "hunter2" not in wrong.text
        late = city.post(f"{waiting}/vouch", data={"staff_no": SECOND, "password": PASSWORD})
    assert "too_many_sign_ins" in late.text
    assert "hunter2" not in caplog.text
    assert "Waiting for a second person" in city.get(waiting).text


def test_person_without_the_right_is_let_give_no_word(browser: Browser, waiting: str) -> None:
    answer = browser(Role.CITY_ADMIN).post(f"{waiting}/vouch", data={"staff_no": "WEB3", "password": PASSWORD})
    assert (answer.status_code, "permission_denied" in answer.text) == (403, True)


def test_first_takes_the_question_back(browser: Browser, waiting: str) -> None:
    city = browser(Role.CITY_ADMIN)
    assert city.post(f"{waiting}/withdraw").headers["location"] == waiting
    assert "Withdrawn" in city.get(waiting).text


def test_nothing_is_done_that_was_not_granted(browser: Browser, waiting: str) -> None:
    answer = browser(Role.CITY_ADMIN).post(f"{waiting}/do")
    assert (answer.status_code, "approval_not_granted" in answer.text) == (409, True)


def test_act_is_not_looked_at(browser: Browser, waiting: str) -> None:
    city = browser(Role.CITY_ADMIN)
    assert city.get(f"{waiting}/grant").headers["location"] == waiting
    assert city.get(f"{waiting}/state").status_code == 204


def test_stranger_sees_no_approval(browser: Browser, waiting: str) -> None:
    clerk = browser(Role.CLERK)
    assert clerk.get(waiting).status_code == 404
    assert waiting not in clerk.get("/approvals").text


def test_list_goes_along_as_a_file_for_whoever_asked_and_whoever_answers(browser: Browser, waiting: str) -> None:
    """In words, with what each act is about and nothing secret of it."""
    for role, mine in ((Role.CITY_ADMIN, "1"), (Role.HALL_KEEPER, "0")):
        person = browser(role)
        assert 'href="/approvals?&amp;format=csv"' in person.get("/approvals").text
        heads, row = csv.reader(person.get("/approvals?format=csv").content.decode("utf-8-sig").splitlines())
        told = dict(zip(heads, row, strict=True))
        assert waiting == f"/approvals/{told['Approval']}"
        assert (told["What is done"], told["Asked by me"]) == ("Set a state by hand", mine)
        assert (told["Quantity"], told["Reason"]) == ("1", "cleaned and tested")

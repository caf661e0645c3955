"""Pages when the hall has closed: what was begun is finished for a while, nothing is begun (REQ-IF-06, REQ-IF-11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.domain.calendar import SHANGHAI
from tests.builders import FOUNDED, Operator
from tests.web.conftest import Stocked
from tests.web.test_kiosk_pages import Hall

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
_WINDOW = """
INSERT INTO working_window (city_id, interface_no, weekdays, opens, closes, on_holidays, reading_outside)
VALUES (%s, %s, 127, '00:00', %s, true, %s)
"""
BEGIN = ("holds", "replacements", "second-numbers", "holds/{hold}/extend", "holds/{hold}/write", "holds/{hold}/swap")
FINISH = ("holds/{hold}/confirm", "holds/{hold}/release")


@pytest.fixture
def hall(console: FastAPI, stocked: Stocked) -> Hall:
    """Give the hall with a dispenser, open all day."""
    return Hall(console, stocked.operator)


def closed_for(hall: Hall, operator: Operator, minutes: int, *, reading: bool = True) -> None:
    """Let the hall have closed so many minutes ago."""
    closes = (FOUNDED - timedelta(minutes=minutes)).astimezone(SHANGHAI).time()
    with psycopg.connect(hall.url) as connection:
        connection.execute("DELETE FROM working_window")
        connection.execute(_WINDOW, (operator.city_id, operator.hall, closes, reading))


@pytest.mark.parametrize(("minutes", "finishes"), [(10, True), (31, False)])
def test_clerk_ends_at_the_desk_what_was_begun_and_begins_nothing(
    browser: Browser, hall: Hall, stocked: Stocked, minutes: int, *, finishes: bool
) -> None:
    """REQ-IF-11: half an hour."""
    clerk = browser(Role.CLERK)
    number = "13888880135"
    assert clerk.post("/desk/holds", data={"number": number}).status_code == 200
    hold = f"h-530700-{hall.one('SELECT max(hold_id) FROM hold')}"
    closed_for(hall, stocked.operator, minutes)
    for path in BEGIN:
        answer = clerk.post("/desk/" + path.format(hold=hold), data={"number": number})
        assert "outside the working hours" in answer.text.lower(), path
    for path in FINISH:
        refused = "outside the working hours" in clerk.post("/desk/" + path.format(hold=hold)).text.lower()
        assert refused is not finishes, path
    assert hall.one("SELECT state FROM hold ORDER BY hold_id DESC LIMIT 1") == ("RELEASED" if finishes else "ACTIVE")


def test_machine_goes_on_with_its_customer_and_tells_the_next_one_when_it_opens(
    browser: Browser, hall: Hall, stocked: Stocked
) -> None:
    """REQ-IF-11."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hold = hall.choose(kiosk)
    closed_for(hall, stocked.operator, 10)
    version = kiosk.get("/kiosk").text.partition('name="version" value="')[2].partition('"')[0]
    assert kiosk.post(f"/kiosk/{hold}/accept", data={"version": version}).status_code == 303
    assert hall.one("SELECT accepted FROM kiosk_sale") == int(version)
    assert kiosk.post(f"/kiosk/{hold}/leave").status_code == 303
    page = kiosk.get("/kiosk").text
    assert ("This machine serves nobody at this hour." in page, 'name="number"' in page) == (True, False)
    opens = (FOUNDED.astimezone(SHANGHAI) + timedelta(days=1)).strftime("%m-%d 00:00")
    assert f"It serves again from {opens}." in page
    assert kiosk.post("/kiosk/number", data={"number": "13888880001"}).status_code == 403


@pytest.mark.parametrize("path", ["/kiosk", "/kiosk/panel", "/kiosk/again"])
def test_machine_that_may_not_even_look_keeps_asking_until_it_opens(
    browser: Browser, hall: Hall, stocked: Stocked, path: str
) -> None:
    """Nobody stands there who would load the page again in the morning."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hall.choose(kiosk)
    closed_for(hall, stocked.operator, 10, reading=False)
    part = {"HX-Request": "true"} if path == "/kiosk/panel" else {}
    shut = kiosk.get(path, headers=part)
    assert (shut.status_code, 'hx-get="/kiosk/panel"' in shut.text, "every 10s" in shut.text) == (403, True, True)
    assert "<nav" not in shut.text.replace('<nav aria-label="Language"', "")
    with psycopg.connect(hall.url) as connection:
        connection.execute("DELETE FROM working_window")
    assert "I agree" in kiosk.get("/kiosk/panel", headers={"HX-Request": "true"}).text


def test_refusal_of_an_act_goes_above_the_parts_and_leaves_them(browser: Browser, hall: Hall, stocked: Stocked) -> None:
    """A look has no part of its own to lose: what it is answered stands where it looked."""
    clerk = browser(Role.CLERK)
    closed_for(hall, stocked.operator, 31, reading=False)
    part = {"HX-Request": "true"}
    asked = clerk.post("/desk/holds", data={"number": "13888880135"}, headers=part)
    assert (asked.headers["HX-Retarget"], "outside the working hours" in asked.text.lower()) == ("#refused", True)
    assert "HX-Retarget" not in clerk.get("/desk/reader", headers=part).headers
    assert "HX-Retarget" not in clerk.post("/desk/holds", data={"number": "13888880135"}).headers

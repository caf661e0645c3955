"""Sales that wait for the network stand on a page, with how long, and are rolled back there."""

from __future__ import annotations

import re
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
TICK = {"sees_to_card": "yes"}


def connected(console: FastAPI) -> psycopg.Connection:
    """Give a connection to the database of the console."""
    return psycopg.connect(console.state.runtime.settings.sqlalchemy_url().replace("+psycopg", ""))


def let_the_city_wait(console: FastAPI) -> str:
    """Let the clerk's first card be a finished one in a city that waits for the network; give a free number."""
    with connected(console) as connection:
        connection.execute(
            """INSERT INTO city_policy (city_id, name, value, changed_at, changed_by)
               SELECT DISTINCT city_id, 'completion', 'by_network', now(), 'T' FROM organisation"""
        )
        connection.execute("UPDATE sim SET hlr_code = %s WHERE iccid = %s", (HLR, CARD))
        connection.execute(
            """INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
               SELECT city_id, item_no, 1, 'USIM', '460001234567890', %s, 'VERIFIED', 'sent'
               FROM sim WHERE iccid = %s""",
            (HLR, CARD),
        )
        row = connection.execute(
            """SELECT number FROM number n JOIN organisation o ON o.id = n.holder_id
               WHERE n.state = 'UNUSED' AND o.code = 'LI-P1' ORDER BY cls DESC, item_no LIMIT 1"""
        ).fetchone()
    assert row is not None
    return str(row[0])


def sell(clerk: TestClient, number: str) -> str:
    """Hold the number with the card at the desk and sell both; give the hold."""
    held = clerk.post("/desk/holds", data={"number": number, "iccid": CARD})
    hold = re.findall(r"h-[0-9]+-[0-9]+", held.headers["HX-Push-Url"])[0]
    form = {"accepted": "1", "checked": "yes", "channel": "manual"}
    sold = clerk.post(f"/desk/holds/{hold}/confirm", data=form).text
    assert "comes into service when the network has confirmed" in sold
    assert 'href="/waiting"' in sold
    return str(hold)


def test_clerk_rolls_its_own_sale_back_and_goes_on_at_the_desk(browser: Browser, console: FastAPI) -> None:
    """REQ-NUM-10, REQ-AUC-01: it says that it sees to the card; the kit is given back once the network has let go."""
    number = let_the_city_wait(console)
    clerk = browser(Role.CLERK)
    assert "Nothing waits for the network." in clerk.get("/waiting").text
    hold = sell(clerk, number)
    page = clerk.get("/waiting").text
    for words in (number, CARD, "0 minutes", "The network has not answered yet.", "Roll back the sale of"):
        assert words in page
    assert "It waits for the network." in clerk.get(f"/items/number/{number}").text
    assert "missing_field" in clerk.post(f"/waiting/{hold}/roll-back", data={}).text
    done = clerk.post(f"/waiting/{hold}/roll-back", data=TICK)
    assert (done.status_code, done.headers["location"]) == (303, "/desk?hold=h-530700-2")
    desk = clerk.get("/desk?hold=h-530700-2").text
    assert "may still know the card" in desk
    assert "Confirm the sale" in desk
    assert "Take the card in the reader" in desk
    other = clerk.post("/desk/holds/h-530700-2/swap", data={"iccid": VENDOR.card(2).iccid}).text
    assert (VENDOR.card(2).iccid in other, "Write the card" in other) == (True, True)
    assert "a fresh kit has number and card" in clerk.get(f"/desk?hold={hold}").text
    assert "network_has_identity" in clerk.post("/desk/holds/h-530700-2/release", data={}).text
    kept = clerk.get("/waiting").text
    for words in ("still known to the network", "Go on at the desk", "Have the identity deleted in the network"):
        assert words in kept
    assert "back from the customer: the sale was rolled back" in clerk.get(f"/items/number/{number}").text
    assert "line_not_waiting" in clerk.post(f"/waiting/{hold}/roll-back", data=TICK).text
    with connected(console) as connection:
        connection.execute("UPDATE sim_identity SET auc = 'deleted'")
    assert "number and card are free again" in clerk.post("/desk/holds/h-530700-2/release", data={}).text
    assert "still known to the network" not in clerk.get("/waiting").text


def test_superiors_see_their_part_and_say_why(browser: Browser, console: FastAPI) -> None:
    """REQ-RSV-07, REQ-IF-04: the city too, which sells nothing itself; an auditor sees it without a form."""
    hold = sell(browser(Role.CLERK), let_the_city_wait(console))
    assert "Roll the sale back" not in browser(Role.AUDITOR).get("/waiting").text
    assert CARD in browser(Role.AUDITOR).get("/waiting").text
    city = browser(Role.CITY_ADMIN, "zh")
    assert "实占回滚" in city.get("/waiting").text
    assert 'href="/waiting"' in city.get("/network").text
    refused = city.post(f"/waiting/{hold}/roll-back", data=TICK)
    assert (refused.status_code, "reason_missing" in refused.text) == (422, True)
    done = city.post(f"/waiting/{hold}/roll-back", data=TICK | {"reason": "客户已离开"})
    assert done.headers["location"] == "/waiting?back=h-530700-2"
    assert "现由 h-530700-2 占住" in city.get(done.headers["location"]).text
    assert city.get(f"/waiting/{hold}/roll-back").headers["location"] == "/waiting"


def test_a_sale_under_an_outside_order_is_not_offered(browser: Browser, console: FastAPI) -> None:
    """REQ-LGL-01."""
    hold = sell(browser(Role.CLERK), let_the_city_wait(console))
    with connected(console) as connection:
        connection.execute("UPDATE number SET legal_hold = true WHERE state = 'COMPLETING'")
    clerk = browser(Role.CLERK)
    page = clerk.get("/waiting").text
    assert "An outside order lies on number or card" in page
    assert "Roll the sale back" not in page
    assert "legal_hold" in clerk.post(f"/waiting/{hold}/roll-back", data=TICK).text


def test_a_long_wait_is_told_in_hours_and_days(browser: Browser, console: FastAPI) -> None:
    hold = sell(browser(Role.CLERK), let_the_city_wait(console))
    for span, shown in (("5 hours", "5 hours"), ("75 hours", "3 days")):
        with connected(console) as connection:
            connection.execute(f"UPDATE hold SET closed_at = created_at - interval '{span}'")
        assert shown in browser(Role.CLERK).get("/waiting").text
    assert hold

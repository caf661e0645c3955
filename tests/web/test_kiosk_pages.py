"""A self-service machine's screen and session: what it says when it cannot serve, and what cannot be done from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.cli.demo.vendor import CARD_KIND
from inventory.web.deps import LANGUAGE_COOKIE, SESSION_COOKIE
from inventory.web.routes import ROUTERS
from tests.builders import FOUNDED, PASSWORD, Operator
from tests.web.conftest import Stocked
from tests.web.stock import VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
READER = "crt"
READY: dict[str, Any] = {
    "card": "nowhere", "stacker": "enough", "bin_full": False, "in_bin": 0, "stop": None, "moved": None,
}  # fmt: skip
_STATION = """
INSERT INTO station (city_id, org_id, name, credential_sha256, enrolled_at, online_since, last_seen_at, link_id)
VALUES (%(city)s, %(org)s, 'crt-1', '', %(now)s, %(now)s, %(now)s, 'link') RETURNING station_id
"""
_READER = """
INSERT INTO station_reader (city_id, station_id, name, state, insertion, seen_at, dispenser)
VALUES (%(city)s, %(station)s, %(reader)s, 'no_card', 0, %(now)s, %(stands)s)
"""


class Hall:
    """A dispenser in the hall, as its station told of it, and the database that knows it."""

    def __init__(self, console: FastAPI, operator: Operator) -> None:
        self.url = console.state.runtime.settings.sqlalchemy_url().replace("+psycopg", "")
        place = {"city": operator.city_id, "org": operator.point, "now": FOUNDED}
        with psycopg.connect(self.url) as connection:
            row = connection.execute(_STATION, place).fetchone()
            assert row is not None
            seen = {"station": row[0], "reader": READER, "stands": Jsonb(READY)}
            connection.execute(_READER, place | seen)
        self.reader = f"st-{operator.city_id}-{row[0]}|{READER}"

    def stands(self, **so: Any) -> None:
        """Let the station tell how the dispenser stands."""
        self.do("UPDATE station_reader SET dispenser = %s", Jsonb(READY | so))

    def do(self, statement: str, *given: Any) -> None:
        """Change the database."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, given)

    def one(self, question: str, *given: Any) -> Any:
        """Give what the database answers."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(question, given).fetchone()
        assert row is not None
        return row[0]

    def open(self, browser: TestClient) -> TestClient:
        """Make the signed-in keeper's browser the machine's screen."""
        answer = browser.post("/kiosks/open", data={"reader": self.reader, "card_kind": CARD_KIND})
        assert (answer.status_code, answer.headers["location"]) == (303, "/kiosk")
        return browser

    def choose(self, kiosk: TestClient) -> str:
        """Touch the first number that is shown; give the hold."""
        number = kiosk.get("/kiosk").text.partition('name="number" value="')[2][:11]
        answer = kiosk.post("/kiosk/number", data={"number": number})
        assert answer.status_code == 303, answer.text[-3000:]
        return f"h-530700-{self.one('SELECT hold_id FROM kiosk_sale ORDER BY hold_id DESC LIMIT 1')}"


@pytest.fixture
def hall(console: FastAPI, stocked: Stocked) -> Hall:
    """Give a dispenser in the hall that is ready to serve."""
    return Hall(console, stocked.operator)


@pytest.mark.parametrize(
    ("language", "words", "list_says"),
    [("en", "This machine has run out of cards.", "none left"), ("zh-CN", "卡已用完", "已用完")],
)
def test_machine_without_cards_says_so_sells_nothing_and_its_keeper_is_told(
    browser: Browser, hall: Hall, language: str, words: str, list_says: str
) -> None:
    keeper = browser(Role.HALL_KEEPER, language)
    hall.stands(stacker="empty", stop="stacker_empty")
    listed = keeper.get("/kiosks").text
    kiosk = hall.open(keeper)
    page = kiosk.get("/kiosk").text
    assert words in page
    assert "/kiosk/number" not in page
    refused = kiosk.post("/kiosk/number", data={"number": "13888880001"})
    assert (refused.status_code, words in refused.text) == (409, True)
    assert hall.one("SELECT count(*) FROM kiosk_sale") == 0
    assert hall.one("SELECT count(*) FROM hold") == 0
    assert list_says in listed


@pytest.mark.parametrize(
    ("stands", "words"),
    [
        ({"bin_full": True}, "This machine must be emptied first."),
        ({"card": "contacts"}, "A card is still inside this machine."),
        ({"card": "gate"}, "A card is still in the slot."),
        ({"stop": "card_jam"}, "A card is stuck in this machine."),
        ({"card": None, "stacker": None, "bin_full": None}, "does not answer"),
    ],
)
def test_machine_that_must_be_seen_to_says_why(
    browser: Browser, hall: Hall, stands: dict[str, Any], words: str
) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    assert "Choose your number" in kiosk.get("/kiosk").text.split("<main")[1]
    hall.stands(**stands)
    assert words in kiosk.get("/kiosk").text
    hall.do("UPDATE station SET online_since = NULL")
    assert "This machine is not connected." in kiosk.get("/kiosk").text


def test_machine_shows_no_number_that_needs_an_approval(browser: Browser, hall: Hall) -> None:
    """A customer who touches a number gets it, or somebody else was quicker; nobody stands by to explain a refusal."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    assert 'name="number"' in kiosk.get("/kiosk", params={"q": "0135"}).text
    dear = kiosk.get("/kiosk", params={"q": "0000"}).text
    assert ('name="number"' in dear, "No free number ends so." in dear) == (False, True)
    refused = kiosk.post("/kiosk/number", data={"number": "13888880000"})
    assert (refused.status_code, "sale_channel_refused" in refused.text) == (403, False)
    assert hall.one("SELECT count(*) FROM hold") == 0


def test_customer_asks_for_other_numbers_where_there_are_more(browser: Browser, hall: Hall) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    some = kiosk.get("/kiosk", params={"q": "1"}).text
    assert ('href="/kiosk?q=1">Other numbers</a>' in some, some.count('name="number"')) == (True, 9)
    seen = {kiosk.get("/kiosk", params={"q": "1"}).text.partition('name="number" value="')[2][:11] for _ in range(12)}
    assert len(seen) > 1
    assert "Other numbers" not in kiosk.get("/kiosk", params={"q": "0135"}).text


def test_machines_session_opens_nothing_but_the_machine(browser: Browser, hall: Hall) -> None:
    """REQ-IF-04: whoever stands there cannot leave the screen with the keeper's right, by page, form or API."""
    keeper = browser(Role.HALL_KEEPER)
    before = keeper.cookies[SESSION_COOKIE]
    kiosk = hall.open(keeper)
    assert kiosk.cookies[SESSION_COOKIE] != before
    own = {"/kiosk", "/kiosk/panel", "/kiosk/again", "/sign-in"}
    let_in = set()
    for route in (one for router in ROUTERS for one in router.routes if isinstance(one, APIRoute)):
        path = route.path.replace("{language}", "en").replace("{", "").replace("}", "")
        for method in sorted(route.methods or ()):
            if path in own or path.startswith(("/kiosk/", "/language/")) or path in {"/sign-in", "/sign-out"}:
                continue
            answer = kiosk.request(method, path, data={} if method == "POST" else None)
            if answer.status_code not in {403, 404, 405, 422}:
                let_in.add((method, path, answer.status_code))
    assert let_in == set()
    assert kiosk.get("/v1/me").status_code in {401, 403, 404}
    assert kiosk.get("/v1/kiosk-sales").status_code == 401
    kiosk.cookies.clear()
    kiosk.cookies.set(SESSION_COOKIE, before)
    assert kiosk.get("/kiosks").headers["location"].startswith("/sign-in")


def test_machine_stays_open_for_weeks(browser: Browser, hall: Hall) -> None:
    """Its keeper's own sign-in ends in the evening; nobody opens a machine anew each day."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    lasts = "SELECT expires_at - %s::timestamptz FROM sign_in_session WHERE role = 'kiosk'"
    assert hall.one(lasts, FOUNDED) == timedelta(days=30)
    (cookie,) = (one for one in kiosk.cookies.jar if one.name == SESSION_COOKIE)
    assert (cookie.expires or 0) - time.time() > timedelta(days=29).total_seconds()


def test_machine_that_is_signed_out_asks_for_a_person(browser: Browser, hall: Hall) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    kiosk.post("/sign-out")
    for path in ("/kiosk", "/kiosks", "/desk"):
        assert kiosk.get(path).headers["location"].startswith("/sign-in")


def test_clerk_opens_no_machine(browser: Browser, hall: Hall) -> None:
    clerk = browser(Role.CLERK)
    assert clerk.post("/kiosks/open", data={"reader": hall.reader, "card_kind": CARD_KIND}).status_code == 403
    assert hall.one("SELECT kiosk_kind FROM station_reader") is None


def vouch(kiosk: TestClient, stocked: Stocked, hold: str, role: Role, password: str = PASSWORD) -> Any:
    person = stocked.people[role]
    form = {"interface_no": person.interface_no, "staff_no": person.staff_no, "password": password}
    return kiosk.post(f"/kiosk/{hold}/check", data=form)


def test_clerk_at_the_screen_says_with_its_own_password_that_the_customer_was_checked(
    browser: Browser, hall: Hall, stocked: Stocked
) -> None:
    """REQ-CMP-06, REQ-IF-04: one word for one customer; the machine's session stays what it is."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hold = hall.choose(kiosk)
    kiosk.post(f"/kiosk/{hold}/accept", data={"version": "1"})
    checked = "SELECT real_name ->> 'channel' FROM kiosk_sale"
    for role, password, code in (
        (Role.CLERK, "wrong horse", "bad_credentials"),
        (Role.AUDITOR, PASSWORD, "permission_denied"),
    ):
        refused = vouch(kiosk, stocked, hold, role, password)
        assert (refused.status_code in {401, 403}, hall.one(checked)) == (True, None), code
        assert password not in refused.text
    assert vouch(kiosk, stocked, hold, Role.CLERK).status_code == 303
    assert hall.one(checked) == "manual"
    assert hall.one("SELECT staff_no FROM event WHERE name = 'kiosk.checked'") == stocked.people[Role.CLERK].staff_no
    assert kiosk.get("/desk").status_code == 403
    assert PASSWORD not in kiosk.get("/kiosk").text


def test_clerk_of_another_hall_speaks_for_nobody_at_this_machine(
    browser: Browser, hall: Hall, stocked: Stocked
) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hold = hall.choose(kiosk)
    person = stocked.people[Role.CLERK]
    hall.do("UPDATE staff SET org_id = %s WHERE staff_no = %s", stocked.operator.other_point, person.staff_no)
    assert vouch(kiosk, stocked, hold, Role.CLERK).status_code == 404
    assert hall.one("SELECT real_name FROM kiosk_sale") is None


def test_who_guesses_a_clerks_password_at_the_screen_must_wait(browser: Browser, hall: Hall, stocked: Stocked) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hold = hall.choose(kiosk)
    tried = [vouch(kiosk, stocked, hold, Role.CLERK, f"guess {place}").status_code for place in range(12)]
    assert (tried[0], tried[-1]) == (401, 429)
    assert vouch(kiosk, stocked, hold, Role.CLERK).status_code == 429
    assert hall.one("SELECT real_name FROM kiosk_sale") is None


def test_screen_that_nobody_touches_begins_anew_in_the_machines_own_language(browser: Browser, hall: Hall) -> None:
    """The page asks every 45 seconds while nothing is chosen, each second while a customer stands there."""
    kiosk = hall.open(browser(Role.HALL_KEEPER, "zh-CN"))
    kiosk.cookies.set(LANGUAGE_COOKIE, "en")
    typed = kiosk.get("/kiosk", params={"q": "88"}).text
    assert 'hx-trigger="every 45s"' in typed
    assert "… 88" in typed
    idle = kiosk.get("/kiosk/panel", headers={"HX-Request": "true"})
    assert (idle.headers["hx-redirect"], idle.text) == ("/kiosk/again", "")
    again = kiosk.get("/kiosk/again")
    assert (again.headers["location"], LANGUAGE_COOKIE in again.headers["set-cookie"]) == ("/kiosk", True)
    hold = hall.choose(kiosk)
    assert 'hx-trigger="every 1s"' in kiosk.get("/kiosk").text
    hall.do("UPDATE kiosk_sale SET state = 'left'")
    assert kiosk.get("/kiosk/panel").headers["hx-redirect"] == "/kiosk/again"
    assert hold not in kiosk.get("/kiosk").text


def test_machine_that_is_closed_shows_its_present_customer_what_it_does(browser: Browser, hall: Hall) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hall.choose(kiosk)
    hall.do("UPDATE station_reader SET kiosk_kind = NULL")
    assert "I agree" in kiosk.get("/kiosk").text
    hall.do("UPDATE kiosk_sale SET state = 'left'")
    assert "This machine is closed." in kiosk.get("/kiosk").text
    refused = kiosk.post("/kiosk/number", data={"number": "13888880001"})
    assert (refused.status_code, hall.one("SELECT count(*) FROM hold WHERE state = 'ACTIVE'")) == (409, 1)


def sold(hall: Hall, kiosk: TestClient, state: str) -> str:
    """Bring the sale to this state with a card of the stock in its kit; give its number."""
    hold = hall.choose(kiosk)
    hall.do(
        "UPDATE hold SET sim_item_no = (SELECT item_no FROM sim WHERE iccid = %s) WHERE hold_id = %s",
        VENDOR.card(5).iccid, int(hold.rsplit("-", 1)[1]),
    )  # fmt: skip
    hall.do(
        "UPDATE kiosk_sale SET state = %s, accepted = 1, cards = 1, movement = 'hand_out', movement_no = 2,"
        " shown_until = %s::timestamptz + interval '60 s'",
        state, FOUNDED,
    )  # fmt: skip
    return str(hall.one("SELECT number FROM number WHERE hold_id IS NOT NULL"))


def test_slip_bears_number_end_of_card_and_document_and_no_code_or_key(browser: Browser, hall: Hall) -> None:
    """REQ-HW-10: PIN, PUK and keys of this card and of all others stay away from the screen and its paper."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    number = sold(hall, kiosk, "done")
    page = kiosk.get("/kiosk").text
    slip = page.partition("<dl")[2].partition("</dl>")[0]
    card = VENDOR.card(5)
    assert (number in slip, f">{card.iccid[-6:]}<" in slip, "h-530700-" in slip) == (True, True, True)
    assert "data-print" in page
    assert card.iccid not in page
    for other in map(VENDOR.card, range(1, 41)):
        codes = (other.puk1, other.puk2, other.adm1.decode(), other.k.hex(), other.opc.hex())
        assert not [code for code in codes if code in page]


def test_customer_whose_line_waits_for_the_network_is_told_so(browser: Browser, hall: Hall) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    sold(hall, kiosk, "done")
    assert "Your line is ready to be used." in kiosk.get("/kiosk").text
    hall.do("UPDATE number SET state = 'COMPLETING' WHERE hold_id IS NOT NULL")
    page = kiosk.get("/kiosk").text
    assert ("when the network has taken it up" in page, "ready to be used" in page) == (True, False)


def test_card_that_nobody_takes_shows_no_stranger_whose_it_is(browser: Browser, hall: Hall) -> None:
    """At first the customer stands there; two minutes later it is somebody else."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    number = sold(hall, kiosk, "sold")
    hall.stands(card="gate", stop="handed_out")
    page = kiosk.get("/kiosk").text
    assert ("Take your card." in page, number in page) == (True, True)
    hall.do("UPDATE kiosk_sale SET moved_at = moved_at - interval '2 min'")
    page = kiosk.get("/kiosk").text
    assert "A card is still in the slot. If it is yours, take it." in page
    assert (number in page, "h-530700-" in page, VENDOR.card(5).iccid[-6:] in page) == (False, False, False)


def test_card_that_was_drawn_in_is_given_by_the_keeper_who_finds_it_by_its_number(browser: Browser, hall: Hall) -> None:
    """REQ-HW-11: the screen sends to the staff and tells no stranger the number."""
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    number = sold(hall, kiosk, "taken_back")
    page = kiosk.get("/kiosk").text
    assert ("the machine keeps it" in page, "show your identity document" in page, number in page) == (
        True,
        True,
        False,
    )
    keeper = browser(Role.HALL_KEEPER)
    listed = keeper.get("/kiosks").text
    card = VENDOR.card(5).iccid
    assert ("Cards to be given to their customers" in listed, number in listed, card in listed) == (True, True, True)
    hold = f"h-530700-{hall.one('SELECT hold_id FROM kiosk_sale')}"
    assert keeper.post(f"/kiosks/{hold}/give").status_code == 303
    assert "Cards to be given" not in keeper.get("/kiosks").text
    assert hall.one("SELECT state FROM kiosk_sale") == "done"
    hall.do("UPDATE kiosk_sale SET state = 'stopped'")
    refused = keeper.post(f"/kiosks/{hold}/give")
    assert (refused.status_code, hold in refused.text) == (410, True)


def test_customer_is_told_while_the_machine_is_cut_off(browser: Browser, hall: Hall) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    hall.choose(kiosk)
    cut_off = "This machine is not connected just now."
    assert cut_off not in kiosk.get("/kiosk").text
    hall.do("UPDATE station SET online_since = NULL")
    page = kiosk.get("/kiosk").text
    assert (cut_off in page, "I agree" in page) == (True, True)


def test_customer_is_told_when_the_card_is_drawn_in(browser: Browser, hall: Hall) -> None:
    kiosk = hall.open(browser(Role.HALL_KEEPER))
    sold(hall, kiosk, "sold")
    hall.stands(card="gate", stop="handed_out")
    assert "The machine draws it in again in 120 seconds." in kiosk.get("/kiosk").text

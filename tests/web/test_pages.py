"""What each person is let into, and how a page refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.conftest import Stocked
from tests.web.stock import SEGMENT, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
NUMBER = f"/items/number/{SEGMENT}0001"
CARD = f"/items/sim/{VENDOR.card(1).iccid}"


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.AUDITOR, "/stock", 200),
        (Role.AUDITOR, NUMBER, 200),
        (Role.AUDITOR, "/desk", 403),
        (Role.AUDITOR, "/desk/reader", 403),
        (Role.AUDITOR, "/moves", 403),
        (Role.CLERK, "/desk", 200),
        (Role.CLERK, "/stock", 200),
        (Role.CLERK, "/moves", 200),
        (Role.CLERK, CARD, 200),
        (Role.CLERK, NUMBER, 200),
        (Role.CITY_ADMIN, "/moves", 200),
        (Role.INTERFACE_ADMIN, "/stock", 403),
    ],
)
def test_a_page_opens_to_whom_it_is_for(browser: Browser, role: Role, path: str, status: int) -> None:
    """REQ-IF-04: who may not is refused, in words."""
    answer = browser(role).get(path)
    assert answer.status_code == status
    assert ("permission_denied" in answer.text) is (status == 403)


def test_auditor_sees_no_form_that_changes_something(browser: Browser) -> None:
    page = browser(Role.AUDITOR).get(NUMBER).text
    assert 'action="/items/number' not in page
    assert "Life" in page


@pytest.mark.parametrize("act", ["release-status", "recall", "fee"])
def test_auditor_changes_nothing_even_without_a_form(browser: Browser, act: str) -> None:
    answer = browser(Role.AUDITOR).post(f"{NUMBER}/{act}", data={"to": "DISABLED", "reason": "x"})
    assert answer.status_code == 403
    assert "UNUSED" not in answer.text
    assert "Unused" in browser(Role.AUDITOR).get(NUMBER).text


def test_clerk_sees_the_numbers_of_its_hall_but_hands_none_of_them_on(browser: Browser) -> None:
    page = browser(Role.CLERK).get(NUMBER).text
    assert "Gucheng hall" in page
    assert 'id="recall-title"' not in page
    assert 'id="release-title"' not in page


def test_clerk_does_not_see_the_stock_of_the_city(browser: Browser) -> None:
    answer = browser(Role.CLERK).get(f"/items/number/{SEGMENT}9999")
    assert answer.status_code == 404
    assert "not_found" in answer.text


def test_clerk_hands_a_card_back_to_its_hall(browser: Browser) -> None:
    """REQ-SIM-09: recall to the direct parent."""
    clerk = browser(Role.CLERK)
    answer = clerk.post(f"{CARD}/recall", data={"returner": "He"})
    assert answer.status_code == 200
    assert "(LI-P1)" in answer.text
    assert "recalled" in answer.text


def test_keeper_who_hands_a_card_up_is_told_where_it_lies_now(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    answer = keeper.post(f"/items/sim/{VENDOR.card(31).iccid}/recall", data={"returner": "Mu"})
    assert answer.status_code == 200
    assert "It lies with Gucheng district now." in answer.text


def test_refused_document_names_each_item_that_stands_against_it(browser: Browser) -> None:
    """REQ-SIM-10: what may not move is named, with the reason."""
    keeper = browser(Role.HALL_KEEPER, "zh-CN")
    elsewhere, missing = VENDOR.card(35).iccid, "89860012345678901234"
    form = {"resource": "sim", "place": "LI-C1", "person": "He", "items": f"{elsewhere}\n{missing}"}
    answer = keeper.post("/moves/recall", data=form)
    assert answer.status_code == 409
    assert re.search(rf"{elsewhere}</span> 在其他单位", answer.text)
    assert re.search(rf"{missing}</span> 不在库存中", answer.text)


def test_without_a_session_a_page_leads_to_the_sign_in_and_back(browser: Browser) -> None:
    answer = browser().get("/stock?node=LI-P1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fstock%3Fnode%3DLI-P1")


def test_panel_without_a_session_sends_the_whole_page_to_the_sign_in(browser: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://haoka.test/desk?hold=h-530700-1"}
    answer = browser().get("/desk/reader", headers=headers)
    assert answer.headers["hx-redirect"] == "/sign-in?next=%2Fdesk%3Fhold%3Dh-530700-1"


def test_signing_out_ends_the_session_itself(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    token = clerk.cookies["haoka_session"]
    assert clerk.post("/sign-out").headers["location"] == "/sign-in"
    clerk.cookies.set("haoka_session", token)
    assert clerk.get("/desk").status_code == 303


def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser, stocked: Stocked) -> None:
    clerk = browser(Role.CLERK)
    people = stocked.people[Role.CLERK]
    form = {"interface_no": people.interface_no, "staff_no": people.staff_no, "password": people.password}
    cookie = clerk.post("/sign-in", data=form).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(("public_url", "secure"), [(None, False), ("https://haoka.example.cn", True)])
def test_session_cookie_travels_encrypted_where_the_public_address_does(
    console: FastAPI, browser: Browser, stocked: Stocked, public_url: str | None, *, secure: bool
) -> None:
    runtime = console.state.runtime  # behind a proxy the service itself hears plain HTTP
    console.state.runtime = replace(runtime, settings=runtime.settings.model_copy(update={"public_url": public_url}))
    people = stocked.people[Role.CLERK]
    form = {"interface_no": people.interface_no, "staff_no": people.staff_no, "password": people.password}
    cookie = browser().post("/sign-in", data=form).headers["set-cookie"]
    assert ("Secure" in cookie) is secure


def test_form_of_another_site_is_refused_before_anything_happens(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    answer = keeper.post(f"{CARD}/release-status", data={"to": "DAMAGED", "reason": "x"}, headers=headers)
    assert answer.status_code == 403
    assert "Available" in keeper.get(CARD).text


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "地址不存在"), ("en", "no such")])
def test_unknown_path_is_told_in_words(browser: Browser, language: str, words: str) -> None:
    answer = browser(Role.CLERK, language).get("/nowhere")
    assert answer.status_code == 404
    assert "route_unknown" in answer.text
    assert words in answer.text.lower()


def test_address_of_an_act_leads_to_its_page(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    assert keeper.get(f"{NUMBER}/fee").headers["location"] == NUMBER
    assert keeper.get("/moves/recall").headers["location"] == "/moves"
    assert keeper.get(f"{NUMBER}/burn").status_code == 404


def test_language_leads_back_to_the_page_it_was_asked_on(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    here = {"Referer": "http://haoka.test/desk?hold=h-530700-1"}
    assert clerk.get("/language/zh", headers=here).headers["location"] == "/desk?hold=h-530700-1"
    elsewhere = {"Referer": "http://evil.example/desk"}
    assert clerk.get("/language/en", headers=elsewhere).headers["location"] == "/"
    assert clerk.get("/language/fr").status_code == 422


def test_every_answer_carries_the_content_policy(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    for path in ("/desk", "/nowhere", "/sign-in", "/static/haoka.css"):
        policy = clerk.get(path).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src" not in policy.replace("default-src", "")
        assert "frame-ancestors 'none'" in policy


def test_files_are_kept_by_their_content_and_pages_are_not_kept(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    page = clerk.get("/desk")
    assert page.headers["cache-control"] == "no-store"
    address = page.text.split('href="/static/haoka.css')[1].split('"')[0]
    kept = clerk.get(f"/static/haoka.css{address}")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert clerk.get("/static/haoka.css").headers["cache-control"] == "no-cache"
    assert clerk.get("/static/../app.py").status_code == 404


def test_document_lists_every_number_with_the_fee_of_its_line(browser: Browser) -> None:
    """REQ-NUM-06: the issue document lists every number and its fee."""
    auditor = browser(Role.AUDITOR)
    found = re.search(r"/documents/(m-530700-\d+)", auditor.get(NUMBER).text.split("issued", maxsplit=1)[1])
    assert found is not None
    page = auditor.get(f"/documents/{found[1]}").text
    assert page.count(f'href="/items/number/{SEGMENT}') == 200
    assert "Commitment".lower() in page.lower()
    further = re.search(r'href="(/documents/[^"]+after=\d+)"', page)
    assert further is not None
    assert f"{SEGMENT}0200" in auditor.get(further[1]).text


def test_document_of_another_part_is_not_there(browser: Browser) -> None:
    clerk = browser(Role.CLERK)
    assert clerk.get("/documents/m-530700-1").status_code == 404
    assert clerk.get("/documents/nonsense").status_code == 409

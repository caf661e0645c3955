"""What each person is let into, and how a page refuses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.domain.kinds import KINDS
from inventory.services.alerts import watch
from inventory.store.engine import connect
from inventory.web.states import state_name
from tests.builders import FOUNDED
from tests.web.conftest import Stocked
from tests.web.stock import SEGMENT, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
NUMBER = f"/items/number/{SEGMENT}0001"
CARD = f"/items/sim/{VENDOR.card(1).iccid}"
VERBS = ("issue", "recall", "transfer")


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


SHOWN = (
    "/stock",
    "/items/number",
    "/segments",
    "/alerts",
    "/documents",
    "/loads",
    "/deliveries",
    "/orders",
    "/quotas",
    "/ends",
    "/boxes",
    "/count",
    "/approvals",
    "/network",
    "/waiting",
    "/setup",
    "/places",
    "/policies",
    "/hold-times",
    "/ports",
)


def test_auditor_sees_every_list_and_may_send_none_of_their_forms(browser: Browser) -> None:
    """REQ-IF-04: an auditor sees all and changes nothing; its only form is the one to sign out."""
    auditor = browser(Role.AUDITOR)
    for path in SHOWN:
        page = auditor.get(path)
        assert (path, page.status_code) == (path, 200)
        assert re.findall(r'method="post"', page.text) == ['method="post"'], path


def test_auditor_looks_into_a_load_and_an_open_count(browser: Browser) -> None:
    """REQ-IF-04: what runs is seen as well, without its buttons."""
    keeper = browser(Role.HALL_KEEPER)
    counted = keeper.post("/count", data={"resource": "sim", "place": "LI-P1"}).headers["location"]
    loads = re.findall(r'href="(/loads/b-[0-9-]+)"', browser(Role.AUDITOR).get("/loads").text)
    for path in (counted, loads[0]):
        page = browser(Role.AUDITOR).get(path)
        assert (page.status_code, page.text.count('method="post"')) == (200, 1)
        assert browser(Role.AUDITOR).post(f"{path}/cancel", data={"reason": "x"}).status_code == 403


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


def test_clerk_reports_a_customers_card_lost_and_found_again(console: FastAPI, browser: Browser) -> None:
    """S13: the page of the card offers the one that its state allows, and its life tells of both."""
    clerk = browser(Role.CLERK)
    assert "Report it lost" not in clerk.get(CARD).text
    engine = create_engine(console.state.runtime.settings.sqlalchemy_url())
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE sim SET state = 'IN_USE' WHERE iccid = :iccid"),
            {"iccid": CARD.rpartition("/")[2]},
        )
    engine.dispose()
    assert "Report it lost" in clerk.get(CARD).text
    lost = clerk.post(f"{CARD}/loss", data={"reason": "He himself, by his identity card"}).text
    assert "reported lost by its customer" in lost
    assert "Take the report back" in lost
    assert "illegal_transition" in clerk.post(f"{CARD}/loss").text
    assert "the loss was taken back" in clerk.post(f"{CARD}/found").text


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


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("", "/items/sim"),
        (f"{SEGMENT} 0001", NUMBER),
        (VENDOR.card(1).iccid, CARD),
        ("M-530700-4", "/documents/m-530700-4"),
        ("LI-P1", "/stock?node=LI-P1"),
        ("PLACE:LI-P1", "/stock?node=LI-P1"),
        ("138*88", "/items/number?name=138%2A88"),
        ("8986*1", "/items/sim?name=8986%2A1"),
    ],
)
def test_what_is_scanned_is_opened(browser: Browser, typed: str, address: str) -> None:
    """REQ-QRY-01: one field takes any identifier."""
    assert browser(Role.HALL_KEEPER).get("/items", params={"q": typed}).headers["location"] == address


def test_figure_of_the_stock_page_leads_to_its_items(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    link = re.search(r'"(/items/sim[?]place=LI-P1[^"]*state=AVAILABLE)">10<', keeper.get("/stock").text)
    assert link is not None
    listed = keeper.get(link[1].replace("&amp;", "&")).text
    assert len(re.findall(r'href="/items/sim/[0-9A-F]+"', listed)) == 10


def test_list_goes_on_page_by_page_with_its_conditions(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    first = keeper.get("/items/number", params={"name": "*1", "place": "LI-P1"}).text
    link = re.search(r'href="([^"]+)" rel="next"', first)
    assert link is not None
    second = keeper.get(link[1].replace("&amp;", "&")).text
    numbers = [re.findall(r'href="/items/number/([0-9]+)"', page) for page in (first, second)]
    assert [len(found) for found in numbers] == [100, 100]
    assert not set(numbers[0]) & set(numbers[1])


@pytest.mark.parametrize(
    "path",
    [
        "/items/number?place=LI-P1",
        "/stock?",
        "/documents?",
        "/documents/m-530700-4?",
        "/deliveries?",
        "/loads/b-530700-1?",
        "/bulk?",
    ],
)
def test_every_list_is_taken_along_in_the_language_of_its_reader(browser: Browser, path: str) -> None:
    page = browser(Role.CITY_ADMIN, "zh-CN").get(path)
    assert page.status_code == 200
    file = browser(Role.CITY_ADMIN, "zh-CN").get(f"{path}&format=csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    head = file.content.decode("utf-8-sig").splitlines()[0]
    assert re.search(r"[\u4e00-\u9fff]", head)
    assert "_" not in head


def test_states_and_documents_of_a_file_are_in_words(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    assert ",Available," in keeper.get("/items/sim?format=csv").text
    assert ",issued," in keeper.get("/documents?format=csv").text
    assert 'href="/items/sim?place=LI-P1&amp;format=xlsx"' in keeper.get("/items/sim?place=LI-P1").text
    assert ",Taken in," in browser(Role.CITY_ADMIN).get("/loads?format=csv").text
    assert browser(Role.AUDITOR).get("/quotas?format=xlsx").content.startswith(b"PK")


def test_documents_are_found_by_place_kind_and_day(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    assert "m-530700-" in keeper.get("/documents?place=LI-P1&kind=ISSUE&first=2026-01-01").text
    assert "Nothing here." in keeper.get("/documents?kind=SALE").text
    assert "invalid_field" in keeper.get("/documents?first=yesterday").text


def test_threshold_is_set_on_the_page_that_shows_what_is_low(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    answer = keeper.post("/alerts", data={"place": "LI-P1", "what": "sim/4G-PRESET", "minimum": "1000"})
    assert re.search(r">40<.*1,000.*>low<", answer.text, re.DOTALL)
    assert "invalid_field" in keeper.post("/alerts", data={"place": "LI-P1", "what": "sim/", "minimum": "many"}).text
    gone = keeper.post("/alerts", data={"place": "LI-P1", "what": "sim/4G-PRESET", "minimum": ""})
    assert "No threshold is set." in gone.text
    assert 'action="/alerts"' not in browser(Role.AUDITOR).get("/alerts").text
    assert browser(Role.AUDITOR).post("/alerts", data={"place": "LI-P1"}).status_code == 403


def test_head_line_counts_what_was_found_low(browser: Browser, console: FastAPI) -> None:
    keeper = browser(Role.HALL_KEEPER)
    keeper.post("/alerts", data={"place": "LI-P1", "what": "sim/", "minimum": "1000"})
    assert "text-bg-danger" not in keeper.get("/stock").text
    assert asyncio.run(watch_once(console)) == 1
    assert '<span class="badge text-bg-danger">1</span>' in keeper.get("/stock").text
    assert '<span class="badge text-bg-danger">1</span>' in browser(Role.AUDITOR).get("/stock").text


async def watch_once(console: FastAPI) -> int:
    """Let the worker look once, on a connection of this event loop."""
    database = connect(console.state.runtime.settings.sqlalchemy_url(), pool_size=1)
    try:
        async with database.session() as session:
            return await watch(session, now=FOUNDED)
    finally:
        await database.close()


def test_quota_is_set_for_a_place_below_and_told_beside_the_form(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    form = {"place": "LI-C1", "what": "sim/", "period": "DAY", "most": "4"}
    assert "invalid_field" in keeper.post("/quotas", data=form | {"most": "few"}).text
    assert "invalid_field" in keeper.post("/quotas", data=form | {"period": "YEAR"}).text
    keeper.post("/quotas", data=form)
    told = keeper.get("/quotas/left?place=LI-C1&resource=sim", headers={"HX-Request": "true"}).text
    assert "may still be issued" in told
    assert "<html" not in told
    cards = "\n".join(VENDOR.card(serial).iccid for serial in range(31, 36))
    issue = {"resource": "sim", "place": "LI-C1", "person": "He", "items": cards}
    assert "quota_exceeded" in keeper.post("/moves/issue", data=issue).text
    assert "No quota is set." in keeper.post("/quotas", data=form | {"most": ""}).text
    assert 'action="/quotas"' not in browser(Role.AUDITOR).get("/quotas").text


def test_slip_has_barcodes_of_the_document_and_of_both_ends_of_each_run(browser: Browser) -> None:
    page = browser(Role.HALL_KEEPER).get("/documents/m-530700-5").text
    told = re.findall(r'<svg class="barcode"[^>]* aria-label="([^"]+)"', page)
    assert told == ["m-530700-5", VENDOR.card(1).iccid, VENDOR.card(30).iccid]
    assert "Received by" in page


def test_scanned_slip_opens_its_delivery_or_if_nothing_is_on_its_way_the_document(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    for serial in (33, 34):
        form = {"resource": "sim", "place": "LI-P1", "person": "He", "items": VENDOR.card(serial).iccid}
        sent = keeper.post("/moves/recall", data=form | {"on_the_way": "yes"})
        document = re.findall(r"m-530700-[0-9]+", sent.text)[-1]
    opened = keeper.get("/deliveries", params={"document": f" {document.upper()} "}).text
    assert set(re.findall(r'id="(m-530700-[0-9]+)-title"', opened)) == {document}
    assert keeper.get("/deliveries?document=m-530700-5").headers["location"] == "/items?q=m-530700-5"


def test_announced_cards_are_scanned_in_one_by_one_and_a_stray_is_named(browser: Browser) -> None:
    admin = browser(Role.CITY_ADMIN)
    form = {"kind": "card_list", "card_kind": "4G-PRESET", "announced": "yes"}
    cards = ["89860099000000000018", "89860099000000000026"]
    loaded = admin.post("/loads", data=form, files={"file": ("cards.txt", "\n".join(cards).encode())})
    (way,) = re.findall(r'href="(/deliveries/m-[^"]+/scan)"', admin.get(loaded.headers["location"]).text)
    page = admin.get(way).text
    assert 'data-scan-form="board"' in page
    assert 'name="person"' in page
    scans = (cards[0], cards[0], "89860099000000000034")
    boards = [admin.post(way, data={"items": item}, headers={"HX-Request": "1"}).text for item in scans]
    told = [re.search(r'data-tone="([a-z]*)">(.*?)</p>', board) for board in boards]
    assert [found and found[1] for found in told] == ["fresh", "again", "bad"]
    assert told[2] is not None
    assert told[2][2] == "not of this delivery: 89860099000000000034"
    admin.post(way, data={"items": cards[1], "person": "He Li"})
    receipt = re.findall(r'href="(/documents/m-[^"]+)"', admin.get(admin.get(way).headers["location"]).text)[-1]
    assert "He Li" in admin.get(receipt).text
    assert admin.get(way).headers["location"].startswith("/documents/m-")


def test_load_is_issued_from_its_page_as_far_as_it_lies_here(browser: Browser) -> None:
    admin = browser(Role.CITY_ADMIN)
    (way,) = re.findall(r'href="(/moves/issue[^"]+)"', admin.get("/loads/b-530700-2").text)
    form = admin.get(way.replace("&amp;", "&")).text
    assert re.search(r'<option value="sim" selected>', form)
    assert ">b-530700-2</textarea>" in form
    sent = {"resource": "sim", "place": "LI-D1", "person": "He", "items": "B-530700-2"}
    assert "nothing_of_load" not in admin.post("/moves/issue", data=sent).text
    assert "nothing_of_load" in admin.post("/moves/issue", data=sent).text


def test_refused_condition_is_told_above_the_form_that_keeps_it(browser: Browser) -> None:
    answer = browser(Role.HALL_KEEPER).get("/items/number", params={"segment": "13x"})
    assert 'value="13x"' in answer.text
    assert "invalid_field" in answer.text


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
    assert clerk.get("/documents/nonsense").status_code == 422


def test_pages_answer_a_refusal_with_the_status_of_the_api(browser: Browser) -> None:
    """What is wrong with the request is not said to be in the way of the stock's state."""
    keeper = browser(Role.HALL_KEEPER)
    elsewhere = {"resource": "sim", "place": "LI-C1", "person": "He", "items": VENDOR.card(35).iccid}
    unreadable = elsewhere | {"items": "1-2\n3"}
    assert keeper.post("/moves/recall", data=unreadable).status_code == 422
    assert keeper.post("/moves/recall", data=elsewhere).status_code == 409


def test_older_loads_are_a_page_further(browser: Browser, console: FastAPI) -> None:
    url = console.state.runtime.settings.sqlalchemy_url().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO load_batch (city_id, resource, source, sha256, state, rows, accepted, rejected, staff_no,"
            " interface_no, created_at) SELECT 530700, 'sim', 'old.out', '', 'REJECTED', 1, 0, 1, 'T', 'T', now()"
            " FROM generate_series(1, 60)"
        )
    admin = browser(Role.CITY_ADMIN)
    newest = admin.get("/loads").text
    (further,) = re.findall(r'href="(/loads\?before=\d+)" rel="next"', newest)
    older = admin.get(further).text
    assert len(re.findall(r">b-530700-\d+</a>", newest)) == 50
    assert ">b-530700-1</a>" in older
    assert not set(re.findall(r">b-530700-\d+</a>", newest)) & set(re.findall(r">b-530700-\d+</a>", older))
    assert 'rel="next"' not in older


def test_a_card_in_use_is_called_otherwise_than_a_number_in_use() -> None:
    names = {kind: state_name("IN_USE", kind, language="zh-CN") for kind in KINDS}
    assert names == {"number": "占用", "sim": "已开通"}
    assert state_name("no such state", "sim", language="zh-CN") == "no such state"


def test_each_verb_has_a_form_of_its_own_and_a_clerk_issues_nothing(browser: Browser) -> None:
    keeper = browser(Role.HALL_KEEPER)
    assert [verb for verb in VERBS if f'action="/moves/{verb}"' in keeper.get("/moves").text] == ["issue"]
    assert [verb for verb in VERBS if f'action="/moves/{verb}"' in keeper.get("/moves/transfer").text] == ["transfer"]
    clerk = browser(Role.CLERK)
    assert [verb for verb in VERBS if f'action="/moves/{verb}"' in clerk.get("/moves/issue").text] == ["recall"]

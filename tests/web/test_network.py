"""The page on which a city tells the network of cards."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.cli.demo.vendor import TRANSPORT_KEY_INDEX
from inventory.services.card_data import TRANSPORT_FIELD, TRANSPORT_TABLE
from tests.builders import PASSWORD
from tests.web.stock import HLR, SECOND, VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]


def test_the_page_says_what_is_there_and_what_comes_first(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN, "zh")
    page = city.get("/network")
    assert (page.status_code, "网络开户数据" in page.text, "请先导入" in page.text) == (200, True, True)
    assert city.get("/network/answers").headers["location"] == "/network"
    assert browser(Role.HALL_KEEPER).get("/network").status_code == 403


def test_what_cannot_be_told_or_taken_is_refused_in_words_and_stays_on_the_page(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    told = city.post("/network/exports", data={"form": "csv", "transport_key": "X", "most": "10"})
    assert (told.status_code, "not_found" in told.text) == (404, True)
    assert "invalid_field" in city.post("/network/exports", data={"form": "csv", "most": "many"}).text
    wrong = city.post("/network/answers", data={"answers": "460001234567890 perhaps"})
    assert (wrong.status_code, "460001234567890 perhaps" in wrong.text) == (422, True)
    assert city.get("/network/x-530700-9/file").status_code == 404


def test_answers_are_taken_in_line_by_line_and_unknown_ones_named(browser: Browser) -> None:
    done = browser(Role.CITY_ADMIN).post("/network/answers", data={"answers": "460001234567890 failed no HLR\n"})
    assert (done.status_code, "0 confirmed, 0 failed" in done.text, "line 1" in done.text) == (200, True, True)


def test_why_an_answer_is_not_taken_is_said_in_words(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    city.get("/language/zh")
    done = city.post("/network/answers", data={"answers": "460001234567890 failed no HLR\n"}).text
    assert ("第 1 行: 没有卡使用这个 IMSI" in done, ": unknown" in done) == (True, False)


def test_two_persons_tell_the_network_at_one_screen(console: FastAPI, browser: Browser) -> None:
    """REQ-AUC-01: asked for on the page, granted by the second person, done with one press."""
    finish_a_card(console)
    city = browser(Role.CITY_ADMIN)
    asked = city.post("/network/exports", data={"form": "csv", "transport_key": "HSS1", "most": "10"})
    waiting = asked.headers["location"]
    page = city.get(waiting).text
    for words in ("Tell the network of proven cards", "HSS1", "At most", "Waiting for a second person"):
        assert words in page
    assert city.post(f"{waiting}/vouch", data={"staff_no": SECOND, "password": PASSWORD}).status_code == 303
    done = city.post(f"{waiting}/do")
    assert (done.status_code, 'href="/network"' in done.text) == (200, True)
    shown = city.get("/network").text
    assert ("x-530700-1" in shown, "Sent" in shown) == (True, True)
    file = city.get("/network/x-530700-1/file")
    assert (file.status_code, "460001234567890" in file.text) == (200, True)
    assert 'href="/network?&amp;format=csv"' in shown
    taken = city.get("/network?format=csv").content.decode("utf-8-sig")
    heads, row = csv.reader(taken.splitlines())
    told = dict(zip(heads, row, strict=True))
    assert (told["File"], told["Transport key"], told["Quantity"], told["Not answered"]) == (
        "x-530700-1",
        "HSS1",
        "1",
        "1",
    )
    assert "460001234567890" not in taken


def test_older_files_stand_on_further_pages(console: FastAPI, browser: Browser) -> None:
    finish_a_card(console)
    engine = create_engine(console.state.runtime.settings.sqlalchemy_url())
    with engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO auc_export (city_id, form, transport_key_index, item_count, staff_no, approver, created_at)
            SELECT 530700, 'csv', 'HSS1', 1, 'A', 'B', now() FROM generate_series(1, 21)
            """)
        )
    engine.dispose()
    city = browser(Role.CITY_ADMIN)
    newest = city.get("/network").text
    assert ("x-530700-21<" in newest, "x-530700-1<" in newest, 'href="/network?before=2"' in newest) == (
        True,
        False,
        True,
    )
    oldest = city.get("/network?before=2").text
    assert ("x-530700-1<" in oldest, "x-530700-2<" in oldest, "Older files" in oldest) == (True, False, False)
    assert len(city.get("/network?format=csv").text.splitlines()) == 22


def test_the_network_is_told_on_the_page_to_delete_what_is_gone(console: FastAPI, browser: Browser) -> None:
    """REQ-AUC-01: the file is made with one press, fetched as often as needed, and says what is left."""
    city = browser(Role.CITY_ADMIN)
    empty = city.get("/network/deletions").text
    assert ("Nothing is left to be told of" in empty, "to delete nothing yet" in empty) == (True, True)
    refused = city.post("/network/deletions", data={"form": "csv", "most": "10"})
    assert (refused.status_code, "nothing_to_delete" in refused.text) == (409, True)
    assert "invalid_field" in city.post("/network/deletions", data={"form": "csv", "most": "many"}).text
    finish_a_card(console)
    lose_the_card(console)
    assert "Identities to be told of: 1." in city.get("/network/deletions").text
    assert city.post("/network/deletions", data={"form": "csv", "most": "10"}).status_code == 303
    shown = city.get("/network/deletions").text
    assert 'href="/network/deletions/xd-530700-1/file"' in shown
    file = city.get("/network/deletions/xd-530700-1/file")
    assert file.text.splitlines()[1].startswith("460001234567890,")
    assert city.get("/network/deletions/xd-530700-9/file").status_code == 404
    assert city.get("/network/deletions?format=csv").text.splitlines()[1].startswith("xd-530700-1,csv,,1,1,")
    auditor = browser(Role.AUDITOR, "zh")
    page = auditor.get("/network/deletions").text
    assert ("待网络删除的身份" in page, "xd-530700-1" in page, "生成文件" in page) == (True, True, False)
    assert auditor.post("/network/deletions", data={"form": "csv", "most": "10"}).status_code == 403
    assert browser(Role.HALL_KEEPER).get("/network/deletions").status_code == 403


def lose_the_card(console: FastAPI) -> None:
    """Let the finished card be gone, and the network know it."""
    engine = create_engine(console.state.runtime.settings.sqlalchemy_url())
    with engine.begin() as connection:
        connection.execute(text("UPDATE sim_identity SET auc = 'confirmed'"))
        connection.execute(
            text("UPDATE sim SET state = 'WRITTEN_OFF' WHERE item_no IN (SELECT item_no FROM sim_identity)")
        )
    engine.dispose()


def finish_a_card(console: FastAPI) -> None:
    """Let one card have an identity and the network a key; the service's own vault has all keys."""
    vault = console.state.runtime.vault
    wrapped = {
        index: vault.seal(key, table=TRANSPORT_TABLE, row=index, field=TRANSPORT_FIELD)
        for index, key in ((TRANSPORT_KEY_INDEX, VENDOR.transport_key), ("HSS1", bytes(16)))
    }
    engine = create_engine(console.state.runtime.settings.sqlalchemy_url())
    with engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
            SELECT city_id, item_no, 1, 'USIM', '460001234567890', 'LJ1', 'VERIFIED', 'none'
            FROM card_secret ORDER BY item_no LIMIT 1
            """)
        )
        connection.execute(
            text("""
            INSERT INTO transport_key (index, algorithm, wrapped, kcv, purpose)
            VALUES ('HSS1', 'aes-128-ecb', :wrapped, 'abc', 'network')
            """),
            {"wrapped": wrapped["HSS1"]},
        )
        connection.execute(
            text("UPDATE transport_key SET wrapped = :wrapped WHERE index = :index"),
            {"wrapped": wrapped[TRANSPORT_KEY_INDEX], "index": TRANSPORT_KEY_INDEX},
        )
    engine.dispose()


def let_a_sale_wait(console: FastAPI) -> None:
    """Sell the finished card in a city that waits; the network has refused it."""
    engine = create_engine(console.state.runtime.settings.sqlalchemy_url())
    with engine.begin() as connection:
        for statement in (
            "UPDATE number SET state = 'COMPLETING' WHERE item_no = (SELECT min(item_no) FROM number)",
            "UPDATE sim_identity SET auc = 'failed', number_item_no = (SELECT min(item_no) FROM number)",
        ):
            connection.execute(text(statement))
    engine.dispose()


def test_sales_that_wait_stand_on_the_page_with_what_to_do(console: FastAPI, browser: Browser) -> None:
    """REQ-AUC-01: a failed answer is not lost among the files."""
    city = browser(Role.CITY_ADMIN)
    assert "Sales that wait for the network" not in city.get("/network").text
    finish_a_card(console)
    let_a_sale_wait(console)
    page = city.get("/network").text
    for words in ("Sales that wait for the network", "Have it mended there", "Failed"):
        assert words in page


_FAILING = """INSERT INTO card_issue (city_id, job_id, sim_item_no, request, serial, product, number, hlr_code,
                                     asked_at, answered_at, due_at, tries, transaction, reason)
              SELECT city_id, :job, item_no, 'j-1', '000000000000000' || :job, 'P', '13888880001', :hlr, now(), now(),
                     now(), 7, 'T-1', :reason FROM sim ORDER BY item_no LIMIT 1"""


def test_answers_that_the_operators_system_does_not_take_stand_with_what_to_do(
    console: FastAPI, browser: Browser
) -> None:
    """REQ-HW-07: whoever can mend it finds it, a refusal apart from what passes."""
    city = browser(Role.CITY_ADMIN)
    assert "does not take" not in city.get("/network").text
    finish_a_card(console)
    engine = create_engine(console.state.runtime.settings.sqlalchemy_url())
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # their write jobs are of no matter
        for job, reason in ((1, "status 503"), (2, "status 404")):
            connection.execute(text(_FAILING), {"job": job, "hlr": HLR, "reason": reason})
    engine.dispose()
    page = city.get("/network").text
    for words in ("does not take", "0000000000000001", "T-1", "It is told again by itself.", "ask the operator about"):
        assert words in page

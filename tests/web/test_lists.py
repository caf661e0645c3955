"""Lists of boxes, counts, orders and code tables, taken along from their pages."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.builders import FOUNDED
from tests.web.stock import VENDOR

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
RECALL = {"resource": "sim", "place": "530700", "below": "LI-P1", "reason": "换代"}
LISTS: Mapping[str, Mapping[str, str]] = {
    "/boxes": {"place": "LI-P1", "box": "B-1", "seal": "F7", "items": VENDOR.card(36).iccid},
    "/count": {"place": "LI-P1"},
    "/orders": RECALL,
    "/legal-holds": {
        "resource": "sim", "items": VENDOR.card(36).iccid, "authority": "丽江市法院", "reference": "7",
        "reason": "查询", "given_on": FOUNDED.date().isoformat(),
    },
    "/card-kinds": {},
    "/number-kinds": {},
    "/reasons": {},
    "/transport-keys": {},
    "/setup": {},
}  # fmt: skip
"""Each list's page, and what is sent there for the list to have a row."""
ROW = re.compile(r'<(?:th scope="row" class="mono">(?:<a [^>]*>)?|h2 [^>]*><a class="mono" [^>]*>)([\w.-]+)<')


def rows_of(client: TestClient, path: str) -> list[list[str]]:
    """Give the file that the page leads to, its heads first."""
    for form in ("csv", "xlsx"):
        assert f'href="{path}?&amp;format={form}"' in client.get(path).text
    return list(csv.reader(client.get(f"{path}?&format=csv").content.decode("utf-8-sig").splitlines()))


@pytest.mark.parametrize("path", LISTS)
def test_file_of_a_list_has_what_its_page_shows(browser: Browser, path: str) -> None:
    """In the same order, in the language of its reader."""
    city = browser(Role.CITY_ADMIN, "zh-CN")
    if LISTS[path]:
        assert city.post(path, data=LISTS[path]).status_code in {200, 303}
    heads, *rows = rows_of(city, path)
    shown = ROW.findall(city.get(path).text)
    assert shown
    assert list(dict.fromkeys(row[0] for row in rows)) == shown
    assert all(re.search(r"[\u4e00-\u9fff]", head) for head in heads)
    assert not {"SEALED", "OPEN", "IN_FORCE"} & {cell for row in rows for cell in row}


def test_recall_orders_go_along_with_who_still_owes(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    assert city.post("/orders", data=RECALL).status_code == 200
    heads, *rows = rows_of(city, "/orders")
    owed = [heads.index(name) for name in ("Owed by (code)", "Free")]
    assert {tuple(row[column] for column in owed) for row in rows} == {("LI-P1", "10"), ("LI-C1", "30")}


def test_file_asks_for_the_permission_of_its_list(browser: Browser) -> None:
    """REQ-IF-04: no way around a page that one may not see."""
    clerk = browser(Role.CLERK)
    for path in ("/legal-holds", "/card-kinds", "/setup"):
        assert clerk.get(f"{path}?format=csv").status_code == 403

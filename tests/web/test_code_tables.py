"""What forms offer of the code tables: classes of the rule set in force, kinds of numbers as the city has them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.services.rule_sets import default_document

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
CLASSES = [str(each["class"]) for each in default_document()["classes"]]


def offered(page: str, name: str) -> list[str]:
    """Give the values of a choice, without the empty one."""
    choice = page.partition(f'name="{name}"')[2].partition("</select>")[0]
    return [value for value in re.findall(r'<option value="([^"]*)"', choice) if value]


def test_forms_offer_exactly_the_classes_of_the_rules_in_force(browser: Browser) -> None:
    """REQ-CFG-01: classes are the rule set's, not the program's."""
    city = browser(Role.CITY_ADMIN)
    for path in ("/items/number", "/orders", "/hold-times"):
        assert offered(city.get(path).text, "number_class") == CLASSES, path
    for path in ("/quotas", "/alerts"):
        sorts = offered(city.get(path).text, "what")
        assert [sort.partition("/")[2] for sort in sorts if sort.startswith("number/") and sort[-1] != "/"] == CLASSES
    assert offered(browser(Role.CLERK).get("/desk").text, "cls") == CLASSES


def test_kind_of_numbers_is_called_what_the_city_calls_it_and_offered_while_it_is_open(browser: Browser) -> None:
    """REQ-CFG-01."""
    city = browser(Role.CITY_ADMIN)
    named = {"act": "rename", "kind": "iot", "name_zh": "物联", "name_en": "Things"}
    assert 'value="Things"' in city.post("/number-kinds", data=named).text
    assert ">Things</option>" in city.get("/items/number").text
    assert "iot" in offered(city.get("/loads/segments").text, "kind")
    assert "Open again" in city.post("/number-kinds", data={"act": "close", "kind": "iot"}).text
    assert "iot" not in offered(city.get("/loads/segments").text, "kind")
    assert ">Things</option>" in city.get("/items/number").text
    assert "not_found" in city.post("/number-kinds", data={"act": "close", "kind": "none"}).text
    assert "invalid_field" in city.post("/number-kinds", data={"act": "dance", "kind": "iot"}).text
    page = browser(Role.AUDITOR).get("/number-kinds")
    assert (page.status_code, 'action="/number-kinds"' in page.text) == (200, False)

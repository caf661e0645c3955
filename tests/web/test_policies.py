"""The page on which a city decides about custody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]


def test_city_decides_and_sees_what_holds(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    assert 'value="optional" checked' in city.get("/policies").text
    done = city.post("/policies/signing", data={"value": "required", "reason": "audit"})
    assert (done.status_code, 'value="required" checked' in done.text) == (200, True)


def test_city_decides_on_a_number_of_days(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    assert 'value="90" min="1" max="730"' in city.get("/policies").text
    done = city.post("/policies/port_cooling_days", data={"value": "45", "reason": "合同"})
    assert (done.status_code, 'value="45" min="1" max="730"' in done.text) == (200, True)
    assert "cools for 45 days" in city.get("/ports").text


def test_refusals_are_told_and_others_are_kept_out(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    assert "reason_missing" in city.post("/policies/signing", data={"value": "required"}).text
    assert "not_found" in city.post("/policies/weather", data={"value": "fine", "reason": "x"}).text
    assert city.get("/policies/signing").headers["location"] == "/policies"
    assert browser(Role.HALL_KEEPER).get("/policies").status_code == 403


def test_hold_times_are_listed_set_and_refused_in_words(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN, "zh")
    assert "15 天" in city.get("/hold-times").text
    done = city.post("/hold-times", data={"channel": "agent", "number_class": "1", "minutes": "90", "reason": "春节"})
    assert (">本市<" in done.text, "90 分钟" in done.text, "代理商" in done.text) == (True, True, True)
    refused = city.post("/hold-times", data={"minutes": "soon", "reason": "春节"})
    assert (refused.status_code, "invalid_field" in refused.text) == (422, True)
    assert browser(Role.HALL_KEEPER).get("/hold-times").status_code == 403


def test_a_hold_time_for_a_class_that_is_not_in_force_is_listed_like_any_other(browser: Browser) -> None:
    city = browser(Role.CITY_ADMIN)
    done = city.post("/hold-times", data={"number_class": "42", "minutes": "90", "reason": "next year's classes"})
    assert (done.status_code, "<td>class 42</td>" in done.text) == (200, True)
    assert '<option value="42"' not in done.text

"""The pages on which a city is set up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from tests.web.stock import SEGMENT

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
TABLE = "号段,省份,城市,运营商\n1388840,云南,丽江,移动\n1620888,云南,丽江,电信\n"


def test_hlr_is_added_on_the_page_and_closed(browser: Browser) -> None:
    """REQ-CFG-01: added and closed, never deleted."""
    city = browser(Role.CITY_ADMIN)
    form = {"code": "LJ2", "name": "Lijiang 2", "smsc": "+8613800888501"}
    assert city.post("/setup/hlrs", data=form).headers["location"] == "/setup"
    refused = city.post("/setup/hlrs", data={**form, "code": "L J"})
    assert (refused.status_code, "invalid_field" in refused.text, 'value="L J"' in refused.text) == (422, True, True)
    assert "/setup/hlrs/LJ2/close" in city.get("/setup").text
    assert city.post("/setup/hlrs/LJ2/close").status_code == 303
    assert "not_found" in city.post("/setup/hlrs/none/close").text
    page = city.get("/setup").text
    assert ("/setup/hlrs/LJ2/close" in page, "Lijiang 2" in page) == (False, True)
    assert "Lijiang 2" not in city.get("/loads").text


def test_plan_is_put_in_force_on_the_page(browser: Browser) -> None:
    """REQ-NUM-13: which prefixes exist is data."""
    city = browser(Role.CITY_ADMIN, "zh-CN")
    assert "尚未载入号段表" in city.get("/setup").text
    file = {"file": ("plan.csv", TABLE.encode("gb18030"))}
    assert "missing_field" in city.post("/setup/plan", data={"version": "2607"}, files=file).text
    assert "invalid_field" in city.post("/setup/plan", data={"version": "2607", "dated": "soon"}, files=file).text
    done = city.post("/setup/plan", data={"version": "2607", "dated": "2026-07-01"}, files=file)
    assert done.headers["location"] == "/setup"
    page = city.get("/setup").text
    assert ("2607" in page, "中国电信 (租给虚拟运营商) 1" in page) == (True, True)
    assert city.get("/setup/plan").headers["location"] == "/setup"


def test_place_is_added_below_another_one(browser: Browser) -> None:
    """REQ-SIM-07: the custody tree of the city."""
    admin = browser(Role.INTERFACE_ADMIN)
    assert admin.get("/").headers["location"] == "/places"
    form = {"parent": "530700", "code": "LI-D2", "name_zh": "玉龙", "name_en": "Yulong"}
    assert admin.post("/places", data=form).headers["location"] == "/places"
    assert "duplicate_identifier" in admin.post("/places", data=form).text
    assert "invalid_field" in admin.post("/places", data={**form, "parent": "nowhere"}).text
    assert "invalid_field" in admin.post("/places", data={**form, "name_zh": "", "code": "LI-D3"}).text
    page = admin.get("/places").text
    assert ("Yulong" in page, "district" in page) == (True, True)


def test_auditor_reads_the_set_up_and_clerks_do_not(browser: Browser) -> None:
    """REQ-IF-04: who may not change it has no form."""
    auditor = browser(Role.AUDITOR)
    for path in ("/setup", "/places"):
        page = auditor.get(path)
        assert (page.status_code, page.text.count('method="post"')) == (200, 1)
    assert auditor.post("/places", data={"parent": "530700"}).status_code == 403
    assert browser(Role.CLERK).get("/setup").status_code == 403


def test_segments_lead_to_their_numbers_and_numbers_to_their_group(browser: Browser) -> None:
    """REQ-NUM-12: number → segment → group."""
    city = browser(Role.CITY_ADMIN)
    page = city.get("/segments?prefix=13888").text
    assert f'href="/items/number?segment={SEGMENT}&amp;state=UNUSED"' in page
    assert "The city owns no such segment." in city.get("/segments?group=none").text
    assert f"{SEGMENT},," in city.get("/segments?format=csv").text

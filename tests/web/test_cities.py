"""Cards between cities on the pages: sent with the province's word, followed, signed for when they come home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.runtime import Runtime
from inventory.services.organisation import CityWish
from inventory.services.receiving import Signature, refuse
from inventory.store.selection import ByName
from tests.builders import FOUNDED, PASSWORD, Operator, build_operator
from tests.web.stock import PROVINCE, VENDOR, administrator, fresh

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
CARDS = [VENDOR.card(serial).iccid for serial in (41, 42, 43)]
"""Those that the city company holds."""


@pytest.fixture
def neighbour(console: FastAPI) -> Operator:
    """Give a second city."""

    async def found(runtime: Runtime) -> Operator:
        async with runtime.database.session() as session:
            operator = await build_operator(session, CityWish(city_id=530800, name_zh="普洱", name_en="Puer"))
        await runtime.database.close()
        return operator

    return asyncio.run(found(console.state.runtime))


def sent(city: TestClient) -> str:
    """Send the cards with the province's word and give the address of the document."""
    form = {
        "resource": "sim", "place": "530700", "to_city": "530800", "items": "\n".join(CARDS), "person": "He",
        "reason": "they have none",
    }  # fmt: skip
    waiting = city.post("/ends/send_to_city", data=form).headers["location"]
    asked = city.get(waiting).text
    assert "Send to another city" in asked
    assert "Waiting for the province's word." in asked
    assert "Available → Sent to another city" in asked
    assert "普洱 (530800)" in asked
    city.post(f"{waiting}/vouch", data={"staff_no": PROVINCE, "password": PASSWORD})
    done = city.post(f"{waiting}/do").text
    return "/documents/" + done.partition('href="/documents/')[2].partition('"')[0]


async def refused(runtime: Runtime, operator: Operator, document: str) -> None:
    """Send two of the cards home as the other city."""
    caller = replace(administrator(operator), city_id=operator.city_id)
    signature = Signature(movement=document, selection=ByName(tuple(CARDS[:2])), reason="too many")
    async with runtime.database.session() as session:
        await refuse(session, caller, fresh(), signature, now=FOUNDED)


def test_cards_go_to_another_city_and_some_come_home(browser: Browser, console: FastAPI, neighbour: Operator) -> None:
    """REQ-STK-04: two linked documents; what is sent back is signed for at home."""
    city = browser(Role.CITY_ADMIN)
    assert 'href="/ends?way=send_to_city"' in city.get("/moves").text
    assert '<option value="530800">Puer</option>' in city.get("/ends?way=send_to_city").text
    document = sent(city)
    slip = city.get(document).text
    assert "Puer (530800)" in slip
    assert f">{CARDS[0]}<" in slip
    there = "m-530800-" + slip.partition("m-530800-")[2].partition("<")[0]
    assert city.portal is not None
    city.portal.call(refused, console.state.runtime, neighbour, there)

    assert "0 / 3" in city.get(document).text
    coming = city.get("/deliveries").text
    assert "came from another city" in coming
    assert "/accept" in coming
    assert "/dispute" not in coming
    home = coming.partition('action="/deliveries/')[2].partition("/accept")[0]
    assert city.post(f"/deliveries/{home}/accept", data={"person": "He"}).status_code == 200
    life = city.get(f"/items/sim/{CARDS[0]}").text
    assert life.count("sent to another city") == 2
    assert f'href="/documents/{there}"' not in life
    gone = city.get(f"/items/sim/{CARDS[2]}").text
    assert "Sent to another city" in gone
    assert "Lijiang → Puer" in gone
    assert "~m" not in gone
    assert f'<span class="digits">{CARDS[2]}</span>' in gone


def test_numbers_stay_in_their_city_and_it_says_why(browser: Browser, neighbour: Operator) -> None:
    """REQ-NUM-12: a number finds its city through its segment."""
    del neighbour
    form = {
        "resource": "number", "place": "530700", "to_city": "530800", "items": "13888880001", "reason": "x"
    }  # fmt: skip
    answer = browser(Role.CITY_ADMIN).post("/ends/send_to_city", data=form)
    assert (answer.status_code, "a number belongs to the segment of its city" in answer.text) == (422, True)

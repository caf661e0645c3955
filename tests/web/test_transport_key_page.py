"""The page of transport keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from inventory.access.permissions import Role
from inventory.cli.demo.vendor import TRANSPORT_KEY_INDEX

pytestmark = pytest.mark.database

Browser = Callable[..., TestClient]
LETTER = {"index": "HSS1", "algorithm": "aes-128-ecb", "kcv": "66E94B", "purpose": "network"}


def test_keys_are_shown_by_their_letters_and_a_second_person_is_asked_for_a_new_one(browser: Browser) -> None:
    """REQ-SEC-01: the page sees the letter alone; the parts are typed at the command line."""
    city = browser(Role.CITY_ADMIN)
    page = city.get("/transport-keys").text
    assert f'class="mono">{TRANSPORT_KEY_INDEX}<' in page
    assert 'name="parts"' not in page
    asked = city.post("/transport-keys", data=LETTER)
    assert asked.headers["location"].startswith("/approvals/")
    waiting = city.get(asked.headers["location"])
    assert {"HSS1", "66e94b"} <= set(waiting.text.replace("<", " ").replace(">", " ").split())


@pytest.mark.parametrize(("field", "value"), [("index", " "), ("algorithm", "rot13"), ("kcv", "66E9"), ("purpose", "")])
def test_a_letter_that_no_vendor_writes_is_refused_by_field(browser: Browser, field: str, value: str) -> None:
    answer = browser(Role.CITY_ADMIN).post("/transport-keys", data={**LETTER, field: value})
    assert "invalid_field" in answer.text
    assert field in answer.text


def test_an_index_that_is_taken_is_refused(browser: Browser) -> None:
    answer = browser(Role.CITY_ADMIN).post("/transport-keys", data={**LETTER, "index": TRANSPORT_KEY_INDEX})
    assert "duplicate_identifier" in answer.text


def test_keys_are_shown_to_the_auditor_without_a_form_and_to_no_clerk(browser: Browser) -> None:
    page = browser(Role.AUDITOR).get("/transport-keys")
    assert (page.status_code, 'action="/transport-keys"' in page.text) == (200, False)
    assert browser(Role.CLERK).get("/transport-keys").status_code == 403

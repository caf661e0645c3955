from __future__ import annotations

import re
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import make_url
from starlette.testclient import TestClient

from tests.api.conftest import Clock
from tests.builders import PASSWORD, Login, Operator

pytestmark = pytest.mark.database

EVENING = timedelta(hours=12)  # the clock stands at ten in the morning in the halls
OFFICE = {"windows": [{"weekdays": [1, 2, 3, 4, 5], "opens": "09:00:00", "closes": "18:00:00"}]}


def ask(client: TestClient, login: Login, **changes: str) -> tuple[int, str]:
    """Read the tree as `login`, with some headers changed, and give status and code."""
    headers = {**login.headers, **changes}
    answer = client.get("/v1/organisations", headers={name: value for name, value in headers.items() if value})
    return answer.status_code, answer.json().get("code", "")


def write(
    client: TestClient, login: Login, key: str, path: str, body: object, method: str = "POST"
) -> tuple[int, dict]:
    answer = client.request(method, path, json=body, headers={**login.headers, "Idempotency-Key": key})
    return answer.status_code, answer.json()


def refusals(url: str) -> list[tuple[str, str | None, str | None]]:
    """Give what was kept of refused callers: code, interface, staff."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as conn:
        return conn.execute("SELECT code, interface_no, staff_no FROM security_event ORDER BY id").fetchall()


def test_interface_staff_and_key_together_open_the_door(client: TestClient, operator: Operator) -> None:
    """REQ-IF-03: interface number, staff id and secret."""
    assert ask(client, operator.clerk) == (200, "")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Haoka-Interface", "unknown_interface"),
        ("Haoka-Staff", "bad_credentials"),
        ("Authorization", "bad_credentials"),
    ],
)
def test_each_missing_part_is_refused_and_kept(
    client: TestClient, operator: Operator, operator_url: str, header: str, code: str
) -> None:
    """REQ-IF-04: a request without origin has no effect and leaves a trace."""
    assert ask(client, operator.clerk, **{header: ""}) == (401, code)
    assert [kept for kept, _, _ in refusals(operator_url)] == [code]

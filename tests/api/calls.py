"""Calls of the API as some login."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from starlette.testclient import TestClient

from tests.builders import Login


class Reply(NamedTuple):
    """Status and JSON body of an answer."""

    status: int
    body: dict[str, Any]

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of a refusal."""
        return self.status, self.body["code"]


def read(client: TestClient, login: Login, path: str, **query: Any) -> Reply:
    """GET the path as `login`."""
    answer = client.get(path, params=query, headers=login.headers)
    return Reply(answer.status_code, answer.json())


def write(
    client: TestClient, login: Login, path: str, body: object = None, *, key: str | None = None, method: str = "POST"
) -> Reply:
    """Write the JSON body as `login`, with a fresh idempotency key unless one is given."""
    headers = {**login.headers, "Idempotency-Key": key or uuid.uuid4().hex}
    answer = client.request(method, path, json=body, headers=headers)
    return Reply(answer.status_code, answer.json())

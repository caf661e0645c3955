"""Refusals in HTTP: the one mapping of their sorts to statuses, for the API and the pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from inventory.domain.errors import Refusal

STATUS: Mapping[Refusal, HTTPStatus] = {
    Refusal.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Refusal.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Refusal.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.CONFLICT: HTTPStatus.CONFLICT,
    Refusal.GONE: HTTPStatus.GONE,
    Refusal.TOO_OFTEN: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The HTTP status of each sort of refusal."""
_LATER: Final = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS})
_SECONDS: Final = 1


def retry_after(status: int, params: Mapping[str, Any]) -> dict[str, str]:
    """Return the header that says when to come again, where the status asks for it: in so many `minutes`, or soon."""
    if status not in _LATER:
        return {}
    minutes = params.get("minutes")
    return {"Retry-After": str(minutes * 60 if isinstance(minutes, int) else _SECONDS)}

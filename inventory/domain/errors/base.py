"""What every refusal is: a class with a stable code, a sort, and a message for logs."""

from __future__ import annotations

import enum
from typing import Any, ClassVar


class Refusal(enum.Enum):
    """What sort of refusal it is; each edge maps the sort to its own status (HTTP, exit code)."""

    INVALID = "invalid"
    """The request itself is wrong: a field, its value, its combination."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """The request is fine, the state of the stock does not allow it."""
    GONE = "gone"
    """A promise that has ended: an expired hold, a used code."""
    TOO_OFTEN = "too_often"
    """The caller must wait before it tries again."""
    BUSY = "busy"
    """Try again: a lock time-out, a station that does not answer."""


class DomainError(Exception):
    """Base of every refusal.

    Keyword arguments become `params`; `field`, `value`, `reason` and `item` are the usual ones. Never pass a secret.
    """

    code: ClassVar[str]
    refusal: ClassVar[Refusal]
    message: ClassVar[str]

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.message.format_map(_Lenient(params)))


class _Lenient(dict[str, Any]):
    """Leaves a placeholder without a value readable instead of failing inside error handling."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"

"""Refusals: one class each, with a stable code; edges translate them, nobody else does.

The English message is for logs. The text a person reads comes from the catalogue at the edge, by `code`, filled with
`params` (docs/errors.md lists every code).
"""

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

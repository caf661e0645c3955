"""Who called lately: spares the hot path a query per request, for a time short enough that a revocation still bites."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from inventory.access.caller import Admission

_MOST = 10_000
"""Entries kept; at this many the cache starts over."""


class CallerCache:
    """Remembers admissions of one process for some seconds; nothing refused is ever remembered."""

    def __init__(self, seconds: int) -> None:
        self._span = timedelta(seconds=seconds)
        self._kept: dict[Hashable, tuple[datetime, Admission]] = {}

    def get(self, key: Hashable, *, now: datetime) -> Admission | None:
        """Return what was kept under the key, or None if that is too long ago; a clock set back ends it too."""
        found = self._kept.get(key)
        if found is None or not timedelta() <= now - found[0] < self._span:
            return None
        return found[1]

    def put(self, key: Hashable, admission: Admission, *, now: datetime) -> None:
        """Remember the admission."""
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[key] = (now, admission)

    def clear(self) -> None:
        """Forget everyone: something about callers has changed."""
        self._kept.clear()

"""What a second person is asked for, and the digest that ties the answer to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Demand:
    """An act that needs a second person: exactly what is wished, and what people read of it.

    `wish` is what the maker sent, without the approval; `summary` is what the act found that it would do with it (how
    many items, where, from and to which state). Both are ready for JSON and hold no secret. `place` is the id of the
    organisation whose stock it is about: who answers must have it in its part. `permission` is what both must hold.
    """

    act: str
    permission: str
    place: int
    wish: Mapping[str, Any] = field(repr=False)
    summary: Mapping[str, Any]

    @property
    def sha256(self) -> bytes:
        """The digest of act, place, wish and summary: an approval is used for what was read, or for nothing."""
        whole = {"act": self.act, "place": self.place, "wish": self.wish, "summary": self.summary}
        canonical = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).digest()

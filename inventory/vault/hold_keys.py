"""The key of a hold (预占关键字): derived from the hold's id, never stored, so a replay can give it again."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

HEADER = "Haoka-Hold-Key"
"""The key travels in this header only, never in a body, URL, log or event."""


@dataclass(frozen=True)
class HoldKeys:
    """Derives and checks hold keys with the service's own secret (REQ-RSV-06)."""

    secret: bytes = field(repr=False)

    def key(self, city_id: int, hold_id: int) -> str:
        """Give the key of a hold: 64 hexadecimal digits."""
        return hmac.new(self.secret, f"hold/{city_id}/{hold_id}".encode(), hashlib.sha256).hexdigest()

    def opens(self, key: str, city_id: int, hold_id: int) -> bool:
        """Tell whether the key is this hold's, in time that does not depend on where they differ."""
        return hmac.compare_digest(key.encode(), self.key(city_id, hold_id).encode())

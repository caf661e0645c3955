"""Enrolment codes and station credentials: derived, never stored, so that a lost answer can be given again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

_CODE_BYTES = 10
_GROUP = 4


@dataclass(frozen=True)
class EnrolKeys:
    """Derives codes and credentials with the service's own secret (`vault.derive("enrolment")`)."""

    secret: bytes = field(repr=False)

    def code(self, city_id: int, interface_no: str, idempotency_key: str) -> str:
        """Give the one-time code of a request for one: 80 bits as 16 letters and digits in groups of four."""
        drawn = self._derive(f"code/{city_id}/{interface_no}/{idempotency_key}")[:_CODE_BYTES]
        letters = base64.b32encode(drawn).decode("ascii")
        return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))

    def credential(self, code: str) -> str:
        """Give the credential that the code is traded for: `hst_` and 64 hexadecimal digits."""
        return "hst_" + self._derive(f"credential/{normal(code)}").hex()

    def _derive(self, purpose: str) -> bytes:
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()


def normal(code: str) -> str:
    """Give a code as it is compared, whatever case, blanks and hyphens a person typed."""
    return "".join(code.split()).replace("-", "").upper()


def digest(secret: str) -> bytes:
    """Give the SHA-256 under which a code or credential is kept; both are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()

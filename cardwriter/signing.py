"""Signatures of scripts: whoever carries a script to a station can neither change it nor send it to another one.

The service signs (Ed25519, RFC 8032) which station, reader and job a script is for together with all that it holds:
card, expiry, every command. What is signed is written anew from the parsed script on both sides, so that exactly what
will run is what was signed. A new key is believed because the key before it endorses it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

if TYPE_CHECKING:
    from cardwriter.script import Script

_SCRIPT: Final = b"haoka script 1\n"
_SUCCESSOR: Final = b"haoka signer 1\n"
"""What a signature is for stands in front, so that none passes for another kind."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a script may run: the station's id, its reader, and the job that it is for, None for a look."""

    station: str
    reader: str
    job: str | None


class Signer:
    """The service's key of one version; `public` is what stations keep of it, 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        """Take the 32 bytes that the key is made of."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, script: Script, to: Destination) -> bytes:
        """Return the signature, 64 bytes, under which the station runs the script."""
        return self._key.sign(_signed(script, to))

    def endorse(self, successor: bytes) -> bytes:
        """Return the signature by which stations that know this key believe another one."""
        return self._key.sign(_SUCCESSOR + successor)


def is_signed(public: bytes, signature: bytes, script: Script, to: Destination) -> bool:
    """Whether the key's owner made the script for this destination."""
    return _holds(public, signature, _signed(script, to))


def is_endorsed(public: bytes, signature: bytes, successor: bytes) -> bool:
    """Whether the key's owner handed over to the successor."""
    return _holds(public, signature, _SUCCESSOR + successor)


def _signed(script: Script, to: Destination) -> bytes:
    whole = {"to": asdict(to), "script": script.to_wire()}
    return _SCRIPT + json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):  # the latter: no public key at all
        return False
    return True

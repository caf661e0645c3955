"""Passwords of staff (argon2id) and the random secrets of keys and sessions. No password is ever logged or printed."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

KEY_PREFIX = "hk_"
SESSION_PREFIX = "hs_"
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

STRENGTH = RFC_9106_LOW_MEMORY
"""RFC 9106 section 4, second recommended option: 64 MiB, three passes, four lanes."""
_HASHER = PasswordHasher.from_parameters(STRENGTH)
# Each check takes 64 MiB and a core for some 50 ms: two at a time, so that a flood of sign-ins costs neither
_WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """Return the argon2id hash of the password, in PHC string form."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _HASHER.hash, password)


async def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; takes as long when there is no hash at all."""
    fits = await asyncio.get_running_loop().run_in_executor(_WORKERS, _verify, password_hash or _nobody(), password)
    return fits and password_hash is not None


@cache
def _nobody() -> str:
    """Return a hash that no password fits: an unknown staff id takes as long as a wrong password."""
    return _HASHER.hash(secrets.token_urlsafe())


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def fresh_secret(prefix: str) -> str:
    """Return a new random secret of 256 bits, marked by its prefix so that a leaked one is recognised by scanners."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """Return the SHA-256 under which a random secret is kept; looking it up by index tells nothing of the secret."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()

"""The frame of every write that is not hot: one transaction, done once for an `Idempotency-Key`."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import DomainError, IdempotencyMismatch
from inventory.store import idempotency


@dataclass(frozen=True)
class WriteKey:
    """A caller's `Idempotency-Key` with what it was sent for."""

    key: str
    operation: str
    body_sha256: bytes

    @classmethod
    def of(cls, key: str, operation: str, body: Any, *, secret: bytes = b"") -> WriteKey:
        """Build the key of a request from its JSON-ready body.

        The digest is kept, so bodies that may hold a password are digested under a secret of the service.
        """
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        digest = hmac.digest(secret, canonical.encode(errors="surrogatepass"), hashlib.sha256)
        return cls(key, operation, digest)


@dataclass(frozen=True)
class Answer:
    """What a write answers: JSON-ready, without secrets; `replayed` when an earlier success was given again."""

    body: dict[str, Any]
    replayed: bool = False


async def replay(connection: AsyncSession | AsyncConnection, caller: Caller, write: WriteKey) -> Answer | None:
    """Return the answer already given under the key, or None.

    Raises
    ------
    IdempotencyMismatch
        The key was used for another operation or another body.
    """
    stored = await idempotency.find(connection, city_id=caller.city_id, interface_no=caller.interface_no, key=write.key)
    if stored is None:
        return None
    if (stored.operation, stored.body_sha256) != (write.operation, write.body_sha256):
        raise IdempotencyMismatch(key=write.key, operation=stored.operation)
    return Answer(stored.answer, replayed=True)


async def once(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    work: Callable[[], Awaitable[dict[str, Any]]],
    *,
    now: datetime,
) -> Answer:
    """Run the work in one transaction unless the key has had a success; then give that answer again.

    Of two equal requests at once one is rolled back whole by the key's constraint and answers with the other's result.
    A refusal raised by the work rolls everything back and is not stored.

    Raises
    ------
    IdempotencyMismatch
        The key was used for another operation or another body.
    """
    async with session.begin():
        earlier = await replay(session, caller, write)
    if earlier is not None:
        return earlier
    try:
        async with session.begin():
            body = await work()
            await idempotency.keep(
                session,
                city_id=caller.city_id,
                interface_no=caller.interface_no,
                key=write.key,
                operation=write.operation,
                body_sha256=write.body_sha256,
                answer=body,
                now=now,
            )
    except (DomainError, IntegrityError):
        # An equal request may have been quicker: then what this one met is the other's success.
        async with session.begin():
            earlier = await replay(session, caller, write)
        if earlier is None:
            raise
        return earlier
    return Answer(body)

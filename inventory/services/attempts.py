"""The frame of every hot write: try the one statement, give an earlier answer again, or name what stands in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.access.caller import Caller
from inventory.domain.errors import Busy, DomainError
from inventory.services.once import Answer, WriteKey, replay
from inventory.store import idempotency
from inventory.store.engine import is_unique_violation

_TRIES = 5
"""How often a statement is tried while others are changing the same rows; then the caller is told to come back."""


async def attempt(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    *,
    act: Callable[[], Awaitable[dict[str, Any] | None]],
    explain: Callable[[], Awaitable[None]],
) -> Answer:
    """Run `act` until it answers; after each refusal give the earlier answer of the key, or let `explain` raise.

    `act` runs one statement that does all or nothing and gives its answer, or None when some row was not as it must be;
    it may refuse by itself, but an answer given earlier comes first.
    `explain` raises the reason, or returns when nothing stands in the way any more: somebody was in the middle of it.

    Raises
    ------
    Busy
        Others kept changing the same rows.
    IdempotencyMismatch
        The key was used for another request.
    """
    for _ in range(_TRIES):
        body = refusal = None
        try:
            body = await act()
        except DomainError as error:
            refusal = error
        except IntegrityError as error:
            if not is_unique_violation(error, idempotency.CONSTRAINT):
                raise
        if body is not None:
            return Answer(body)
        earlier = await replay(connection, caller, write)
        if earlier is not None:
            return earlier
        if refusal is not None:
            raise refusal
        await explain()
    raise Busy


def write_parameters(caller: Caller, write: WriteKey) -> dict[str, Any]:
    """Give the parameters that every hot write has: who, from where, under which key."""
    return {
        "city": caller.city_id,
        "interface": caller.interface_no,
        "staff": caller.staff_no,
        "key": write.key,
        "operation": write.operation,
        "body_sha256": write.body_sha256,
    }

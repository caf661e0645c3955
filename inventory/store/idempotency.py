"""The answers already given: read and kept under (city, interface, key)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.store.schema import Idempotency

CONSTRAINT = "pk_idempotency"


@dataclass(frozen=True)
class StoredAnswer:
    """What the first success of a key did and answered."""

    operation: str
    body_sha256: bytes
    answer: dict[str, Any]


async def find(
    connection: AsyncSession | AsyncConnection, *, city_id: int, interface_no: str, key: str
) -> StoredAnswer | None:
    """Return the stored answer of the key, or None if the key has had no success."""
    row = (
        await connection.execute(
            select(Idempotency.operation, Idempotency.body_sha256, Idempotency.answer).where(
                Idempotency.city_id == city_id, Idempotency.interface_no == interface_no, Idempotency.key == key
            )
        )
    ).one_or_none()
    return None if row is None else StoredAnswer(row.operation, row.body_sha256, row.answer)


async def keep(
    session: AsyncSession,
    *,
    city_id: int,
    interface_no: str,
    key: str,
    operation: str,
    body_sha256: bytes,
    answer: dict[str, Any],
    now: datetime,
) -> None:
    """Keep the answer; a second request with the same key fails here and its whole transaction is rolled back."""
    await session.execute(
        insert(Idempotency).values(
            city_id=city_id,
            interface_no=interface_no,
            key=key,
            operation=operation,
            body_sha256=body_sha256,
            answer=answer,
            created_at=now,
        )
    )

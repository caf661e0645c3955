"""Give committed events their gap-free place in their city's chain, and read the chain back.

Only rows below the oldest transaction still running are taken, in the order (transaction, event number): nothing can
appear below them any more, so the last one sealed tells where to go on. (Transaction ids must not start anew under the
chain: move a database with physical copies, or with `pg_upgrade`, which keeps them.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import Event, SealBlock, SealedEvent


@dataclass(frozen=True)
class EventRow:
    """An event as it stands in the table (see `Event`), without its transaction id."""

    event_no: int
    at: datetime
    name: str
    kind: str
    item_no: int
    version: int | None
    from_state: str | None
    to_state: str | None
    staff_no: str
    interface_no: str
    reason: str | None
    reason_code: str | None
    order_ref: str | None
    data: dict[str, Any]


@dataclass(frozen=True)
class PlacedEvent:
    """A sealed event and its position, from 1 on without a gap in each city."""

    position: int
    event: EventRow


@dataclass(frozen=True)
class Block:
    """A sealed block of the chain."""

    block_no: int
    first_position: int
    last_position: int
    previous_hash: bytes
    hash: bytes
    sealed_at: datetime


_EVENT_COLUMNS = [getattr(Event, column.name) for column in fields(EventRow)]
_BLOCK_COLUMNS = [getattr(SealBlock, column.name) for column in fields(Block)]

_LAST_SEALED = text("""
    SELECT CAST(e.xid AS text), e.event_no FROM sealed_event z
    JOIN event e ON e.city_id = z.city_id AND e.event_no = z.event_no
    WHERE z.city_id = CAST(:city AS int) ORDER BY z.position DESC LIMIT 1
""")
_TAKE = text("""
    SELECT * FROM event
    WHERE city_id = CAST(:city AS int) AND xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (xid, event_no) > (CAST(CAST(:xid AS text) AS xid8), CAST(:event_no AS bigint))
    ORDER BY xid, event_no LIMIT CAST(:limit AS int)
""")
_TAIL = text("""
    SELECT count(*) FROM event e WHERE e.city_id = CAST(:city AS int) AND NOT EXISTS (
        SELECT FROM sealed_event z WHERE z.city_id = e.city_id AND z.event_no = e.event_no)
""")


def _event(row: RowMapping) -> EventRow:
    return EventRow(**{column.name: row[column.name] for column in fields(EventRow)})


async def try_to_be_sealer(session: AsyncSession, city_id: int) -> bool:
    """Take the city's sealer lock until the transaction ends; False when another process has it."""
    lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
    return bool(await session.scalar(lock, {"name": f"seal/{city_id}"}))


async def cities_with_events(session: AsyncSession) -> list[int]:
    """Return the cities that have any event."""
    # A loose scan: one index probe per city, however many events there are.
    query = text("""
        WITH RECURSIVE c AS (
            (SELECT city_id FROM event ORDER BY city_id LIMIT 1)
            UNION ALL
            SELECT (SELECT e.city_id FROM event e WHERE e.city_id > c.city_id ORDER BY e.city_id LIMIT 1)
            FROM c WHERE c.city_id IS NOT NULL
        ) SELECT city_id FROM c WHERE city_id IS NOT NULL
    """)
    return list(await session.scalars(query))


async def last_block(session: AsyncSession, city_id: int) -> Block | None:
    """Return the newest block of the city's chain, or None before the first."""
    query = select(*_BLOCK_COLUMNS).where(SealBlock.city_id == city_id).order_by(SealBlock.block_no.desc()).limit(1)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else Block(**row)


async def take_unsealed(session: AsyncSession, city_id: int, *, limit: int) -> list[EventRow]:
    """Return the next events to seal, in the order of the chain."""
    last = (await session.execute(_LAST_SEALED, {"city": city_id})).one_or_none()
    xid, event_no = ("0", 0) if last is None else tuple(last)
    rows = await session.execute(_TAKE, {"city": city_id, "xid": xid, "event_no": event_no, "limit": limit})
    return [_event(row) for row in rows.mappings()]


async def count_unsealed(session: AsyncSession, city_id: int) -> int:
    """Return how many events of the city are not in its chain."""
    return int(await session.scalar(_TAIL, {"city": city_id}) or 0)


async def append_block(session: AsyncSession, city_id: int, block: Block, event_nos: Sequence[int]) -> None:
    """Write a block and the positions of its events."""
    await session.execute(insert(SealBlock).values(city_id=city_id, **vars(block)))
    place = text("""
        INSERT INTO sealed_event (city_id, position, event_no)
        SELECT CAST(:city AS int), CAST(:first AS bigint) + given.place - 1, given.event_no
        FROM unnest(CAST(:events AS bigint[])) WITH ORDINALITY AS given (event_no, place)
    """)
    await session.execute(place, {"city": city_id, "first": block.first_position, "events": list(event_nos)})


async def blocks_after(session: AsyncSession, city_id: int, *, block_no: int, limit: int) -> list[Block]:
    """Return blocks of the chain with higher numbers than `block_no`, in order."""
    query = (
        select(*_BLOCK_COLUMNS)
        .where(SealBlock.city_id == city_id, SealBlock.block_no > block_no)
        .order_by(SealBlock.block_no)
        .limit(limit)
    )
    return [Block(**row) for row in (await session.execute(query)).mappings()]


async def sealed_events(
    session: AsyncSession, city_id: int, *, after: int, limit: int, owner: str | None = None
) -> list[PlacedEvent]:
    """Return sealed events behind position `after`, in order; with `owner` only those of that interface number.

    An event belongs to the interface that caused it and, for the end of a hold, to the one that held.
    """
    query = (
        select(SealedEvent.position, *_EVENT_COLUMNS)
        .join(Event, (Event.city_id == SealedEvent.city_id) & (Event.event_no == SealedEvent.event_no))
        .where(SealedEvent.city_id == city_id, SealedEvent.position > after)
        .order_by(SealedEvent.position)
        .limit(limit)
    )
    if owner is not None:
        query = query.where((Event.interface_no == owner) | (Event.data["owner"].as_string() == owner))
    rows = (await session.execute(query)).mappings()
    return [PlacedEvent(row["position"], _event(row)) for row in rows]

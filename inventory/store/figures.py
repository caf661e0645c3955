"""What has ended since one looked last, for metrics: loads, and documents of moved items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import LoadBatch


@dataclass(frozen=True)
class EndedLoad:
    """A load that has ended; what was taken and how long it ran count for a committed one."""

    city_id: int
    batch_id: int
    resource: str
    state: str
    accepted: int
    created_at: datetime
    finished_at: datetime


@dataclass(frozen=True)
class WrittenDocuments:
    """So many documents of a kind with so many items."""

    kind: str
    resource: str
    documents: int
    items: int


_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")

_WRITTEN = text("""
    SELECT m.kind, m.resource, count(*), sum(m.item_count)::bigint
    FROM organisation AS city
    JOIN event AS e ON e.city_id = city.city_id AND e.kind = 'movement'
        AND e.xid >= CAST(CAST(:since AS text) AS xid8) AND e.xid < CAST(CAST(:until AS text) AS xid8)
    JOIN movement AS m ON m.city_id = e.city_id AND m.movement_id = e.item_no
    WHERE city.parent_id IS NULL
    GROUP BY m.kind, m.resource ORDER BY m.kind, m.resource
""")

_TOLD = text("""
    SELECT CAST(sum(CAST(e.data ->> 'count' AS bigint)) FILTER (WHERE e.name = 'auc.exported') AS bigint) AS sent,
           CAST(sum(CAST(e.data ->> 'confirmed' AS bigint)) AS bigint) AS confirmed,
           CAST(sum(CAST(e.data ->> 'failed' AS bigint)) AS bigint) AS failed,
           CAST(sum(CAST(e.data ->> 'deleted' AS bigint)) AS bigint) AS deleted,
           CAST(sum(CAST(e.data ->> 'count' AS bigint)) FILTER (WHERE e.name = 'auc.deletion_told') AS bigint)
               AS to_delete
    FROM organisation AS city
    JOIN event AS e ON e.city_id = city.city_id AND e.name IN ('auc.exported', 'auc.deletion_told', 'auc.answered')
        AND e.xid >= CAST(CAST(:since AS text) AS xid8) AND e.xid < CAST(CAST(:until AS text) AS xid8)
    WHERE city.parent_id IS NULL
""")

_REPLACED = text("""
    SELECT e.reason, count(*)
    FROM organisation AS city
    JOIN event AS e ON e.city_id = city.city_id AND e.name = 'sim.replaced'
        AND e.xid >= CAST(CAST(:since AS text) AS xid8) AND e.xid < CAST(CAST(:until AS text) AS xid8)
    WHERE city.parent_id IS NULL
    GROUP BY e.reason
""")


_ROLLED_BACK = text("""
    SELECT count(*)
    FROM organisation AS city
    JOIN event AS e ON e.city_id = city.city_id AND e.name = 'number.rolled_back'
        AND e.xid >= CAST(CAST(:since AS text) AS xid8) AND e.xid < CAST(CAST(:until AS text) AS xid8)
    WHERE city.parent_id IS NULL
""")


async def horizon(session: AsyncSession) -> str:
    """Return the oldest transaction that still runs: whatever older ones wrote is there for all to see."""
    return str((await session.execute(_HORIZON)).scalar_one())


async def documents_between(session: AsyncSession, since: str, until: str) -> list[WrittenDocuments]:
    """Return the documents written by the transactions from `since` on and before `until`, but intakes and sales."""
    rows = await session.execute(_WRITTEN, {"since": since, "until": until})
    return [WrittenDocuments(*row) for row in rows]


async def network_between(session: AsyncSession, since: str, until: str) -> dict[str, int]:
    """Return how many identities the network was told of or to delete, confirmed, refused and deleted, as above."""
    row = (await session.execute(_TOLD, {"since": since, "until": until})).mappings().one()
    return {result: count for result, count in row.items() if count}


async def replaced_between(session: AsyncSession, since: str, until: str) -> dict[str, int]:
    """Return how many cards of lines were replaced in transactions as above, by reason."""
    rows = await session.execute(_REPLACED, {"since": since, "until": until})
    return {str(reason): int(count) for reason, count in rows}


async def rolled_back_between(session: AsyncSession, since: str, until: str) -> int:
    """Return how many sales that waited for the network were rolled back in transactions as above."""
    return int((await session.execute(_ROLLED_BACK, {"since": since, "until": until})).scalar_one())


async def loads_ended(session: AsyncSession, since: datetime) -> list[EndedLoad]:
    """Return the loads that have ended at this moment or later."""
    columns = (getattr(LoadBatch, name) for name in EndedLoad.__dataclass_fields__)
    rows = await session.execute(select(*columns).where(LoadBatch.finished_at >= since).order_by(LoadBatch.batch_id))
    return [EndedLoad(*row) for row in rows]

"""Run the checks of `audit_sql` and keep what an audit found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.lifecycle import HoldState
from inventory.store.audit_sql import CHECKS, FIGURES, LOADED
from inventory.store.engine import see_one_moment
from inventory.store.schema import AuditRun, Organisation
from inventory.store.stock import allow_long_statements

LIVE = [HoldState.ACTIVE.value, HoldState.BOOKED.value]
MOST_FINDINGS = 20
"""So many findings of one check in one city are named; more say nothing new."""


@dataclass(frozen=True)
class Finding:
    """Something that must not be: which check, in which city, about what, and what is wrong."""

    check: str
    city_id: int
    subject: str
    detail: str


@dataclass(frozen=True)
class CityFigures:
    """What a city has: items loaded by the ledger, and items in stock by (kind, state, level of the holder)."""

    loaded: dict[str, int]
    stock: list[tuple[str, str, str | None, int]]


@dataclass(frozen=True)
class StoredAudit:
    """An audit that was kept."""

    at: datetime
    ok: bool
    figures: dict[str, Any]
    findings: list[dict[str, Any]]


async def take_snapshot(session: AsyncSession) -> None:
    """Let everything that follows in the transaction see one moment, for as long as it takes."""
    await see_one_moment(session)
    await allow_long_statements(session)


async def cities(session: AsyncSession | AsyncConnection) -> list[int]:
    """Return every city of the installation."""
    query = select(Organisation.city_id).distinct().order_by(Organisation.city_id)
    return list((await session.execute(query)).scalars())


async def find(session: AsyncSession, check: str, city_id: int) -> list[Finding]:
    """Return the first findings of a check in a city."""
    query = text(f"SELECT * FROM ({CHECKS[check]}) AS found LIMIT {MOST_FINDINGS}")  # noqa: S608 - our own checks
    known = {"city": city_id, "live": LIVE}
    rows = await session.execute(query, {name: known[name] for name in known if f":{name}" in CHECKS[check]})
    return [Finding(check, city_id, subject, detail) for subject, detail in rows]


async def figures(session: AsyncSession, city_id: int) -> CityFigures:
    """Return what the city has."""
    loaded = await session.execute(text(LOADED), {"city": city_id})
    stock = await session.execute(text(FIGURES), {"city": city_id})
    return CityFigures({row.resource: int(row.items) for row in loaded}, [(*row,) for row in stock])


async def keep(session: AsyncSession, audit: StoredAudit) -> None:
    """Keep an audit."""
    await session.execute(insert(AuditRun).values(**vars(audit)))


async def last(session: AsyncSession) -> StoredAudit | None:
    """Return the newest audit, or None."""
    query = select(AuditRun.at, AuditRun.ok, AuditRun.figures, AuditRun.findings).order_by(AuditRun.id.desc()).limit(1)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else StoredAudit(*row)

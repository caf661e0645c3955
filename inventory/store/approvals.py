"""Keep what second persons are asked for, and what they answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.approvals import Demand
from inventory.domain.lifecycle import APPROVAL_LIFECYCLE, ApprovalState
from inventory.store.schema import Approval

MOST_LISTED = 200
"""A list shows this many, the newest."""

_EXPIRE_DUE = text("""
    WITH due AS (
        SELECT approval_id, state FROM approval
        WHERE city_id = :city AND state IN ('ASKED', 'GRANTED') AND expires_at <= :now FOR UPDATE SKIP LOCKED
    ), ended AS (
        UPDATE approval a SET state = 'EXPIRED' FROM due
        WHERE a.city_id = :city AND a.approval_id = due.approval_id RETURNING a.approval_id, due.state
    )
    INSERT INTO event (city_id, at, name, kind, item_no, from_state, to_state, staff_no, interface_no)
    SELECT :city, :now, 'approval.expired', 'approval', approval_id, state, 'EXPIRED', 'system', 'system' FROM ended
""")


@dataclass(frozen=True)
class ApprovalRow:
    """An approval as it stands, without the wish: see `Approval` for the meaning of each field."""

    approval_id: int
    act: str
    permission: str
    place_id: int
    sha256: bytes
    summary: dict[str, Any]
    state: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    answer_reason: str | None
    used_at: datetime | None

    def state_at(self, now: datetime) -> ApprovalState:
        """Give the state at a time: what is open is over when its time is."""
        state = ApprovalState(self.state)
        return ApprovalState.EXPIRED if now >= self.expires_at and state not in APPROVAL_LIFECYCLE.terminal else state


_ROW = tuple(getattr(Approval, name) for name in ApprovalRow.__dataclass_fields__)


async def add(
    session: AsyncSession, demand: Demand, *, city_id: int, asked_by: str, now: datetime, expires_at: datetime
) -> int:
    """Insert what is asked for and return its number."""
    values = {
        "city_id": city_id,
        "act": demand.act,
        "permission": demand.permission,
        "place_id": demand.place,
        "sha256": demand.sha256,
        "wish": demand.wish,
        "summary": demand.summary,
        "state": APPROVAL_LIFECYCLE.initial,
        "asked_by": asked_by,
        "asked_at": now,
        "expires_at": expires_at,
    }
    return (await session.execute(insert(Approval).values(values).returning(Approval.approval_id))).scalar_one()


async def find(session: AsyncSession, *, city_id: int, approval_id: int, lock: bool = False) -> ApprovalRow | None:
    """Return an approval of the city, or None; `lock` keeps others from answering or using it until the end."""
    query = select(*_ROW).where(Approval.city_id == city_id, Approval.approval_id == approval_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else ApprovalRow(*row)


async def wish_of(session: AsyncSession, *, city_id: int, approval_id: int) -> dict[str, Any]:
    """Return exactly what was wished."""
    query = select(Approval.wish).where(Approval.city_id == city_id, Approval.approval_id == approval_id)
    wish: dict[str, Any] = (await session.execute(query)).scalar_one()
    return wish


async def asked_by(
    session: AsyncSession, *, city_id: int, staff_no: str, limit: int | None = MOST_LISTED
) -> list[ApprovalRow]:
    """Return what the staff id asked for, the newest first; `limit` None is all."""
    query = select(*_ROW).where(Approval.city_id == city_id, Approval.asked_by == staff_no)
    rows = await session.execute(query.order_by(Approval.approval_id.desc()).limit(limit))
    return [ApprovalRow(*row) for row in rows]


async def waiting(
    session: AsyncSession,
    *,
    city_id: int,
    places: Collection[int],
    permissions: Collection[str],
    not_by: str,
    now: datetime,
    limit: int | None = MOST_LISTED,
) -> list[ApprovalRow]:
    """Return what waits for an answer at one of the places, the oldest first, without what `not_by` asked for."""
    query = select(*_ROW).where(
        Approval.city_id == city_id,
        Approval.state == ApprovalState.ASKED,
        Approval.expires_at > now,
        Approval.place_id.in_(places),
        Approval.permission.in_(permissions),
        Approval.asked_by != not_by,
    )
    rows = await session.execute(query.order_by(Approval.approval_id).limit(limit))
    return [ApprovalRow(*row) for row in rows]


async def open_of(session: AsyncSession, *, city_id: int, staff_no: str, now: datetime) -> list[ApprovalRow]:
    """Return, locked, what the staff id asked for or granted and nobody has used."""
    asked = and_(Approval.asked_by == staff_no, Approval.state.in_([ApprovalState.ASKED, ApprovalState.GRANTED]))
    granted = and_(Approval.answered_by == staff_no, Approval.state == ApprovalState.GRANTED)
    query = select(*_ROW).where(Approval.city_id == city_id, Approval.expires_at > now, or_(asked, granted))
    rows = await session.execute(query.order_by(Approval.approval_id).with_for_update())
    return [ApprovalRow(*row) for row in rows]


async def move(session: AsyncSession, row: ApprovalRow, state: ApprovalState, *, city_id: int, **also: Any) -> bool:
    """Move an approval to a state that its life cycle allows; False means that someone else moved it first."""
    statement = (
        update(Approval)
        .where(Approval.city_id == city_id, Approval.approval_id == row.approval_id, Approval.state == row.state)
        .values(state=state, **also)
        .returning(Approval.approval_id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def expire_due(connection: AsyncConnection, *, city_id: int, now: datetime) -> int:
    """End the city's approvals whose time is over, with an event each, and return how many."""
    return (await connection.execute(_EXPIRE_DUE, {"city": city_id, "now": now})).rowcount

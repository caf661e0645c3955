"""Sales that wait for the network: number and card COMPLETING until it has confirmed all identities (N8b, S10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.lifecycle import AucState, NumberState, SimState
from inventory.store.auc import among
from inventory.store.hold_sql import EVENT_COLUMNS
from inventory.store.schema import Number, Sim, SimIdentity

_URGENT = (AucState.FAILED, AucState.NONE, AucState.SENT, AucState.CONFIRMED, AucState.DELETED)
"""In this order a person has something to do."""

_COMPLETE = text(f"""
    WITH line AS (
        SELECT item_no AS sim_item, min(number_item_no) AS number_item FROM sim_identity
        WHERE city_id = :city AND item_no = ANY(:cards)
        GROUP BY item_no HAVING bool_and(auc = 'confirmed' AND number_item_no IS NOT NULL)
    ), un AS (
        UPDATE number n SET state = 'IN_USE', version = version + 1, updated_at = :now
        FROM line WHERE n.city_id = :city AND n.item_no = line.number_item AND n.state = 'COMPLETING'
        RETURNING n.item_no, n.version
    ), us AS (
        UPDATE sim s SET state = 'IN_USE', version = version + 1, updated_at = :now
        FROM line WHERE s.city_id = :city AND s.item_no = line.sim_item AND s.state = 'COMPLETING'
        RETURNING s.item_no, s.version
    ), e AS (
        INSERT INTO event ({EVENT_COLUMNS})
        SELECT :city, :now, c.name, c.kind, c.item_no, c.version, 'COMPLETING', 'IN_USE', :staff, :interface, NULL,
               NULL, CAST('{{}}' AS jsonb)
        FROM (
            SELECT 'number.activated' AS name, 'number' AS kind, item_no, version FROM un
            UNION ALL
            SELECT 'sim.activated', 'sim', item_no, version FROM us
        ) AS c
    )
    SELECT count(*) FROM un
""")  # noqa: S608 - a constant


@dataclass(frozen=True)
class WaitingLine:
    """A sale that waits: its number and card, what the network knows of the worst identity, and since when it waits."""

    number: str
    iccid: str | None
    auc: str
    since: datetime


async def complete_lines(
    session: AsyncSession, imsis: Sequence[str], *, city_id: int, staff_no: str, interface_no: str, now: datetime
) -> int:
    """Put into service the numbers and cards of which these were the last to be confirmed; return how many.

    The cards are locked first: who confirms another identity of the same card just now comes before or after.
    """
    told = select(SimIdentity.item_no).where(SimIdentity.city_id == city_id, among(imsis))
    waiting = (
        select(Sim.item_no)
        .where(Sim.city_id == city_id, Sim.state == SimState.COMPLETING, Sim.item_no.in_(told))
        .order_by(Sim.item_no)
        .with_for_update(key_share=True)
    )
    cards = list(await session.scalars(waiting))
    given = {"city": city_id, "cards": cards, "staff": staff_no, "interface": interface_no, "now": now}
    return int((await session.execute(_COMPLETE, given)).scalar_one())


async def waiting_lines(session: AsyncSession, *, city_id: int, limit: int) -> list[WaitingLine]:
    """Return the sales of the city that wait: what the network refused first, then what it was not told, by age."""
    worst = func.min(case(*((SimIdentity.auc == state, place) for place, state in enumerate(_URGENT))))
    query = (
        select(Number.number, Sim.iccid, worst, Number.updated_at)
        .join(
            SimIdentity,
            tuple_(SimIdentity.city_id, SimIdentity.number_item_no) == tuple_(Number.city_id, Number.item_no),
        )
        .join(Sim, tuple_(Sim.city_id, Sim.item_no) == tuple_(SimIdentity.city_id, SimIdentity.item_no))
        .where(Number.city_id == city_id, Number.state == NumberState.COMPLETING)
        .group_by(Number.item_no, Number.number, Sim.iccid, Number.updated_at)
        .order_by(worst, Number.updated_at, Number.item_no)
        .limit(limit)
    )
    rows = await session.execute(query)
    return [WaitingLine(number, iccid, _URGENT[place], since) for number, iccid, place, since in rows]


_WAITS = text("""
    SELECT EXISTS (
        SELECT FROM number n
        JOIN sim_identity i ON i.city_id = n.city_id AND i.number_item_no = n.item_no
        JOIN sim s ON s.city_id = i.city_id AND s.item_no = i.item_no
        WHERE n.city_id = :city AND n.number = :number AND n.state = 'COMPLETING' AND s.state = 'COMPLETING'
          AND s.item_no = :sim)
""")


async def waits(connection: AsyncConnection, *, city_id: int, number: str | None, sim_item: int | None) -> bool:
    """Tell whether number and card are one line that waits for the network."""
    return bool(await connection.scalar(_WAITS, {"city": city_id, "number": number, "sim": sim_item}))


async def count_waiting(session: AsyncSession, *, city_id: int) -> int:
    """Return how many sales of the city wait for the network."""
    query = select(func.count()).where(Number.city_id == city_id, Number.state == NumberState.COMPLETING)
    return (await session.execute(query)).scalar_one()


async def count_all_waiting(session: AsyncSession) -> tuple[int, datetime | None]:
    """Return how many sales of all cities wait for the network, and since when the oldest one does (None: none)."""
    query = select(func.count(), func.min(Number.updated_at)).where(Number.state == NumberState.COMPLETING)
    count, since = (await session.execute(query)).one()
    return count, since

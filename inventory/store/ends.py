"""Move the state of many items at once by a document, and end what ends with them: secrets, data, registered names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import SIM, ResourceKind
from inventory.domain.lifecycle import AucState, DataState, IdentityState, SimState
from inventory.store.custody import MovedRange, ranges_of
from inventory.store.movements import LedgerRange
from inventory.store.schema import (
    CardSecret,
    Event,
    Identifier,
    MovementLine,
    Sim,
    SimIdentity,
    SubscriptionData,
)
from inventory.store.selection import Naming, movable, named
from inventory.store.stock import name_column, stock_table

GIVEN_BACK = "~"
"""The name of a card that was given back begins so, with its generation: `~1~8986…`. The name itself is free again.

So does an IMSI on it that no network knows: it is kept for that card (`staging.find_kept`).
"""


def bare(name: str) -> str:
    """Give a name without the mark of what is no longer in this stock."""
    return name.rsplit(GIVEN_BACK, maxsplit=1)[-1]


@dataclass(frozen=True, kw_only=True)
class StateMove:
    """One move of state for many items, with what each item's event says.

    `receiver` is their holder from now on; with `leaves` they are out of the stock and owed to nobody any more.
    """

    name: str
    to_state: str
    receiver: int
    leaves: bool
    reason: str
    order_ref: str | None


async def move_items(
    session: AsyncSession,
    kind: ResourceKind,
    selection: Naming,
    move: StateMove,
    *,
    city_id: int,
    holder: int,
    states: Collection[str],
    staff_no: str,
    interface_no: str,
    now: datetime,
) -> Mapping[str, list[MovedRange]]:
    """Move the holder's selected items that are in one of the states, with an event each; return ranges by old state.

    Items on hold or on their way stay. The caller compares the count with what was wanted.
    """
    table = stock_table(kind)
    change: dict[str, Any] = {
        "state": move.to_state,
        "version": table.c.version + 1,
        "holder_id": move.receiver,
        "updated_at": now,
        **({"recall_id": None} if move.leaves else {}),
    }
    found: dict[str, list[MovedRange]] = {}
    for state in sorted(states):
        guard = movable(kind, city_id=city_id, holder_id=holder, states={state}, owed_too=True)
        moved = (
            update(table)
            .where(guard, named(kind, selection))
            .values(change)
            .returning(table.c.item_no, table.c.version)
            .cte("moved")
        )
        values: dict[str, ColumnElement[Any]] = {
            "city_id": literal(city_id),
            "at": literal(now),
            "name": literal(move.name),
            "kind": literal(kind.name),
            "item_no": moved.c.item_no,
            "version": moved.c.version,
            "from_state": literal(state),
            "to_state": literal(move.to_state),
            "staff_no": literal(staff_no),
            "interface_no": literal(interface_no),
            "reason": literal(move.reason),
            "order_ref": literal(move.order_ref),
        }
        told = insert(Event).from_select(list(values), select(*values.values())).cte("told")
        ranges = await ranges_of(session, moved, also=told)
        if ranges:
            found[state] = ranges
    return found


async def items_called(
    session: AsyncSession, kind: ResourceKind, selection: Naming, *, city_id: int, limit: int | None = None
) -> dict[int, str]:
    """Return the names of the selected items by their numbers, in order; at most the first `limit`."""
    table = stock_table(kind)
    query = select(table.c.item_no, name_column(kind)).where(table.c.city_id == city_id, named(kind, selection))
    rows = await session.execute(query.order_by(table.c.item_no).limit(limit))
    return dict(rows.all())


async def names_at(
    session: AsyncSession, kind: ResourceKind, *, city_id: int, holder: int, states: Collection[str], limit: int
) -> list[str]:
    """Return the names of the first items that the holder may send out of stock: in these states, held by no kit."""
    guard = movable(kind, city_id=city_id, holder_id=holder, states=states, owed_too=True)
    table = stock_table(kind)
    return list(await session.scalars(select(name_column(kind)).where(guard).order_by(table.c.item_no).limit(limit)))


async def with_imsi(session: AsyncSession, selection: Naming, *, city_id: int, limit: int) -> list[tuple[str, str]]:
    """Return name and state of the first selected cards that hold an IMSI or may; a finished card only once sold."""
    untouched = and_(
        Sim.hlr_code.is_not(None),
        SimIdentity.state == IdentityState.VERIFIED,
        SimIdentity.number_item_no.is_(None),
        SimIdentity.auc != AucState.DELETED,
    )
    identity = exists().where(
        SimIdentity.city_id == Sim.city_id,
        SimIdentity.item_no == Sim.item_no,
        SimIdentity.state != IdentityState.NONE,
        ~untouched,
    )
    sent = [DataState.LEASED, DataState.QUARANTINED, DataState.BOUND]
    unit = exists().where(
        SubscriptionData.city_id == Sim.city_id,
        SubscriptionData.sim_item_no == Sim.item_no,
        SubscriptionData.state.in_(sent),
        Sim.hlr_code.is_(None),
    )
    query = (
        select(name_column(SIM), Sim.state)
        .where(Sim.city_id == city_id, named(SIM, selection), or_(identity, unit))
        .order_by(Sim.item_no)
        .limit(limit)
    )
    return [(name, state) for name, state in await session.execute(query)]


async def not_expired(
    session: AsyncSession, selection: Naming, *, city_id: int, today: date, limit: int
) -> list[tuple[str, str]]:
    """Return name and state of the first selected cards that could be sold still: no last day, or not over."""
    good = or_(Sim.expires_on.is_(None), Sim.expires_on >= today)
    query = (
        select(name_column(SIM), Sim.state)
        .where(Sim.city_id == city_id, named(SIM, selection), Sim.state == SimState.AVAILABLE, good)
        .order_by(Sim.item_no)
        .limit(limit)
    )
    return [(name, state) for name, state in await session.execute(query)]


async def scrap_secrets(session: AsyncSession, *, city_id: int, movement_id: int) -> None:
    """Destroy the secrets of the cards on a document: they are born and end with their card."""
    line = MovementLine
    await session.execute(
        delete(CardSecret).where(
            CardSecret.city_id == city_id,
            line.city_id == city_id,
            line.movement_id == movement_id,
            CardSecret.item_no.between(line.lo, line.hi),
        ),
        execution_options={"synchronize_session": False},
    )


_RETIRE_DATA = text("""
    WITH retired AS (
        UPDATE subscription_data d SET state = 'RETIRED', version = d.version + 1, updated_at = :now
        FROM movement_line l
        WHERE d.city_id = :city AND d.state = 'QUARANTINED' AND d.sim_item_no BETWEEN l.lo AND l.hi
          AND l.city_id = :city AND l.movement_id = :movement
        RETURNING d.data_no, d.version, d.sim_item_no
    )
    INSERT INTO event (city_id, at, name, kind, item_no, version, from_state, to_state, staff_no, interface_no, data)
    SELECT :city, :now, 'data.retired', 'data', data_no, version, 'QUARANTINED', 'RETIRED', :staff, :interface,
           jsonb_build_object('sim_item', sim_item_no)
    FROM retired
""")


async def retire_data(
    session: AsyncSession, *, city_id: int, movement_id: int, staff_no: str, interface_no: str, now: datetime
) -> None:
    """Retire the quarantined data of the cards on a document, with an event each: no other card ever gets it."""
    given = {"city": city_id, "movement": movement_id, "staff": staff_no, "interface": interface_no, "now": now}
    await session.execute(_RETIRE_DATA, given)


_FREE_NAMES = text(f"""
    WITH gone AS (
        SELECT s.item_no, s.iccid, s.serial, '{GIVEN_BACK}' || s.generation || '{GIVEN_BACK}' AS mark
        FROM movement_line l JOIN sim s ON s.city_id = l.city_id AND s.item_no BETWEEN l.lo AND l.hi
        WHERE l.city_id = :city AND l.movement_id = :movement
    ), identity AS (
        SELECT i.imsi, g.mark FROM gone g JOIN sim_identity i ON i.city_id = :city AND i.item_no = g.item_no
        WHERE i.state = '{IdentityState.VERIFIED}' AND i.auc IN ('{AucState.NONE}', '{AucState.DELETED}')
    ), registered AS (
        UPDATE identifier i SET value = g.mark || i.value FROM gone g
        WHERE (i.kind = 'iccid' AND i.value = g.iccid) OR (i.kind = 'serial' AND i.value = g.serial)
    ), registered_imsi AS (
        UPDATE identifier i SET value = g.mark || g.imsi FROM identity g WHERE i.kind = 'imsi' AND i.value = g.imsi
    ), on_card AS (
        UPDATE sim_identity i SET imsi = g.mark || g.imsi FROM identity g WHERE i.city_id = :city AND i.imsi = g.imsi
    ), unit AS (
        UPDATE subscription_data d SET imsi = g.mark || g.imsi FROM identity g
        WHERE d.city_id = :city AND d.imsi = g.imsi
    )
    UPDATE sim s SET iccid = g.mark || g.iccid, serial = g.mark || g.serial FROM gone g
    WHERE s.city_id = :city AND s.item_no = g.item_no
""")  # noqa: S608 - a constant
"""The cards of a document keep their row and history under a marked name, in stock and in the registry alike.

An IMSI that the network has, or may have, keeps its name: nobody gets it again (REQ-AUC-01).
"""


async def free_names(session: AsyncSession, *, city_id: int, movement_id: int) -> None:
    """Free the names of the cards on a document, for a card of that name to come into stock as the next generation.

    The IMSI of a finished one goes with them, and may come on a card of that name again (REQ-STK-05).
    """
    await session.execute(_FREE_NAMES, {"city": city_id, "movement": movement_id})


_GIVEN_BACK_FROM, _GIVEN_BACK_TO = f"{GIVEN_BACK}0", f"{GIVEN_BACK}:"
"""Between these lie the names with a generation in front, behind all others in the registry and before those of cards
that are in another city now (`crossing.mark`)."""
_NEXT_GENERATIONS = text(f"""
    WITH earlier AS MATERIALIZED (
        SELECT kind, split_part(value, '{GIVEN_BACK}', 3) AS name,
               max(CAST(split_part(value, '{GIVEN_BACK}', 2) AS int)) AS generation
        FROM identifier
        WHERE kind IN ('iccid', 'serial') AND value >= '{_GIVEN_BACK_FROM}' AND value < '{_GIVEN_BACK_TO}'
        GROUP BY kind, name
    ), known AS (
        SELECT s.item_no, e.generation FROM earlier e
        JOIN sim s ON s.city_id = :city AND s.batch_id = :batch AND s.iccid = e.name WHERE e.kind = 'iccid'
        UNION ALL
        SELECT s.item_no, e.generation FROM earlier e
        JOIN sim s ON s.city_id = :city AND s.batch_id = :batch AND s.serial = e.name WHERE e.kind = 'serial'
    ), again AS (
        UPDATE sim s SET generation = k.generation + 1
        FROM (SELECT item_no, max(generation) AS generation FROM known GROUP BY item_no) AS k
        WHERE s.city_id = :city AND s.item_no = k.item_no
        RETURNING s.item_no, s.generation
    )
    UPDATE card_secret c SET generation = a.generation FROM again a WHERE c.city_id = :city AND c.item_no = a.item_no
""")  # noqa: S608 - a constant


async def count_generations(session: AsyncSession, *, city_id: int, batch_id: int) -> None:
    """Make those cards of a load that were in stock before, and were given back, their next generation.

    Whichever city gave them back: the marked name must be free in the registry of all cities when they go again.
    """
    given_back = and_(
        Identifier.kind.in_(SIM.identifiers),
        Identifier.value >= _GIVEN_BACK_FROM,
        Identifier.value < _GIVEN_BACK_TO,
    )
    if await session.scalar(select(exists().where(given_back))):
        await session.execute(_NEXT_GENERATIONS, {"city": city_id, "batch": batch_id})


def as_ledger(found: Mapping[str, list[MovedRange]]) -> list[LedgerRange]:
    """Give the ranges of all states as the ledger keeps them: in order, neighbours joined."""
    joined: list[LedgerRange] = []
    for run in sorted((run for runs in found.values() for run in runs), key=lambda run: run.lo):
        if joined and joined[-1].hi + 1 == run.lo:
            joined[-1] = LedgerRange(joined[-1].lo, run.hi)
        else:
            joined.append(LedgerRange(run.lo, run.hi))
    return joined

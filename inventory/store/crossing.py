"""Cards that go from the book of one city into that of another: the one statement that touches two cities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import String, and_, case, cast, exists, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import SIM, ResourceKind
from inventory.domain.lifecycle import DataState, IdentityState
from inventory.store import movements
from inventory.store.ends import GIVEN_BACK, bare
from inventory.store.movements import Document
from inventory.store.schema import Identifier, Sim, SimIdentity, SubscriptionData
from inventory.store.selection import Naming, named
from inventory.store.stock import StockedItem, find_item, key_columns, name_column

NO_LOAD = 0
"""The load of a card that came from another city: its vendor's delivery is in that city's book."""


def mark(movement_id: int) -> str:
    """Give what the name of a card begins with in the city that sent it away by this document: `~m12~8986…`."""
    return f"{GIVEN_BACK}m{movement_id}{GIVEN_BACK}"


@dataclass(frozen=True)
class CityLife:
    """An item as the book of one city has it, with its documents there."""

    city_id: int
    item: StockedItem
    moves: list[Document]


async def staying(
    session: AsyncSession, selection: Naming, *, city_id: int, to_city: int, good_on: date, limit: int
) -> list[tuple[str, str, str]]:
    """Return name, state and reason of the first selected cards that belong to their city.

    A finished card has an IMSI of one of its city's HLRs, another may hold one that is quarantined, and a prepaid one
    may be for its area only. One whose last day is before `good_on` could be sold nowhere: it is scrapped where it is.
    """
    identity = exists().where(
        SimIdentity.city_id == Sim.city_id,
        SimIdentity.item_no == Sim.item_no,
        SimIdentity.state != IdentityState.NONE,
    )
    quarantined = exists().where(
        SubscriptionData.city_id == Sim.city_id,
        SubscriptionData.sim_item_no == Sim.item_no,
        SubscriptionData.state == DataState.QUARANTINED,
    )
    finished = or_(Sim.hlr_code.is_not(None), identity, quarantined)
    other_area = and_(Sim.area.is_not(None), ~func.starts_with(cast(literal(to_city), String), Sim.area))
    expired = Sim.expires_on < good_on
    query = (
        select(name_column(SIM), Sim.state, case((finished, "of_its_city"), (expired, "expired"), else_="other_area"))
        .where(Sim.city_id == city_id, named(SIM, selection), or_(finished, expired, other_area))
        .order_by(Sim.item_no)
        .limit(limit)
    )
    return [(name, state, code) for name, state, code in await session.execute(query)]


async def city_of(session: AsyncSession, kind: ResourceKind, name: str) -> int | None:
    """Return the city in whose book an item of this name is now, or None: of some kinds no registry tells."""
    query = select(Identifier.city_id).where(Identifier.kind.in_(kind.identifiers), Identifier.value == name)
    return (await session.scalars(query.order_by(Identifier.kind).limit(1))).one_or_none()


async def lives_of(session: AsyncSession, kind: ResourceKind, *, city_id: int, name: str) -> list[CityLife]:
    """Return what an item was in each city that had it, up to the one given, where it is called `name`; oldest first.

    Empty if that city has none.
    """
    lives: list[CityLife] = []
    item = await find_item(session, kind, city_id=city_id, name=name)
    while item is not None:
        moves = await movements.moves_of(session, kind, city_id=city_id, item_no=item.item_no)
        lives.insert(0, CityLife(city_id, item, moves))
        came = moves[0] if moves else None
        if came is None or came.kind != movements.CITY_IN or came.other_city is None or came.other_id is None:
            break
        city_id = came.other_city
        item = await _as_it_left(session, kind, item, city_id=city_id, movement_id=came.other_id)
    return lives


async def _as_it_left(
    session: AsyncSession, kind: ResourceKind, item: StockedItem, *, city_id: int, movement_id: int
) -> StockedItem | None:
    """Return the item in the book of the city that sent it by the document.

    It may be called otherwise now: the ICCID of a card known by its serial is read when the card is written.
    """
    for column in key_columns(kind):
        name = item.row[str(column.key)]
        if name is not None:
            left = await find_item(session, kind, city_id=city_id, name=mark(movement_id) + bare(name))
            if left is not None:
                return left
    return None


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Cards on a document of `city_id` that lie with `holder` of `to_city` from now on, on their way there.

    They are numbered from `first`, in order of their names.
    """

    city_id: int
    movement_id: int
    to_city: int
    first: int
    holder: int
    way: int
    state: str


_CARRY = text("""
    WITH going AS MATERIALIZED (
        SELECT s.*, :first - 1 + row_number() OVER (ORDER BY s.iccid NULLS FIRST, s.serial) AS number
        FROM movement_line l JOIN sim s ON s.city_id = l.city_id AND s.item_no BETWEEN l.lo AND l.hi
        WHERE l.city_id = :city AND l.movement_id = :movement
    ), called AS MATERIALIZED (
        SELECT 'iccid' AS kind, iccid AS value FROM going WHERE iccid IS NOT NULL
        UNION ALL SELECT 'serial', serial FROM going WHERE serial IS NOT NULL
    ), came AS (
        INSERT INTO sim (city_id, item_no, state, version, holder_id, transit_id, pool, batch_id, updated_at, iccid,
                         serial, kind_code, face_value, expires_on, area, generation, adm_refused, adm_sent)
        SELECT :to_city, number, :state, 0, :holder, :way, pool, :load, :now, iccid, serial, kind_code, face_value,
               expires_on, area, generation, adm_refused, adm_sent
        FROM going ORDER BY number
    ), gone AS (
        UPDATE sim s SET iccid = :mark || g.iccid, serial = :mark || g.serial FROM going g
        WHERE s.city_id = :city AND s.item_no = g.item_no
    ), registered AS (
        UPDATE identifier i SET city_id = :to_city FROM called c WHERE i.kind = c.kind AND i.value = c.value
    ), remembered AS (
        INSERT INTO identifier (kind, value, city_id) SELECT kind, :mark || value, :city FROM called
    ), unlocked AS (
        DELETE FROM card_secret c USING going g WHERE c.city_id = :city AND c.item_no = g.item_no
        RETURNING c.*, g.number
    )
    INSERT INTO card_secret (city_id, item_no, generation, transport_key_index, ki, opc, adm1, pin1, puk1, pin2, puk2,
                             scp_enc, scp_mac, batch_id, row, bound_to)
    SELECT :to_city, number, generation, transport_key_index, ki, opc, adm1, pin1, puk1, pin2, puk2, scp_enc, scp_mac,
           batch_id, row, coalesce(bound_to, concat_ws('/', :city, coalesce(batch_id, item_no), row))
    FROM unlocked
""")
"""The row, its history and its marked name stay in the city that sent it; name, secrets and registration go along."""


async def carry(session: AsyncSession, crossing: Crossing, *, now: datetime) -> None:
    """Put the cards of a document into the other city's stock, with their names and secrets."""
    given = {
        "city": crossing.city_id,
        "movement": crossing.movement_id,
        "to_city": crossing.to_city,
        "first": crossing.first,
        "holder": crossing.holder,
        "way": crossing.way,
        "state": crossing.state,
        "load": NO_LOAD,
        "mark": mark(crossing.movement_id),
        "now": now,
    }
    await session.execute(_CARRY, given)

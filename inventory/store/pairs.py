"""A card and a number as one line: whether they are, or are about to be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, case, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.kinds import NUMBER, ResourceKind
from inventory.domain.lifecycle import SimState
from inventory.store.schema import Number, Sim, SimIdentity


@dataclass(frozen=True)
class Pair:
    """A card and a number of one city: the `state` of both if it serves it; `hold_id` of the kit that has both."""

    state: SimState | None
    hold_id: int | None


async def find_pair(connection: AsyncConnection, *, city_id: int, iccid: str, number: str) -> Pair | None:
    """Return how card and number stand to each other; None if the city has one of them not."""
    first = exists().where(
        SimIdentity.city_id == city_id, SimIdentity.item_no == Sim.item_no, SimIdentity.number_item_no == Number.item_no
    )
    serves = or_(first, Sim.second_number_item_no == Number.item_no)
    sold = (SimState.COMPLETING, SimState.IN_USE)
    used = case((and_(Sim.state.in_(sold), Number.state == Sim.state, serves), Sim.state))
    query = (
        select(used, Sim.hold_id, Number.hold_id)
        .select_from(Sim)
        .join(Number, true())
        .where(Sim.city_id == city_id, Sim.iccid == iccid, Number.city_id == city_id, Number.number == number)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    state, of_card, of_number = row
    return Pair(None if state is None else SimState(state), of_card if of_card == of_number else None)


async def other_side(session: AsyncSession, kind: ResourceKind, *, city_id: int, item_no: int) -> list[str]:
    """Return the names of what makes a line with the item: of a number its card, of a card the numbers it serves.

    The main number of a card comes first.
    """
    cards = select(func.coalesce(Sim.iccid, Sim.serial)).join(
        SimIdentity, and_(SimIdentity.city_id == Sim.city_id, SimIdentity.item_no == Sim.item_no)
    )
    numbers = select(Number.number).join(
        SimIdentity, and_(SimIdentity.city_id == Number.city_id, SimIdentity.number_item_no == Number.item_no)
    )
    found, mine = (cards, SimIdentity.number_item_no) if kind is NUMBER else (numbers, SimIdentity.item_no)
    rows = list(await session.scalars(found.where(SimIdentity.city_id == city_id, mine == item_no)))
    if kind is NUMBER:
        second = select(func.coalesce(Sim.iccid, Sim.serial)).where(Sim.second_number_item_no == item_no)
    else:
        second = select(Number.number).join(
            Sim, and_(Sim.city_id == Number.city_id, Sim.second_number_item_no == Number.item_no)
        )
        second = second.where(Sim.item_no == item_no)
    rows = sorted(set(rows))
    return [*rows, *await session.scalars(second.where(Sim.city_id == city_id))]

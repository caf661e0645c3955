"""From city to city (REQ-STK-04): two linked documents, one in the book of each, written at once.

What goes leaves the first city's stock and lies with the other city company, on its way, until that one signs for it
(docs/adr/0024). What is sent back goes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, MissingField, MovementRefused, OrganisationUnknown
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import SimEvent
from inventory.domain.organisation import Level
from inventory.services.custody import MOST_NAMED, Ends, write_document
from inventory.store import crossing, movements, organisation, stock
from inventory.store.crossing import Crossing
from inventory.store.ends import StateMove
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import Naming


async def other_city(session: AsyncSession, caller: Caller, code: str | None) -> Node:
    """Return the company of another city.

    Raises
    ------
    InvalidField
        It is the caller's own city.
    MissingField
        None is named.
    OrganisationUnknown
        There is none of that code.
    """
    if not code:
        raise MissingField(field="to_city")
    node = await organisation.by_code(session, code)
    if node is None or node.level != Level.CITY.name or not node.active:
        raise OrganisationUnknown(organisation=code)
    if node.city_id == caller.city_id:
        raise InvalidField(field="to_city", value=code, reason="name another city; inside yours use issue or transfer")
    return node


async def require_free_to_go(
    session: AsyncSession, selection: Naming, *, city_id: int, to_city: int, today: date
) -> None:
    """Let pass cards that do not belong to their city: blanks, and prepaid ones that may be sold in the other still.

    Raises
    ------
    MovementRefused
        Some do; the first 100 are named.
    """
    found = await crossing.staying(
        session, selection, city_id=city_id, to_city=to_city, good_on=today, limit=MOST_NAMED
    )
    if found:
        items = [{"item": name, "code": code, "state": state} for name, state, code in found]
        raise MovementRefused(count=len(found), items=items)


def sent_away(ended: Node, reason: str) -> StateMove:
    """Give the move of state that cards make in the city they leave; `ended` holds what has left its stock."""
    return StateMove(
        name="sim.posted",
        to_state=SIM.lifecycle.advance(SIM.lifecycle.initial, SimEvent.SEND_AWAY),
        receiver=ended.id,
        leaves=True,
        reason=reason,
        order_ref=None,
    )


async def carry(
    session: AsyncSession,
    caller: Caller,
    draft: MovementDraft,
    ranges: Sequence[LedgerRange],
    ends: Ends,
    *,
    to: Node,
    told: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Write both documents, put the cards into the other city's stock, and return the document of this one.

    `draft` is that of this city, where the cards have been moved out; `to` the company of the other one.
    """
    way = await movements.next_movement_id(session)
    there = format_public_id("m", to.city_id, way)
    out = await write_document(
        session,
        caller,
        replace(draft, kind=movements.CITY_OUT, other_city=to.city_id, other_id=way),
        ranges,
        ends,
        happened="sent_to_city",
        way=None,
        now=now,
        told={**told, "to_city": to.code, "other": there},
    )
    movement_id = parse_public_id(out["id"], "m").serial
    items = await stock.reserve_item_numbers(session, SIM, city_id=to.city_id, count=out["count"])
    carried = Crossing(
        city_id=caller.city_id,
        movement_id=movement_id,
        to_city=to.city_id,
        first=items.start,
        holder=to.id,
        way=way,
        state=SIM.lifecycle.enter(SimEvent.INTAKE),
    )
    await crossing.carry(session, carried, now=now)
    arriving = MovementDraft(
        kind=movements.CITY_IN,
        resource=SIM.name,
        from_holder=ends.giver.id,
        to_holder=to.id,
        returner=draft.returner,
        reason=draft.reason,
        reason_code=draft.reason_code,
        other_city=caller.city_id,
        other_id=movement_id,
    )
    await write_document(
        session,
        replace(caller, city_id=to.city_id),  # the same person writes into the book of the other city
        arriving,
        [LedgerRange(items.start, items.stop - 1)],
        Ends(ends.giver, to),
        happened="came_from_city",
        way=way,
        now=now,
        told={"other": out["id"]},
    )
    return out

"""The account of spoiled cards: what each holder still owes until it is handed in and scrapped (REQ-SIM-12)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.kinds import KINDS, SIM
from inventory.services.custody import place_within
from inventory.services.ending import WAYS, Ending
from inventory.store import ends, organisation, reporting
from inventory.store.organisation import PSEUDO, Node

MOST_LISTED = 1000
"""So many cards stand on one scrap list; the next ones on the next."""


@dataclass(frozen=True)
class Spoiled:
    """So many cards of a sort (card product) in a state that goes to scrap, with one holder."""

    holder: Node
    resource: str
    sort: str
    state: str
    count: int


async def read_spoiled(session: AsyncSession, caller: Caller) -> list[Spoiled]:
    """Return what is to be scrapped in the caller's part, holder by holder in the order of the tree."""
    scrap = WAYS[Ending.SCRAP]
    found: list[Spoiled] = []
    async with session.begin():
        top = await organisation.by_id(session, caller.org_id)
        tree = [] if top is None else await organisation.subtree(session, top)
        places = {node.id: node for node in tree if node.level not in PSEUDO}
        for name in scrap.events:
            states = scrap.moves(KINDS[name])
            counts = await reporting.stock_counts(session, city_id=caller.city_id, holders=places, resource=name)
            found += [
                Spoiled(places[row.holder_id], name, row.sort, row.state, row.count)
                for row in counts
                if row.state in states
            ]
    order = list(places)
    return sorted(found, key=lambda row: (order.index(row.holder.id), row.sort, row.state))


async def read_scrap_list(session: AsyncSession, caller: Caller, *, place: str) -> list[str]:
    """Return the names of the cards that a place should hand in to be scrapped, at most `MOST_LISTED`.

    Raises
    ------
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    async with session.begin():
        node = await place_within(session, caller, place)
        states = sorted(WAYS[Ending.SCRAP].moves(SIM))
        return await ends.names_at(
            session, SIM, city_id=caller.city_id, holder=node.id, states=states, limit=MOST_LISTED
        )

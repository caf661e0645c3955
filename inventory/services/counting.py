"""Count (盘点): what was scanned in a drawer against what the book says lies there. Blind: the book speaks last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField
from inventory.domain.kinds import NUMBER, ResourceKind, kind_named
from inventory.services.acting import acting
from inventory.services.custody import node_of_city, require_in_scope
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import in_normal_form
from inventory.store import counts, organisation
from inventory.store.counts import CountedItem
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.store.selection import ByName

MOST_NAMED = 1000
"""An answer names this many items of each sort and counts the rest."""


@dataclass(frozen=True, kw_only=True)
class CountWish:
    """What was scanned at a place, each item once or more; `counted_by` is the person who did."""

    resource: str
    place: str
    items: tuple[str, ...] = field(repr=False)
    counted_by: str | None = None


async def count(session: AsyncSession, caller: Caller, write: WriteKey, wish: CountWish, *, now: datetime) -> Answer:
    """Answer with what is missing in the drawer, what should not be there, and the book by state; nothing moves.

    What is still on its way to the place is not expected there. The count is kept as an event.

    Raises
    ------
    InvalidField
        The kind is nothing that lies in a drawer.
    InvalidIdentifier
        Something scanned has the form of no item.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """

    async def work() -> dict[str, Any]:
        kind = kind_named(wish.resource)
        if kind is NUMBER:
            raise InvalidField(field="resource", value=kind.name, reason="a number lies in no drawer; count cards")
        place = await node_of_city(session, caller, wish.place)
        require_in_scope(caller, place)
        return await _compared(session, caller, kind, place, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def _compared(
    session: AsyncSession, caller: Caller, kind: ResourceKind, place: Node, wish: CountWish, *, now: datetime
) -> dict[str, Any]:
    selection = in_normal_form(kind, ByName(wish.items)) if wish.items else ByName(())
    names = selection.names if isinstance(selection, ByName) else ()
    book = await counts.lying_at(session, kind, city_id=caller.city_id, holder_id=place.id)
    scanned = await counts.named_items(session, kind, names, city_id=caller.city_id)
    seen = {item.item_no for item in scanned.values()}
    missing = [item for item in book if item.item_no not in seen]
    astray = [(name, scanned.get(name)) for name in names if not _lies_at(scanned.get(name), place)]
    holders = await _codes(session, {item.holder_id for _, item in astray[:MOST_NAMED] if item is not None})
    strays = [_stray(name, item, holders) for name, item in astray[:MOST_NAMED]]
    summary = {
        "resource": kind.name,
        "place": place.code,
        "scanned": len({scanned[name].item_no if name in scanned else name for name in names}),
        "book": len(book),
        "missing": len(missing),
        "extra": len(astray),
        "counted_by": wish.counted_by,
    }
    event = EventDraft(name=f"{kind.events}.counted", kind="count", item_no=place.id, data=summary)
    await record(session, [event], **acting(caller, now))
    return summary | {
        "agrees": not missing and not astray,
        "states": dict(Counter(item.state for item in book)),
        "missing_items": [{"item": item.name, "state": item.state} for item in missing[:MOST_NAMED]],
        "extra_items": strays,
        "staff": caller.staff_no,
        "at": now.isoformat(),
    }


def _lies_at(item: CountedItem | None, place: Node) -> bool:
    """Whether the item should lie at the place, signed for."""
    return item is not None and item.holder_id == place.id and not item.in_transit


async def _codes(session: AsyncSession, holders: Iterable[int]) -> dict[int, str]:
    """Return the codes of organisations by their ids."""
    found = [await organisation.by_id(session, holder) for holder in sorted(holders)]
    return {node.id: node.code for node in found if node is not None}


def _stray(name: str, item: CountedItem | None, holders: Mapping[int, str]) -> dict[str, Any]:
    """Say why something scanned should not lie here."""
    if item is None:
        return {"item": name, "code": "not_in_stock", "state": None, "holder": None}
    code = "in_transit" if item.in_transit else "not_holder"
    return {"item": name, "code": code, "state": item.state, "holder": holders.get(item.holder_id)}

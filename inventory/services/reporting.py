"""What is in stock, and the life of one item: reads within the caller's part of the organisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import NotFound
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import NUMBER, ResourceKind, kind_named
from inventory.domain.organisation import in_subtree
from inventory.services.custody import node_of_city, require_in_scope
from inventory.services.fees import NumberFee, fee_of
from inventory.services.selecting import item_name
from inventory.services.stations import reach
from inventory.store import history, identities, movements, organisation, reporting, segments, stock
from inventory.store.history import ItemEvent
from inventory.store.identities import IdentityRow
from inventory.store.movements import Document
from inventory.store.organisation import Node
from inventory.store.reporting import DataPool, StockCount
from inventory.store.segments import OwnedSegment
from inventory.store.stock import StockedItem


@dataclass(frozen=True)
class ItemView:
    """An item as it is now: of a number with its segment and its fee."""

    kind: ResourceKind
    item: StockedItem
    holder: Node
    segment: OwnedSegment | None
    fee: NumberFee | None


@dataclass(frozen=True)
class LifeEntry:
    """One thing that happened to an item: a change of its own, or a document it stands on."""

    at: datetime
    what: str
    from_state: str | None = None
    to_state: str | None = None
    giver: str | None = None
    receiver: str | None = None
    document: str | None = None
    person: str | None = None
    staff_no: str = ""
    interface_no: str = ""
    reason: str | None = None
    order_ref: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class PlaceCount:
    """So many items of a sort in one state at a node and all below it, and at the node itself.

    Of all of them `on_the_way` have not been signed for, of the node's own `own_on_the_way`.
    """

    node: Node
    resource: str
    sort: str
    state: str
    count: int
    own: int
    on_the_way: int
    own_on_the_way: int


async def read_item(session: AsyncSession, caller: Caller, *, resource: str, name: str) -> ItemView:
    """Return one item.

    A hold whose time is over shows as it is stored until it is swept; `hold_until` tells.

    Raises
    ------
    NotFound
        The caller's part of the stock has no such item.
    """
    async with session.begin():
        kind = kind_named(resource)
        item, holder = await _find(session, caller, kind, name)
        if kind is not NUMBER:
            return ItemView(kind, item, holder, None, None)
        segment = await segments.find_segment(session, item.name)
        return ItemView(kind, item, holder, segment, await fee_of(session, city_id=caller.city_id, number=item))


async def read_history(session: AsyncSession, caller: Caller, *, resource: str, name: str) -> list[LifeEntry]:
    """Return the life of one item from intake to now, oldest first: its events and its documents (REQ-SIM-08).

    Raises
    ------
    NotFound
        The caller's part of the stock has no such item.
    """
    async with session.begin():
        kind = kind_named(resource)
        item, _ = await _find(session, caller, kind, name)
        events = await history.events_of(session, city_id=caller.city_id, kind=kind.name, item_no=item.item_no)
        moves = await movements.moves_of(session, kind, city_id=caller.city_id, item_no=item.item_no)
        names = await _codes(session, moves)
    entries = [_as_entry(event) for event in events] + [_as_move(move, names, caller.city_id) for move in moves]
    return sorted(entries, key=lambda entry: entry.at)


async def read_stock(
    session: AsyncSession, caller: Caller, *, node: str | None = None, resource: str | None = None
) -> list[PlaceCount]:
    """Return the counts at a node of the caller's part (by default its top) and at each of its direct children.

    A child's `count` is of all below it too; `own` is what the place itself holds.

    Raises
    ------
    NotFound
        There is no such kind of stock.
    OrganisationUnknown, OutsideScope
        The node does not exist in the city, or is elsewhere.
    """
    async with session.begin():
        if resource is not None:
            kind_named(resource)
        top = await organisation.by_id(session, caller.org_id) if node is None else None
        if top is None:
            top = await node_of_city(session, caller, node or "")
        require_in_scope(caller, top)
        below = await organisation.subtree(session, top)
        counts = await reporting.stock_counts(
            session, city_id=caller.city_id, holders=[place.id for place in below], resource=resource
        )
    places = [place for place in below if top.id in {place.id, place.parent_id}]
    return [row for place in places for row in _counts_at(place, below, counts)]


async def read_data_pools(session: AsyncSession, caller: Caller) -> list[DataPool]:
    """Return the card data of each HLR of the caller's city."""
    async with session.begin():
        return await reporting.data_pools(session, city_id=caller.city_id)


def _counts_at(place: Node, below: Iterable[Node], counts: Iterable[StockCount]) -> list[PlaceCount]:
    """Add up what lies at a place and below it."""
    inside = {node.id for node in below if in_subtree(place.path, node.path)}
    total: Counter[tuple[str, str, str]] = Counter()
    own, way, own_way = total.copy(), total.copy(), total.copy()
    for row in counts:
        key = row.resource, row.sort, row.state
        if row.holder_id in inside:
            total[key] += row.count
            way[key] += row.on_the_way
        if row.holder_id == place.id:
            own[key] += row.count
            own_way[key] += row.on_the_way
    return [PlaceCount(place, *key, total[key], own[key], way[key], own_way[key]) for key in sorted(total)]


async def _find(session: AsyncSession, caller: Caller, kind: ResourceKind, name: str) -> tuple[StockedItem, Node]:
    """Return an item that the caller may look at: within its reach, or sold to a customer from there."""
    normal = item_name(kind, name)
    item = await stock.find_item(session, kind, city_id=caller.city_id, name=normal)
    within = await reach(session, caller)
    if item is None or not (item.holder_id in within or await _sold_from(session, kind, item, caller, within)):
        raise NotFound(what=kind.name, value=normal)
    holder = await organisation.by_id(session, item.holder_id)
    if holder is None:
        raise NotFound(what="organisation", value=item.holder_id)
    return item, holder


async def _sold_from(
    session: AsyncSession, kind: ResourceKind, item: StockedItem, caller: Caller, within: frozenset[int]
) -> bool:
    """Whether the last document of the item is a sale out of these organisations."""
    moves = await movements.moves_of(session, kind, city_id=caller.city_id, item_no=item.item_no)
    return bool(moves) and moves[-1].kind == movements.SALE and moves[-1].from_holder in within


async def _codes(session: AsyncSession, moves: Iterable[Document]) -> dict[int, str]:
    """Return the codes of all holders on the documents."""
    wanted = {holder for move in moves for holder in (move.from_holder, move.to_holder) if holder is not None}
    found = [await organisation.by_id(session, holder) for holder in sorted(wanted)]
    return {node.id: node.code for node in found if node is not None}


def _as_entry(event: ItemEvent) -> LifeEntry:
    return LifeEntry(
        at=event.at,
        what=event.name,
        from_state=event.from_state,
        to_state=event.to_state,
        staff_no=event.staff_no,
        interface_no=event.interface_no,
        reason=event.reason,
        order_ref=event.order_ref,
        version=event.version,
    )


def _as_move(move: Document, codes: dict[int, str], city_id: int) -> LifeEntry:
    return LifeEntry(
        at=move.created_at,
        what=f"movement.{move.kind.lower()}",
        giver=None if move.from_holder is None else codes.get(move.from_holder),
        receiver=codes.get(move.to_holder),
        document=format_public_id("m", city_id, move.movement_id),
        person=move.receiver or move.returner,
        staff_no=move.staff_no,
        interface_no=move.interface_no,
        reason=move.reason,
    )


async def read_card_identities(session: AsyncSession, caller: Caller, *, item_no: int) -> list[IdentityRow]:
    """Return what is on a card that `read_item` gave, IMSIs masked."""
    async with session.begin():
        return await identities.identities_of(session, city_id=caller.city_id, item_no=item_no)

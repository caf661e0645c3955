"""What is in stock, and the life of one item: reads within the caller's part of the organisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import NotFound
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import NUMBER, ResourceKind, kind_named
from inventory.domain.organisation import in_subtree
from inventory.services.custody import place_within
from inventory.services.fees import NumberFee, fee_of
from inventory.services.selecting import item_name
from inventory.services.stations import reach_from
from inventory.store import (
    boxes,
    crossing,
    history,
    identities,
    legal_orders,
    movements,
    organisation,
    pairs,
    reporting,
    segments,
)
from inventory.store.boxes import BoxRow
from inventory.store.crossing import CityLife
from inventory.store.history import ItemEvent
from inventory.store.identities import IdentityRow
from inventory.store.legal_orders import Order
from inventory.store.movements import Document
from inventory.store.organisation import Node
from inventory.store.reporting import DataPool, StockCount
from inventory.store.segments import OwnedSegment
from inventory.store.stock import StockedItem


@dataclass(frozen=True)
class ItemView:
    """An item as it is now: of a number with its segment and its fee, of a card with the box it lies in."""

    kind: ResourceKind
    item: StockedItem
    holder: Node
    segment: OwnedSegment | None
    fee: NumberFee | None
    box: BoxRow | None = None
    line: Sequence[str] = ()
    """Of a number in use its card, of a card in use the numbers that it serves."""


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
    iccid: str | None = None
    """The ICCID that was read back from the card."""
    elsewhere: bool = False
    """It happened in another city, whose documents only its own people open."""


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
        found = await _find(session, caller, kind, name)
        item, holder = found.item, found.nodes[found.item.holder_id]
        line = await pairs.other_side(session, kind, city_id=caller.city_id, item_no=item.item_no)
        if kind is not NUMBER:
            box = await boxes.box_of(session, kind, city_id=caller.city_id, item_no=item.item_no)
            return ItemView(kind, item, holder, None, None, box, line)
        segment = await segments.find_segment(session, item.name)
        fee = await fee_of(session, city_id=caller.city_id, number=item)
        return ItemView(kind, item, holder, segment, fee, line=line)


async def read_history(session: AsyncSession, caller: Caller, *, resource: str, name: str) -> list[LifeEntry]:
    """Return the life of one item from intake to now, oldest first: its events and its documents (REQ-SIM-08).

    What it was in other cities before it came to the caller's is told with it. That a legal hold lay on it is told to
    everybody; whose, only to who may read legal holds.

    Raises
    ------
    NotFound
        The caller's part of the stock has no such item.
    """
    async with session.begin():
        kind = kind_named(resource)
        found = await _find(session, caller, kind, name)
        entries: list[LifeEntry] = []
        for life in found.lives:
            elsewhere = life.city_id != caller.city_id
            events = await history.events_of(session, city_id=life.city_id, kind=kind.name, item_no=life.item.item_no)
            there = [_as_entry(event, elsewhere=elsewhere) for event in events]
            there += [_as_move(move, found.nodes, life.city_id, elsewhere=elsewhere) for move in life.moves]
            orders = await legal_orders.orders_on(session, kind, city_id=life.city_id, item_no=life.item.item_no)
            told = caller.may(Permission.LEGAL_READ) and not elsewhere
            there += [entry for order in orders for entry in _as_orders(order, kind, told=told, elsewhere=elsewhere)]
            entries += sorted(there, key=lambda entry: entry.at)
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
        top = await place_within(session, caller, node)
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


@dataclass(frozen=True)
class _Found:
    """An item, what it was in each city up to the caller's, and the organisations on its documents."""

    item: StockedItem
    lives: list[CityLife]
    nodes: dict[int, Node]


async def _find(session: AsyncSession, caller: Caller, kind: ResourceKind, name: str) -> _Found:
    """Return an item that the caller may look at: within its reach, or sold to a customer from there.

    One that is in another city now is found as it was when the caller's sent it away.
    """
    normal = item_name(kind, name)
    lives = await crossing.lives_of(session, kind, city_id=caller.city_id, name=normal)
    if not lives:
        elsewhere = await crossing.city_of(session, kind, normal)
        lives = [] if elsewhere is None else await crossing.lives_of(session, kind, city_id=elsewhere, name=normal)
        while lives and lives[-1].city_id != caller.city_id:
            lives.pop()
    if not lives:
        raise NotFound(what=kind.name, value=normal)
    item, moves = lives[-1].item, lives[-1].moves
    ends = {
        end for life in lives for move in life.moves for end in (move.from_holder, move.to_holder) if end is not None
    }
    nodes = await organisation.by_ids(session, {caller.org_id, item.holder_id, *ends})
    within = reach_from(nodes.get(caller.org_id), caller)
    sold_here = bool(moves) and moves[-1].kind == movements.SALE and moves[-1].from_holder in within
    if not (item.holder_id in within or sold_here):
        raise NotFound(what=kind.name, value=normal)
    return _Found(item, lives, nodes)


def _as_entry(event: ItemEvent, *, elsewhere: bool) -> LifeEntry:
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
        iccid=event.data.get("iccid"),
        elsewhere=elsewhere,
    )


def _as_move(move: Document, nodes: dict[int, Node], city_id: int, *, elsewhere: bool) -> LifeEntry:
    """Tell of a document; one to another city went to its company, not only out of stock."""
    receiver = nodes[move.to_holder].code
    if move.kind == movements.CITY_OUT and move.other_city is not None:
        receiver = f"{move.other_city:06d}"
    return LifeEntry(
        at=move.created_at,
        what=f"movement.{move.kind.lower()}",
        giver=None if move.from_holder is None else nodes[move.from_holder].code,
        receiver=receiver,
        document=format_public_id("m", city_id, move.movement_id),
        person=move.receiver or move.returner,
        staff_no=move.staff_no,
        interface_no=move.interface_no,
        reason=move.reason,
        elsewhere=elsewhere,
    )


def _as_orders(order: Order, kind: ResourceKind, *, told: bool, elsewhere: bool) -> Iterator[LifeEntry]:
    """Tell that a legal hold was placed, and lifted if it was; its words only where they are to be `told`."""
    yield LifeEntry(
        at=order.created_at,
        what=f"{kind.events}.legal_hold_placed",
        staff_no=order.staff_no,
        interface_no=order.interface_no,
        reason=f"{order.authority}: {order.reason}" if told else None,
        order_ref=order.reference if told else None,
        elsewhere=elsewhere,
    )
    if order.lifted_at is not None:
        yield LifeEntry(
            at=order.lifted_at,
            what=f"{kind.events}.legal_hold_lifted",
            person=order.lifted_with,
            staff_no=order.lifted_by or "",
            interface_no=order.interface_no,
            reason=order.lift_reason if told else None,
            order_ref=order.reference if told else None,
            elsewhere=elsewhere,
        )


async def read_card_identities(session: AsyncSession, caller: Caller, *, item_no: int) -> list[IdentityRow]:
    """Return what is on a card that `read_item` gave, IMSIs masked."""
    async with session.begin():
        return await identities.identities_of(session, city_id=caller.city_id, item_no=item_no)

"""Deliveries: the receiver signs for what arrived (签收) and sends back what it does not take; the giver takes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.deliveries import OPEN
from inventory.domain.errors import (
    DeliveryAnnounced,
    DeliveryAnswered,
    DeliveryDisputed,
    InvalidField,
    MovementRefused,
    NotFound,
    NotGiver,
    NotReceiver,
)
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.domain.reasons import Given, Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.crossing import carry, sent_away
from inventory.services.custody import MOST_NAMED, Ends, require_endable, write_document
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import resolved
from inventory.store import custody, ends, interfaces, movements, organisation, recall_orders
from inventory.store.custody import MovedRange
from inventory.store.movements import Document, LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByCount, ByItems, ByName, Wished
from inventory.store.stock import allow_long_statements


@dataclass(frozen=True, kw_only=True)
class Signature:
    """An answer to a delivery: for these items (None: all that are still on their way), by this person, and why."""

    movement: str
    selection: Wished | None = None
    person: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A document with items on their way.

    `mine` says that the caller is one to answer it, `given` that it may take it back; of a dispute either side answers.
    """

    document: Document
    giver: Node
    receiver: Node
    mine: bool
    given: bool

    @property
    def giver_here(self) -> Node | None:
        """Who gave it, or None: what a load announces comes from outside."""
        return None if self.document.from_holder is None else self.giver

    @property
    def disputed(self) -> bool:
        """Whether it is a dispute, which both sides settle."""
        return self.document.kind == movements.DISPUTE


@dataclass(frozen=True)
class OpenDelivery:
    """A locked document with items on their way from or to the caller's part.

    `staffed` are those of its ends at which somebody works.
    """

    document: Document
    kind: ResourceKind
    giver: Node
    receiver: Node
    staffed: frozenset[int]

    @property
    def from_city(self) -> bool:
        """Whether it came from another city: the giver has no account in the book of this one."""
        return self.document.kind == movements.CITY_IN


async def accept(
    session: AsyncSession, caller: Caller, write: WriteKey, signature: Signature, *, now: datetime
) -> Answer:
    """Take the items into the receiver's stock, where they can be sold and moved on; answer with the receipt.

    Raises
    ------
    DeliveryAnswered
        Nothing of the document is on its way any more.
    MovementRefused
        Items are named that are not on their way by this document; nothing was signed for.
    NotFound
        The caller's part of the city has no such document.
    NotReceiver
        Only the receiver signs.
    """

    async def work(delivery: OpenDelivery) -> dict[str, Any]:
        return await sign(session, caller, delivery, signature, now=now)

    return await _once(session, caller, write, signature, work, now=now)


async def refuse(
    session: AsyncSession, caller: Caller, write: WriteKey, signature: Signature, *, now: datetime
) -> Answer:
    """Send the items back, on their way to the giver, who signs for them; answer with the return.

    What came from another city goes back into the book of that one.

    Raises
    ------
    ReasonMissing
        There is none.
    DeliveryAnnounced
        It comes from outside: there is nobody here to send it back to.
    DeliveryAnswered, MovementRefused, NotFound, NotReceiver
        As `accept`.
    """

    async def work(delivery: OpenDelivery) -> dict[str, Any]:
        _require_giver(delivery, signature.movement)
        why = await reasons.given(session, caller, signature.reason, Purpose.REFUSE)
        if delivery.from_city:
            return await _send_home(session, caller, delivery, signature, why, now=now)
        way = await movements.next_movement_id(session)
        return await _answer(session, caller, delivery, signature, _SENT_BACK, why, way=way, now=now)

    return await _once(session, caller, write, signature, work, now=now)


async def withdraw(
    session: AsyncSession, caller: Caller, write: WriteKey, signature: Signature, *, now: datetime
) -> Answer:
    """Take back what the receiver has not answered yet: it lies with the giver again; answer with the withdrawal.

    Raises
    ------
    DeliveryAnnounced
        It comes from outside: nobody here gave it.
    DeliveryAnswered, DeliveryDisputed, MovementRefused, NotFound
        As `accept`.
    NotGiver
        Only the giver takes back.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        await allow_long_statements(session)
        delivery = await find_open(session, caller, signature.movement)
        if not signs(caller, delivery.receiver, delivery.giver, delivery.staffed):
            raise NotGiver(movement=signature.movement, giver=delivery.giver.code)
        _require_giver(delivery, signature.movement)
        why = await reasons.given(session, caller, signature.reason, Purpose.REFUSE)
        return await _answer(session, caller, delivery, signature, _WITHDRAWN, why, way=None, now=now)

    return await once(session, caller, write, work, now=now)


async def read_deliveries(session: AsyncSession, caller: Caller) -> list[Delivery]:
    """Return what is on its way from or to the caller's part of the organisation, oldest first."""
    async with session.begin():
        documents = await movements.open_deliveries(session, city_id=caller.city_id, holders=caller.scope)
        nodes = await organisation.by_ids(session, {end for document in documents for end in _ends(document)})
        staffed = await interfaces.staffed(session, nodes)
    found = []
    for document in documents:
        giver, receiver = (nodes[end] for end in _ends(document))
        mine = signs(caller, giver, receiver, staffed)
        given = signs(caller, receiver, giver, staffed)
        disputed = document.kind == movements.DISPUTE
        found.append(Delivery(document, giver, receiver, mine or (disputed and given), given and not disputed))
    return found


def _ends(document: Document) -> tuple[int, int]:
    """Give giver and receiver of a document; for what a load announces its receiver stands for both."""
    return (document.to_holder if document.from_holder is None else document.from_holder), document.to_holder


def signs(caller: Caller, giver: Node, receiver: Node, staffed: Collection[int]) -> bool:
    """Whether the caller signs for the receiver: staff of the receiver itself, or above it and not above both.

    Who is above both, and is neither, signs where nobody works at the receiver any more: it is not one of `staffed`.
    """
    if caller.org_id == receiver.id or receiver.id not in caller.scope:
        return caller.org_id == receiver.id
    if giver.id not in caller.scope:
        return True
    return caller.org_id != giver.id and receiver.id not in staffed


def _require_giver(delivery: OpenDelivery, public_id: str) -> None:
    """Let pass what somebody here gave."""
    if delivery.document.from_holder is None:
        raise DeliveryAnnounced(movement=public_id)


async def _once(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    signature: Signature,
    work: Callable[[OpenDelivery], Awaitable[dict[str, Any]]],
    *,
    now: datetime,
) -> Answer:
    async def answer() -> dict[str, Any]:
        await allow_long_statements(session)
        delivery = await find_open(session, caller, signature.movement)
        require_receiver(caller, delivery, signature.movement)
        return await work(delivery)

    return await once(session, caller, write, answer, now=now)


def require_receiver(caller: Caller, delivery: OpenDelivery, public_id: str) -> None:
    """Let pass who signs for a delivery.

    Raises
    ------
    NotReceiver
        The caller does not.
    """
    if not signs(caller, delivery.giver, delivery.receiver, delivery.staffed):
        raise NotReceiver(movement=public_id, receiver=delivery.receiver.code)


async def find_open(session: AsyncSession, caller: Caller, public_id: str, *, disputed: bool = False) -> OpenDelivery:
    """Lock and return a document with items on their way from or to the caller's part.

    Raises
    ------
    DeliveryAnswered
        Nothing of it is on its way any more.
    DeliveryDisputed
        It is a dispute, which ends by `disputing.settle`; let through where `disputed` is said.
    NotFound
        The caller's part of the city has no such document.
    """
    wanted = parse_public_id(public_id, "m")
    document = None
    if wanted.city_id == caller.city_id:
        document = await movements.find_movement(session, city_id=caller.city_id, movement_id=wanted.serial, lock=True)
    if document is None or not {*_ends(document)} & caller.scope:
        raise NotFound(what="movement", value=public_id)
    giver, receiver = [await organisation.by_id(session, end) for end in _ends(document)]
    if giver is None or receiver is None:
        raise NotFound(what="organisation", value=public_id)
    if document.state not in OPEN:
        raise DeliveryAnswered(movement=public_id, state=document.state)
    if document.kind == movements.DISPUTE and not disputed:
        raise DeliveryDisputed(movement=public_id)
    staffed = await interfaces.staffed(session, {giver.id, receiver.id})
    return OpenDelivery(document, kind_named(document.resource), giver, receiver, staffed)


@dataclass(frozen=True)
class _Kind:
    """What sets an answer apart: its document, the document's event, and whether the items go back to the giver."""

    movement: str
    happened: str
    back: bool


_RECEIVED = _Kind(movements.RECEIPT, "received", back=False)
_SENT_BACK = _Kind(movements.RETURN, "sent_back", back=True)
_WITHDRAWN = _Kind(movements.WITHDRAWAL, "withdrawn", back=True)


async def sign(
    session: AsyncSession, caller: Caller, delivery: OpenDelivery, signature: Signature, *, now: datetime
) -> dict[str, Any]:
    """Take the items of an open delivery into the receiver's stock, in the open transaction, and give the receipt.

    Raises
    ------
    MovementRefused, NothingOfLoad
        Items are named that are not on their way by this document.
    """
    why = None if signature.reason is None else Given(signature.reason)
    return await _answer(session, caller, delivery, signature, _RECEIVED, why, way=None, now=now)


async def _answer(
    session: AsyncSession,
    caller: Caller,
    delivery: OpenDelivery,
    signature: Signature,
    answer: _Kind,
    why: Given | None,
    *,
    way: int | None,
    now: datetime,
) -> dict[str, Any]:
    """Take the items off their way, write the answering document and its event, and count what is answered."""
    document, kind, city_id = delivery.document, delivery.kind, caller.city_id
    back = answer.back
    holder = delivery.giver if back else delivery.receiver
    moved = await end_the_way(session, delivery, signature.selection, holder=holder, way=way, city_id=city_id, now=now)
    if way is None:
        await recall_orders.arrive(session, kind, city_id=city_id, holder_id=holder.id)
    draft = MovementDraft(
        kind=answer.movement,
        resource=kind.name,
        from_holder=delivery.receiver.id,
        to_holder=holder.id,
        receiver=None if back else signature.person,
        returner=signature.person if back else None,
        reason=why and why.text,
        reason_code=why and why.code,
        parent_id=document.movement_id,
    )
    count = sum(run.count for run in moved)
    accepted, refused = (0, count) if back else (count, 0)
    state = await movements.count_answer(
        session, document, city_id=city_id, accepted=accepted, refused=refused, now=now
    )
    return await write_document(
        session,
        caller,
        draft,
        [LedgerRange(run.lo, run.hi) for run in moved],
        Ends(delivery.receiver, holder),
        happened=answer.happened,
        way=way,
        now=now,
        told={"parent": format_public_id("m", city_id, document.movement_id), "parent_state": state},
    )


async def _send_home(
    session: AsyncSession, caller: Caller, delivery: OpenDelivery, signature: Signature, why: Given, *, now: datetime
) -> dict[str, Any]:
    """Take cards off their way and out of this city's stock, and put them on their way to the city they came from."""
    document, city_id = delivery.document, caller.city_id
    arrived = await end_the_way(
        session, delivery, signature.selection, holder=delivery.receiver, way=None, city_id=city_id, now=now
    )
    ended = await organisation.ended_node(session, city_id)
    selection, states = ByItems(tuple((run.lo, run.hi) for run in arrived)), {delivery.kind.lifecycle.initial}
    await require_endable(
        session, delivery.kind, selection, city_id=city_id, holder=delivery.receiver.id, states=states
    )
    moved = await ends.move_items(
        session,
        delivery.kind,
        selection,
        sent_away(ended, why.text),
        holder=delivery.receiver.id,
        states=states,
        **acting(caller, now),
    )
    ranges = ends.as_ledger(moved)
    count = sum(run.hi - run.lo + 1 for run in ranges)
    state = await movements.count_answer(session, document, city_id=city_id, accepted=0, refused=count, now=now)
    draft = MovementDraft(
        kind=movements.CITY_OUT,
        resource=delivery.kind.name,
        from_holder=delivery.receiver.id,
        to_holder=ended.id,
        returner=signature.person,
        reason=why.text,
        reason_code=why.code,
        parent_id=document.movement_id,
    )
    told = {"parent": format_public_id("m", city_id, document.movement_id), "parent_state": state}
    between = Ends(delivery.receiver, ended)
    return await carry(session, caller, draft, ranges, between, to=delivery.giver, told=told, now=now)


async def end_the_way(
    session: AsyncSession,
    delivery: OpenDelivery,
    named: Wished | None,
    *,
    holder: Node,
    way: int | None,
    city_id: int,
    now: datetime,
) -> list[MovedRange]:
    """Take the named items (None: all that are left) off their way, or put them on another, and return them.

    Raises
    ------
    InvalidField
        So many items are asked for, instead of named.
    MovementRefused
        Items are named that are not on their way by this document; nothing has moved.
    NothingOfLoad
        Nothing of the load is on its way by this document.
    """
    selection = None
    if named is not None:
        movement_id = delivery.document.movement_id
        selection = await resolved(session, delivery.kind, named, city_id=city_id, movement_id=movement_id)
    if isinstance(selection, ByCount):
        raise InvalidField(field="selection", value=selection.count, reason="name the items that arrived")
    moved = await custody.end_the_way(
        session,
        delivery.kind,
        selection,
        city_id=city_id,
        movement_id=delivery.document.movement_id,
        holder=holder.id,
        on_the_way_as=way,
        now=now,
    )
    found = sum(run.count for run in moved)
    wanted = found
    if selection is not None:
        wanted = await custody.count_wanted(session, delivery.kind, selection, city_id=city_id)
    if found and found == wanted:
        return moved
    strays: list[str] = []
    if isinstance(selection, ByName):
        strays = await custody.not_among(session, delivery.kind, selection.names, moved, city_id=city_id)
    items = [{"item": name, "code": "not_on_the_way", "state": None} for name in strays[:MOST_NAMED]]
    raise MovementRefused(count=wanted - found, items=items)

"""Deliveries: the receiver signs for what arrived (签收) and sends back what it does not take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.deliveries import OPEN
from inventory.domain.errors import (
    DeliveryAnswered,
    InvalidField,
    MovementRefused,
    NotFound,
    NotReceiver,
    ReasonMissing,
)
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.services.custody import MOST_NAMED, Ends, write_document
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import in_normal_form
from inventory.store import custody, movements, organisation
from inventory.store.custody import MovedRange
from inventory.store.movements import Document, LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByCount, ByName, Selection
from inventory.store.stock import allow_long_statements


@dataclass(frozen=True, kw_only=True)
class Signature:
    """An answer to a delivery: for these items (None: all that are still on their way), by this person, and why."""

    movement: str
    selection: Selection | None = None
    person: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A document with items on their way; `mine` says that the caller is the one to answer it."""

    document: Document
    giver: Node
    receiver: Node
    mine: bool


@dataclass(frozen=True)
class _Open:
    """A locked document that the caller may answer."""

    document: Document
    kind: ResourceKind
    giver: Node
    receiver: Node


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

    async def work(delivery: _Open) -> dict[str, Any]:
        return await _answer(session, caller, delivery, signature, way=None, now=now)

    return await _once(session, caller, write, signature, work, now=now)


async def refuse(
    session: AsyncSession, caller: Caller, write: WriteKey, signature: Signature, *, now: datetime
) -> Answer:
    """Send the items back, on their way to the giver, who signs for them; answer with the return.

    Raises
    ------
    ReasonMissing
        There is none.
    DeliveryAnswered, MovementRefused, NotFound, NotReceiver
        As `accept`.
    """

    async def work(delivery: _Open) -> dict[str, Any]:
        if not (signature.reason or "").strip():
            raise ReasonMissing
        way = await movements.next_movement_id(session)
        return await _answer(session, caller, delivery, signature, way=way, now=now)

    return await _once(session, caller, write, signature, work, now=now)


async def read_deliveries(session: AsyncSession, caller: Caller) -> list[Delivery]:
    """Return what is on its way from or to the caller's part of the organisation, oldest first."""
    async with session.begin():
        documents = await movements.open_deliveries(session, city_id=caller.city_id, holders=caller.scope)
        nodes = {
            holder: await organisation.by_id(session, holder)
            for holder in sorted({end for document in documents for end in _ends(document)})
        }
    found = []
    for document in documents:
        giver, receiver = (nodes[end] for end in _ends(document))
        if giver is not None and receiver is not None:
            found.append(Delivery(document, giver, receiver, _signs(caller, giver, receiver)))
    return found


def _ends(document: Document) -> tuple[int, int]:
    """Give giver and receiver of a document that is no intake."""
    return (document.to_holder if document.from_holder is None else document.from_holder), document.to_holder


def _signs(caller: Caller, giver: Node, receiver: Node) -> bool:
    """Whether the caller signs: staff of the receiver itself, or above it but not above the giver too."""
    return caller.org_id == receiver.id or (receiver.id in caller.scope and giver.id not in caller.scope)


async def _once(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    signature: Signature,
    work: Callable[[_Open], Awaitable[dict[str, Any]]],
    *,
    now: datetime,
) -> Answer:
    async def answer() -> dict[str, Any]:
        await allow_long_statements(session)
        return await work(await _open(session, caller, signature.movement))

    return await once(session, caller, write, answer, now=now)


async def _open(session: AsyncSession, caller: Caller, public_id: str) -> _Open:
    """Lock the document and let pass who may answer it."""
    wanted = parse_public_id(public_id, "m")
    document = None
    if wanted.city_id == caller.city_id:
        document = await movements.find_movement(session, city_id=caller.city_id, movement_id=wanted.serial, lock=True)
    if document is None or document.from_holder is None or not {*_ends(document)} & caller.scope:
        raise NotFound(what="movement", value=public_id)
    giver, receiver = [await organisation.by_id(session, end) for end in _ends(document)]
    if giver is None or receiver is None:
        raise NotFound(what="organisation", value=public_id)
    if not _signs(caller, giver, receiver):
        raise NotReceiver(movement=public_id, receiver=receiver.code)
    if document.state not in OPEN:
        raise DeliveryAnswered(movement=public_id, state=document.state)
    return _Open(document, kind_named(document.resource), giver, receiver)


async def _answer(
    session: AsyncSession, caller: Caller, delivery: _Open, signature: Signature, *, way: int | None, now: datetime
) -> dict[str, Any]:
    """Take the items off their way, write the answering document and its event, and count what is answered."""
    document, kind, city_id = delivery.document, delivery.kind, caller.city_id
    back = way is not None
    holder = delivery.giver if back else delivery.receiver
    moved = await _end_the_way(session, delivery, signature, holder=holder, way=way, city_id=city_id, now=now)
    draft = MovementDraft(
        kind=movements.RETURN if back else movements.RECEIPT,
        resource=kind.name,
        from_holder=delivery.receiver.id,
        to_holder=holder.id,
        receiver=None if back else signature.person,
        returner=signature.person if back else None,
        reason=signature.reason,
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
        happened="sent_back" if back else "received",
        way=way,
        now=now,
        told={"parent": format_public_id("m", city_id, document.movement_id), "parent_state": state},
    )


async def _end_the_way(
    session: AsyncSession,
    delivery: _Open,
    signature: Signature,
    *,
    holder: Node,
    way: int | None,
    city_id: int,
    now: datetime,
) -> list[MovedRange]:
    """Move all the items that the signature names, or refuse with the names of those that are not on their way."""
    selection = None if signature.selection is None else in_normal_form(delivery.kind, signature.selection)
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

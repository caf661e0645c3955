"""Legal holds (司法/政企保留): an outside order keeps items as they are, until two persons lift it (REQ-LGL-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.calendar import business_day
from inventory.domain.errors import InvalidField, MissingField, NotFound, ReasonMissing
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.domain.lifecycle import LEGAL_ORDER_LIFECYCLE, LegalOrderEvent, LegalOrderState
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.custody import MOST_NAMED
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import resolved
from inventory.store import custody, organisation
from inventory.store import legal_orders as store
from inventory.store.events import EventDraft, record
from inventory.store.legal_orders import Order, OrderedItem
from inventory.store.organisation import Node
from inventory.store.selection import ByBatch, ByCount, ByName, Meant
from inventory.store.stock import allow_long_statements, lock_for_transaction

LIFT = "lift_legal_hold"
"""Name of the act, which always needs an approval."""
MOST_SHOWN = 200
"""A list shows this many orders, an order this many items."""
_MOST_MISSING = 3
"""So many names that are not in stock are told at once."""


@dataclass(frozen=True, kw_only=True)
class PlaceWish:
    """An order as it came: the authority's own reference, its reason, its day; what it lies on, by name, range or box.

    From `review_on` on it is told once that somebody should ask whether the order still stands.
    """

    resource: str
    selection: Meant
    reference: str
    authority: str
    reason: str
    given_on: date
    review_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class LiftWish:
    """An order to lift; `approval` is the id of the second person's word."""

    legal_hold: str
    reason: str
    approval: str | None = None


@dataclass(frozen=True)
class HoldPage:
    """An order with the first items that it lies on, each with its holder."""

    order: Order
    items: list[tuple[OrderedItem, Node]]


def public_id(order: Order) -> str:
    """Write the id of an order as callers see it."""
    return format_public_id("l", order.city_id, order.order_id)


async def place(session: AsyncSession, caller: Caller, write: WriteKey, wish: PlaceWish, *, now: datetime) -> Answer:
    """Put the items under the order, whatever their state and whoever has them, and answer with it.

    Kits with one of them end at once, and their other items are free; a kit whose card is being written, or is unknown,
    ends when that card is settled (`kits_waiting`).

    Raises
    ------
    BoxNotSealed
        A box is open, or inside another sealed one.
    InvalidField
        The order is of tomorrow, its review is not after it, or a load is named, which lies with many.
    InvalidIdentifier
        A name has the form of no item.
    MissingField, ReasonMissing
        Reference, authority or reason are not told.
    NotFound
        Something that is named is not in the city's stock.
    """

    async def work() -> dict[str, Any]:
        kind = kind_named(wish.resource)
        _check(wish, now=now)
        selection = await resolved(session, kind, wish.selection, city_id=caller.city_id)
        if isinstance(selection, ByCount):
            raise InvalidField(field="selection", value=selection.count, reason="name the items, or a range of them")
        await allow_long_statements(session)
        await _lock(session, caller.city_id, kind)
        await store.lock_kits(session, kind, selection, city_id=caller.city_id)
        marked = await store.mark(session, kind, selection, city_id=caller.city_id, now=now)
        missing = []
        if isinstance(selection, ByName):
            missing = await custody.missing(session, kind, selection.names, city_id=caller.city_id)
        if missing or not marked:
            raise NotFound(what=kind.name, value=", ".join(missing[:_MOST_MISSING]) or "-")
        order_id = await store.add(
            session,
            marked,
            city_id=caller.city_id,
            resource=kind.name,
            reference=wish.reference.strip(),
            authority=wish.authority.strip(),
            reason=wish.reason.strip(),
            given_on=wish.given_on,
            review_on=wish.review_on,
            staff_no=caller.staff_no,
            interface_no=caller.interface_no,
            created_at=now,
        )
        order = await _found(session, caller.city_id, order_id)
        kits = await store.kits_on(session, kind, order)
        ended = await store.end_kits(session, kits, **acting(caller, now))
        told = {"count": order.item_count, "kits_ended": ended, "kits_waiting": len(kits) - ended}
        await _tell(session, caller, order, "legal_hold_placed", told, now=now)
        return as_dict(order, now=now) | told

    return await once(session, caller, write, work, now=now)


async def lift(session: AsyncSession, caller: Caller, write: WriteKey, wish: LiftWish, *, now: datetime) -> Answer:
    """Lift an order, with a second person's word; what no other order lies on can be sold again (`items_freed`).

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        The second person's word is missing, or was given for something else.
    IllegalTransition
        It is lifted already.
    NotFound
        The city has no such legal hold.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        return await perform_lift(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_lift(session: AsyncSession, caller: Caller, wish: LiftWish, *, now: datetime) -> dict[str, Any]:
    """Do in the open transaction what `lift` does in one of its own, and answer and raise as it."""
    order = await _visible(session, caller, wish.legal_hold)
    kind = kind_named(order.resource)
    await _lock(session, caller.city_id, kind)
    order = await _visible(session, caller, wish.legal_hold, lock=True)
    state = LEGAL_ORDER_LIFECYCLE.advance(LegalOrderState(order.state), LegalOrderEvent.LIFT)
    if not wish.reason.strip():
        raise ReasonMissing
    await allow_long_statements(session)
    items = await store.items_of(session, kind, order, limit=MOST_NAMED)
    city = await organisation.city_node(session, caller.city_id)
    demand = Demand(
        act=LIFT,
        permission=Permission.LEGAL_LIFT,
        place=caller.org_id if city is None else city.id,
        wish=without_approval(wish),
        summary={
            "resource": kind.name,
            "count": order.item_count,
            "items": [item.name for item in items],
            "legal_hold": wish.legal_hold,  # the page of the order has its reference, which events do not tell
            "reason": wish.reason,
        },
    )
    second = await require_second_person(session, caller, wish.approval, demand, now=now)
    freed = await store.unmark(session, kind, order, now=now)
    await store.close(
        session, order, state=state, lifted_at=now, lifted_by=caller.staff_no, lifted_with=second,
        lift_reason=wish.reason,
    )  # fmt: skip
    told = {"count": order.item_count, "items_freed": freed, "approver": second}
    await _tell(session, caller, order, "legal_hold_lifted", told, reason=wish.reason, now=now)
    return as_dict(await _found(session, caller.city_id, order.order_id), now=now) | {"items_freed": freed}


async def read_holds(session: AsyncSession, caller: Caller, *, most: int = MOST_SHOWN) -> list[Order]:
    """Return the legal holds of the caller's city, those in force first, then the newest."""
    async with session.begin():
        return await store.listed(session, city_id=caller.city_id, limit=most)


async def read_hold(session: AsyncSession, caller: Caller, legal_hold: str) -> HoldPage:
    """Return a legal hold of the caller's city with the first items that it lies on.

    Raises
    ------
    InvalidIdentifier
        The id is not a legal hold's.
    NotFound
        The city has none of that id.
    """
    async with session.begin():
        order = await _visible(session, caller, legal_hold)
        items = await store.items_of(session, kind_named(order.resource), order, limit=MOST_SHOWN)
        nodes = await organisation.by_ids(session, {item.holder_id for item in items})
    return HoldPage(order, [(item, nodes[item.holder_id]) for item in items])


async def remind(session: AsyncSession, *, now: datetime) -> int:
    """Tell of each order whose review is due, once, and return of how many; none is lifted by it."""
    async with session.begin():
        due = await store.remind(session, today=business_day(now), now=now)
        for order in due:
            draft = _event(order, "legal_hold_review_due", {"count": order.item_count})
            await record(session, [draft], city_id=order.city_id, staff_no="system", interface_no="system", now=now)
    return len(due)


def as_dict(order: Order, *, now: datetime) -> dict[str, Any]:
    """Return a legal hold in the form of the API."""
    in_force = order.state == LegalOrderState.IN_FORCE
    return {
        "id": public_id(order),
        "resource": order.resource,
        "state": order.state,
        "reference": order.reference,
        "authority": order.authority,
        "reason": order.reason,
        "given_on": order.given_on.isoformat(),
        "review_on": order.review_on and order.review_on.isoformat(),
        "review_due": in_force and order.review_on is not None and order.review_on <= business_day(now),
        "count": order.item_count,
        "staff": order.staff_no,
        "at": order.created_at.isoformat(),
        "lifted_at": order.lifted_at and order.lifted_at.isoformat(),
        "lifted_by": order.lifted_by,
        "lifted_with": order.lifted_with,
        "lift_reason": order.lift_reason,
    }


def _check(wish: PlaceWish, *, now: datetime) -> None:
    """Check what needs no look at the stock."""
    if not wish.reason.strip():
        raise ReasonMissing
    for field in ("reference", "authority"):
        if not getattr(wish, field).strip():
            raise MissingField(field=field)
    if wish.given_on > business_day(now):
        raise InvalidField(field="given_on", value=wish.given_on.isoformat(), reason="this day is yet to come")
    if wish.review_on is not None and wish.review_on <= wish.given_on:
        reason = "a day after the one on which the order was given"
        raise InvalidField(field="review_on", value=wish.review_on.isoformat(), reason=reason)
    if isinstance(wish.selection, ByBatch):
        raise InvalidField(field="selection", value=wish.selection.load, reason="name the items, or a range of them")


async def _lock(session: AsyncSession, city_id: int, kind: ResourceKind) -> None:
    """Let orders of a kind be placed and lifted one after the other in a city (`store.unmark`)."""
    await lock_for_transaction(session, f"legal_order/{city_id}/{kind.name}")


async def _found(session: AsyncSession, city_id: int, order_id: int, *, lock: bool = False) -> Order:
    order = await store.find(session, city_id=city_id, order_id=order_id, lock=lock)
    if order is None:
        raise NotFound(what="legal hold", value=format_public_id("l", city_id, order_id))
    return order


async def _visible(session: AsyncSession, caller: Caller, public: str, *, lock: bool = False) -> Order:
    """Return a legal hold of the caller's city."""
    wanted = parse_public_id(public, "l", field="legal_hold")
    if wanted.city_id != caller.city_id:
        raise NotFound(what="legal hold", value=public)
    return await _found(session, caller.city_id, wanted.serial, lock=lock)


async def _tell(
    session: AsyncSession,
    caller: Caller,
    order: Order,
    happened: str,
    data: Mapping[str, Any],
    *,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Record what happened to an order."""
    await record(session, [_event(order, happened, data, reason)], **acting(caller, now))


def _event(order: Order, happened: str, data: Mapping[str, Any], reason: str | None = None) -> EventDraft:
    """Give the event of an order; its reference and authority stay with it, for events go to other systems."""
    return EventDraft(
        name=f"{kind_named(order.resource).events}.{happened}",
        kind="legal_hold",
        item_no=order.order_id,
        reason=reason,
        data={"legal_hold": public_id(order), **data},
    )

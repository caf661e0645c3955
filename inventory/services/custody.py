"""Custody moves of any kind of stock: the one body that issue and recall share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.deliveries import DeliveryState
from inventory.domain.errors import DomainError, MovementRefused, NotEnoughStock, OrganisationUnknown, OutsideScope
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.services.acting import acting
from inventory.services.rating import rate_for_issue
from inventory.store import custody, movements, organisation
from inventory.store.custody import MovedRange, RefusedItem
from inventory.store.events import EventDraft, record
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByCount, Selection
from inventory.store.stock import allow_long_statements

MOST_NAMED = 100
"""A refusal names this many items and counts the rest."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of custody: from whom, to whom, which states may go, and what the document says of people."""

    kind: ResourceKind
    giver: Node
    receiver: Node
    selection: Selection
    states: Collection[str]
    movement: str
    happened: str
    """Last part of the event's name, such as `issued`."""
    receiver_name: str | None = None
    returner_name: str | None = None
    reason: str | None = None
    on_the_way: bool = False
    """The receiver signs for the items first (签收)."""


@dataclass(frozen=True)
class Ends:
    """From whom and to whom a document goes."""

    giver: Node
    receiver: Node


async def node_of_city(session: AsyncSession, caller: Caller, code: str) -> Node:
    """Return the organisation with the code in the caller's city.

    Raises
    ------
    OrganisationUnknown
        The city has none, or it is closed.
    """
    node = await organisation.by_code(session, code)
    if node is None or node.city_id != caller.city_id or not node.active:
        raise OrganisationUnknown(organisation=code)
    return node


def require_in_scope(caller: Caller, node: Node) -> None:
    """Let pass a node of the caller's subtree.

    Raises
    ------
    OutsideScope
        It is elsewhere.
    """
    if node.id not in caller.scope:
        raise OutsideScope(what=node.code)


async def take_step(session: AsyncSession, caller: Caller, step: Step, *, now: datetime) -> dict[str, Any]:
    """Move the selected items, write the document and its event, and return the document.

    Raises
    ------
    MovementRefused
        Items are missing, elsewhere, on the way, on hold or in a state that stays; nothing moved.
    NotEnoughStock
        Fewer items of the sort may move than were asked for.
    """
    await allow_long_statements(session)
    way = await movements.next_movement_id(session) if step.on_the_way else None
    moved = await _hand_over(session, caller, step, way, now=now)
    rule_set_id = None
    if step.movement == movements.ISSUE:
        moved, rule_set_id = await rate_for_issue(
            session, step.kind, moved, city_id=caller.city_id, holder_id=step.receiver.id, now=now
        )
    draft = MovementDraft(
        kind=step.movement,
        resource=step.kind.name,
        from_holder=step.giver.id,
        to_holder=step.receiver.id,
        receiver=step.receiver_name,
        returner=step.returner_name,
        reason=step.reason,
        rule_set_id=rule_set_id,
    )
    ranges = [LedgerRange(run.lo, run.hi, run.outcomes if rule_set_id else None) for run in moved]
    ends = Ends(step.giver, step.receiver)
    return await write_document(session, caller, draft, ranges, ends, happened=step.happened, way=way, now=now)


async def write_document(
    session: AsyncSession,
    caller: Caller,
    draft: MovementDraft,
    ranges: Sequence[LedgerRange],
    ends: Ends,
    *,
    happened: str,
    way: int | None,
    now: datetime,
    told: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a document of moved items and its event `happened`, and return it as callers see it.

    With `way`, its number, the items are on their way under it. `told` is said in the event and in the answer too.
    """
    who = acting(caller, now)
    movement_id = await movements.record_movement(session, draft, ranges, **who, on_the_way_as=way)
    summary = {
        "resource": draft.resource,
        "giver": ends.giver.code,
        "receiver": ends.receiver.code,
        "count": sum(run.hi - run.lo + 1 for run in ranges),
        **(told or {}),
    }
    event = EventDraft(
        name=f"{kind_named(draft.resource).events}.{happened}",
        kind="movement",
        item_no=movement_id,
        reason=draft.reason,
        data=summary,
    )
    await record(session, [event], **who)
    return {
        "id": format_public_id("m", caller.city_id, movement_id),
        "kind": draft.kind,
        "state": DeliveryState.ACCEPTED if way is None else DeliveryState.IN_TRANSIT,
        **summary,
        "receiver_name": draft.receiver,
        "returner_name": draft.returner,
        "reason": draft.reason,
        "staff": caller.staff_no,
        "at": now.isoformat(),
    }


async def _hand_over(
    session: AsyncSession, caller: Caller, step: Step, way: int | None, *, now: datetime
) -> list[MovedRange]:
    """Move all or, undone again, none."""
    wanted = await custody.count_wanted(session, step.kind, step.selection, city_id=caller.city_id)
    async with session.begin_nested() as all_or_none:
        moved = await custody.hand_over(
            session,
            step.kind,
            step.selection,
            city_id=caller.city_id,
            giver=step.giver.id,
            receiver=step.receiver.id,
            states=step.states,
            on_the_way_as=way,
            now=now,
        )
        found = sum(run.count for run in moved)
        if found and found == wanted:
            return moved
        await all_or_none.rollback()
    raise await _refusal(session, caller, step, wanted=wanted, found=found)


async def _refusal(session: AsyncSession, caller: Caller, step: Step, *, wanted: int, found: int) -> DomainError:
    """Return what says which items stand against the document."""
    selection = step.selection
    if isinstance(selection, ByCount) or not wanted:
        return NotEnoughStock(wanted=wanted, found=found, of=getattr(selection, "of", None) or step.kind.en)
    refused = await custody.refused_items(
        session,
        step.kind,
        selection,
        city_id=caller.city_id,
        giver=step.giver.id,
        states=step.states,
        limit=MOST_NAMED,
    )
    items = [_as_refusal(item, step.giver.id) for item in refused]
    return MovementRefused(count=wanted - found, items=items)


def _as_refusal(item: RefusedItem, giver: int) -> dict[str, Any]:
    """Name the item and the first thing that stands against it."""
    if item.state is None:
        code = "not_in_stock"
    elif item.holder_id != giver:
        code = "not_holder"
    elif item.in_transit:
        code = "in_transit"
    elif item.on_hold:
        code = "on_hold"
    else:
        code = "item_not_movable"
    return {"item": item.name, "code": code, "state": item.state}

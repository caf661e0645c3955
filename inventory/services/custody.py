"""Custody moves of any kind of stock: the one body that issue and recall share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.deliveries import DeliveryState
from inventory.domain.errors import DomainError, MovementRefused, NotEnoughStock, OrganisationUnknown, OutsideScope
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.services.acting import acting
from inventory.services.quota_use import use_quotas
from inventory.services.rating import rate_for_issue
from inventory.store import custody, movements, organisation, recall_orders
from inventory.store.custody import MovedRange, RefusedItem
from inventory.store.events import EventDraft, record
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByCount, Naming, Selection
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
    reason_code: str | None = None
    owed_too: bool = False
    """What is owed under a recall order may go this way too: up."""
    legal_too: bool = False
    """What is under a legal hold may go this way too: up, inside its city."""
    good_on: date | None = None
    """What expires before this day stays (REQ-SIM-16); None: it goes too."""
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


async def place_within(session: AsyncSession, caller: Caller, code: str | None) -> Node:
    """Return a place of the caller's part; without a code the caller's own.

    Raises
    ------
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    node = await organisation.by_id(session, caller.org_id) if code is None else None
    if node is None:
        node = await node_of_city(session, caller, code or "")
    require_in_scope(caller, node)
    return node


async def take_step(session: AsyncSession, caller: Caller, step: Step, *, now: datetime) -> dict[str, Any]:
    """Move the selected items, write the document and its event, and return the document.

    Raises
    ------
    MovementRefused
        Items are missing, elsewhere, on the way, on hold or in a state that stays; nothing moved.
    NotEnoughStock
        Fewer items of the sort may move than were asked for.
    OrganisationUnknown
        The receiver has been closed meanwhile.
    QuotaExceeded
        An issue is more than is left of what its receiver may be given.
    """
    await allow_long_statements(session)
    if not await organisation.keep_open(session, step.receiver.id):
        raise OrganisationUnknown(organisation=step.receiver.code)
    way = await movements.next_movement_id(session) if step.on_the_way else None
    moved = await _hand_over(session, caller, step, way, now=now)
    rule_set_id, told = None, {}
    if step.movement == movements.ISSUE:
        moved, rule_set_id = await rate_for_issue(
            session, step.kind, moved, city_id=caller.city_id, holder_id=step.receiver.id, now=now
        )
        told = await use_quotas(session, step.kind, step.receiver, moved, city_id=caller.city_id, now=now)
    draft = MovementDraft(
        kind=step.movement,
        resource=step.kind.name,
        from_holder=step.giver.id,
        to_holder=step.receiver.id,
        receiver=step.receiver_name,
        returner=step.returner_name,
        reason=step.reason,
        reason_code=step.reason_code,
        rule_set_id=rule_set_id,
    )
    if step.owed_too and way is None:
        await recall_orders.arrive(session, step.kind, city_id=caller.city_id, holder_id=step.receiver.id)
    ranges = [LedgerRange(run.lo, run.hi, run.outcomes if rule_set_id else None) for run in moved]
    ends = Ends(step.giver, step.receiver)
    return await write_document(
        session, caller, draft, ranges, ends, happened=step.happened, way=way, now=now, told=told
    )


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
        reason_code=draft.reason_code,
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
        "reason_code": draft.reason_code,
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
            owed_too=step.owed_too,
            legal_too=step.legal_too,
            good_on=step.good_on,
            on_the_way_as=way,
            now=now,
        )
        found = sum(run.count for run in moved)
        if found and found == wanted:
            return moved
        await all_or_none.rollback()
    raise await refusal(session, caller, step, wanted=wanted, found=found)


async def refusal(session: AsyncSession, caller: Caller, step: Step, *, wanted: int, found: int) -> DomainError:
    """Return what says which of the wanted items stand against the document; ask it when nothing has moved."""
    selection = step.selection
    if isinstance(selection, ByCount) or not wanted:
        return NotEnoughStock(wanted=wanted, found=found, of=_sort(selection) or step.kind.en)
    refused = await custody.refused_items(
        session,
        step.kind,
        selection,
        city_id=caller.city_id,
        giver=step.giver.id,
        states=step.states,
        owed_too=step.owed_too,
        legal_too=step.legal_too,
        good_on=step.good_on,
        limit=MOST_NAMED,
    )
    items = [refused_as(item, step.giver.id) for item in refused]
    return MovementRefused(count=wanted - found, items=items)


async def require_endable(
    session: AsyncSession, kind: ResourceKind, selection: Naming, *, city_id: int, holder: int, states: Collection[str]
) -> None:
    """Let pass items that may leave the stock, or become lost, from where they lie.

    Raises
    ------
    MovementRefused
        Some may not: on hold, under a legal hold, in another state. The first 100 are named.
    """
    refused = await custody.refused_items(
        session, kind, selection, city_id=city_id, giver=holder, states=states, owed_too=True, legal_too=False,
        limit=MOST_NAMED,
    )  # fmt: skip
    if refused:
        raise MovementRefused(count=len(refused), items=[refused_as(item, holder) for item in refused])


def _sort(selection: Selection) -> str:
    """Name the sort that a selection wants so many of, if it wants one."""
    if not isinstance(selection, ByCount):
        return ""
    wanted = "" if selection.number_class is None else f"class {selection.number_class}"
    return " ".join(filter(None, [selection.of, wanted]))


def refused_as(item: RefusedItem, giver: int) -> dict[str, Any]:
    """Name the item and the first thing that stands against it."""
    if item.state is None:
        code = "not_in_stock"
    elif item.holder_id != giver:
        code = "not_holder"
    elif item.in_transit:
        code = "in_transit"
    elif item.on_hold:
        code = "on_hold"
    elif item.legally_held:
        code = "legal_hold"
    elif item.owed:
        code = "owed"
    elif item.expired:
        code = "expired"
    else:
        code = "item_not_movable"
    return {"item": item.name, "code": code, "state": item.state}

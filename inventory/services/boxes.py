"""Boxes (箱): packed by scan or range under a seal, moved as one, opened with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.boxes import Range, as_ranges, parse_box_code, without
from inventory.domain.errors import (
    BoxNotSealed,
    BoxSealed,
    InvalidField,
    MovementRefused,
    NotFound,
)
from inventory.domain.kinds import KINDS, ResourceKind, kind_named
from inventory.domain.lifecycle import BOX_LIFECYCLE, BoxEvent, BoxState
from inventory.domain.reasons import Given, Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.custody import MOST_NAMED, place_within, refused_as
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import each_box, resolved
from inventory.store import boxes as store
from inventory.store import custody, organisation
from inventory.store.boxes import BoxRow, Content
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.store.selection import ByBatch, ByCount, ByItems, Selection
from inventory.store.stock import allow_long_statements

MOST_LISTED = 200


@dataclass(frozen=True, kw_only=True)
class PackWish:
    """A box to pack and seal: `code` as printed on it, its items by list, range or load, or the boxes it takes in."""

    resource: str
    place: str
    code: str
    selection: Selection | ByBatch | None = None
    boxes: tuple[str, ...] = ()
    seal: str | None = None


@dataclass(frozen=True)
class BoxView:
    """A box, the one around it, those in it, and where its items lie; `lying` has each holder with its group."""

    row: BoxRow
    parent: BoxRow | None
    inside: list[BoxRow]
    lying: list[tuple[Content, Node]]
    items: list[tuple[str, str]]
    next_after: int | None


async def pack(session: AsyncSession, caller: Caller, write: WriteKey, wish: PackWish, *, now: datetime) -> Answer:
    """Pack items, or boxes, that lie at a place into a box, seal it, and answer with it (REQ-STK-02).

    An opened box is packed anew: what it had before is in it no more. What is taken out of other opened boxes leaves
    them.

    Raises
    ------
    BoxSealed
        The box itself is sealed, or something to be packed lies in another sealed box.
    BoxNotSealed
        A box to be packed is open.
    InvalidField
        Neither items nor boxes are named, or both; or the kind is nothing that lies in a box.
    InvalidIdentifier
        A code or name has another form.
    MovementRefused, NothingOfLoad
        Items do not lie at the place; nothing was packed.
    NotFound, OrganisationUnknown, OutsideScope
        There is no such box or place, or it is elsewhere.
    """

    async def work() -> dict[str, Any]:
        kind, code = kind_named(wish.resource), parse_box_code(wish.code)
        if not kind.physical:
            raise InvalidField(field="resource", value=kind.name, reason="it lies in no box; pack cards")
        if (wish.selection is None) == (not wish.boxes):
            raise InvalidField(field="items", value=None, reason="name either the items or the boxes to be packed")
        place = await place_within(session, caller, wish.place)
        await allow_long_statements(session)
        await store.lock_packing(session, kind, city_id=caller.city_id)
        row = await store.find(session, city_id=caller.city_id, code=code, lock=True)
        if row is not None and row.state == BoxState.SEALED:
            raise BoxSealed(box=code)
        inner = [await _inner(session, caller, kind, name, code) for name in each_box(wish.boxes)]
        if wish.selection is not None:
            selection = await resolved(session, kind, wish.selection, city_id=caller.city_id, holder_id=place.id)
            ranges = await _lying(session, caller, kind, place, selection)
            await _take_out(session, caller, kind, ranges, code)
        else:
            ranges = []
            held = [span for box in inner for span in await store.ranges_of(session, box)]
            await _lying(session, caller, kind, place, ByItems(tuple(held)))
        count = sum(box.item_count for box in inner) or sum(hi - lo + 1 for lo, hi in ranges)
        state = BoxState.SEALED if row is None else BOX_LIFECYCLE.advance(BoxState(row.state), BoxEvent.PACK)
        values = {
            "city_id": caller.city_id,
            "code": code,
            "resource": kind.name,
            "state": state,
            "seal": wish.seal,
            "item_count": count,
            "packed_by": caller.staff_no,
            "packed_at": now,
            "opened_by": None,
            "opened_at": None,
            "open_reason": None,
        }
        number = await store.write(session, row, **values)
        if row is not None:
            old = await store.inside(session, row)
            await store.put_in(session, city_id=caller.city_id, boxes=[box.box_no for box in old], parent_no=None)
        await store.put_in(session, city_id=caller.city_id, boxes=[box.box_no for box in inner], parent_no=number)
        await store.fill(session, kind, ranges, city_id=caller.city_id, box_no=number)
        told = {"box": code, "place": place.code, "count": count, "seal": wish.seal, "boxes": list(wish.boxes)}
        await _tell(session, caller, kind, number, "box_packed", told, why=None, now=now)
        return {**await _answer(session, caller, code), "place": place.code}

    return await once(session, caller, write, work, now=now)


async def open_box(
    session: AsyncSession, caller: Caller, write: WriteKey, code: str, reason: str, *, now: datetime
) -> Answer:
    """Break the seal of a box, and of those around it; answer with it. Its items are moved one by one from now on.

    Raises
    ------
    BoxNotSealed
        It is open.
    NotFound
        The caller's part has no such box.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        row = await _mine(session, caller, code, lock=True)
        why = await reasons.given(session, caller, reason, Purpose.OPEN)
        if row.state != BoxState.SEALED:
            raise BoxNotSealed(box=row.code, reason="it is open")
        opened = {
            "state": BOX_LIFECYCLE.advance(BoxState(row.state), BoxEvent.OPEN),
            "opened_by": caller.staff_no,
            "opened_at": now,
            "open_reason": why.text,
        }
        for box in (row, *await store.above(session, row)):
            if box.state == BoxState.SEALED:
                await store.write(session, box, **opened)
                told = {"box": box.code, "seal": box.seal}
                kind = kind_named(box.resource)
                await _tell(session, caller, kind, box.box_no, "box_opened", told, why=why, now=now)
        await store.put_in(session, city_id=caller.city_id, boxes=[row.box_no], parent_no=None)
        return await _answer(session, caller, row.code)

    return await once(session, caller, write, work, now=now)


async def read_boxes(session: AsyncSession, caller: Caller, *, most: int = MOST_LISTED) -> list[tuple[BoxRow, Node]]:
    """Return the newest boxes of each kind that lie in the caller's part, each with its holder."""
    found: list[tuple[BoxRow, Node]] = []
    async with session.begin():
        for kind in (kind for kind in KINDS.values() if kind.physical):
            rows = await store.boxes_at(session, kind, city_id=caller.city_id, holders=caller.scope, limit=most)
            nodes = await organisation.by_ids(session, {holder for _, holder in rows})
            found += [(row, nodes[holder]) for row, holder in rows]
    return found


async def read_box(session: AsyncSession, caller: Caller, code: str, *, after: int = -1, limit: int = 200) -> BoxView:
    """Return a box with a page of its items.

    Raises
    ------
    InvalidIdentifier
        The code has another form.
    NotFound
        The caller's part has no such box.
    """
    async with session.begin():
        row = await _mine(session, caller, code)
        kind, ranges = kind_named(row.resource), await store.ranges_of(session, row)
        around = await store.above(session, row)
        lying = await store.contents(session, kind, ranges, city_id=caller.city_id)
        nodes = await organisation.by_ids(session, {group.holder_id for group in lying})
        items = await store.items_in(session, kind, ranges, city_id=caller.city_id, after=after, limit=limit)
        inside = await store.inside(session, row)
    return BoxView(
        row,
        around[0] if around else None,
        inside,
        [(group, nodes[group.holder_id]) for group in lying],
        [(name, state) for _, name, state in items],
        items[-1][0] if len(items) == limit else None,
    )


def as_dict(row: BoxRow) -> dict[str, Any]:
    """Return a box in the form of the API."""
    return {
        "box": row.code,
        "resource": row.resource,
        "state": row.state,
        "seal": row.seal,
        "count": row.item_count,
        "packed_by": row.packed_by,
        "packed_at": row.packed_at.isoformat(),
        "opened_by": row.opened_by,
        "opened_at": row.opened_at and row.opened_at.isoformat(),
        "open_reason": row.open_reason,
    }


async def _mine(session: AsyncSession, caller: Caller, code: str, *, lock: bool = False) -> BoxRow:
    """Return a box with an item in the caller's part."""
    name = parse_box_code(code)
    row = await store.find(session, city_id=caller.city_id, code=name, lock=lock)
    if row is not None:
        ranges = await store.ranges_of(session, row)
        groups = await store.contents(session, kind_named(row.resource), ranges, city_id=caller.city_id)
        if any(group.holder_id in caller.scope for group in groups):
            return row
    raise NotFound(what="box", value=name)


async def _inner(session: AsyncSession, caller: Caller, kind: ResourceKind, code: str, outer: str) -> BoxRow:
    """Return a sealed box, locked, that is to be packed into another one."""
    row = await store.find(session, city_id=caller.city_id, code=code, lock=True)
    if row is None or row.resource != kind.name or code == outer:
        raise NotFound(what="box", value=code)
    if row.state != BoxState.SEALED:
        raise BoxNotSealed(box=code, reason="its seal is broken")
    if row.parent_no is not None:
        around = (await store.above(session, row))[0]
        if around.state == BoxState.SEALED and around.code != outer:
            raise BoxSealed(box=around.code)
    return row


async def _lying(
    session: AsyncSession, caller: Caller, kind: ResourceKind, place: Node, selection: Selection
) -> list[Range]:
    """Return the selected items as ranges if all of them lie at the place."""
    if isinstance(selection, ByCount):
        raise InvalidField(field="items", value=selection.count, reason="name the items that lie in the box")
    wanted = await custody.count_wanted(session, kind, selection, city_id=caller.city_id)
    there = await store.lying(session, kind, selection, city_id=caller.city_id, holder_id=place.id)
    if there and len(there) == wanted:
        return as_ranges(there)
    against = await custody.refused_items(
        session,
        kind,
        selection,
        city_id=caller.city_id,
        giver=place.id,
        states=kind.in_hand,
        owed_too=True,
        legal_too=True,
        limit=MOST_NAMED,
    )
    items = [refused_as(item, place.id) for item in against]
    raise MovementRefused(count=max(wanted - len(there), len(items)), items=items)


async def _take_out(session: AsyncSession, caller: Caller, kind: ResourceKind, ranges: list[Range], code: str) -> None:
    """Take the items out of the opened boxes that they lay in; a seal is never broken this way."""
    others = await store.boxes_with(session, kind, ranges, city_id=caller.city_id)
    for box in await store.by_no(session, city_id=caller.city_id, boxes=others):
        if box.code == code:
            continue
        if box.state == BoxState.SEALED:
            raise BoxSealed(box=box.code)
        left = without(others[box.box_no], ranges)
        await store.fill(session, kind, left, city_id=caller.city_id, box_no=box.box_no)
        await store.write(session, box, item_count=sum(hi - lo + 1 for lo, hi in left))


async def _tell(
    session: AsyncSession,
    caller: Caller,
    kind: ResourceKind,
    number: int,
    happened: str,
    data: dict[str, Any],
    *,
    why: Given | None,
    now: datetime,
) -> None:
    """Record what happened to a box."""
    await record(session, [box_event(kind, number, happened, data, why=why)], **acting(caller, now))


def box_event(
    kind: ResourceKind, number: int, happened: str, data: dict[str, Any], *, why: Given | None = None
) -> EventDraft:
    """Give the event of what happened to a box."""
    return EventDraft(
        name=f"{kind.events}.{happened}",
        kind="box",
        item_no=number,
        reason=why and why.text,
        reason_code=why and why.code,
        data=data,
    )


async def _answer(session: AsyncSession, caller: Caller, code: str) -> dict[str, Any]:
    row = await store.find(session, city_id=caller.city_id, code=code)
    if row is None:
        raise NotFound(what="box", value=code)
    return as_dict(row)

"""Status release (状态释放): a person sets an item's state, within its life cycle (REQ-SIM-11, REQ-NUM-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission, Role
from inventory.domain.approvals import Demand
from inventory.domain.errors import (
    IllegalTransition,
    ItemNotMovable,
    LegalHold,
    NotFound,
    NotHolder,
    PermissionDenied,
    StaleVersion,
)
from inventory.domain.kinds import NUMBER, SIM, ResourceKind, kind_named
from inventory.domain.lifecycle import CodeEvent, CodeState, NumberEvent, NumberState, SimEvent, SimState
from inventory.domain.reasons import Given, Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.declaring import settle_dead
from inventory.services.once import Answer, WriteKey, once
from inventory.services.rating import outcome_of_number
from inventory.services.selecting import item_name
from inventory.store import kits, organisation, stock
from inventory.store.events import EventDraft, record
from inventory.store.stock import StockedItem

RELEASE_STATUS = "release_status"
"""Name of the act, where it needs an approval."""

_N, _NE = NumberState, NumberEvent
_C, _CE = CodeState, CodeEvent
_S, _SE = SimState, SimEvent

RELEASES: Mapping[str, Mapping[tuple[StrEnum, StrEnum], StrEnum]] = {
    NUMBER.name: {
        (_N.RECYCLED, _N.UNUSED): _NE.STATUS_RELEASE,
        (_N.UNUSED, _N.RECYCLED): _NE.WITHDRAW,
        (_N.UNUSED, _N.DISABLED): _NE.DISABLE,
        (_N.RECYCLED, _N.DISABLED): _NE.DISABLE,
        (_N.DISABLED, _N.RECYCLED): _NE.ENABLE,
        (_C.IDLE, _C.IN_SERVICE): _CE.OPEN,
        (_C.IN_SERVICE, _C.SUSPENDED): _CE.SUSPEND,
        (_C.SUSPENDED, _C.IN_SERVICE): _CE.RESUME,
        (_C.IN_SERVICE, _C.IDLE): _CE.CLOSE,
        (_C.SUSPENDED, _C.IDLE): _CE.CLOSE,
    },
    SIM.name: {
        (_S.AVAILABLE, _S.DAMAGED): _SE.FOUND_DAMAGED,
        (_S.DAMAGED, _S.AVAILABLE): _SE.STATUS_RELEASE,
        (_S.LOST, _S.AVAILABLE): _SE.STATUS_RELEASE,
        (_S.DISABLED, _S.AVAILABLE): _SE.STATUS_RELEASE,
        (_S.WRITE_UNKNOWN, _S.DAMAGED): _SE.DECLARE_DEAD,
    },
}
"""Which event of the life cycle a person means who sets a state. HELD and BOOKED (预占, 预定) are promises: they come
and go with a hold and its key, never by setting a state, and so does the rent of an SMS port."""

_TWO_PERSONS = frozenset({(NUMBER.name, _NE.ENABLE), (SIM.name, _SE.STATUS_RELEASE), (SIM.name, _SE.DECLARE_DEAD)})
_AT_CITY = frozenset({_NE.WITHDRAW, _NE.STATUS_RELEASE, *_CE})
"""Only what lies at the city company is withdrawn or set free again (N13, N14), or serves."""


@dataclass(frozen=True, kw_only=True)
class ReleaseWish:
    """An item to set to `to_state`; with `version` only if nothing has happened to it since.

    `approval` is the id of the second person's word, where two are needed.
    """

    resource: str
    item: str
    to_state: str
    reason: str
    order_ref: str | None = None
    approval: str | None = None
    version: int | None = None


async def release_status(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: ReleaseWish, *, now: datetime
) -> Answer:
    """Set one item's state and answer with the item's state and version, before and after.

    A number that becomes free is rated anew by the rule set in force (N13). A card of which nobody knows what is on it
    is declared dead; one of an open kit is first swapped for another (S9b).

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        The move needs a second person's word, or that was given for something else.
    IllegalTransition
        The life cycle has no such move by hand.
    ItemNotMovable
        The item is on hold or on its way, or a card to be set free may hold an IMSI.
    LegalHold
        An outside order lies on it.
    NotFound
        The item is not in the caller's part of the stock.
    PermissionDenied
        Only the city's administrator sets a card free again.
    NotHolder
        The move is the city company's, and the item is not there.
    ReasonMissing
        There is none.
    StaleVersion
        The item has changed since the caller read it.
    """

    async def work() -> dict[str, Any]:
        return await perform_release(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_release(session: AsyncSession, caller: Caller, wish: ReleaseWish, *, now: datetime) -> dict[str, Any]:
    """Do in the open transaction what `release_status` does in one of its own, and answer and raise as it."""
    why = await reasons.given(session, caller, wish.reason, Purpose.RELEASE)
    kind = kind_named(wish.resource)
    name = item_name(kind, wish.item)
    item = await stock.find_item(session, kind, city_id=caller.city_id, name=name, lock=True)
    if item is None or item.holder_id not in caller.scope:
        raise NotFound(what=kind.name, value=name)
    event = event_meant(kind, item.state, wish.to_state)
    target = kind.lifecycle.advance(item.state, event)
    await _check(session, caller, kind, item, event, wish)
    approver = None
    if (kind.name, event) in _TWO_PERSONS:
        demand = _demand(kind, item, wish, why)
        approver = await require_second_person(session, caller, wish.approval, demand, now=now)
    rated: dict[str, Any] = {}
    if event is _NE.STATUS_RELEASE:
        rated = await outcome_of_number(session, item, city_id=caller.city_id, now=now)
    moved = await stock.move_state(
        session,
        kind,
        city_id=caller.city_id,
        item_no=item.item_no,
        from_state=item.state,
        version=item.version,
        to_state=target,
        now=now,
        **rated,
    )
    if not moved:
        raise StaleVersion(item=name)
    if event is _SE.DECLARE_DEAD:
        await settle_dead(session, city_id=caller.city_id, item_no=item.item_no, now=now)
    told = EventDraft(
        name=f"{kind.events}.status_released",
        kind=kind.name,
        item_no=item.item_no,
        version=item.version + 1,
        from_state=item.state,
        to_state=target,
        reason=why.text,
        reason_code=why.code,
        order_ref=wish.order_ref,
        data={} if approver is None else {"approver": approver, "approval": wish.approval},
    )
    await record(session, [told], **acting(caller, now))
    return {
        "resource": kind.name,
        "item": name,
        "from_state": item.state,
        "to_state": str(target),
        "version": item.version + 1,
        "approver": approver,
    }


def _demand(kind: ResourceKind, item: StockedItem, wish: ReleaseWish, why: Given) -> Demand:
    """Give what a second person is asked for."""
    return Demand(
        act=RELEASE_STATUS,
        permission=Permission.STATUS_RELEASE,
        place=item.holder_id,
        wish=without_approval(wish),
        summary={
            "resource": kind.name,
            "count": 1,
            "items": [item.name],
            "from_state": item.state,
            "to_state": wish.to_state,
            "version": item.version,
            "reason": why.text,
            "order_ref": wish.order_ref,
        },
    )


def event_meant(kind: ResourceKind, from_state: str, to_state: str) -> StrEnum:
    """Return the event that a person means who sets an item from one state to another.

    Raises
    ------
    IllegalTransition
        Nobody may do that by hand (REQ-NUM-10).
    """
    for (source, target), event in RELEASES[kind.name].items():
        if (source.value, target.value) == (from_state, to_state):
            return event
    raise IllegalTransition(state=from_state, event=f"set to {to_state}")


async def _check(
    session: AsyncSession, caller: Caller, kind: ResourceKind, item: StockedItem, event: StrEnum, wish: ReleaseWish
) -> None:
    """Check what the life cycle does not know: version, hold, way, place, and what is on a card."""
    if wish.version is not None and wish.version != item.version:
        raise StaleVersion(item=item.name)
    if item.row["legal_hold"]:
        raise LegalHold(field=kind.name, value=item.name)
    if item.hold_id is not None or item.transit_id is not None:
        raise ItemNotMovable(item=item.name, state="on hold" if item.hold_id is not None else "in transit")
    if kind is SIM and event is _SE.STATUS_RELEASE:
        await _check_card(session, caller, item)
    if event in _AT_CITY and kind is NUMBER:
        city = await organisation.city_node(session, caller.city_id)
        if city is None or item.holder_id != city.id:
            holder = await organisation.by_id(session, item.holder_id)
            raise NotHolder(item=item.name, holder=holder.code if holder else item.holder_id)


async def _check_card(session: AsyncSession, caller: Caller, item: StockedItem) -> None:
    """Check that the card may be sold once more: nobody knows any more who had it in hand, its IMSI must be nowhere."""
    if caller.role is not Role.CITY_ADMIN:
        raise PermissionDenied(permission=f"{Permission.STATUS_RELEASE.value} ({Role.CITY_ADMIN.value})")
    finished = item.row["hlr_code"] is not None
    if await kits.has_identity(session, city_id=item.row["city_id"], item_no=item.item_no, finished=finished):
        raise ItemNotMovable(item=item.name, state=f"{item.state} with an IMSI on it")

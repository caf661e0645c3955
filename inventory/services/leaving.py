"""A leaver (离职交接): the staff id is closed at once, the drawer counted blind, and taken over before a witness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.errors import IllegalTransition, InvalidField, PermissionDenied, ReasonMissing
from inventory.domain.kinds import KINDS, kind_named
from inventory.domain.lifecycle import StocktakeState
from inventory.domain.organisation import Level
from inventory.services.acting import acting
from inventory.services.approval import end_approvals_of, require_second_person, without_approval
from inventory.services.custody import Ends, place_within, write_document
from inventory.services.interfaces import tell
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stocktakes import StocktakeWish, begin, find_stocktake, stocktake_name
from inventory.store import custody, interfaces, leaving, movements, organisation, recall_orders
from inventory.store.events import EventDraft, record
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByScan
from inventory.store.stock import allow_long_statements
from inventory.store.stocktakes import StocktakeRow

TAKE_OVER = "take_over"
"""Name of the act, which always needs an approval: the witness."""


@dataclass(frozen=True, kw_only=True)
class LeaveWish:
    """A clerk who leaves: `leaver` is the code of its organisation."""

    leaver: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class TakeOverWish:
    """What a leaver's closed stocktake found, to be taken over by `receiver`: its hall or another clerk of it.

    `person` is who takes the cards, `approval` the id of the witness's word.
    """

    stocktake: str
    receiver: str
    person: str | None = None
    approval: str | None = None


async def begin_leaving(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: LeaveWish, *, now: datetime
) -> Answer:
    """Close the clerk's staff ids, give its promises back and open the count of its drawer (REQ-STK-03).

    Open holds are released; bookings, which customers rely on, go to the caller; a kit with a card that is being
    written, or that the network has, stays until that is settled. Answers with what was done and with the stocktake
    to scan; where nothing is on the account there is none, and the account is closed: at once, or by `close_left`
    when what is on its way from or to it is answered.

    Raises
    ------
    InvalidField
        The organisation is no clerk's.
    OrganisationUnknown, OutsideScope
        It does not exist in the city, or is not in the caller's subtree.
    PermissionDenied
        The caller itself works there.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        place = await place_within(session, caller, wish.leaver)
        if place.level != Level.CLERK.name:
            raise InvalidField(field="leaver", value=wish.leaver, reason="the organisation of a clerk")
        if not wish.reason.strip():
            raise ReasonMissing
        await organisation.lock(session, place.id)
        await organisation.mark_leaving(session, place.id, now=now)
        closed = await _close_staff(session, caller, place, now=now)
        released = await leaving.release_holds(session, closed, reason=wish.reason, **acting(caller, now))
        handed = await leaving.hand_bookings_over(
            session, closed, city_id=caller.city_id, to_staff=caller.staff_no, to_org=caller.org_id
        )
        drafts = [
            EventDraft(
                name="hold.handed_over", kind="hold", item_no=hold, reason=wish.reason, data={"leaver": place.code}
            )
            for hold in handed
        ]
        await record(session, drafts, **acting(caller, now))
        stocktake = None
        if await leaving.count_items(session, city_id=caller.city_id, holder_id=place.id):
            kind = next(kind for kind in KINDS.values() if kind.physical)
            row, _ = await begin(session, caller, StocktakeWish(resource=kind.name, place=place.code), now=now)
            stocktake = stocktake_name(row)
        else:
            await _close_if_settled(session, place)
        return {
            "leaver": place.code,
            "staff_closed": closed,
            "holds_released": released,
            "holds_handed_over": len(handed),
            "holds_left": await leaving.count_open_holds(session, closed, city_id=caller.city_id),
            "stocktake": stocktake,
        }

    return await once(session, caller, write, work, now=now)


async def take_over(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: TakeOverWish, *, now: datetime
) -> Answer:
    """Move what was scanned in the leaver's drawer to the receiver, one document signed by both; answer with it.

    What is missing, or may not move, stays on the leaver's account as a difference to settle; at zero it is closed,
    by `close_left` where a delivery from or to it is still on its way.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        The witness's word is missing, or was given for something else.
    IllegalTransition
        The count is not closed.
    InvalidField
        The receiver is not the leaver's hall or another clerk of it, or somebody still works under the leaver's id, or
        nothing was found.
    NotFound, OrganisationUnknown, OutsideScope
        The caller's part has no such stocktake or receiver.
    """

    async def work() -> dict[str, Any]:
        return await perform_take_over(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_take_over(
    session: AsyncSession, caller: Caller, wish: TakeOverWish, *, now: datetime
) -> dict[str, Any]:
    """Do in the open transaction what `take_over` does in one of its own, and answer and raise as it."""
    row, place = await find_stocktake(session, caller, wish.stocktake, lock=True)
    receiver = await _receiver(session, caller, place, wish)
    if row.state != StocktakeState.CLOSED:
        raise IllegalTransition(state=row.state, event="take over")
    if await interfaces.staff_at_node(session, place.id):
        raise InvalidField(field="stocktake", value=wish.stocktake, reason="first close the leaver's staff id")
    await allow_long_statements(session)
    await organisation.lock(session, place.id)
    kind = kind_named(row.resource)
    moved = await custody.hand_over(
        session,
        kind,
        ByScan(row.stocktake_id),
        city_id=caller.city_id,
        giver=place.id,
        receiver=receiver.id,
        states=kind.movable_up,
        owed_too=True,
        legal_too=True,
        now=now,
    )
    count = sum(run.count for run in moved)
    if not count:
        raise InvalidField(field="stocktake", value=wish.stocktake, reason="nothing of the leaver's was scanned")
    left = await leaving.count_items(session, city_id=caller.city_id, holder_id=place.id)
    demand = _demand(row, place, receiver, wish, count=count, left=left)
    witness = await require_second_person(session, caller, wish.approval, demand, now=now)
    await recall_orders.arrive(session, kind, city_id=caller.city_id, holder_id=receiver.id)
    draft = MovementDraft(
        kind=movements.TAKEOVER,
        resource=kind.name,
        from_holder=place.id,
        to_holder=receiver.id,
        receiver=wish.person or receiver.name_zh,
        returner=row.counted_by,
        reason=f"stocktake {wish.stocktake}",
    )
    closed = await _close_if_settled(session, place)
    return await write_document(
        session,
        caller,
        draft,
        [LedgerRange(run.lo, run.hi) for run in moved],
        Ends(place, receiver),
        happened="taken_over",
        way=None,
        now=now,
        told={"stocktake": wish.stocktake, "witness": witness, "left": left, "closed": closed},
    )


async def close_left(session: AsyncSession) -> int:
    """Close the accounts of leavers at which nothing is open any more, by whatever way it went; return how many.

    Each account is a transaction of its own.
    """
    async with session.begin():
        waiting = await organisation.leaving(session)
    closed = 0
    for place in waiting:
        async with session.begin():
            await organisation.lock(session, place.id)
            if await organisation.is_leaving(session, place.id) and await _close_if_settled(session, place):
                closed += 1
    return closed


async def _close_if_settled(session: AsyncSession, place: Node) -> bool:
    """Close the leaver's account if nothing lies there and nothing is on its way from or to it; say whether it is."""
    if not await leaving.is_settled(session, city_id=place.city_id, holder_id=place.id):
        return False
    await organisation.close(session, place.id)
    return True


async def can_be_taken_over(session: AsyncSession, row: StocktakeRow, place: Node) -> list[Node]:
    """Return who may take over what a stocktake found: nobody, unless it is a leaver's and closed."""
    async with session.begin():
        if row.state != StocktakeState.CLOSED or place.level != Level.CLERK.name or place.parent_id is None:
            return []
        if await interfaces.staff_at_node(session, place.id):
            return []
        return await _receivers(session, place)


async def _receivers(session: AsyncSession, place: Node) -> list[Node]:
    """Return the leaver's hall and the open clerks beside it."""
    hall = None if place.parent_id is None else await organisation.by_id(session, place.parent_id)
    around = [] if hall is None else await organisation.subtree(session, hall)
    return [node for node in around if node.active and node.id != place.id]


async def _receiver(session: AsyncSession, caller: Caller, place: Node, wish: TakeOverWish) -> Node:
    receiver = await place_within(session, caller, wish.receiver)
    if place.level != Level.CLERK.name or receiver.id not in {node.id for node in await _receivers(session, place)}:
        raise InvalidField(field="receiver", value=wish.receiver, reason="the leaver's hall, or another clerk of it")
    return receiver


def _demand(row: StocktakeRow, place: Node, receiver: Node, wish: TakeOverWish, *, count: int, left: int) -> Demand:
    """Give what the witness is asked for."""
    return Demand(
        act=TAKE_OVER,
        permission=Permission.TAKE_OVER,
        place=place.id,
        wish=without_approval(wish),
        summary={
            "resource": row.resource,
            "count": count,
            "stocktake": wish.stocktake,
            "counted_by": row.counted_by,
            "receiver": receiver.code,
            "left": left,
        },
    )


async def _close_staff(session: AsyncSession, caller: Caller, place: Node, *, now: datetime) -> list[str]:
    """Close the staff ids of the node with their keys and sign-ins, and return them."""
    closed = []
    for member in await interfaces.staff_at_node(session, place.id):
        if member.staff_no == caller.staff_no:
            raise PermissionDenied(permission="staff.end_own")
        await interfaces.end_staff(session, member.id, now=now)
        await end_approvals_of(session, caller, member.staff_no, now=now)
        await tell(session, caller, "staff.ended", None, now=now, staff_no=member.staff_no)
        closed.append(member.staff_no)
    return closed

"""Disputes (争议): what of a delivery is not as written waits on its way until both sides sign how it ends.

A disputed item falls back to the giver's account, on its way under the dispute, and nobody can sell it. The dispute is
a document of its own; `settle` ends it, whole or in part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.errors import (
    DeliveryFromCity,
    InvalidField,
    NotDisputed,
    NotFound,
    NotOtherSide,
    NotReceiver,
    ReasonMissing,
)
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import SIM
from inventory.domain.reasons import Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.custody import MOST_NAMED, Ends, require_endable, write_document
from inventory.services.ending import WAYS, Ending
from inventory.services.once import Answer, WriteKey, once
from inventory.services.receiving import OpenDelivery, Signature, end_the_way, find_open, signs
from inventory.services.selecting import kept_selection
from inventory.store import ends, interfaces, movements, organisation, recall_orders
from inventory.store.approvals import ApprovalRow
from inventory.store.custody import MovedRange
from inventory.store.ends import StateMove
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByItems, ByName, Meant
from inventory.store.stock import allow_long_statements

SETTLE = "settle_dispute"
"""Name of the act; it always needs the word of the other side."""


class Outcome(StrEnum):
    """How a dispute ends."""

    ACCEPTED = "accepted"
    """It was there after all: the receiver has it."""
    BACK = "back"
    """The giver has it."""
    LOST = "lost"
    """Nobody has it: LOST, on the giver's account until it is found or written off (S15)."""


@dataclass(frozen=True)
class _End:
    """What sets an outcome apart: its document and the document's event."""

    movement: str
    happened: str


_ENDS: Mapping[Outcome, _End] = {
    Outcome.ACCEPTED: _End(movements.RECEIPT, "received"),
    Outcome.BACK: _End(movements.RETURN, "sent_back"),
    Outcome.LOST: _End(movements.LOSS, "lost"),
}


@dataclass(frozen=True, kw_only=True)
class SettleWish:
    """How the items of a dispute end (None: all that are still open); `approval` is the other side's word."""

    dispute: str
    outcome: Outcome
    selection: Meant | None = None
    reason: str
    approval: str | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> SettleWish:
        """Read a wish as an approval keeps it."""
        named = kept["selection"]
        selection = None if named is None else kept_selection(named)
        return cls(**{**kept, "outcome": Outcome(kept["outcome"]), "selection": selection})


async def dispute(
    session: AsyncSession, caller: Caller, write: WriteKey, signature: Signature, *, now: datetime
) -> Answer:
    """Put items of a delivery in dispute and answer with the dispute; they stay on their way and cannot be sold.

    Raises
    ------
    DeliveryAnswered, DeliveryDisputed, MovementRefused, NotFound, NotReceiver
        As `receiving.accept`.
    DeliveryFromCity
        It came from another city; what is not as written is sent back.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        await allow_long_statements(session)
        delivery = await find_open(session, caller, signature.movement)
        if not signs(caller, delivery.giver, delivery.receiver, delivery.staffed):
            raise NotReceiver(movement=signature.movement, receiver=delivery.receiver.code)
        if delivery.from_city:
            raise DeliveryFromCity(movement=signature.movement)
        why = await reasons.given(session, caller, signature.reason, Purpose.REFUSE)
        way = await movements.next_movement_id(session)
        city_id = caller.city_id
        moved = await end_the_way(
            session, delivery, signature.selection, holder=delivery.giver, way=way, city_id=city_id, now=now
        )
        count = sum(run.count for run in moved)
        state = await movements.count_answer(
            session, delivery.document, city_id=city_id, accepted=0, refused=count, now=now
        )
        draft = MovementDraft(
            kind=movements.DISPUTE,
            resource=delivery.kind.name,
            from_holder=delivery.receiver.id,
            to_holder=delivery.giver.id,
            returner=signature.person,
            reason=why.text,
            reason_code=why.code,
            parent_id=delivery.document.movement_id,
        )
        told = {"parent": format_public_id("m", city_id, delivery.document.movement_id), "parent_state": state}
        return await write_document(
            session, caller, draft, _ledger(moved), Ends(delivery.receiver, delivery.giver),
            happened="disputed", way=way, now=now, told=told,
        )  # fmt: skip

    return await once(session, caller, write, work, now=now)


async def settle(session: AsyncSession, caller: Caller, write: WriteKey, wish: SettleWish, *, now: datetime) -> Answer:
    """End a dispute as both sides signed it and answer with the document that says so.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        The other side has not given its word, or for something else.
    DeliveryAnswered, NotFound
        Nothing of the dispute is open any more, or the caller's part of the city has none of that id.
    InvalidField
        Only cards get lost.
    MovementRefused
        Items are named that are not in this dispute, or that cannot get lost in their state.
    NotDisputed
        The document is a delivery: sign for it or send it back.
    NotReceiver
        The caller is neither side.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        return await perform_settle(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_settle(session: AsyncSession, caller: Caller, wish: SettleWish, *, now: datetime) -> dict[str, Any]:
    """Do in the open transaction what `settle` does in one of its own, and answer and raise as it."""
    await allow_long_statements(session)
    case = await find_open(session, caller, wish.dispute, disputed=True)
    if case.document.kind != movements.DISPUTE:
        raise NotDisputed(movement=wish.dispute)
    # The dispute goes back along the delivery's way: its giver is the delivery's receiver
    giver, receiver = case.receiver, case.giver
    if giver.id == receiver.id and wish.outcome is Outcome.BACK:
        raise InvalidField(field="outcome", value=wish.outcome, reason="it came from outside; choose accepted or lost")
    other = _other_side(caller, giver, receiver, case.staffed, wish)
    if not wish.reason.strip():
        raise ReasonMissing
    if wish.outcome is Outcome.LOST and case.kind is not SIM:
        raise InvalidField(field="outcome", value=wish.outcome, reason="only cards get lost; choose accepted or back")
    holder = receiver if wish.outcome is Outcome.ACCEPTED else giver
    moved = await end_the_way(session, case, wish.selection, holder=holder, way=None, city_id=caller.city_id, now=now)
    if wish.outcome is Outcome.LOST:
        await require_endable(
            session, case.kind, _items(moved), city_id=caller.city_id, holder=holder.id,
            states=frozenset(WAYS[Ending.LOSE].moves(case.kind)),
        )  # fmt: skip
    demand = _demand(case, other, wish, sum(run.count for run in moved))
    second = await require_second_person(session, caller, wish.approval, demand, now=now)
    return await _write(session, caller, case, Ends(giver, holder), wish, moved, second, now=now)


def _other_side(caller: Caller, giver: Node, receiver: Node, staffed: frozenset[int], wish: SettleWish) -> Node:
    """Return the side that has to give its word: the one that the caller does not sign for."""
    if signs(caller, giver, receiver, staffed):
        return giver
    if signs(caller, receiver, giver, staffed):
        return receiver
    raise NotReceiver(movement=wish.dispute, receiver=f"{giver.code}, {receiver.code}")


async def require_other_side(session: AsyncSession, caller: Caller, row: ApprovalRow) -> None:
    """Let pass who may answer for the side that an approval to settle asks: its staff, not the asker's superiors.

    Where nobody works at that side any more, whoever is above it answers; see
    docs/adr/0023-a-disputed-item-lies-with-the-giver.md.

    Raises
    ------
    NotFound
        The dispute, or one of its sides, is not there.
    NotOtherSide
        The caller does not stand for that side.
    """
    name = str(row.summary["document"])
    wanted = parse_public_id(name, "m").serial
    case = await movements.find_movement(session, city_id=caller.city_id, movement_id=wanted)
    holders = [] if case is None else [end for end in (case.from_holder, case.to_holder) if end is not None]
    sides = await organisation.by_ids(session, holders)
    side = sides.pop(row.place_id, None)
    if side is None:
        raise NotFound(what="movement", value=name)
    asking = next(iter(sides.values()), side)  # of what was announced the receiver is both sides
    staffed = await interfaces.staffed(session, {side.id})
    if side.id in staffed and not signs(caller, asking, side, staffed):
        raise NotOtherSide(movement=name, side=side.code)


def _demand(case: OpenDelivery, other: Node, wish: SettleWish, count: int) -> Demand:
    """Give what the other side is asked for."""
    return Demand(
        act=SETTLE,
        permission=Permission.RECEIVE,
        place=other.id,
        wish=without_approval(wish),
        summary={
            "resource": case.kind.name,
            "count": count,
            "items": list(wish.selection.names[:MOST_NAMED]) if isinstance(wish.selection, ByName) else [],
            "document": wish.dispute,
            "outcome": wish.outcome,
            "reason": wish.reason,
        },
    )


async def _write(
    session: AsyncSession,
    caller: Caller,
    case: OpenDelivery,
    way: Ends,
    wish: SettleWish,
    moved: list[MovedRange],
    second: str,
    *,
    now: datetime,
) -> dict[str, Any]:
    """Write the document of the outcome, count it on the dispute, and declare lost what is."""
    count, city_id, told = sum(run.count for run in moved), caller.city_id, _ENDS[wish.outcome]
    accepted = count if wish.outcome is Outcome.ACCEPTED else 0
    state = await movements.count_answer(
        session, case.document, city_id=city_id, accepted=accepted, refused=count - accepted, now=now
    )
    draft = MovementDraft(
        kind=told.movement,
        resource=case.kind.name,
        from_holder=way.giver.id,
        to_holder=way.receiver.id,
        receiver=second,
        reason=wish.reason,
        parent_id=case.document.movement_id,
    )
    said = {"parent": wish.dispute, "parent_state": state, "approver": second}
    document = await write_document(
        session, caller, draft, _ledger(moved), way, happened=told.happened, way=None, now=now, told=said
    )
    if wish.outcome is Outcome.LOST:
        await _lose(session, caller, case, way.receiver, wish, moved, now=now)
    else:
        await recall_orders.arrive(session, case.kind, city_id=city_id, holder_id=way.receiver.id)
    return document


async def _lose(
    session: AsyncSession,
    caller: Caller,
    case: OpenDelivery,
    holder: Node,
    wish: SettleWish,
    moved: list[MovedRange],
    *,
    now: datetime,
) -> None:
    """Declare lost what was disputed, which may become so."""
    moves = WAYS[Ending.LOSE].moves(case.kind)
    move = StateMove(
        name=f"{case.kind.events}.posted",
        to_state=next(iter(moves.values())),
        receiver=holder.id,
        leaves=False,
        reason=wish.reason,
        order_ref=wish.dispute,
    )
    await ends.move_items(
        session, case.kind, _items(moved), move, holder=holder.id, states=frozenset(moves), **acting(caller, now)
    )


def _items(moved: list[MovedRange]) -> ByItems:
    return ByItems(tuple((run.lo, run.hi) for run in moved))


def _ledger(moved: list[MovedRange]) -> list[LedgerRange]:
    return [LedgerRange(run.lo, run.hi) for run in moved]

"""What becomes of a hold: keep it longer, book it, give it back; and read it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.channels import Channel
from inventory.domain.errors import (
    CardBeingWritten,
    HoldExpired,
    HoldNotActive,
    InvalidField,
    LegalHold,
    MissingField,
    NetworkHasIdentity,
    NotFound,
    OutsideScope,
    ReasonMissing,
)
from inventory.domain.holds import Flow, extended_until
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import HoldState, SimState
from inventory.services.attempts import attempt, write_parameters
from inventory.services.holds import LIVE, hold_number, open_hold, public_id
from inventory.services.once import Answer, WriteKey
from inventory.store import holds, open_holds
from inventory.store.holds import HoldRecord
from inventory.store.legal_orders import END_REASON
from inventory.vault.hold_keys import HoldKeys

MOST_LISTED = 100
"""So many open holds of one person are listed; nobody serves more customers at once."""
BOOKING_FLOWS = frozenset({Flow.BOOKING_UNPAID, Flow.BOOKING_APPROVAL, Flow.BOOKING_DELIVERY})
"""The bookings that end by themselves; a paid one waits for the two notices of its end (N7)."""


async def require_record(connection: AsyncConnection | AsyncSession, caller: Caller, hold_id: int) -> HoldRecord:
    """Return the hold.

    Raises
    ------
    NotFound
        There is none.
    """
    record = await holds.find_hold(connection, city_id=caller.city_id, hold_id=hold_id)
    if record is None:
        raise NotFound(what="hold", value=public_id(caller.city_id, hold_id))
    return record


def require_live(record: HoldRecord, hold: str, *, now: datetime | None) -> None:
    """Let pass a hold that is active or booked and, if a time is given, has not ended by then (REQ-RSV-05).

    Raises
    ------
    HoldNotActive
        It was released or confirmed before.
    HoldExpired
        Its time is over.
    LegalHold
        An outside order has ended it, or does so once its card is settled.
    """
    if record.close_reason == END_REASON or (record.state in LIVE and now is not None and record.legal_hold):
        raise LegalHold(field="hold", value=hold)
    if record.state == HoldState.EXPIRED or (record.state in LIVE and now is not None and record.expires_at <= now):
        raise HoldExpired(hold=hold, expired_at=record.expires_at)
    if record.state not in LIVE:
        raise HoldNotActive(hold=hold, state=record.state)


async def release(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    hold: str,
    *,
    keys: HoldKeys,
    key: str | None,
    reason: str | None,
    now: datetime,
) -> Answer:
    """Give the whole kit back: by its key, or by a superior with a reason (N3, N7, REQ-RSV-07).

    A written card stays a finished card of its HLR (REQ-RSV-19).

    Raises
    ------
    HoldKeyWrong, ReasonMissing, OutsideScope
        The caller has not the key, and is no superior of the hold's owner or gives no reason.
    NotFound, HoldNotActive, HoldExpired, LegalHold
        There is no such hold any more.
    CardBeingWritten
        A card of the kit is being written or its outcome is unknown (REQ-RSV-15).
    NetworkHasIdentity
        A sale of the number was rolled back, and the network has not yet deleted what it was told of (N9).
    """
    if key is not None or not caller.may(Permission.HOLDS_RELEASE_OTHERS):
        hold_id = open_hold(keys, caller, hold, key)
    else:
        hold_id = hold_number(caller, hold)
        if not (reason or "").strip():
            raise ReasonMissing
        if (await require_record(connection, caller, hold_id)).org_id not in caller.scope:
            raise OutsideScope(what=hold)
    given = write_parameters(caller, write) | {
        "hold": hold_id,
        "now": now,
        "reason": reason or "released by its owner",
        "answer": {"hold": hold, "state": HoldState.RELEASED, "released_at": now.isoformat()},
    }

    async def explain() -> None:
        record = await require_record(connection, caller, hold_id)
        require_live(record, hold, now=None)
        if record.job_id is not None:
            raise CardBeingWritten(iccid=record.iccid or record.serial)
        if record.kept_card is not None:
            raise NetworkHasIdentity(hold=hold, iccid=record.kept_card)

    return await attempt(connection, caller, write, act=lambda: holds.release(connection, given), explain=explain)


def _longer(record: HoldRecord, hold: str) -> datetime:
    """Give the new end of an active hold; raises as `extended_until` does."""
    return extended_until(
        hold=hold,
        created_at=record.created_at,
        expires_at=record.expires_at,
        first=timedelta(seconds=record.first_seconds),
        extensions=record.extensions,
    )


async def extend(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    hold: str,
    *,
    keys: HoldKeys,
    key: str | None,
    now: datetime,
) -> Answer:
    """Keep an active hold for another of its first durations, within the policy's limits (N4, REQ-RSV-03).

    Raises
    ------
    HoldKeyWrong
        The caller has not the key.
    NotFound, HoldNotActive, HoldExpired, LegalHold
        There is no such hold any more.
    HoldExtendedTooOften
        The count or the total time is used up.
    """
    hold_id = open_hold(keys, caller, hold, key)

    async def act() -> dict[str, Any] | None:
        record = await require_record(connection, caller, hold_id)
        if record.state != HoldState.ACTIVE or record.expires_at <= now:
            return None
        until = _longer(record, hold)
        given = write_parameters(caller, write) | {
            "hold": hold_id,
            "now": now,
            "until_before": record.expires_at,
            "until": until,
            "extensions": record.extensions,
            "answer": {
                "hold": hold,
                "state": HoldState.ACTIVE,
                "expires_at": until.isoformat(),
                "extensions": record.extensions + 1,
            },
        }
        return await holds.extend(connection, given)

    async def explain() -> None:
        record = await require_record(connection, caller, hold_id)
        require_live(record, hold, now=now)
        if record.state != HoldState.ACTIVE:
            raise HoldNotActive(hold=hold, state=record.state)

    return await attempt(connection, caller, write, act=act, explain=explain)


async def book(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    hold: str,
    *,
    keys: HoldKeys,
    key: str | None,
    customer_ref: str | None,
    order_ref: str | None,
    flow: Flow = Flow.BOOKING_UNPAID,
    now: datetime,
) -> Answer:
    """Turn an active hold into a booking bound to a customer or order (N5, REQ-RSV-08).

    Raises
    ------
    HoldKeyWrong
        The caller has not the key.
    MissingField
        Neither a customer nor an order is named.
    InvalidField
        The flow is none of the bookings that end by themselves, or the hold is a replacement.
    NotFound, HoldNotActive, HoldExpired, LegalHold
        There is no such hold any more, or it is booked.
    """
    hold_id = open_hold(keys, caller, hold, key)
    customer_ref, order_ref = ((said or "").strip() or None for said in (customer_ref, order_ref))
    if customer_ref is None and order_ref is None:
        raise MissingField(field="customer_ref")
    lasts = caller.hold_policy.duration(kind=NUMBER.name, channel=Channel(caller.channel), flow=flow)
    if flow not in BOOKING_FLOWS or lasts is None:
        raise InvalidField(field="flow", value=flow, reason=f"one of {', '.join(sorted(BOOKING_FLOWS))} is needed")
    until = now + lasts
    given = write_parameters(caller, write) | {
        "hold": hold_id,
        "now": now,
        "until": until,
        "customer_ref": customer_ref,
        "order_ref": order_ref,
        "answer": {"hold": hold, "state": HoldState.BOOKED, "expires_at": until.isoformat()},
    }

    async def explain() -> None:
        record = await require_record(connection, caller, hold_id)
        require_live(record, hold, now=now)
        if record.state != HoldState.ACTIVE:
            raise HoldNotActive(hold=hold, state=record.state)
        if record.replace_reason is not None:
            raise InvalidField(field="hold", value=hold, reason="a replacement is not booked, it ends within its time")

    return await attempt(connection, caller, write, act=lambda: holds.book(connection, given), explain=explain)


async def read_hold(session: AsyncSession, caller: Caller, hold: str, *, now: datetime) -> dict[str, Any]:
    """Return a hold of the caller's interface or part of the organisation; its key is never part of it.

    A hold whose time is over reads as expired, swept or not (a card being written keeps it, and the network one that a
    roll back gave).

    Raises
    ------
    NotFound
        There is none, or not for this caller.
    """
    async with session.begin():
        record = await require_record(session, caller, hold_number(caller, hold))
    if record.interface_no != caller.interface_no and record.org_id not in caller.scope:
        raise NotFound(what="hold", value=hold)
    return _as_read(record, caller.city_id, now=now)


async def read_own_holds(session: AsyncSession, caller: Caller, *, now: datetime) -> list[dict[str, Any]]:
    """Return the holds that the caller itself has open at its interface, as `read_hold` does, the first to end first.

    A page that was lost is found again this way; at most `MOST_LISTED` are given.
    """
    async with session.begin():
        numbers = await open_holds.own_holds(
            session,
            city_id=caller.city_id,
            interface_no=caller.interface_no,
            staff_no=caller.staff_no,
            states=LIVE,
            now=now,
            limit=MOST_LISTED,
        )
        records = [await require_record(session, caller, number) for number in numbers]
    return [_as_read(record, caller.city_id, now=now) for record in records]


def _as_read(record: HoldRecord, city_id: int, *, now: datetime) -> dict[str, Any]:
    """Give a hold as callers see it."""
    kept = record.job_id is not None or record.kept_card is not None
    over = record.state in LIVE and record.expires_at <= now and not kept
    original = record.original_hold_id
    return {
        "hold": public_id(city_id, record.hold_id),
        "state": HoldState.EXPIRED if over else record.state,
        "business": record.business,
        "number": record.number,
        "number_state": record.number_state,
        "iccid": record.iccid,
        "chip_serial": record.serial,
        "sim_state": record.sim_state,
        "sim_finished": record.sim_state == SimState.HELD and record.sim_hlr is not None,
        "sim_wish": record.sim_wish,
        "old_iccid": record.old_iccid,
        "old_sim_state": record.old_sim_state,
        "replace_reason": record.replace_reason,
        "order_ref": record.order_ref,
        "customer_ref": record.customer_ref,
        "quote": record.quote or None,
        "expires_at": record.expires_at.isoformat(),
        "extensions": record.extensions,
        "writing": record.job_id is not None,
        "interface_no": record.interface_no,
        "staff_no": record.staff_no,
        "created_at": record.created_at.isoformat(),
        "closed_at": record.closed_at and record.closed_at.isoformat(),
        "close_reason": record.close_reason,
        "original_hold": None if original is None else public_id(city_id, original),
        "network_has_it": record.state in LIVE and record.kept_card is not None,
    }

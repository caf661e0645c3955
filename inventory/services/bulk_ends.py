"""What the end of a card's write job does to its kit in a bulk order, and how an order moves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import StaleVersion
from inventory.domain.lifecycle import (
    BULK_ORDER_LIFECYCLE,
    BULK_ORDER_OPEN,
    BulkOrderEvent,
    BulkOrderState,
)
from inventory.store import bulk, cardjobs, events, holds, kits
from inventory.store.bulk import Bulk
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft
from inventory.store.notices import Notice, notify

_ENDS = frozenset({BulkOrderEvent.FINISH, BulkOrderEvent.RUN_OUT, BulkOrderEvent.CANCEL})
_OVER = "bulk_write_over"


async def settle_bulk(session: AsyncSession, job: Job, *, now: datetime) -> None:
    """Close the kit of a card whose job has just ended or become unknown; a job of a sale is left alone.

    A proven card is a finished card of the HLR then, a blank is free again with its data; a spoiled or unknown one
    leaves the kit with its data, and reading it settles it as it does for any other job. With the last card that was
    wanted the order is done; cards that waited because others would be enough are looked at when one of those failed.
    """
    if job.bulk_no is None:
        return
    kit = await kits.find_kit(session, city_id=job.city_id, hold_id=job.hold_id, lock=True)
    if kit is not None and kit.job_id == job.job_id:
        await kits.set_hold_job(session, kit, None)
    await cardjobs.leave_kit(session, city_id=job.city_id, job_id=job.job_id)
    await holds.release_one(
        session, city_id=job.city_id, hold_id=job.hold_id, staff_no=job.staff_no, interface_no=job.interface_no,
        reason=_OVER, now=now,
    )  # fmt: skip
    order = await bulk.find_order(session, city_id=job.city_id, bulk_no=job.bulk_no, lock=True)
    if order is None or order.state not in BULK_ORDER_OPEN:
        return
    found = await bulk.progress(session, order, now=now)
    if found.left == 0:
        await move_order(session, order, BulkOrderEvent.FINISH, now=now)
    elif found.begins and await bulk.forget_waiting(session, city_id=order.city_id, station_id=order.station_id):
        await notify(session, Notice(city_id=order.city_id, station_id=order.station_id, look=True))


async def move_order(session: AsyncSession, order: Bulk, event: BulkOrderEvent, *, now: datetime, **who: str) -> None:
    """Move an order by its life cycle and tell of it; `who` names another than the one who opened it.

    Raises
    ------
    IllegalTransition, StaleVersion
        The order has moved on.
    """
    state = BULK_ORDER_LIFECYCLE.advance(BulkOrderState(order.state), event)
    if not await bulk.move_order(session, order, state, ended_at=now if event in _ENDS else None):
        raise StaleVersion(item=order.name)
    draft = EventDraft(
        name=f"bulk.{state.lower()}", kind="bulk", item_no=order.bulk_no, from_state=order.state, to_state=state,
        data={"wanted": order.wanted},
    )  # fmt: skip
    by = {"staff_no": order.staff_no, "interface_no": order.interface_no, **who}
    await events.record(session, [draft], city_id=order.city_id, now=now, **by)
    await notify(session, Notice(city_id=order.city_id, station_id=order.station_id))

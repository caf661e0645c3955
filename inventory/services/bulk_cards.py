"""The cards of a bulk order: what is done with one that was put in.

A card gets a kit of its own (card and data unit, no number) and an ordinary write job; every verdict on it is that of
any other job, and its end is `bulk_ends`' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.bulk import NotTaken, why_not
from inventory.domain.cardjobs import LEASE
from inventory.domain.errors import StaleVersion
from inventory.domain.identifiers import format_public_id
from inventory.domain.lifecycle import BulkOrderEvent, BulkOrderState, DataEvent, HoldState, SimEvent
from inventory.services.bulk_ends import move_order
from inventory.services.card_ends import move_card, move_unit, tell
from inventory.services.job_scripts import hand_identify
from inventory.services.numbering import assigns_iccid, gets_iccid
from inventory.services.orders import Order
from inventory.store import bulk, cardjobs, kits, stations
from inventory.store.bulk import Bulk
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft
from inventory.store.kits import Card, DataUnit
from inventory.store.notices import Notice, notify
from inventory.store.stations import ReaderRow, StationRow


async def offer(
    session: AsyncSession, station: StationRow, reader: ReaderRow, card: Card | None, *, now: datetime
) -> list[Order]:
    """Begin the card that was just looked at, if the station's bulk order takes it; the reader keeps why it does not.

    An insertion is tried once: whatever came of it, the card must be taken out first.
    """
    place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id}
    order = await bulk.open_order_of(session, **place)
    if order is None or order.state != BulkOrderState.RUNNING or reader.bulk_job_id is not None:
        return []
    if reader.kiosk_kind is not None:  # its cards are fed for its customers
        return []
    # The card before the order: in this order the end of a job takes them too.
    refusal = await _against(session, order, station, card, now=now)
    order = await bulk.open_order_of(session, **place, lock=True)
    if order is None or order.state != BulkOrderState.RUNNING:
        return []
    job, orders = None, list[Order]()
    if refusal is None and not (await bulk.progress(session, order, now=now)).begins:
        refusal = NotTaken.ENOUGH
    if refusal is None and card is not None:
        pool: dict[str, Any] = {"city_id": order.city_id, "hlr_code": order.hlr_code}
        unit = await kits.free_unit(session, **pool, start=0, numbered=gets_iccid(card.profile, card.iccid))
        if unit is None:
            refusal = NotTaken.NO_DATA
            if not await bulk.has_free_data(session, **pool, numbered=assigns_iccid(card.profile)):
                await move_order(session, order, BulkOrderEvent.RUN_OUT, now=now)
        else:
            job = await _begin(session, order, reader, card, unit, now=now)
            orders.append(await hand_identify(session, job, now=now))
    job_id = None if job is None else job.job_id
    await stations.change_reader(session, **place, name=reader.name, bulk_job_id=job_id, bulk_refusal=refusal)
    await notify(session, Notice(**place))
    return orders


async def _against(
    session: AsyncSession, order: Bulk, station: StationRow, card: Card | None, *, now: datetime
) -> NotTaken | None:
    found = None
    if card is not None:
        found = await bulk.inserted(session, order, item_no=card.item_no, station_org=station.org_id, now=now)
    return why_not(found, kind_code=order.kind_code)


async def _begin(
    session: AsyncSession, order: Bulk, reader: ReaderRow, card: Card, unit: DataUnit, *, now: datetime
) -> Job:
    """Give the card its kit and its job."""
    hold_id = await bulk.add_kit(session, order, item_no=card.item_no, data_no=unit.data_no, lasts=LEASE, now=now)
    job_id = await cardjobs.add_job(
        session,
        city_id=order.city_id,
        hold_id=hold_id,
        station_id=order.station_id,
        reader=reader.name,
        sim_item_no=card.item_no,
        data_no=unit.data_no,
        staff_no=order.staff_no,
        interface_no=order.interface_no,
        bulk_no=order.bulk_no,
        now=now,
    )
    job = await cardjobs.find_job(session, city_id=order.city_id, job_id=job_id)
    kit = await kits.find_kit(session, city_id=order.city_id, hold_id=hold_id)
    if job is None or kit is None:
        raise StaleVersion(item=order.name)
    await kits.set_hold_job(session, kit, job_id)
    held = EventDraft(
        name="hold.created", kind="hold", item_no=hold_id, to_state=HoldState.ACTIVE, order_ref=order.name,
        data={"sim_item": card.item_no, "data": unit.data_no, "expires_at": kit.expires_at.isoformat()},
    )  # fmt: skip
    created = EventDraft(
        name="job.created", kind="job", item_no=job_id, to_state=job.state, order_ref=order.name,
        data={"hold": kit.name, "station": format_public_id("st", order.city_id, order.station_id),
              "sim_item": card.item_no},
    )  # fmt: skip
    await tell(session, job, [held, created], now=now)
    await move_card(
        session, job, card, SimEvent.HOLD, now=now, data={"hold": kit.name},
        hold_id=hold_id, hold_until=kit.expires_at,
    )  # fmt: skip
    await move_unit(session, job, unit, DataEvent.RESERVE, now=now, hold_id=hold_id)
    return job


def unseen(readers: Sequence[ReaderRow]) -> list[str]:
    """Give the readers whose card an order has not been offered yet."""
    return [
        row.name
        for row in readers
        if row.state == "card" and row.script_id is None and row.bulk_job_id is None and row.bulk_refusal is None
    ]

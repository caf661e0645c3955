"""Bulk orders (批量写卡): open one for a station, follow it, pause it, end it. Its cards are `bulk_cards`' business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.bulk import MOST_CARDS, NotTaken
from inventory.domain.cardjobs import STEPS_PER_SCRIPT, parse_script_ref
from inventory.domain.errors import (
    BulkOrderOpen,
    IllegalTransition,
    InvalidField,
    NoDataUnit,
    NoNumberedData,
    NotFound,
    StationUnknown,
)
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.lifecycle import BULK_ORDER_OPEN, WRITE_JOB_OPEN, BulkOrderEvent, BulkOrderState
from inventory.services.acting import acting
from inventory.services.bulk_ends import move_order
from inventory.services.card_writing import as_answer
from inventory.services.numbering import assigns_iccid, is_relayed
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stations import is_online, reach, visible_station
from inventory.store import bulk, cardjobs, catalogue, kits, stations
from inventory.store.bulk import Bulk
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft, record
from inventory.store.notices import Notice, notify
from inventory.store.stations import ReaderRow, StationRow

MOST_LISTED = 50


@dataclass(frozen=True, kw_only=True)
class BulkWish:
    """So many cards of a product to be finished with data of an HLR, at one station."""

    station: str
    kind: str
    hlr: str
    count: int


async def open_order(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: BulkWish, *, now: datetime
) -> Answer:
    """Open a bulk order: from now on the station writes each fitting blank that is put into one of its readers.

    Raises
    ------
    StationUnknown
        No such station in the caller's part.
    InvalidField
        The count is none.
    NotFound
        There is no such card product or HLR in this city.
    NoDataUnit, NoNumberedData
        The HLR has no free data for such cards at all.
    BulkOrderOpen
        The station has an open order.
    """

    async def work() -> dict[str, Any]:
        station = await visible_station(session, caller, wish.station)
        place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id}
        locked = await stations.find_station(session, **place, lock=True)
        if locked is None or locked.revoked_at is not None:  # since it was looked up
            raise StationUnknown(station=wish.station)
        await _require(session, caller, wish)
        earlier = await bulk.open_order_of(session, **place)
        if earlier is not None:
            raise BulkOrderOpen(order=earlier.name)
        order = await bulk.add_order(
            session,
            **place,
            org_id=caller.org_id,
            kind_code=wish.kind,
            hlr_code=wish.hlr,
            wanted=wish.count,
            staff_no=caller.staff_no,
            interface_no=caller.interface_no,
            now=now,
        )
        told = {"station": wish.station, "kind": wish.kind, "hlr": wish.hlr, "wanted": wish.count}
        draft = EventDraft(name="bulk.opened", kind="bulk", item_no=order.bulk_no, to_state=order.state, data=told)
        await record(session, [draft], **acting(caller, now))
        await bulk.forget_insertions(session, **place)
        await notify(session, Notice(**place, look=True))
        return await _answer(session, order, station, now=now)

    return await once(session, caller, write, work, now=now)


async def pause_order(session: AsyncSession, caller: Caller, write: WriteKey, order: str, *, now: datetime) -> Answer:
    """Begin no further card until it is resumed; those under way are written to their end. Raises as `cancel_order`."""
    return await _move(session, caller, write, order, BulkOrderEvent.PAUSE, now=now)


async def resume_order(session: AsyncSession, caller: Caller, write: WriteKey, order: str, *, now: datetime) -> Answer:
    """Go on with a paused order, with the cards that lie in the readers first. Raises as `cancel_order`."""
    return await _move(session, caller, write, order, BulkOrderEvent.RESUME, now=now)


async def cancel_order(session: AsyncSession, caller: Caller, write: WriteKey, order: str, *, now: datetime) -> Answer:
    """End an order; cards under way are written to their end, what was written stays.

    Raises
    ------
    NotFound
        No such order in the caller's part.
    IllegalTransition
        The order is not in a state for it.
    """
    return await _move(session, caller, write, order, BulkOrderEvent.CANCEL, now=now)


async def read_orders(
    session: AsyncSession, caller: Caller, *, now: datetime, most: int | None = MOST_LISTED
) -> list[dict[str, Any]]:
    """Give the newest orders of the stations of the caller's part, without their readers; `most` None is all.

    Those of stations that were revoked since are among them: what was written there stays written.
    """
    async with session.begin():
        within = await reach(session, caller)
        found = await stations.stations_of(session, city_id=caller.city_id, orgs=within, revoked_too=True)
        by_id = {row.station_id: row for row in found}
        orders = await bulk.orders_of(session, city_id=caller.city_id, stations=list(by_id), limit=most)
        return [await _answer(session, order, by_id[order.station_id], now=now) for order in orders]


async def read_order(session: AsyncSession, caller: Caller, order: str, *, now: datetime) -> dict[str, Any]:
    """Give an order with each reader of its station: what lies in it, its job or why it has none.

    Raises
    ------
    NotFound
        No such order in the caller's part.
    """
    async with session.begin():
        row, station = await _visible(session, caller, order)
        answer = await _answer(session, row, station, now=now)
        readers = await stations.readers_of(session, city_id=row.city_id, stations=[row.station_id])
        latest = await bulk.is_latest(session, row)
        return answer | {"readers": [await _reader(session, row, reader, latest=latest) for reader in readers]}


async def try_adm_again(
    session: AsyncSession, caller: Caller, write: WriteKey, order: str, reader: str, *, now: datetime
) -> Answer:
    """Let the ADM key of the card in this reader be tried once more, by a person's word; its counter is asked before.

    The card is offered to the order anew as it lies there.

    Raises
    ------
    NotFound
        No such order in the caller's part.
    IllegalTransition
        The order has ended: it offers the card to nobody.
    InvalidField
        No card that the order left alone for this reason lies in the reader.
    """

    async def work() -> dict[str, Any]:
        row, station = await _visible(session, caller, order, lock=True)
        if row.state not in BULK_ORDER_OPEN:
            raise IllegalTransition(state=row.state, event="trying an ADM key again")
        place: dict[str, Any] = {"city_id": row.city_id, "station_id": row.station_id}
        rows = await stations.readers_of(session, city_id=row.city_id, stations=[row.station_id])
        doubtful = (one for one in rows if (one.name, one.bulk_refusal) == (reader, NotTaken.ADM_IN_DOUBT))
        item_no = next((one.sim_item_no for one in doubtful), None)
        if item_no is None:
            raise InvalidField(field="reader", value=reader, reason="no card whose ADM key is in doubt lies in it")
        await kits.forget_adm_sent(session, city_id=row.city_id, item_no=item_no)
        draft = EventDraft(name="sim.adm_again", kind="sim", item_no=item_no, data={"order": order})
        await record(session, [draft], **acting(caller, now))
        await stations.change_reader(session, **place, name=reader, bulk_refusal=None)
        await notify(session, Notice(**place, look=True))
        return await _answer(session, row, station, now=now)

    return await once(session, caller, write, work, now=now)


async def _move(
    session: AsyncSession, caller: Caller, write: WriteKey, order: str, event: BulkOrderEvent, *, now: datetime
) -> Answer:
    async def work() -> dict[str, Any]:
        row, station = await _visible(session, caller, order, lock=True)
        await move_order(session, row, event, now=now, staff_no=caller.staff_no, interface_no=caller.interface_no)
        if event is BulkOrderEvent.RESUME:
            await notify(session, Notice(city_id=row.city_id, station_id=row.station_id, look=True))
        moved = await bulk.find_order(session, city_id=row.city_id, bulk_no=row.bulk_no)
        return await _answer(session, moved or row, station, now=now)

    return await once(session, caller, write, work, now=now)


async def _require(session: AsyncSession, caller: Caller, wish: BulkWish) -> None:
    if not 1 <= wish.count <= MOST_CARDS:
        raise InvalidField(field="count", value=wish.count, reason=f"1 to {MOST_CARDS}")
    kind = await catalogue.find_card_kind(session, wish.kind)
    if kind is None:
        raise NotFound(what="card kind", value=wish.kind)
    if is_relayed(kind.profile):
        raise InvalidField(field="kind", value=wish.kind, reason="its data come from the operator's system by number")
    hlr = await catalogue.find_hlr(session, wish.hlr)
    if hlr is None or hlr.city_id != caller.city_id:
        raise NotFound(what="hlr", value=wish.hlr)
    numbered = assigns_iccid(kind.profile)
    if not await bulk.has_free_data(session, city_id=caller.city_id, hlr_code=wish.hlr, numbered=numbered):
        raise NoNumberedData(hlr=wish.hlr) if numbered else NoDataUnit(hlr=wish.hlr)


async def _visible(session: AsyncSession, caller: Caller, order: str, *, lock: bool = False) -> tuple[Bulk, StationRow]:
    """Give an order of a station in the caller's part, with the station."""
    name = parse_public_id(order, "bo", field="order")
    row = None
    if name.city_id == caller.city_id:
        row = await bulk.find_order(session, city_id=name.city_id, bulk_no=name.serial, lock=lock)
    if row is not None:
        station = await stations.find_station(session, city_id=row.city_id, station_id=row.station_id)
        if station is not None and station.org_id in await reach(session, caller):
            return row, station
    raise NotFound(what="bulk order", value=order)


async def _answer(session: AsyncSession, order: Bulk, station: StationRow, *, now: datetime) -> dict[str, Any]:
    found = await bulk.progress(session, order, now=now)
    running = order.state == BulkOrderState.RUNNING
    return {
        "id": order.name,
        "station": format_public_id("st", order.city_id, order.station_id),
        "station_name": station.name,
        "online": is_online(station, now=now),
        "kind": order.kind_code,
        "hlr": order.hlr_code,
        "state": order.state,
        "wanted": order.wanted,
        "written": found.written,
        "damaged": found.damaged,
        "unknown": found.unknown,
        "untouched": found.untouched,
        "under_way": found.under_way,
        "left": found.left,
        "cards_per_hour": found.pace(now) if running else 0,
        "minutes_left": found.minutes_left(now) if running else None,
        "staff": order.staff_no,
        "opened_at": order.opened_at.isoformat(),
        "ended_at": None if order.ended_at is None else order.ended_at.isoformat(),
    }


async def _reader(session: AsyncSession, order: Bulk, reader: ReaderRow, *, latest: bool) -> dict[str, Any]:
    """Give a reader as the board needs it; only what this very order did counts, the station's `latest` or not."""
    job = None
    if reader.bulk_job_id is not None:
        job = await cardjobs.find_job(session, city_id=order.city_id, job_id=reader.bulk_job_id)
    facts = reader.facts or {}
    return {
        "name": reader.name,
        "label": reader.label,
        "state": reader.state,
        "looking": reader.script_id is not None,
        "card": facts.get("iccid") or facts.get("serial"),
        "readable": facts.get("readable"),
        "not_taken": reader.bulk_refusal if latest else None,
        "job": None if job is None or job.bulk_no != order.bulk_no else await _job(session, job),
    }


async def _job(session: AsyncSession, job: Job) -> dict[str, Any]:
    done = 0
    if job.state in WRITE_JOB_OPEN and job.script_id:
        first = parse_script_ref(job.script_id).ordinal * STEPS_PER_SCRIPT
        done = await cardjobs.count_steps(session, city_id=job.city_id, job_id=job.job_id, first=first)
    return as_answer(job, steps_done=done)

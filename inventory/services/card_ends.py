"""End a write job: what a verdict does to card, data, identity, kit and job, in the transaction of its report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import Verdict
from inventory.domain.cardjobs import LEASE, Ending, consequence
from inventory.domain.errors import StaleVersion
from inventory.domain.identifiers import format_public_id, parse_iccid
from inventory.domain.lifecycle import (
    IDENTITY_LIFECYCLE,
    WRITE_JOB_LIFECYCLE,
    DataEvent,
    DataState,
    HoldState,
    IdentityEvent,
    SimEvent,
    WriteJobEvent,
    WriteJobState,
)
from inventory.services.bulk_ends import settle_bulk
from inventory.services.card_json import verdict_json
from inventory.services.card_moves import step_card, step_unit
from inventory.store import cardjobs, events, issues, kits, legal_orders
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft
from inventory.store.kits import Card, DataUnit, Kit
from inventory.store.notices import Notice, notify

_KIT_ALIVE = frozenset({HoldState.ACTIVE, HoldState.BOOKED})


def job_name(job: Job) -> str:
    """Give the public id of a job, such as `j-530700-12`."""
    return format_public_id("j", job.city_id, job.job_id)


def is_alive(kit: Kit) -> bool:
    """Whether the kit is still promised; an open job keeps it beyond its time."""
    return kit.state in _KIT_ALIVE


async def tell(session: AsyncSession, job: Job, drafts: list[EventDraft], *, now: datetime) -> None:
    """Write events in the name of the one who started the job, and wake whoever watches its station."""
    await events.record(
        session, drafts, city_id=job.city_id, staff_no=job.staff_no, interface_no=job.interface_no, now=now
    )
    await notify(session, Notice(city_id=job.city_id, station_id=job.station_id, job_id=job.job_id))


async def move_job(session: AsyncSession, job: Job, event: WriteJobEvent, *, now: datetime, **also: Any) -> None:
    """Move the job by its life cycle, with the columns in `also`, and tell of it.

    Raises
    ------
    IllegalTransition, StaleVersion
        The job has moved on.
    """
    state = WRITE_JOB_LIFECYCLE.advance(WriteJobState(job.state), event)
    if not await cardjobs.change_job(session, job, state=state, **also):
        raise StaleVersion(item=job_name(job))
    draft = EventDraft(
        name=f"job.{state}", kind="job", item_no=job.job_id, from_state=job.state, to_state=state,
        reason=(also.get("verdict") or {}).get("failure"),
        data={"hold": format_public_id("h", job.city_id, job.hold_id), "sim_item": job.sim_item_no},
    )  # fmt: skip
    await tell(session, job, [draft], now=now)


async def move_card(
    session: AsyncSession, job: Job, card: Card, event: SimEvent, *, now: datetime, data: dict[str, Any], **also: Any
) -> Card:
    """Move the card by its life cycle, tell of it, and give it as it is now.

    Raises
    ------
    IllegalTransition, StaleVersion
        The card has moved on.
    """
    about = {"job": job_name(job), "data": job.data_no, **data}
    moved, draft = await step_card(session, card, event, about, now=now, **also)
    await tell(session, job, [draft], now=now)
    return moved


async def move_unit(
    session: AsyncSession, job: Job, unit: DataUnit, event: DataEvent, *, now: datetime, **also: Any
) -> DataUnit:
    """Move the data unit by its life cycle, tell of it, and give it as it is now.

    Raises
    ------
    IllegalTransition, StaleVersion
        The unit has moved on.
    """
    about = {"job": job_name(job), "sim_item": job.sim_item_no}
    moved, draft = await step_unit(session, unit, event, about, now=now, **also)
    await tell(session, job, [draft], now=now)
    return moved


async def refuse_job(session: AsyncSession, job: Job, verdict: Verdict, *, now: datetime) -> None:
    """End a job before its write script was delivered: nothing but the job and the kit's tie to it changes."""
    kit = await kits.find_kit(session, city_id=job.city_id, hold_id=job.hold_id, lock=True)
    if kit is not None and kit.job_id == job.job_id:
        await kits.set_hold_job(session, kit, None)
    await issues.drop_issue(session, city_id=job.city_id, job_id=job.job_id)
    # A job that nobody has begun is cancelled; one that has looked at its card says that nothing was written.
    event = WriteJobEvent.CANCEL if job.state == WriteJobState.CREATED else WriteJobEvent.NOTHING_WRITTEN
    await move_job(session, job, event, now=now, verdict=verdict_json(verdict), finished_at=now)
    await settle_bulk(session, job, now=now)
    if kit is not None:
        await end_if_legally_held(session, kit, now=now)


async def end_if_legally_held(session: AsyncSession, kit: Kit, *, now: datetime) -> None:
    """End a kit under a legal hold that has waited for its card to be settled; any other goes on (REQ-LGL-01)."""
    await legal_orders.end_kits(
        session, [kit.hold_id], city_id=kit.city_id, staff_no="system", interface_no="system", now=now
    )


async def end_job(session: AsyncSession, job: Job, verdict: Verdict, *, by_reading: bool, now: datetime) -> None:
    """End a job whose write script was delivered, or leave it unknown (S5 to S9).

    `by_reading` says that the verdict comes from reading the card, not from what the station reported of writing it.

    Raises
    ------
    IllegalTransition, StaleVersion
        The card or its data have moved on; the transaction must be rolled back.
    """
    ending = Ending(verdict.kind.value)
    found = verdict_json(verdict)
    if ending is Ending.UNKNOWN and job.state == WriteJobState.UNKNOWN:
        await cardjobs.change_job(session, job, verdict=found)
        await tell(session, job, [], now=now)
        return
    kit, card, unit = await _involved(session, job)
    alive = is_alive(kit) and (kit.sim_item_no, kit.data_no) == (card.item_no, unit.data_no)
    moves = consequence(ending, DataState(unit.state), hold_alive=alive, by_reading=by_reading, fetched=unit.fetched)
    if kit.job_id == job.job_id and ending is not Ending.UNKNOWN:
        await kits.set_hold_job(session, kit, None)
        if alive and job.state == WriteJobState.UNKNOWN:
            await kits.keep_kit_until(session, kit, now + LEASE)
    await _read_back(session, card, unit, verdict)
    gone = {"hold_id": None, "hold_until": None} if moves.sim is SimEvent.NOTHING_WRITTEN_HOLD_GONE else {}
    about = {
        "failure": found["failure"], "sqn_ms": found["sqn_ms"], "iccid": verdict.iccid,
        "serial": card.serial if verdict.iccid else None,
    }  # fmt: skip
    card = await move_card(
        session, job, card, moves.sim, now=now, data={key: value for key, value in about.items() if value}, **gone
    )
    for event in moves.data:
        unit = await move_unit(session, job, unit, event, now=now, **_columns(event, kit, card))
    if DataEvent.CONSUME in moves.data and kit.data_no == unit.data_no:
        await kits.set_data(session, kit, None)  # the next card of the kit gets data of its own
    await move_identity(session, card, moves.identity)
    if verdict.sqn_ms is not None:
        await kits.set_sqn(session, card, verdict.sqn_ms)
    if job.left_kit and ending is Ending.VERIFIED:
        await move_card(session, job, card, SimEvent.KEEP_FINISHED, now=now, data={}, hlr_code=unit.hlr_code)
    finished = {} if ending is Ending.UNKNOWN else {"finished_at": now}
    await move_job(session, job, moves.job, now=now, verdict=found, **finished)
    await settle_bulk(session, job, now=now)
    await end_if_legally_held(session, kit, now=now)


async def move_identity(session: AsyncSession, card: Card, moves: tuple[IdentityEvent, ...]) -> None:
    """Move the identity in the card's slot by its life cycle."""
    if not moves:
        return
    state = await kits.identity_state(session, card)
    for event in moves:
        state = IDENTITY_LIFECYCLE.advance(state, event)
    await kits.set_identity(session, card, state)


async def _involved(session: AsyncSession, job: Job) -> tuple[Kit, Card, DataUnit]:
    """Lock kit, card and data in the order that every statement on a kit takes them."""
    kit = await kits.find_kit(session, city_id=job.city_id, hold_id=job.hold_id, lock=True)
    card = await kits.find_card(session, city_id=job.city_id, item_no=job.sim_item_no, lock=True)
    unit = None if job.data_no is None else await kits.find_data(session, city_id=job.city_id, data_no=job.data_no)
    if kit is None or card is None or unit is None:
        raise StaleVersion(item=job_name(job))
    return kit, card, unit


async def _read_back(session: AsyncSession, card: Card, unit: DataUnit, verdict: Verdict) -> None:
    """Keep the ICCID that was read from a card that had none in stock (REQ-HW-12).

    A unit whose IMSI goes back to the pool leaves its ICCID on a card that bears it already.
    """
    if not verdict.iccid or card.iccid is not None:
        return
    iccid = parse_iccid(verdict.iccid).iccid
    if iccid == unit.iccid:
        await kits.hand_over_iccid(session, unit, card)
    else:
        await kits.register_iccid(session, card, iccid)


def _columns(event: DataEvent, kit: Kit, card: Card) -> dict[str, Any]:
    """Give the columns that go with a move of the data."""
    match event:
        case DataEvent.READ_BLANK | DataEvent.NEVER_DELIVERED:
            return {"sim_item_no": None, "hold_id": None}
        case DataEvent.CONSUME:
            return {"hold_id": None}
        case DataEvent.RESERVE:
            return {"hold_id": kit.hold_id}
        case DataEvent.PROVEN:
            return {"sim_item_no": card.item_no}
        case _:
            return {}

"""Start, follow and cancel write jobs (REQ-HW-04). What stations report is `card_reports`' business."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import CardRefused, Failure, Kind, Verdict
from cardwriter.script import Purpose
from inventory.access.caller import Caller
from inventory.domain.cardjobs import STEPS_PER_SCRIPT, next_step, parse_script_ref
from inventory.domain.errors import (
    AdmInDoubt,
    CardUnknown,
    HoldExpired,
    HoldKeyWrong,
    HoldNotActive,
    NoDataUnit,
    NotFound,
    SimNotFree,
    StationOffline,
    WriteJobOpen,
)
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.lifecycle import (
    WRITE_JOB_LIFECYCLE,
    WRITE_JOB_OPEN,
    HoldState,
    SimState,
    WriteJobEvent,
    WriteJobState,
)
from inventory.services.acting import acting
from inventory.services.bulk_ends import settle_bulk
from inventory.services.card_data import Workbench
from inventory.services.card_ends import end_if_legally_held, end_job, is_alive, job_name, move_job, refuse_job, tell
from inventory.services.holds import hold_number
from inventory.services.issuing import hand_given
from inventory.services.job_scripts import hand_identify
from inventory.services.numbering import is_relayed
from inventory.services.once import Answer, WriteKey, once
from inventory.services.orders import Order
from inventory.services.stations import is_online, reach, visible_station
from inventory.store import cardjobs, issues, kits, stations
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft, record
from inventory.store.kits import Card, Kit
from inventory.store.notices import Notice, notify
from inventory.store.stations import StationRow
from inventory.vault.hold_keys import HoldKeys

_NOT_DELIVERED = (WriteJobState.CREATED, WriteJobState.IDENTIFYING)
_DELIVERED = (WriteJobState.WRITING, WriteJobState.VERIFYING)


@dataclass(frozen=True, kw_only=True)
class WriteJobWish:
    """Which kit's card to write, in which reader of which station; `hold_key` opens the kit."""

    hold: str
    hold_key: str | None = field(repr=False)
    station: str
    reader: str
    adm_again: bool = False
    """A person has decided to try the card's ADM key again, of which nobody knows what came when it was sent before."""


async def start_job(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: WriteJobWish, *, keys: HoldKeys, now: datetime
) -> Answer:
    """Open a job on the kit and wake the station's link; the answer is the job as `read_job` gives it.

    From now on the kit neither expires nor is released until the job has ended (REQ-RSV-15).

    Raises
    ------
    HoldKeyWrong, NotFound, HoldExpired, HoldNotActive
        The kit is not the caller's to use, or has ended.
    WriteJobOpen
        The kit has an open job.
    AdmInDoubt
        The card's ADM key was sent before, nobody knows what came of it, and nobody has decided to try again.
    CardUnknown, SimNotFree, NoDataUnit
        The kit has no card to be written, or no data for it.
    StationUnknown, StationOffline
        No such station in the caller's part, or its link is down.
    """

    async def work() -> dict[str, Any]:
        hold_id = _opened(keys, caller, wish)
        station = await visible_station(session, caller, wish.station)
        if not is_online(station, now=now):
            raise StationOffline(station=wish.station)
        kit = await kits.find_kit(session, city_id=caller.city_id, hold_id=hold_id, lock=True)
        if kit is None:
            raise NotFound(what="hold", value=wish.hold)
        card, data_no = await _writable(session, kit, wish.hold, now=now)
        if card.adm_sent:
            await _try_adm_again(session, caller, card, wish, now=now)
        job_id = await cardjobs.add_job(
            session,
            city_id=caller.city_id,
            hold_id=hold_id,
            station_id=station.station_id,
            reader=wish.reader,
            sim_item_no=card.item_no,
            data_no=data_no,
            staff_no=caller.staff_no,
            interface_no=caller.interface_no,
            now=now,
        )
        await kits.set_hold_job(session, kit, job_id)
        job = await _found(session, caller.city_id, job_id)
        draft = EventDraft(
            name="job.created",
            kind="job",
            item_no=job_id,
            to_state=job.state,
            order_ref=kit.order_ref,
            data={"hold": wish.hold, "station": wish.station, "sim_item": card.item_no},
        )
        await tell(session, job, [draft], now=now)
        return as_answer(job, steps_done=0)

    return await once(session, caller, write, work, now=now)


async def cancel_job(session: AsyncSession, caller: Caller, write: WriteKey, job: str, *, now: datetime) -> Answer:
    """Cancel a job whose write script has not been handed out; after that a card is written to its end.

    Raises
    ------
    NotFound
        No such job in the caller's part.
    IllegalTransition
        The card is being written, or the job has ended.
    """

    async def work() -> dict[str, Any]:
        name = parse_public_id(job, "j", field="job")
        await _visible(session, caller, job)
        row = await _found(session, caller.city_id, name.serial, lock=True)
        WRITE_JOB_LIFECYCLE.advance(WriteJobState(row.state), WriteJobEvent.CANCEL)
        kit = await kits.find_kit(session, city_id=row.city_id, hold_id=row.hold_id, lock=True)
        if kit is not None and kit.job_id == row.job_id:
            await kits.set_hold_job(session, kit, None)
        await issues.drop_issue(session, city_id=row.city_id, job_id=row.job_id)
        await move_job(session, row, WriteJobEvent.CANCEL, now=now, finished_at=now)
        await settle_bulk(session, row, now=now)
        if kit is not None:
            await end_if_legally_held(session, kit, now=now)
        if row.script_id:
            notice = Notice(city_id=row.city_id, station_id=row.station_id, cancel=row.script_id)
            await notify(session, notice)
        return as_answer(await _found(session, row.city_id, row.job_id), steps_done=0)

    return await once(session, caller, write, work, now=now)


async def read_job(session: AsyncSession, caller: Caller, job: str) -> dict[str, Any]:
    """Give a job: state, steps done and to do of its present script, every step so far, verdict, and what is next.

    Raises
    ------
    NotFound
        No such job in the caller's part.
    """
    async with session.begin():
        return await _with_steps(session, await _visible(session, caller, job))


async def read_last_job(session: AsyncSession, caller: Caller, hold: str) -> dict[str, Any] | None:
    """Give the newest job of a hold of the caller's city as `read_job` does, or None.

    Raises
    ------
    NotFound
        The hold is of another city.
    """
    async with session.begin():
        hold_id = hold_number(caller, hold)
        row = await cardjobs.last_job_of_hold(session, city_id=caller.city_id, hold_id=hold_id)
        return None if row is None else await _with_steps(session, row)


async def _with_steps(session: AsyncSession, row: Job) -> dict[str, Any]:
    steps = await cardjobs.steps_of(session, city_id=row.city_id, job_id=row.job_id)
    first = parse_script_ref(row.script_id).ordinal * STEPS_PER_SCRIPT if row.script_id else 0
    answer = as_answer(row, steps_done=sum(step.step_no >= first for step in steps))
    shown = [{"script": step.script, "name": step.name, "sw": step.sw, "at": step.at.isoformat()} for step in steps]
    card = await kits.find_card(session, city_id=row.city_id, item_no=row.sim_item_no)
    waits = await issues.is_called(session, city_id=row.city_id, job_id=row.job_id) and row.state in WRITE_JOB_OPEN
    return answer | {
        "waits_for_operator": waits, "card": card and (card.iccid or card.serial), "steps": shown,
    }  # fmt: skip


def as_answer(job: Job, *, steps_done: int) -> dict[str, Any]:
    """Give a job as the API shows it."""
    verdict = job.verdict or {}
    failure = verdict.get("failure")
    return {
        "id": job_name(job),
        "hold": format_public_id("h", job.city_id, job.hold_id),
        "station": format_public_id("st", job.city_id, job.station_id),
        "reader": job.reader,
        "state": job.state,
        "steps_done": steps_done,
        "steps_total": job.steps_total,
        "failure": failure,
        "failed_step": verdict.get("step"),
        "failed_sw": verdict.get("sw"),
        "detail": verdict.get("detail"),
        "waits_for_operator": False,
        "next_step": next_step(WriteJobState(job.state), failure, in_bulk=job.bulk_no is not None).value,
        "created_at": job.created_at.isoformat(),
        "finished_at": None if job.finished_at is None else job.finished_at.isoformat(),
    }


async def take_up(session: AsyncSession, bench: Workbench, station: StationRow, *, now: datetime) -> list[Order]:
    """Begin the station's new jobs: give the identify script of each, and the data that came from an operator."""
    orders: list[Order] = []
    async with session.begin():
        for job in await cardjobs.jobs_of_station(
            session, city_id=station.city_id, station_id=station.station_id, states=_NOT_DELIVERED
        ):
            if job.state == WriteJobState.CREATED:
                orders.append(await hand_identify(session, job, now=now))
                continue
            try:
                run = await hand_given(session, bench, job, now=now)
            except CardRefused as refused:
                refusal = Verdict(kind=Kind.NOTHING_WRITTEN, failure=refused.failure, detail=refused.detail)
                await refuse_job(session, job, refusal, now=now)
            else:
                orders += [] if run is None else [run]
    return orders


async def resume(
    session: AsyncSession, station: StationRow, *, handed: Collection[str] = (), now: datetime
) -> list[Order]:
    """Take the station's jobs up again after its link was down; its journal has been heard.

    A card whose write or verify script was handed out and not answered for is unknown, never "nothing written"; the
    look at every card that follows settles it. Before that nothing had changed: such a job begins again. Jobs whose
    script is among `handed` got it over the new link, after its journal was heard, and go on.
    """
    async with session.begin():
        await _leave_unknown(session, station, "no answer came over the link", handed=handed, now=now)
        waiting = await cardjobs.jobs_of_station(
            session, city_id=station.city_id, station_id=station.station_id, states=_NOT_DELIVERED
        )
        return [await hand_identify(session, job, now=now) for job in waiting if job.script_id not in handed]


async def give_up(session: AsyncSession, station: StationRow, *, now: datetime) -> None:
    """Settle what a silent station leaves: delivered scripts make their cards unknown, other jobs end unharmed."""
    async with session.begin():
        await _leave_unknown(session, station, "the station is silent", now=now)
        for job in await cardjobs.jobs_of_station(
            session, city_id=station.city_id, station_id=station.station_id, states=_NOT_DELIVERED
        ):
            silent = Verdict(kind=Kind.NOTHING_WRITTEN, failure=Failure.REPORT_FAILED, detail="the station is silent")
            await refuse_job(session, job, silent, now=now)


async def _leave_unknown(
    session: AsyncSession, station: StationRow, why: str, *, handed: Collection[str] = (), now: datetime
) -> None:
    unanswered = Verdict(kind=Kind.UNKNOWN, failure=Failure.REPORT_FAILED, detail=why)
    for job in await cardjobs.jobs_of_station(
        session, city_id=station.city_id, station_id=station.station_id, states=_DELIVERED
    ):
        if job.script_id not in handed and not _is_with_operator(job):
            await end_job(session, job, unanswered, by_reading=False, now=now)


def _is_with_operator(job: Job) -> bool:
    """Whether the station has reported all, and an operator's system is to say how it ended."""
    last = parse_script_ref(job.script_id).purpose if job.script_id else None
    return job.state == WriteJobState.VERIFYING and last == Purpose.WRITE


def _opened(keys: HoldKeys, caller: Caller, wish: WriteJobWish) -> int:
    """Give the number of the hold if the key is its own."""
    name = parse_public_id(wish.hold, "h", field="hold")
    if name.city_id != caller.city_id:
        raise NotFound(what="hold", value=wish.hold)
    if wish.hold_key is None or not keys.opens(wish.hold_key, caller.city_id, name.serial):
        raise HoldKeyWrong(hold=wish.hold)
    return name.serial


async def _try_adm_again(
    session: AsyncSession, caller: Caller, card: Card, wish: WriteJobWish, *, now: datetime
) -> None:
    """Let the card's ADM key be tried once more if a person has decided so; its counter is asked before.

    Raises
    ------
    AdmInDoubt
        Nobody has.
    """
    if not wish.adm_again:
        raise AdmInDoubt(card=card.iccid or card.serial)
    await kits.forget_adm_sent(session, city_id=card.city_id, item_no=card.item_no)
    draft = EventDraft(name="sim.adm_again", kind="sim", item_no=card.item_no, data={"hold": wish.hold})
    await record(session, [draft], **acting(caller, now))


async def _writable(session: AsyncSession, kit: Kit, hold: str, *, now: datetime) -> tuple[Card, int | None]:
    """Give the kit's card and the number of its data unit, or say why there is nothing to write.

    A card whose data come from the operator's system has none yet; they come for a number.
    """
    if kit.job_id is not None:
        raise WriteJobOpen(job=format_public_id("j", kit.city_id, kit.job_id))
    if kit.state == HoldState.EXPIRED or (is_alive(kit) and kit.expires_at <= now):
        raise HoldExpired(hold=hold, expired_at=kit.expires_at)
    if not is_alive(kit):
        raise HoldNotActive(hold=hold, state=kit.state)
    if kit.sim_item_no is None:
        raise CardUnknown(iccid=None)
    card = await kits.find_card(session, city_id=kit.city_id, item_no=kit.sim_item_no)
    if card is None:
        raise CardUnknown(iccid=None)
    if card.state != SimState.HELD:
        raise SimNotFree(iccid=card.iccid or card.serial, state=card.state)
    if kit.data_no is None and not (is_relayed(card.profile) and kit.number_hlr is not None):
        raise NoDataUnit(hlr=None)
    return card, kit.data_no


async def _visible(session: AsyncSession, caller: Caller, job: str) -> Job:
    """Give a job of a station in the caller's part."""
    name = parse_public_id(job, "j", field="job")
    row = None
    if name.city_id == caller.city_id:
        row = await cardjobs.find_job(session, city_id=name.city_id, job_id=name.serial)
    if row is not None:
        station = await stations.find_station(session, city_id=row.city_id, station_id=row.station_id)
        if station is not None and station.org_id in await reach(session, caller):
            return row
    raise NotFound(what="write job", value=job)


async def _found(session: AsyncSession, city_id: int, job_id: int, *, lock: bool = False) -> Job:
    job = await cardjobs.find_job(session, city_id=city_id, job_id=job_id, lock=lock)
    if job is None:
        raise NotFound(what="write job", value=format_public_id("j", city_id, job_id))
    return job

"""Take what a station reports: one report is one transaction, and one that comes again changes nothing.

A job goes identify → write → verify; a verdict ends it. A card left unknown is settled by reading it, wherever and
whenever it lies in a reader again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import (
    CardFacts,
    CardRefused,
    FactsError,
    Failure,
    IdentityError,
    Kind,
    Verdict,
    profile,
    read_facts,
    settle,
    tells_of_adm,
)
from cardwriter.script import Outcome, Purpose, Report, ScriptError, is_name
from cardwriter.usim.bcd import CodecError
from inventory.domain.cardjobs import STEPS_PER_SCRIPT, ScriptRef, parse_script_ref
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import parse_public_id
from inventory.domain.lifecycle import SIM_WRITE_UNSETTLED, WRITE_JOB_OPEN, SimState, WriteJobState
from inventory.services import issuing
from inventory.services.bulk_cards import offer
from inventory.services.card_data import Workbench
from inventory.services.card_ends import end_job, refuse_job
from inventory.services.job_scripts import expectation, hand_verify, hand_write, handed_script, opened_job
from inventory.services.looks import card_of, keep_look, order_look
from inventory.services.numbering import is_relayed
from inventory.services.orders import Ack, Order
from inventory.store import cardjobs, kits, stations
from inventory.store.cardjobs import Job, StepRow
from inventory.store.kits import Card
from inventory.store.stations import ReaderRow, StationRow

_NOT_INSERTED = frozenset({"no_card", "mute_card", "bad_atr", "card_removed"})


@dataclass(frozen=True)
class Reported:
    """A report with its address, as it came over the link; `job` is None for a look."""

    job: str | None
    reader: str
    report: Report

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Read a link message of type `report`.

        Raises
        ------
        ScriptError
            It is not well formed.
        """
        job, reader, report = wire.get("job"), wire.get("reader"), wire.get("report")
        if (
            not isinstance(job, str | None)
            or not isinstance(reader, str)
            or not is_name(reader)
            or not isinstance(report, dict)
        ):
            raise ScriptError("malformed report message")
        return cls(job, reader, Report.from_wire(report))


@dataclass(frozen=True)
class Taken:
    """What follows from a report: orders for the station, and the state that a job has just ended in, if one has."""

    orders: list[Order]
    ended: str | None = None


async def take_report(
    session: AsyncSession, bench: Workbench, station: StationRow, reported: Reported, *, now: datetime
) -> Taken:
    """Take one report and give what the station is to do next: always an acknowledgement, perhaps a script.

    A report of a script that is not the one the job handed out last is stale and only acknowledged.

    Raises
    ------
    IllegalTransition, StaleVersion
        Card, data or job have moved on under the report; nothing of it was taken.
    """
    async with session.begin():
        if reported.job is None:
            orders, job = await _take_look(session, bench, station, reported, now=now)
        else:
            job = await _job_of(session, station, reported)
            orders = [] if job is None else await _take_job_report(session, bench, station, job, reported, now=now)
        ended = None if job is None else await _ending(session, job)
    return Taken([Ack(reported.report.script_id), *orders], ended)


async def abandon_report(session: AsyncSession, station: StationRow, reported: Reported, *, now: datetime) -> None:
    """End the job of a report that the database would not take, by what is safe without it.

    A card whose write script was handed out is unknown; before that nothing had changed.

    Raises
    ------
    IllegalTransition, StaleVersion
        Card, data or job have moved on; nothing was changed.
    """
    why = "the stock contradicts the report"
    async with session.begin():
        job = None if reported.job is None else await _job_of(session, station, reported)
        if job is None:
            return
        if job.state == WriteJobState.IDENTIFYING:
            await refuse_job(session, job, _refusal(Failure.DATA_NOT_AVAILABLE, why), now=now)
        elif job.state in {WriteJobState.WRITING, WriteJobState.VERIFYING, WriteJobState.UNKNOWN}:
            unknown = Verdict(kind=Kind.UNKNOWN, failure=Failure.REPORT_FAILED, detail=why)
            await end_job(session, job, unknown, by_reading=False, now=now)


async def _ending(session: AsyncSession, before: Job) -> str | None:
    """Give the state in which the job has ended since `before`, or None."""
    after = await cardjobs.find_job(session, city_id=before.city_id, job_id=before.job_id)
    if after is None or after.state == before.state or after.state in WRITE_JOB_OPEN:
        return None
    return after.state


async def _take_job_report(
    session: AsyncSession, bench: Workbench, station: StationRow, job: Job, reported: Reported, *, now: datetime
) -> list[Order]:
    report = reported.report
    ref = parse_script_ref(report.script_id)
    await _keep_steps(session, job, ref, report, now=now)
    if ref.purpose == Purpose.WRITE:
        job = await _write_over(session, job)
        # One that comes again must not take a later job's mark: that key may be under way at this moment
        if tells_of_adm(report) and not await cardjobs.has_later_job(session, job):
            await kits.forget_adm_sent(session, city_id=job.city_id, item_no=job.sim_item_no)
    match WriteJobState(job.state), ref.purpose:
        case WriteJobState.IDENTIFYING, Purpose.IDENTIFY:
            return await _identified(session, bench, station, job, report, now=now)
        case ((WriteJobState.WRITING | WriteJobState.UNKNOWN), Purpose.WRITE) if await issuing.is_operators(
            session, job
        ):
            return await issuing.answered(session, bench, station, job, report, now=now)
        case WriteJobState.WRITING, Purpose.WRITE:
            return await _written(session, bench, station, job, report, now=now)
        case WriteJobState.UNKNOWN, Purpose.WRITE:
            # Too late to be believed alone: others may have had the card since. The card itself says how it is.
            return [await order_look(session, bench, station, reported.reader, now=now)]
        case ((WriteJobState.VERIFYING | WriteJobState.UNKNOWN), Purpose.VERIFY):
            return await _verified(session, bench, station, job, report, now=now)
        case _:
            return []


async def _job_of(session: AsyncSession, station: StationRow, reported: Reported) -> Job | None:
    """Return the job, locked, if this very script is the one it waits for, and this station the one that has it."""
    try:
        name = parse_public_id(reported.job, "j", field="job")
        parse_script_ref(reported.report.script_id)
    except InvalidIdentifier:
        return None
    if name.city_id != station.city_id:
        return None
    job = await cardjobs.find_job(session, city_id=station.city_id, job_id=name.serial, lock=True)
    if job is None or (job.station_id, job.script_id) != (station.station_id, reported.report.script_id):
        return None
    return job


async def _keep_steps(session: AsyncSession, job: Job, ref: ScriptRef, report: Report, *, now: datetime) -> None:
    first = ref.ordinal * STEPS_PER_SCRIPT
    steps = [
        StepRow(first + index, ref.purpose, result.name, f"{result.sw:04x}", now)
        for index, result in enumerate(report.results[:STEPS_PER_SCRIPT])
    ]
    await cardjobs.add_steps(session, city_id=job.city_id, job_id=job.job_id, steps=steps)


async def _identified(
    session: AsyncSession, bench: Workbench, station: StationRow, job: Job, report: Report, *, now: datetime
) -> list[Order]:
    """Write the card if all fits; otherwise end the job before anything has changed (REQ-HW-06)."""
    try:
        facts = read_facts(report)
    except FactsError as error:
        await refuse_job(session, job, _refusal(_why_unread(report), str(error)), now=now)
        return []
    await keep_look(session, station, job.reader, facts, await card_of(session, job.city_id, facts))
    try:
        if await issuing.is_operators(session, job):
            return await issuing.begin(session, bench, job, facts, now=now)
        return [await hand_write(session, bench, job, facts, now=now)]
    except CardRefused as refused:
        await refuse_job(session, job, _refusal(refused.failure, refused.detail), now=now)
    except (IdentityError, CodecError) as error:
        await refuse_job(session, job, _refusal(Failure.DATA_NOT_AVAILABLE, str(error)), now=now)
    return []


async def _write_over(session: AsyncSession, job: Job) -> Job:
    """Note that the job's write script has ended or will never begin, and give the job as it is now."""
    if job.write_until is None:
        return job
    await cardjobs.change_job(session, job, write_until=None)
    return replace(job, write_until=None)


def _trusted(job: Job, verdict: Verdict, *, now: datetime) -> Verdict:
    """Give the verdict on an unknown card, but not "nothing written" while the write script may still begin."""
    if verdict.kind is not Kind.NOTHING_WRITTEN or job.write_until is None or now >= job.write_until:
        return verdict
    detail = f"its write script may still begin elsewhere until {job.write_until.isoformat()}; read the card after that"
    return Verdict(kind=Kind.UNKNOWN, failure=Failure.REPORT_FAILED, detail=detail)


async def _written(
    session: AsyncSession, bench: Workbench, station: StationRow, job: Job, report: Report, *, now: datetime
) -> list[Order]:
    verdict = await _judge(session, bench, job, report)
    if verdict.failure is Failure.NOT_PROVEN:
        try:
            return [await hand_verify(session, bench, job, station, job.reader, now=now)]
        except CardRefused as refused:
            verdict = Verdict(kind=Kind.UNKNOWN, failure=refused.failure, detail=refused.detail)
    if verdict.failure is Failure.ADM_REFUSED:
        await kits.set_adm_refused(session, city_id=job.city_id, item_no=job.sim_item_no)
    await end_job(session, job, verdict, by_reading=False, now=now)
    return [await order_look(session, bench, station, job.reader, now=now)]


async def _verified(
    session: AsyncSession, bench: Workbench, station: StationRow, job: Job, report: Report, *, now: datetime
) -> list[Order]:
    verdict = _trusted(job, await _judge(session, bench, job, report), now=now)
    await end_job(session, job, verdict, by_reading=True, now=now)
    if verdict.kind is Kind.UNKNOWN and job.state == WriteJobState.UNKNOWN:
        return []  # it was read just now to no avail; the next insertion is the next try
    return [await order_look(session, bench, station, job.reader, now=now)]


async def _judge(session: AsyncSession, bench: Workbench, job: Job, report: Report) -> Verdict:
    """Judge a write or verify report; what cannot be judged leaves the card unknown, never better."""
    try:
        opened, facts, content = await opened_job(session, bench, job)
        script = handed_script(opened, facts, content, job)
        if script.purpose is Purpose.WRITE:
            return opened.profile.judge_write(script, report)
        return opened.profile.judge_verify(script, report, expectation(opened, facts, content, job))
    except CardRefused as refused:
        return Verdict(kind=Kind.UNKNOWN, failure=refused.failure, detail=refused.detail)
    except ValueError as error:
        return Verdict(kind=Kind.UNKNOWN, failure=Failure.REPORT_FAILED, detail=str(error))


async def _take_look(
    session: AsyncSession, bench: Workbench, station: StationRow, reported: Reported, *, now: datetime
) -> tuple[list[Order], Job | None]:
    """Keep what a look found; a card that a job left unknown is settled by it, or verified next.

    Any other card, and one that was found blank, is offered to the station's bulk order.
    """
    known = await stations.readers_of(session, city_id=station.city_id, stations=[station.station_id])
    wanted = (reported.reader, reported.report.script_id)
    seen = next((row for row in known if (row.name, row.script_id) == wanted), None)
    if seen is None:
        return [], None
    try:
        facts = read_facts(reported.report)
    except FactsError:
        await keep_look(session, station, reported.reader, None, None)
        return [], None
    card = await card_of(session, station.city_id, facts)
    await keep_look(session, station, reported.reader, facts, card)
    if card is not None and is_relayed(card.profile) and card.state in SIM_WRITE_UNSETTLED:
        return [], await issuing.seen(session, station, card, facts, now=now)
    if card is None or card.state != SimState.WRITE_UNKNOWN:
        return await offer(session, station, seen, card, now=now), None
    return await _settle(session, bench, station, seen, card, facts, now=now)


async def _settle(
    session: AsyncSession,
    bench: Workbench,
    station: StationRow,
    seen: ReaderRow,
    card: Card,
    facts: CardFacts,
    *,
    now: datetime,
) -> tuple[list[Order], Job | None]:
    """Settle an unknown card by what a look read of it, or by proving it next."""
    job = await cardjobs.unknown_job_of(session, city_id=card.city_id, sim_item_no=card.item_no)
    if job is None:
        return [], None
    here = (job.station_id, job.reader) == (station.station_id, seen.name)
    if here and job.script_id and parse_script_ref(job.script_id).purpose == Purpose.WRITE:
        job = await _write_over(session, job)  # a reader's scripts run one after the other: before this look
    verdict = settle(facts, None, blank=_is_blank(card, facts))
    if verdict.kind is Kind.UNKNOWN:
        return await _prove(session, bench, station, job, seen.name, now=now), job
    await end_job(session, job, _trusted(job, verdict, now=now), by_reading=True, now=now)
    settled = await card_of(session, station.city_id, facts)
    return await offer(session, station, seen, settled, now=now), job


def _is_blank(card: Card, facts: CardFacts) -> bool | None:
    """Ask the card's profile; None where its kind names none, which leaves it to the files that all cards have."""
    try:
        return profile(card.profile).is_blank(facts)
    except KeyError:
        return None


async def _prove(
    session: AsyncSession, bench: Workbench, station: StationRow, job: Job, reader: str, *, now: datetime
) -> list[Order]:
    try:
        return [await hand_verify(session, bench, job, station, reader, now=now)]
    except CardRefused as refused:
        verdict = Verdict(kind=Kind.UNKNOWN, failure=refused.failure, detail=refused.detail)
        await end_job(session, job, verdict, by_reading=True, now=now)
        return []


def _why_unread(report: Report) -> Failure:
    """Give the class of an identify report that does not even say which card it is."""
    match report.outcome:
        case Outcome.REFUSED:
            return Failure.REFUSED
        case Outcome.CANCELLED:
            return Failure.CANCELLED
        case Outcome.LOST if report.error not in _NOT_INSERTED:
            return Failure.READER_LOST
        case Outcome.LOST:
            return Failure.NOT_INSERTED
        case _:
            return Failure.WRONG_KIND


def _refusal(failure: Failure, detail: str) -> Verdict:
    return Verdict(kind=Kind.NOTHING_WRITTEN, failure=failure, detail=detail)

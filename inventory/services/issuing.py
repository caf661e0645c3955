"""Cards that the operator's own card-data system writes, in a write job: data asked for, carried, and its word heard.

The calls themselves are `operator_calls`' business, outside any transaction. Here is what happens between them: the
card is identified and data are wanted (`begin`), they go to the card unseen (`hand_issue`), the card's answer is kept
to be reported (`answered`), the card is read again (`seen`), and word and reading together end the job (`conclude`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import CardFacts, CardRefused, Failure, Kind, Verdict
from cardwriter.profiles.relay import Applied, applied, apply_script, read_back, read_serial, settled
from cardwriter.script import Purpose, Report, Script
from inventory.domain.cardjobs import LEASE
from inventory.domain.errors import InvalidIdentifier, StaleVersion
from inventory.domain.identifiers import parse_iccid
from inventory.domain.lifecycle import DATA_LIFECYCLE, AucState, DataEvent, SimEvent, WriteJobEvent, WriteJobState
from inventory.services.card_data import Workbench, place_of_parts
from inventory.services.card_ends import end_job, job_name, move_card, move_job, tell
from inventory.services.card_json import facts_json, facts_of
from inventory.services.job_scripts import WRITE_SPAN, handed, next_id, ready_card
from inventory.services.looks import expiry, order_look
from inventory.services.numbering import is_relayed
from inventory.services.orders import Order, Run
from inventory.store import auc, cardjobs, issues, kits
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft
from inventory.store.issues import IssueRow
from inventory.store.kits import Card
from inventory.store.stations import StationRow
from inventory.vault.envelope import EnvelopeBroken, Vault

ISSUE_TABLE, PARTS_FIELD = "card_issue", "parts"


async def is_operators(session: AsyncSession, job: Job) -> bool:
    """Whether the job's card is one that the operator's own system writes."""
    card = await kits.find_card(session, city_id=job.city_id, item_no=job.sim_item_no)
    return card is not None and is_relayed(card.profile)


async def begin(session: AsyncSession, bench: Workbench, job: Job, facts: CardFacts, *, now: datetime) -> list[Order]:
    """Want issue data for the identified card; data that have come meanwhile are handed out at once.

    A request of before whose data never went to this card is asked again under its own name: no card has two.

    Raises
    ------
    CardRefused
        Not the kit's card, without a serial, not blank, or the kit has no number or is not to be had.
    """
    kit, card = await ready_card(session, job, facts)
    serial = read_serial(facts)
    if kit.number is None or kit.number_hlr is None:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "the operator's system gives data for a number only")
    await cardjobs.change_job(session, job, facts=facts_json(facts))
    job = replace(job, facts=facts_json(facts))
    issue = await issues.find_issue(session, city_id=job.city_id, job_id=job.job_id)
    if issue is not None:
        return [] if issue.transaction is None else [await hand_issue(session, bench, job, issue, now=now)]
    unused = await issues.unused_request(session, city_id=card.city_id, sim_item_no=card.item_no, number=kit.number)
    await issues.add_issue(
        session,
        city_id=job.city_id,
        job_id=job.job_id,
        sim_item_no=card.item_no,
        request=unused or job_name(job),
        serial=serial,
        product=card.kind_code,
        number=kit.number,
        hlr_code=kit.number_hlr,
        asked_at=now,
        due_at=now,
    )
    await tell(session, job, [], now=now)
    return []


def seal_parts(vault: Vault, issue: IssueRow, parts: tuple[bytes, ...]) -> bytes:
    """Give the envelope in which issue data wait for their card."""
    plain = json.dumps([part.hex() for part in parts]).encode()
    row = place_of_parts(issue.city_id, issue.job_id)
    return vault.seal(plain, table=ISSUE_TABLE, row=row, field=PARTS_FIELD)


async def hand_issue(session: AsyncSession, bench: Workbench, job: Job, issue: IssueRow, *, now: datetime) -> Run:
    """Hand out the script that carries the issue data; all or nothing, as with data of our own (REQ-HW-04, S4).

    Raises
    ------
    CardRefused
        The card or its kit are no longer as they were, or the system gave an identity that exists already.
    """
    if job.facts is None:
        raise StaleVersion(item=job_name(job))
    kit, card = await ready_card(session, job, facts_of(job.facts))
    script = _script(bench, job, issue, next_id(job, Purpose.WRITE), expiry(now))
    data_no = await issues.enter_fetched(session, issue, hold_id=kit.hold_id, now=now)
    unit = None if data_no is None else await kits.find_data(session, city_id=job.city_id, data_no=data_no)
    if unit is None:
        await issues.change_issue(session, issue, accepted=False)
        detail = "the operator's system gave an IMSI or an ICCID that exists already"
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, detail)
    await kits.keep_kit_until(session, kit, now + LEASE)
    await kits.set_data(session, kit, unit.data_no)
    came = EventDraft(
        name="data.fetched", kind="data", item_no=unit.data_no, version=unit.version,
        to_state=DATA_LIFECYCLE.enter(DataEvent.FETCH), data={"job": job_name(job), "sim_item": card.item_no},
    )  # fmt: skip
    await tell(session, job, [came], now=now)
    await kits.lease_identity(session, card, unit)
    leased = replace(job, data_no=unit.data_no)
    await move_card(session, leased, card, SimEvent.START_WRITE, now=now, data={"transaction": issue.transaction})
    await issues.change_issue(session, issue, due_at=None)
    await move_job(
        session, job, WriteJobEvent.DELIVER_WRITE, now=now, data_no=unit.data_no, write_until=now + WRITE_SPAN,
        **handed(script, now),
    )  # fmt: skip
    return Run(job_name(job), job.reader, script)


async def hand_given(session: AsyncSession, bench: Workbench, job: Job, *, now: datetime) -> Run | None:
    """Hand out the script of a job whose issue data have come, or None where there is nothing to hand out.

    Raises
    ------
    CardRefused
        As `hand_issue`.
    """
    issue = await issues.find_issue(session, city_id=job.city_id, job_id=job.job_id)
    if issue is None or issue.transaction is None:
        return None
    return await hand_issue(session, bench, job, issue, now=now)


async def answered(
    session: AsyncSession, bench: Workbench, station: StationRow, job: Job, report: Report, *, now: datetime
) -> list[Order]:
    """Keep what the card said to its data, to be reported as it came; a card that was sent nothing ends the job.

    A report that comes late, of a card that is unknown meanwhile, is as good: the answer proves itself by its MAC.
    """
    issue = await _issue(session, job)
    look = await order_look(session, bench, station, job.reader, now=now)
    if issue.answered_at is not None:
        return [look]
    try:
        script = _script(bench, job, issue, job.script_id or "", expiry(job.delivered_at or now))
        found = applied(script, report)
    except (CardRefused, ValueError) as error:
        found = Applied(Verdict(kind=Kind.UNKNOWN, failure=Failure.REPORT_FAILED, detail=str(error)), b"", None)
    if found.verdict.kind is Kind.UNKNOWN:
        kept = {"answered_at": now, "answer": found.answer or None, "sw": found.sw}
        await issues.change_issue(session, issue, due_at=now, tries=0, **kept)
        if job.state == WriteJobState.WRITING:
            await move_job(session, job, WriteJobEvent.DELIVER_VERIFY, now=now)
    elif job.state == WriteJobState.WRITING:
        await _end(session, job, replace(issue, answered_at=now, sw=found.sw), found.verdict, now=now)
    return [look]


async def seen(
    session: AsyncSession, station: StationRow, card: Card, facts: CardFacts, *, now: datetime
) -> Job | None:
    """Take what a look read of a card whose job waits for a word, and give that job as it was, or None.

    A station's reports come before its looks. A card that lies at its own station again without one has no answer left:
    the operator's system is told so. At another station such a card stays unknown, for the first may still speak.
    """
    job = await cardjobs.open_job_of(session, city_id=card.city_id, sim_item_no=card.item_no)
    if job is None:
        return None
    await _take_reading(session, station, job, facts, now=now)
    return job


async def _take_reading(
    session: AsyncSession, station: StationRow, job: Job, facts: CardFacts, *, now: datetime
) -> None:
    issue = await _issue(session, job)
    read = _number_on(facts)
    if job.station_id == station.station_id and job.write_until is not None:
        await cardjobs.change_job(session, job, write_until=None)
        job = replace(job, write_until=None)
    if issue.answered_at is None and facts.blank and not read:
        if job.write_until is None or now >= job.write_until:
            await _end(session, job, replace(issue, answered_at=now), Verdict(kind=Kind.NOTHING_WRITTEN), now=now)
        return
    changes: dict[str, Any] = {"read_iccid": read}
    if issue.answered_at is None and job.station_id == station.station_id:
        changes |= {"answered_at": now, "due_at": now}
    elif issue.answered_at is not None and issue.accepted is None and job.state == WriteJobState.UNKNOWN:
        changes["due_at"] = now
    await issues.change_issue(session, issue, **changes)
    if issue.accepted is not None:
        await conclude(session, job, replace(issue, read_iccid=read), now=now)


async def conclude(session: AsyncSession, job: Job, issue: IssueRow, *, now: datetime) -> None:
    """End the job by the operator's word and what was read of the card, or leave the card unknown until both agree."""
    if job.state not in {WriteJobState.VERIFYING, WriteJobState.UNKNOWN}:
        return
    said = Applied(Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN), issue.answer or b"", issue.sw)
    verdict = settled(said, accepted=issue.accepted)
    if issue.accepted is None:
        verdict = replace(verdict, failure=Failure.OPERATOR_SILENT)
    await _end(session, job, issue, read_back(verdict, iccid=issue.iccid or "", read=issue.read_iccid), now=now)


async def _end(session: AsyncSession, job: Job, issue: IssueRow, verdict: Verdict, *, now: datetime) -> None:
    """End the job; the system is still told of a card that it was not told of, and the data are forgotten."""
    if verdict.kind is not Kind.UNKNOWN:
        untold = {"due_at": now} if issue.accepted is None else {}
        await issues.change_issue(
            session, issue, parts=None, answered_at=issue.answered_at, sw=issue.sw, tries=0, **untold
        )
    await end_job(session, job, verdict, by_reading=job.state != WriteJobState.WRITING, now=now)
    if verdict.kind is Kind.VERIFIED and issue.imsi is not None:
        # The operator's system made this identity: its network knows of it from there.
        await auc.set_auc(session, [issue.imsi], AucState.SENT, city_id=job.city_id)


def _script(bench: Workbench, job: Job, issue: IssueRow, script_id: str, expires_at: int) -> Script:
    if job.facts is None or issue.parts is None:
        raise StaleVersion(item=job_name(job))
    row = place_of_parts(issue.city_id, issue.job_id)
    try:
        plain = bench.vault.open(issue.parts, table=ISSUE_TABLE, row=row, field=PARTS_FIELD)
    except EnvelopeBroken as error:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"the issue data do not open: {error}") from None
    parts = [bytes.fromhex(part) for part in json.loads(plain.reveal())]
    return apply_script(facts_of(job.facts), parts, script_id, expires_at)


def _number_on(facts: CardFacts) -> str:
    """Give the ICCID on a card, as it is kept in stock; empty where it bears none, as it stands where it is torn."""
    try:
        return parse_iccid(facts.iccid).iccid if facts.iccid else ""
    except InvalidIdentifier:
        return facts.iccid


async def _issue(session: AsyncSession, job: Job) -> IssueRow:
    issue = await issues.find_issue(session, city_id=job.city_id, job_id=job.job_id)
    if issue is None:
        raise StaleVersion(item=job_name(job))
    return issue

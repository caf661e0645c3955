"""Call an operator's card-data system about one card after the other, outside any transaction; keep what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import Failure, Kind, Verdict
from inventory.domain.cardjobs import FAILING_AFTER, rest_before
from inventory.domain.lifecycle import WriteJobState
from inventory.operator.adapter import (
    CardSaid,
    Issue,
    IssueWish,
    OperatorAdapter,
    OperatorBroken,
    OperatorError,
    OperatorRefused,
    Receipt,
)
from inventory.services.card_ends import job_name, refuse_job, tell
from inventory.services.issuing import conclude, seal_parts
from inventory.store import cardjobs, issues
from inventory.store.cardjobs import Job
from inventory.store.events import EventDraft, record
from inventory.store.issues import IssueRow
from inventory.vault.envelope import Vault

LEASE: Final = timedelta(seconds=60)
"""So long nobody else calls about a card that one process calls about: longer than any call with all its attempts."""

_WORKER: Final = {"staff_no": "system", "interface_no": "system"}

_log = structlog.get_logger(__name__)


async def call_next(
    session: AsyncSession, adapter: OperatorAdapter | None, *, vault: Vault, clock: Callable[[], datetime]
) -> bool:
    """Make the one call that is due first and keep what came of it; False if none is due.

    Without an adapter every card is refused by name: no operator's system was set.
    """
    async with session.begin():
        issue = await issues.claim_due(session, now=clock(), lease=LEASE)
    if issue is None:
        return False
    said = await _call(adapter, issue)
    now = clock()
    async with session.begin():
        job = await cardjobs.find_job(session, city_id=issue.city_id, job_id=issue.job_id, lock=True)
        fresh = await issues.find_issue(session, city_id=issue.city_id, job_id=issue.job_id)
        if job is not None and fresh is not None:
            await _keep(session, job, fresh, said, vault=vault, now=now)
    return True


async def _call(adapter: OperatorAdapter | None, issue: IssueRow) -> Issue | Receipt | OperatorError:
    """Make the call and give what came of it; an operator's own adapter that breaks breaks one card's call."""
    if adapter is None:
        return OperatorRefused("no operator's system is set: HAOKA_OPERATOR_URL")
    try:
        return await (adapter.request(_wish(issue)) if issue.transaction is None else adapter.report(_said(issue)))
    except OperatorError as error:
        _log.warning("operator_call_failed", job=issue.job_id, error=type(error).__name__, why=str(error))
        return error
    except Exception as error:  # noqa: BLE001 - its text may quote what passed: only its name is kept
        _log.error("operator_adapter_failed", job=issue.job_id, error=type(error).__name__)
        return OperatorBroken(f"the adapter failed ({type(error).__name__})")


async def _keep(
    session: AsyncSession,
    job: Job,
    issue: IssueRow,
    said: Issue | Receipt | OperatorError,
    *,
    vault: Vault,
    now: datetime,
) -> None:
    match said:
        case Issue():
            await _given(session, job, issue, said, vault=vault, now=now)
        case Receipt():
            told = {"due_at": None, "accepted": said.accepted, "reason": said.reason}
            await issues.change_issue(session, issue, **told)
            if issue.tries >= FAILING_AFTER:
                await _tell_standing(session, job, issue, "operator.calls_mended", issue.tries, now=now)
            known = await issues.find_issue(session, city_id=job.city_id, job_id=job.job_id)
            await conclude(session, job, known or issue, now=now)
        case _ if issue.transaction is None:
            if isinstance(said, OperatorRefused):  # asked again it would say the same
                await issues.change_issue(session, issue, accepted=False)
            if job.state == WriteJobState.IDENTIFYING:
                await refuse_job(session, job, _not_given(said), now=now)
        case _:
            tries = issue.tries + 1
            again = {"tries": tries, "due_at": now + rest_before(tries), "reason": str(said)}
            await issues.change_issue(session, issue, **again)
            if tries == FAILING_AFTER:
                await _tell_standing(session, job, issue, "operator.calls_failing", tries, now=now, why=str(said))
            await conclude(session, job, issue, now=now)


async def _tell_standing(
    session: AsyncSession, job: Job, issue: IssueRow, name: str, tries: int, *, now: datetime, why: str | None = None
) -> None:
    """Tell once that the system does not take a card's answer, and once that it took it after all."""
    data = {"job": job_name(job), "transaction": issue.transaction, "tries": tries}
    event = EventDraft(name=name, kind="sim", item_no=issue.sim_item_no, reason=why, data=data)
    await record(session, [event], city_id=job.city_id, now=now, **_WORKER)


async def _given(session: AsyncSession, job: Job, issue: IssueRow, said: Issue, *, vault: Vault, now: datetime) -> None:
    """Keep the data for the station's link to hand out; a job that has ended meanwhile leaves its request unused."""
    if job.state != WriteJobState.IDENTIFYING:
        return
    await issues.change_issue(
        session,
        issue,
        due_at=None,
        transaction=said.transaction,
        iccid=said.iccid,
        imsi=said.imsi,
        parts=seal_parts(vault, issue, said.parts),
    )
    await tell(session, job, [], now=now)


def _not_given(error: OperatorError) -> Verdict:
    refused = isinstance(error, OperatorRefused)
    failure = Failure.OPERATOR_REFUSED if refused else Failure.OPERATOR_SILENT
    return Verdict(kind=Kind.NOTHING_WRITTEN, failure=failure, detail=str(error))


def _wish(issue: IssueRow) -> IssueWish:
    return IssueWish(request=issue.request, serial=issue.serial, product=issue.product, number=issue.number)


def _said(issue: IssueRow) -> CardSaid:
    return CardSaid(transaction=issue.transaction or "", serial=issue.serial, answer=issue.answer, sw=issue.sw)

"""What passes between us and an operator's card-data system, a row for each write job of such a card."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import DATA_LIFECYCLE, DataEvent
from inventory.store import stock
from inventory.store.schema import CardIssue, Identifier, SubscriptionData


@dataclass(frozen=True)
class IssueRow:
    """An issue as it is now; see `CardIssue` for the meaning of each field."""

    city_id: int
    job_id: int
    sim_item_no: int
    request: str
    serial: str
    product: str
    number: str
    hlr_code: str
    due_at: datetime | None
    tries: int
    transaction: str | None
    iccid: str | None
    imsi: str | None
    parts: bytes | None = field(repr=False)
    answered_at: datetime | None
    answer: bytes | None = field(repr=False)
    sw: int | None
    read_iccid: str | None
    accepted: bool | None


@dataclass(frozen=True)
class FailingCall:
    """A card whose answer the operator's system has not taken: since when it should, how often it was told, and why."""

    number: str
    serial: str
    iccid: str | None
    transaction: str | None
    since: datetime
    tries: int
    due_at: datetime
    why: str | None


@dataclass(frozen=True)
class CallCount:
    """Calls of all cities that wait to be made, those of them that have failed, and since when the oldest of these."""

    waiting: int
    failing: int
    since: datetime | None


_COLUMNS = tuple(getattr(CardIssue, column.name) for column in fields(IssueRow))


async def find_issue(session: AsyncSession, *, city_id: int, job_id: int) -> IssueRow | None:
    """Return the issue of a write job, or None."""
    row = (
        await session.execute(select(*_COLUMNS).where(CardIssue.city_id == city_id, CardIssue.job_id == job_id))
    ).one_or_none()
    return None if row is None else IssueRow(*row)


async def unused_request(session: AsyncSession, *, city_id: int, sim_item_no: int, number: str) -> str | None:
    """Return the name of a request for this card and number whose data, if there were any, never went to the card."""
    query = (
        select(CardIssue.request)
        .where(
            CardIssue.city_id == city_id,
            CardIssue.sim_item_no == sim_item_no,
            CardIssue.number == number,
            CardIssue.answered_at.is_(None),
            CardIssue.accepted.is_(None),
        )
        .order_by(CardIssue.job_id.desc())
        .limit(1)
    )
    return await session.scalar(query)


async def add_issue(session: AsyncSession, **values: Any) -> None:
    """Enter what is to be asked for a write job."""
    await session.execute(insert(CardIssue).values(**values))


async def change_issue(session: AsyncSession, issue: IssueRow, **values: Any) -> None:
    """Set columns of an issue; its job is locked."""
    here = (CardIssue.city_id == issue.city_id, CardIssue.job_id == issue.job_id)
    await session.execute(update(CardIssue).where(*here).values(**values))


async def drop_issue(session: AsyncSession, *, city_id: int, job_id: int) -> None:
    """Ask no more for a write job that has ended before its card was sent anything, and forget what came for it."""
    here = (CardIssue.city_id == city_id, CardIssue.job_id == job_id)
    await session.execute(update(CardIssue).where(*here).values(due_at=None, parts=None))


async def is_called(session: AsyncSession, *, city_id: int, job_id: int) -> bool:
    """Whether the operator's system is being called about the card of a job, or is to be."""
    here = (CardIssue.city_id == city_id, CardIssue.job_id == job_id, CardIssue.due_at.is_not(None))
    return bool(await session.scalar(select(exists().where(*here))))


async def claim_due(session: AsyncSession, *, now: datetime, lease: timedelta) -> IssueRow | None:
    """Return an issue about which the system is to be called, or None; nobody else calls about it during the lease.

    What was not tried yet goes first: a customer stands there, and what failed often may take a whole deadline again.

    Whoever claims it and dies leaves it to the next one, who asks the same under the same name.
    """
    due = (
        select(CardIssue.city_id, CardIssue.job_id)
        .where(CardIssue.due_at <= now)
        .order_by(CardIssue.tries, CardIssue.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(CardIssue)
        .where(tuple_(CardIssue.city_id, CardIssue.job_id).in_(due))
        .values(due_at=now + lease)
        .returning(*_COLUMNS)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else IssueRow(*row)


_FAILING = (CardIssue.due_at.is_not(None), CardIssue.tries > 0)


async def failing_calls(session: AsyncSession, *, city_id: int, limit: int) -> list[FailingCall]:
    """Return the calls of a city that have failed and are made again, the oldest first."""
    columns: tuple[Any, ...] = (
        CardIssue.number, CardIssue.serial, CardIssue.iccid, CardIssue.transaction,
        func.coalesce(CardIssue.answered_at, CardIssue.asked_at).label("since"),
        CardIssue.tries, CardIssue.due_at, CardIssue.reason,
    )  # fmt: skip
    query = select(*columns).where(CardIssue.city_id == city_id, *_FAILING).order_by("since").limit(limit)
    return [FailingCall(*row) for row in await session.execute(query)]


async def count_calls(session: AsyncSession, *, city_id: int | None = None) -> CallCount:
    """Count the calls that wait, of a city or of all."""
    oldest = func.min(func.coalesce(CardIssue.answered_at, CardIssue.asked_at)).filter(*_FAILING)
    query = select(func.count(), func.count().filter(*_FAILING), oldest).where(CardIssue.due_at.is_not(None))
    if city_id is not None:
        query = query.where(CardIssue.city_id == city_id)
    return CallCount(*(await session.execute(query)).one())


async def enter_fetched(session: AsyncSession, issue: IssueRow, *, hold_id: int, now: datetime) -> int | None:
    """Register an issue's IMSI and ICCID and enter them as a unit that goes to its card; return the unit's number.

    None: one of them exists already, in any city. Units like this are numbered downwards from -1: a load that numbers
    its own may take minutes, and no customer waits for it.
    """
    names = [{"kind": kind, "value": getattr(issue, kind), "city_id": issue.city_id} for kind in ("imsi", "iccid")]
    enter = upsert(Identifier).values(names).on_conflict_do_nothing().returning(Identifier.kind, Identifier.value)
    entered = [tuple(row) for row in await session.execute(enter)]
    if len(entered) < len(names):
        await session.execute(delete(Identifier).where(tuple_(Identifier.kind, Identifier.value).in_(entered)))
        return None
    await stock.lock_for_transaction(session, f"fetched_data_no/{issue.city_id}")
    lowest = await session.scalar(
        select(func.min(SubscriptionData.data_no)).where(SubscriptionData.city_id == issue.city_id)
    )
    data_no = min(lowest or 0, 0) - 1
    await session.execute(
        insert(SubscriptionData).values(
            city_id=issue.city_id,
            data_no=data_no,
            hlr_code=issue.hlr_code,
            imsi=issue.imsi,
            iccid=issue.iccid,
            state=DATA_LIFECYCLE.enter(DataEvent.FETCH),
            version=1,
            hold_id=hold_id,
            sim_item_no=issue.sim_item_no,
            updated_at=now,
        )
    )
    return data_no

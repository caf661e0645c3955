"""Ask for a second person's word, give it or refuse it, and do what was granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import PERMISSIONS, Permission
from inventory.domain.approvals import Demand
from inventory.domain.errors import (
    ApprovalNeeded,
    DomainError,
    InvalidField,
    NotFound,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
    SamePerson,
)
from inventory.domain.identifiers import format_public_id
from inventory.domain.lifecycle import ApprovalEvent, ApprovalState
from inventory.services.acting import acting
from inventory.services.acts import act_named
from inventory.services.approval import approval_name, find_approval, move_approval
from inventory.services.once import Answer, WriteKey, once
from inventory.store import approvals, organisation
from inventory.store.approvals import ApprovalRow
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.vault.envelope import Vault


@dataclass(frozen=True)
class Question:
    """What is asked for: the name of the act and its wish, ready for JSON, as the act itself would be sent."""

    act: str
    wish: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class ApprovalView:
    """An approval as a person sees it: `state` at this moment, `mine` if it asked itself, `may_answer` if it may."""

    name: str
    row: ApprovalRow
    place: Node
    state: ApprovalState
    mine: bool
    may_answer: bool


async def ask(
    session: AsyncSession, caller: Caller, write: WriteKey, question: Question, *, lasts: timedelta, now: datetime
) -> Answer:
    """Try the act, undo it, and keep what it lacks: a second person's word; answer with the approval.

    What could not be done anyway is refused now as the act would refuse it.

    Raises
    ------
    InvalidField
        One person may do it alone.
    NotFound
        There is no such act.
    PermissionDenied
        The caller may not do it.
    """

    async def work() -> dict[str, Any]:
        demand = await _demand(session, caller, question, now=now)
        expires_at = now + lasts
        approval_id = await approvals.add(
            session, demand, city_id=caller.city_id, asked_by=caller.staff_no, now=now, expires_at=expires_at
        )
        draft = EventDraft(
            name="approval.asked",
            kind="approval",
            item_no=approval_id,
            to_state=ApprovalState.ASKED,
            reason=demand.summary.get("reason"),
            data={"act": demand.act, "sha256": demand.sha256.hex(), **demand.summary},
        )
        await record(session, [draft], **acting(caller, now))
        return {
            "approval": format_public_id("a", caller.city_id, approval_id),
            "act": demand.act,
            "state": ApprovalState.ASKED,
            "permission": demand.permission,
            "summary": dict(demand.summary),
            "expires_at": expires_at.isoformat(),
        }

    return await once(session, caller, write, work, now=now)


async def _demand(session: AsyncSession, caller: Caller, question: Question, *, now: datetime) -> Demand:
    """Return what the act lacks."""
    act = act_named(question.act)
    if not caller.may(act.permission):
        raise PermissionDenied(permission=act.permission.value)
    try:
        async with session.begin_nested():
            await act.perform(session, caller, {**question.wish, "approval": None}, now=now)
    except ApprovalNeeded as needed:
        if needed.demand is not None:
            return needed.demand
        raise
    raise InvalidField(field="act", value=question.act, reason="it needs no second person; do it at once")


async def grant(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    *,
    approval: str,
    reason: str | None = None,
    now: datetime,
) -> Answer:
    """Give the word of a second person: the one who asked may now do exactly what was asked for, once.

    Raises
    ------
    IllegalTransition
        It has been answered, withdrawn, or is over.
    NotFound
        The city has no such approval.
    NotOtherSide
        A dispute is settled by its two sides, and the caller stands for the one that asked.
    OutsideScope
        The stock in question is not in the caller's part.
    PermissionDenied
        The caller may not do such an act either.
    SamePerson
        The caller asked itself.
    """
    return await _answer(session, caller, write, approval, ApprovalEvent.GRANT, reason, now=now)


async def refuse(
    session: AsyncSession, caller: Caller, write: WriteKey, *, approval: str, reason: str | None, now: datetime
) -> Answer:
    """Refuse, with a reason.

    Raises
    ------
    IllegalTransition, NotFound, NotOtherSide, OutsideScope, PermissionDenied, SamePerson
        As `grant`.
    ReasonMissing
        There is none.
    """
    if not (reason or "").strip():
        raise ReasonMissing
    return await _answer(session, caller, write, approval, ApprovalEvent.REFUSE, reason, now=now)


async def _answer(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    public_id: str,
    event: ApprovalEvent,
    reason: str | None,
    *,
    now: datetime,
) -> Answer:
    async def work() -> dict[str, Any]:
        row = await find_approval(session, caller, public_id, lock=True)
        await _require_second(session, caller, row)
        said = {"answered_by": caller.staff_no, "answered_at": now, "answer_reason": reason}
        state = await move_approval(session, caller, row, event, now=now, reason=reason, **said)
        return {"approval": public_id, "state": state, "answered_by": caller.staff_no}

    return await once(session, caller, write, work, now=now)


async def _require_second(session: AsyncSession, caller: Caller, row: ApprovalRow) -> None:
    """Let pass who may answer the approval; raise as `grant` otherwise."""
    if row.asked_by == caller.staff_no:
        raise SamePerson
    if not caller.may(Permission(row.permission)):
        raise PermissionDenied(permission=row.permission)
    if row.place_id not in caller.scope:
        raise OutsideScope(what=approval_name(caller, row))
    await act_named(row.act).require_second(session, caller, row)


async def _may_answer(session: AsyncSession, caller: Caller, row: ApprovalRow) -> bool:
    try:
        await _require_second(session, caller, row)
    except DomainError:
        return False
    return True


async def withdraw(session: AsyncSession, caller: Caller, write: WriteKey, *, approval: str, now: datetime) -> Answer:
    """Take back what the caller itself asked for and has not used.

    Raises
    ------
    IllegalTransition
        It was refused, is used or over.
    NotFound
        The caller has asked for no such approval.
    """

    async def work() -> dict[str, Any]:
        row = await _own(session, caller, approval)
        state = await move_approval(session, caller, row, ApprovalEvent.WITHDRAW, now=now)
        return {"approval": approval, "state": state, "answered_by": row.answered_by}

    return await once(session, caller, write, work, now=now)


async def carry_out(
    session: AsyncSession, caller: Caller, write: WriteKey, *, approval: str, vault: Vault, now: datetime
) -> Answer:
    """Do what was asked for and granted, exactly as it was asked for; answer as the act does.

    Raises
    ------
    DomainError
        Whatever the act refuses, such as `ApprovalNotGranted` or `ApprovalDiffers`.
    NotFound
        The caller has asked for no such approval.
    """

    async def work() -> dict[str, Any]:
        row = await _own(session, caller, approval)
        act = act_named(row.act)
        if not caller.may(act.permission):
            raise PermissionDenied(permission=act.permission.value)
        wish = await approvals.wish_of(session, city_id=caller.city_id, approval_id=row.approval_id)
        done = await act.perform(session, caller, {**wish, "approval": approval}, now=now)
        await act.verify(session, caller, done, vault=vault)
        return done

    return await once(session, caller, write, work, now=now)


async def _own(session: AsyncSession, caller: Caller, public_id: str) -> ApprovalRow:
    """Return and lock what the caller asked for."""
    row = await find_approval(session, caller, public_id, lock=True)
    if row.asked_by != caller.staff_no:
        raise NotFound(what="approval", value=public_id)
    return row


async def read_approval(session: AsyncSession, caller: Caller, *, approval: str, now: datetime) -> ApprovalView:
    """Return an approval that the caller asked for, or whose stock lies in its part.

    Raises
    ------
    NotFound
        There is none that the caller may see.
    """
    async with session.begin():
        row = await find_approval(session, caller, approval)
        if row.asked_by != caller.staff_no and row.place_id not in caller.scope:
            raise NotFound(what="approval", value=approval)
        (view,) = await _views(session, caller, [row], now=now)
    return view


async def read_approvals(
    session: AsyncSession, caller: Caller, *, most: int | None = approvals.MOST_LISTED, now: datetime
) -> tuple[list[ApprovalView], list[ApprovalView]]:
    """Return what waits for the caller's word, the oldest first, and what it asked for itself, the newest first.

    `most` None is all.
    """
    async with session.begin():
        waiting = await approvals.waiting(
            session,
            city_id=caller.city_id,
            places=caller.scope,
            permissions=sorted(PERMISSIONS[caller.role]),
            not_by=caller.staff_no,
            now=now,
            limit=most,
        )
        asked = await approvals.asked_by(session, city_id=caller.city_id, staff_no=caller.staff_no, limit=most)
        return (
            [view for view in await _views(session, caller, waiting, now=now) if view.may_answer],
            await _views(session, caller, asked, now=now),
        )


async def _views(
    session: AsyncSession, caller: Caller, rows: list[ApprovalRow], *, now: datetime
) -> list[ApprovalView]:
    places = await organisation.by_ids(session, {row.place_id for row in rows})
    return [
        ApprovalView(
            name=approval_name(caller, row),
            row=row,
            place=places[row.place_id],
            state=row.state_at(now),
            mine=row.asked_by == caller.staff_no,
            may_answer=row.state_at(now) is ApprovalState.ASKED and await _may_answer(session, caller, row),
        )
        for row in rows
    ]

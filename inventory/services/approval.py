"""Acts for two persons: the act says what it needs a second one for, and uses that one's word once.

Asking and answering is `inventory.services.approving`; why the word binds to a digest is told in
docs/adr/0018-an-approval-binds-to-what-was-read.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.approvals import Demand
from inventory.domain.errors import ApprovalDiffers, ApprovalNeeded, ApprovalNotGranted, NotFound, StaleVersion
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.lifecycle import APPROVAL_LIFECYCLE, ApprovalEvent, ApprovalState
from inventory.services.acting import acting
from inventory.store import approvals, interfaces
from inventory.store.approvals import ApprovalRow
from inventory.store.events import EventDraft, record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


async def require_second_person(
    session: AsyncSession, caller: Caller, approval: str | None, demand: Demand, *, now: datetime
) -> str:
    """Use up the approval for the demand and return the staff id of the second person.

    Call it in the transaction of the act, when all else has been found right: a refusal leaves the approval unused.

    Raises
    ------
    ApprovalNeeded
        None is named; the refusal carries the demand, which `approving.ask` records.
    ApprovalDiffers
        It was granted for another wish, or what the act would do with the same wish has changed since.
    ApprovalNotGranted
        It waits for its answer, was refused or withdrawn, is used or over, or who granted it is no longer there.
    NotFound
        The caller has asked for no such approval.
    """
    if approval is None:
        raise ApprovalNeeded(demand, act=demand.act, permission=demand.permission)
    row = await find_approval(session, caller, approval, lock=True)
    if row.asked_by != caller.staff_no:
        raise NotFound(what="approval", value=approval)
    state = row.state_at(now)
    if state is not ApprovalState.GRANTED or row.answered_by is None:
        raise ApprovalNotGranted(approval=approval, state=state)
    if await interfaces.is_closed(session, row.answered_by):  # while it was granting
        raise ApprovalNotGranted(approval=approval, state=ApprovalState.EXPIRED)
    if row.sha256 != demand.sha256:
        raise ApprovalDiffers(approval=approval)
    await move_approval(session, caller, row, ApprovalEvent.USE, now=now, used_at=now)
    return row.answered_by


def without_approval(wish: DataclassInstance) -> Mapping[str, Any]:
    """Give a wish as the demand keeps it: all of it but the approval that was asked for because of it."""
    return {name: value for name, value in asdict(wish).items() if name != "approval"}


async def find_approval(session: AsyncSession, caller: Caller, public_id: str, *, lock: bool = False) -> ApprovalRow:
    """Return an approval of the caller's city; whether it is the caller's to see is not asked here.

    Raises
    ------
    InvalidIdentifier
        The id is not an approval's.
    NotFound
        The city has none of that id.
    """
    wanted = parse_public_id(public_id, "a", field="approval")
    row = None
    if wanted.city_id == caller.city_id:
        row = await approvals.find(session, city_id=caller.city_id, approval_id=wanted.serial, lock=lock)
    if row is None:
        raise NotFound(what="approval", value=public_id)
    return row


async def move_approval(
    session: AsyncSession,
    caller: Caller,
    row: ApprovalRow,
    event: ApprovalEvent,
    *,
    now: datetime,
    reason: str | None = None,
    **also: Any,
) -> ApprovalState:
    """Move an approval by its life cycle, with the columns in `also`, and tell of it; return its new state.

    Raises
    ------
    IllegalTransition, StaleVersion
        It has been answered, used, or is over.
    """
    state = APPROVAL_LIFECYCLE.advance(row.state_at(now), event)
    if not await approvals.move(session, row, state, city_id=caller.city_id, **also):
        raise StaleVersion(item=approval_name(caller, row))
    draft = EventDraft(
        name=f"approval.{state.lower()}",
        kind="approval",
        item_no=row.approval_id,
        from_state=row.state,
        to_state=state,
        reason=reason,
        data={"act": row.act, "asked_by": row.asked_by},
    )
    await record(session, [draft], **acting(caller, now))
    return state


async def end_approvals_of(session: AsyncSession, caller: Caller, staff_no: str, *, now: datetime) -> None:
    """End what a staff id that is being closed asked for or granted and nobody has used, with an event each."""
    for row in await approvals.open_of(session, city_id=caller.city_id, staff_no=staff_no, now=now):
        await move_approval(session, caller, row, ApprovalEvent.EXPIRE, now=now)


def approval_name(caller: Caller, row: ApprovalRow) -> str:
    """Give the public id of an approval, such as `a-530700-12`."""
    return format_public_id("a", caller.city_id, row.approval_id)

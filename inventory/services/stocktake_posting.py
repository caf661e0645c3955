"""Posting a stocktake: the book follows what was found, with ledger lines and a second person where cards are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.boxes import as_ranges
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import ResourceKind, kind_named
from inventory.domain.lifecycle import STOCKTAKE_LIFECYCLE, SimEvent, SimState, StocktakeEvent, StocktakeState
from inventory.domain.organisation import in_subtree
from inventory.domain.stocktakes import Finding
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.custody import Ends, write_document
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stocktakes import as_dict, find_stocktake, stocktake_name
from inventory.store import custody, ends, movements, organisation, recall_orders
from inventory.store import stocktakes as store
from inventory.store.custody import MovedRange
from inventory.store.ends import StateMove
from inventory.store.events import EventDraft, record
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByItems, ByName
from inventory.store.stocktakes import FindingRow, StocktakeRow

POST_STOCKTAKE = "post_stocktake"
"""Name of the act, where it needs an approval."""
MOST_NAMED = 100
"""A second person reads the names of so many missing items, and how many more there are."""


@dataclass(frozen=True, kw_only=True)
class PostWish:
    """A closed stocktake to post; `approval` is the id of the second person's word, where cards are missing."""

    stocktake: str
    approval: str | None = None


@dataclass(frozen=True)
class _Posting:
    """A stocktake under posting."""

    row: StocktakeRow
    kind: ResourceKind
    place: Node
    reason: str


async def post_stocktake(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: PostWish, *, now: datetime
) -> Answer:
    """Set the book right by a closed stocktake; answer with it, the documents written and what is still to be settled.

    What lies here and belongs to another place of the caller's part is moved here by a document; what is broken becomes
    damaged; what is missing becomes lost, which takes a second person. What has moved since the count is left alone,
    and so is what belongs to others: they settle it with the caller.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        Cards are missing, and a second person's word with them.
    IllegalTransition
        The stocktake is still open, or over.
    NotFound
        The caller's part has no such stocktake.
    """

    async def work() -> dict[str, Any]:
        return await perform_post(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_post(session: AsyncSession, caller: Caller, wish: PostWish, *, now: datetime) -> dict[str, Any]:
    """Do in the open transaction what `post_stocktake` does in one of its own, and answer and raise as it."""
    row, place = await find_stocktake(session, caller, wish.stocktake, lock=True)
    state = STOCKTAKE_LIFECYCLE.advance(StocktakeState(row.state), StocktakeEvent.POST)
    posting = _Posting(row, kind_named(row.resource), place, f"stocktake {stocktake_name(row)}")
    findings = await store.findings_of(session, row)
    documents = await _move_here(session, caller, posting, findings, now=now)
    spoiled = await _mark_damaged(session, caller, posting, findings, now=now)
    approver = None
    missing = [finding.name for finding in findings if finding.code == Finding.MISSING]
    if missing:
        demand = _demand(posting, wish, missing)
        approver = await require_second_person(session, caller, wish.approval, demand, now=now)
    documents += await _lose(session, caller, posting, findings, approver, now=now)
    done = await store.move(session, row, state=state, ended_by=caller.staff_no, ended_at=now, approver=approver)
    after = await store.findings_of(session, row)
    lost = sum(finding.settled and finding.code == Finding.MISSING for finding in after)
    unsettled = sum(not finding.settled for finding in after)
    told = {"documents": documents, "lost": lost, "spoiled": spoiled, "unsettled": unsettled, "approver": approver}
    event = EventDraft(
        name=f"{posting.kind.events}.count_posted",
        kind="stocktake",
        item_no=row.stocktake_id,
        from_state=row.state,
        to_state=state,
        data=told,
    )
    await record(session, [event], **acting(caller, now))
    return as_dict(done, place, await store.count_scans(session, row)) | told


def _demand(posting: _Posting, wish: PostWish, missing: Sequence[str]) -> Demand:
    """Give what a second person is asked for; the differences of a closed stocktake never change."""
    return Demand(
        act=POST_STOCKTAKE,
        permission=Permission.POST_COUNT,
        place=posting.place.id,
        wish=without_approval(wish),
        summary={
            "resource": posting.kind.name,
            "count": len(missing),
            "items": list(missing[:MOST_NAMED]),
            "to_state": SimState.LOST,
            "stocktake": wish.stocktake,
            "counted_by": posting.row.counted_by,
        },
    )


async def _move_here(
    session: AsyncSession, caller: Caller, posting: _Posting, findings: Sequence[FindingRow], *, now: datetime
) -> list[str]:
    """Move what lies here and is another's by the book, a document for each holder; return their ids.

    Nothing comes to a place that is closed, such as a leaver's account: that is left to be settled.
    """
    documents: list[str] = []
    if not posting.place.active:
        return documents
    for holder, of_holder in _by_holder(findings, Finding.NOT_HOLDER):
        if holder not in caller.scope:
            continue
        giver = await organisation.by_id(session, holder)
        moved = await custody.hand_over(
            session,
            posting.kind,
            ByName(tuple(finding.name for finding in of_holder)),
            city_id=caller.city_id,
            giver=holder,
            receiver=posting.place.id,
            states=posting.kind.movable_up,
            owed_too=True,
            legal_too=True,
            now=now,
        )
        if giver is None or not moved:
            continue
        movement, happened = _movement(giver, posting.place)
        draft = MovementDraft(
            kind=movement,
            resource=posting.kind.name,
            from_holder=holder,
            to_holder=posting.place.id,
            receiver=posting.row.counted_by,
            reason=posting.reason,
        )
        ranges = [LedgerRange(run.lo, run.hi) for run in moved]
        ends = Ends(giver, posting.place)
        document = await write_document(
            session, caller, draft, ranges, ends, happened=happened, way=None, now=now,
            told={"stocktake": stocktake_name(posting.row)},
        )  # fmt: skip
        documents.append(str(document["id"]))
        await _settle(session, posting, of_holder, moved, document=documents[-1])
    await recall_orders.arrive(session, posting.kind, city_id=caller.city_id, holder_id=posting.place.id)
    return documents


def _movement(giver: Node, place: Node) -> tuple[str, str]:
    """Give the kind of document, and its event, that brings an item from its holder by the book to where it lies."""
    if in_subtree(place.path, giver.path):
        return movements.RECALL, "recalled"
    if in_subtree(giver.path, place.path):
        return movements.ISSUE, "issued"
    return movements.TRANSFER, "transferred"


async def _lose(
    session: AsyncSession,
    caller: Caller,
    posting: _Posting,
    findings: Sequence[FindingRow],
    approver: str | None,
    *,
    now: datetime,
) -> list[str]:
    """Give up what is missing and still as it was found, a document for each holder; return their ids."""
    documents = []
    for holder, of_holder in _by_holder(findings, Finding.MISSING):
        moved = await _change(session, caller, posting, of_holder, holder, SimEvent.LOSE, "posted", now=now)
        node = await organisation.by_id(session, holder)
        if node is None or not moved:
            continue
        draft = MovementDraft(
            kind=movements.LOSS,
            resource=posting.kind.name,
            from_holder=holder,
            to_holder=holder,
            receiver=approver,
            returner=posting.row.counted_by,
            reason=posting.reason,
        )
        states = {state: sum(run.count for run in runs) for state, runs in moved.items()}
        told = {"stocktake": stocktake_name(posting.row), "states": states, "approver": approver}
        document = await write_document(
            session, caller, draft, ends.as_ledger(moved), Ends(node, node), happened="lost", way=None, now=now,
            told=told,
        )  # fmt: skip
        documents.append(str(document["id"]))
        runs = [run for runs in moved.values() for run in runs]
        await _settle(session, posting, of_holder, runs, document=documents[-1])
    return documents


async def _mark_damaged(
    session: AsyncSession, caller: Caller, posting: _Posting, findings: Sequence[FindingRow], *, now: datetime
) -> int:
    """Set damaged what was scanned as broken and is still as it was found; return how many that is."""
    count = 0
    for holder, of_holder in _by_holder(findings, Finding.DAMAGED_FOUND):
        moved = await _change(session, caller, posting, of_holder, holder, SimEvent.FOUND_DAMAGED, "damaged", now=now)
        runs = [run for runs in moved.values() for run in runs]
        await _settle(session, posting, of_holder, runs)
        count += sum(run.count for run in runs)
    return count


def _by_holder(findings: Sequence[FindingRow], code: Finding) -> list[tuple[int, list[FindingRow]]]:
    """Gather the findings of a sort by their holders."""
    by_holder: dict[int, list[FindingRow]] = {}
    for finding in findings:
        if finding.code == code and finding.holder_id is not None:
            by_holder.setdefault(finding.holder_id, []).append(finding)
    return sorted(by_holder.items())


async def _change(
    session: AsyncSession,
    caller: Caller,
    posting: _Posting,
    findings: Sequence[FindingRow],
    holder: int,
    event: SimEvent,
    happened: str,
    *,
    now: datetime,
) -> Mapping[str, list[MovedRange]]:
    """Move the state of the holder's items as the event says, where the life cycle has it; return them by old state."""
    targets = {state: target for (state, known), target in posting.kind.lifecycle.table.items() if known is event}
    move = StateMove(
        name=f"{posting.kind.events}.{happened}",
        to_state=next(iter(targets.values())),
        receiver=holder,
        leaves=False,
        reason=posting.reason,
        order_ref=None,
    )
    items = as_ranges(finding.item_no for finding in findings if finding.item_no is not None)
    selection, states = ByItems(tuple(items)), {str(state) for state in targets}
    return await ends.move_items(
        session, posting.kind, selection, move, holder=holder, states=states, **acting(caller, now)
    )


async def _settle(
    session: AsyncSession,
    posting: _Posting,
    findings: Sequence[FindingRow],
    moved: Sequence[MovedRange],
    document: str | None = None,
) -> None:
    """Keep which of the findings are settled by what has moved."""
    numbers = [
        finding.finding_no
        for finding in findings
        if finding.item_no is not None and any(run.lo <= finding.item_no <= run.hi for run in moved)
    ]
    by = None if document is None else parse_public_id(document, "m").serial
    await store.settle(session, posting.row, numbers, by=by)

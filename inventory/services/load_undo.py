"""Undo a load while nothing of it has moved or changed: what came in by mistake leaves as if it had not come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.deliveries import OPEN
from inventory.domain.errors import LoadNotUndoable
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import LOAD_LIFECYCLE, LoadEvent, LoadState
from inventory.domain.reasons import Given, Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.load_standing import read_load
from inventory.services.once import Answer, WriteKey, once
from inventory.store import boxes, load_undo, loads, movements, stock
from inventory.store.engine import is_foreign_key_violation
from inventory.store.events import EventDraft, record
from inventory.store.loads import Batch
from inventory.store.movements import MovementDraft


async def undo_load(
    session: AsyncSession, caller: Caller, write: WriteKey, *, public_id: str, reason: str, now: datetime
) -> Answer:
    """Take everything that a load brought out of stock again, and answer with the load and its closing document.

    Its items, their secrets and their names are removed; its documents, its event and its faults stay, and a document
    of kind `UNDO` closes its account. Item numbers are not given again. The same file may be loaded again.

    Raises
    ------
    InvalidIdentifier, NotFound
        As for `inventory.services.load_standing.read_load`.
    LoadNotUndoable
        It has nothing in stock, brought whole segments, or something of it has moved or changed; nothing was undone.
    ReasonMissing
        No reason is given.
    """
    batch = await read_load(session, caller, public_id=public_id)

    async def work() -> dict[str, Any]:
        why = await reasons.given(session, caller, reason, Purpose.UNDO)
        await stock.allow_long_statements(session)
        await stock.lock_for_transaction(session, f"undo/{public_id}")
        return await _undo(session, caller, batch, why, now=now)

    return await once(session, caller, write, work, now=now)


async def _undo(session: AsyncSession, caller: Caller, batch: Batch, why: Given, *, now: datetime) -> dict[str, Any]:
    public_id = format_public_id("b", batch.city_id, batch.batch_id)
    key = {"city_id": batch.city_id, "batch_id": batch.batch_id}
    present = await loads.find_batch(session, **key)
    if present is None or present.state != LoadState.COMMITTED or "segments" in batch.figures:
        raise LoadNotUndoable(load=public_id)
    state = LOAD_LIFECYCLE.advance(LoadState(present.state), LoadEvent.UNDO)
    figures, movement = dict(batch.figures), None
    if batch.resource in KINDS:
        movement, last = await _remove_items(session, caller, batch, why, now=now)
        figures["last_item_no"] = last
    else:
        gone = await load_undo.remove_data(session, **key)
        if gone != batch.accepted:
            raise LoadNotUndoable(load=public_id)
    counts = {"rows": batch.rows, "accepted": batch.accepted, "rejected": batch.rejected}
    await loads.end_batch(session, **key, **counts, state=state, figures=figures, now=now)
    data = {"source": batch.source, "count": batch.accepted, "movement": movement}
    event = EventDraft(
        name="load.undone", kind="load", item_no=batch.batch_id, reason=why.text, reason_code=why.code, data=data
    )
    await record(session, [event], **acting(caller, now))
    return {"id": public_id, "state": state, "movement": movement, "rows": batch.accepted}


async def _remove_items(
    session: AsyncSession, caller: Caller, batch: Batch, why: Given, *, now: datetime
) -> tuple[str, int]:
    """Remove the items and close their account; return the document and the last of their item numbers."""
    kind = KINDS[batch.resource]
    public_id = format_public_id("b", batch.city_id, batch.batch_id)
    intake = await load_undo.intake_of(session, city_id=batch.city_id, batch_id=batch.batch_id)
    if intake is None:
        raise LoadNotUndoable(load=public_id)
    movement_id, holder_id = intake
    key = {"city_id": batch.city_id, "movement_id": movement_id}
    # Whoever packs or signs for some of it has ended before we look, or comes when it is gone.
    await boxes.lock_packing(session, kind, city_id=batch.city_id)
    document = await movements.find_movement(session, **key, lock=True)
    if await load_undo.has_later_life(session, kind, **key):
        raise LoadNotUndoable(load=public_id)
    await load_undo.remove_boxes(session, **key)
    try:
        gone = await load_undo.remove_items(session, kind, **key, batch_id=batch.batch_id, holder_id=holder_id)
    except IntegrityError as error:  # a fee that a person set since we looked names its number
        if is_foreign_key_violation(error):
            raise LoadNotUndoable(load=public_id) from None
        raise
    if gone != batch.accepted:
        raise LoadNotUndoable(load=public_id)
    if document is not None and document.state in OPEN:  # announced, and nothing of it has come
        await movements.count_answer(session, document, city_id=batch.city_id, accepted=0, refused=gone, now=now)
    ranges = await load_undo.ranges_of(session, **key)
    draft = MovementDraft(
        kind=movements.UNDO,
        resource=kind.name,
        from_holder=holder_id,
        to_holder=holder_id,
        reason=why.text,
        reason_code=why.code,
        batch_id=batch.batch_id,
        parent_id=movement_id,
    )
    closing = await movements.record_movement(session, draft, ranges, **acting(caller, now))
    return format_public_id("m", batch.city_id, closing), max(run.hi for run in ranges)

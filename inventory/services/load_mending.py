"""Bad rows of a list, mended by hand: they alone run again, as a load of their own under the same source's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound
from inventory.domain.lifecycle import LoadState
from inventory.services.load_standing import read_load
from inventory.services.load_terms import LoadTerms
from inventory.services.loading import FileWish, load_file
from inventory.services.once import Answer, WriteKey
from inventory.store import load_runs, loads
from inventory.store.loads import Batch, FaultRow
from inventory.vault.envelope import Vault

MOST = 300
"""Rows that are mended on a page; more are mended in the file of rejects."""


@dataclass(frozen=True)
class BadRow:
    """A row that was refused, as it stands in the list, and its faults."""

    row: int
    line: str
    faults: tuple[FaultRow, ...]


def can_be_mended(batch: Batch) -> bool:
    """Tell whether the bad rows of a load can be mended: of a list whose good rows were taken."""
    return batch.state == LoadState.COMMITTED and bool(batch.rejected) and "list" in batch.figures


async def rows_to_mend(session: AsyncSession, batch: Batch) -> list[BadRow]:
    """Return the first bad rows of a list whose text is kept: one that may hold a key is not."""
    async with session.begin():
        found = await loads.faults_of(session, city_id=batch.city_id, batch_id=batch.batch_id, after=0, limit=MOST * 2)
    by_row = groupby((fault for _, fault in found if fault.line), key=lambda fault: fault.row)
    rows = [BadRow(row, faults[0].line, faults) for row, faults in ((row, tuple(same)) for row, same in by_row)]
    return rows[:MOST]


async def load_mended(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    *,
    public_id: str,
    lines: Sequence[str],
    vault: Vault,
    now: datetime,
) -> Answer:
    """Load the mended rows of a list, in its own form, and answer with their load; those still bad are its faults.

    Raises
    ------
    InvalidField
        There is no row, or one of them is more than a line.
    InvalidIdentifier
        The id is not a load's.
    LoadRejected
        None of the rows is good yet.
    NotFound
        There is no such load, or its rows cannot be mended.
    """
    batch = await read_load(session, caller, public_id=public_id)
    async with session.begin():
        run = await load_runs.find_run(session, city_id=batch.city_id, batch_id=batch.batch_id)
    if run is None or not can_be_mended(batch):
        raise NotFound(what="rows to mend", value=public_id)
    kept = [line.strip() for line in lines if line.strip()]
    if not kept or any("\n" in line or "\r" in line for line in kept):
        raise InvalidField(field="lines", value=len(kept), reason="leave at least one row, each on one line")
    form = batch.figures["list"]
    head = [] if form["header"] is None else [form["header"]]
    content = "\n".join((*head, *kept, "")).encode(form["encoding"], errors="replace")
    terms = replace(LoadTerms.from_json(run.terms), keep_good=True, dry_run=False)
    wish = FileWish(**vars(terms), name=batch.source, content=content)
    return await load_file(session, caller, write, wish, vault=vault, now=now)

"""How a read file becomes a load: whole or not at all, or its good rows alone; or tried, with nothing kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import AlreadyLoaded, LoadRejected
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import NUMBER, SIM
from inventory.services.acting import acting
from inventory.services.file_reading import Reading, Row
from inventory.services.intake import DATA, RowsRefused, Source
from inventory.services.once import Answer, WriteKey, once
from inventory.store import loads, stock
from inventory.store.engine import is_unique_violation
from inventory.store.loads import DIGEST_CONSTRAINT, REJECTED, BatchDraft, FaultRow

FIRST_FAULTS = 100
"""Faults that a trial's answer lists; a load keeps all of them."""

_TABLES = {
    SIM.name: ("sim", "card_secret", "identifier"),
    NUMBER.name: (NUMBER.table,),
    DATA: ("subscription_data", "identifier"),
}


@dataclass(frozen=True, kw_only=True)
class LoadRun:
    """How a load runs. `resource` is what it brings.

    `keep_good` takes the good rows and lists the bad ones with the load; without it one bad row refuses all. `dry_run`
    does all of it, tells what would be, and keeps nothing.
    """

    caller: Caller
    write: WriteKey
    resource: str
    source: Source
    now: datetime
    keep_good: bool = False
    dry_run: bool = False


class _TriedError(Exception):
    """Ends a trial's transaction once everything in it has worked."""


async def run_load(
    session: AsyncSession,
    run: LoadRun,
    reading: Reading[Row],
    take: Callable[[Sequence[Row], Source], Awaitable[dict[str, Any]]],
) -> Answer:
    """Take the rows of a file into stock in one transaction and answer with the load; of a trial, with its findings.

    A fault of the file as a whole (row 0) refuses it however it runs.

    Raises
    ------
    AlreadyLoaded
        A file with the same content was loaded meanwhile.
    LoadRejected
        Rows are refused; nothing was taken. All faults are kept with the batch that the refusal names.
    """
    rows, found = reading.rows, list(reading.faults)
    total = len(rows) + _bad(found)
    goes_on = run.keep_good or run.dry_run
    while rows and not (found and not goes_on) and all(fault.row for fault in found):
        try:
            answer = await _take(session, run, reading, rows, found, take)
        except RowsRefused as refused:
            found += refused.faults
            bad = {fault.row for fault in refused.faults}
            rows = [row for row in rows if row.row not in bad]
        except _TriedError:
            break
        else:
            if not answer.replayed:
                async with session.begin():
                    await stock.refresh_statistics(session, _TABLES[run.resource])
            return answer
    found.sort(key=lambda fault: fault.row)
    if run.dry_run:
        return Answer(_findings(total, found, reading))
    raise await _refused(session, run, reading, total, found)


async def require_new_file(session: AsyncSession, caller: Caller, resource: str, source: Source) -> None:
    """Refuse a file that was loaded before.

    Raises
    ------
    AlreadyLoaded
        The city has a load of the resource with the same digest.
    """
    async with session.begin():
        batch_id = await loads.committed_batch(session, city_id=caller.city_id, resource=resource, sha256=source.sha256)
    if batch_id is not None:
        raise AlreadyLoaded(digest=source.sha256.hex(), batch=format_public_id("b", caller.city_id, batch_id))


async def _take(
    session: AsyncSession,
    run: LoadRun,
    reading: Reading[Row],
    rows: Sequence[Row],
    found: Sequence[FaultRow],
    take: Callable[[Sequence[Row], Source], Awaitable[dict[str, Any]]],
) -> Answer:
    """Take the rows in one transaction and keep the faults of the others with their load; end a trial's."""

    async def work() -> dict[str, Any]:
        await stock.allow_long_statements(session)
        source = replace(run.source, rejected=_bad(found), figures=reading.figures)
        body = await take(rows, source)
        if run.dry_run:
            raise _TriedError
        if found:
            batch_id = parse_public_id(body["id"], "b").serial
            await loads.add_faults(session, _told(found, reading), city_id=run.caller.city_id, batch_id=batch_id)
        return {**body, "rejected": source.rejected}

    try:
        return await once(session, run.caller, run.write, work, now=run.now)
    except IntegrityError as error:
        if not is_unique_violation(error, DIGEST_CONSTRAINT):
            raise
    await require_new_file(session, run.caller, run.resource, run.source)
    raise AlreadyLoaded(digest=run.source.sha256.hex(), batch="?")


async def _refused(
    session: AsyncSession, run: LoadRun, reading: Reading[Row], total: int, found: Sequence[FaultRow]
) -> LoadRejected:
    """Keep the faults of a file of which nothing was taken and return the refusal."""
    draft = BatchDraft(
        resource=run.resource,
        source=run.source.name,
        sha256=run.source.sha256,
        state=REJECTED,
        vendor=run.source.vendor,
        rows=total,
        accepted=0,
        rejected=_bad(found),
        figures={**reading.figures, "faults": len(found)},
    )
    async with session.begin():
        batch_id = await loads.add_batch(session, draft, **acting(run.caller, run.now))
        await loads.add_faults(session, _told(found, reading), city_id=run.caller.city_id, batch_id=batch_id)
    first = found[0]
    return LoadRejected(
        rows=draft.rejected,
        first=f"line {first.row}, {first.column}: {first.code}",
        batch=format_public_id("b", run.caller.city_id, batch_id),
    )


def _findings(total: int, found: Sequence[FaultRow], reading: Reading[Row]) -> dict[str, Any]:
    """Give what a trial found: a fault of the file as a whole leaves no good row."""
    bad = total if any(fault.row == 0 for fault in found) else _bad(found)
    return {
        "dry_run": True,
        "good": total - bad,
        "bad": bad,
        "columns": list(reading.columns),
        "faults": [
            {"no": number, "row": fault.row, "column": fault.column, "value": fault.value, "code": fault.code}
            for number, fault in enumerate(found[:FIRST_FAULTS], start=1)
        ],
    }


def _bad(found: Sequence[FaultRow]) -> int:
    return len({fault.row for fault in found})


def _told(found: Sequence[FaultRow], reading: Reading[Row]) -> list[FaultRow]:
    """Give the faults in the file's order, each with its row's own text where that may be kept."""
    in_order = sorted(found, key=lambda fault: fault.row)
    return [replace(fault, line=reading.line_of(fault.row)) for fault in in_order]

"""Loading of delivered files, of lists and of single cards, every fault kept (REQ-SIM-01, 02, 04, REQ-NUM-02)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import (
    AlreadyLoaded,
    Busy,
    InvalidField,
    LoadNotRunning,
    LoadRejected,
    NotFound,
    UploadIncomplete,
)
from inventory.domain.identifiers import format_public_id, parse_chip_serial, parse_iccid, parse_public_id
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import LOAD_LIFECYCLE, LOAD_OPEN, LoadEvent, LoadState
from inventory.domain.loading import CardRow, CardSecrets, Reject, parse_columns, reject_rows, reject_text
from inventory.services.acting import acting
from inventory.services.intake import Progress
from inventory.services.load_runs import LoadRef, run_load, take_card
from inventory.services.load_standing import read_load
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.once import Answer, WriteKey, once
from inventory.services.uploads import keep_whole, upload_of
from inventory.services.workbooks import as_workbook
from inventory.sheets import Form
from inventory.store import list_mappings, load_runs, loads, queue, stock
from inventory.store.load_runs import Run
from inventory.store.loads import BatchDraft
from inventory.store.uploads import StoredUpload
from inventory.vault.envelope import Vault

__all__ = ["FileKind", "LoadTerms"]

TASK = "run_load"
"""The queue's name for the job that runs a load."""
_GRACE = timedelta(minutes=2)
"""A load that its caller waits for is left to the worker if the caller's process has not ended it by then."""


@dataclass(frozen=True, kw_only=True)
class FileWish(LoadTerms):
    """A small file to load while its sender waits."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CardWish:
    """A single card to enter by hand, without secrets or with those of its delivery (REQ-SIM-01)."""

    iccid: str | None
    serial: str | None
    card_kind: str
    vendor: str | None = None
    pool: str | None = None
    transport_key: str = ""
    secrets: CardSecrets = field(default_factory=CardSecrets, repr=False)


@dataclass(frozen=True)
class RejectFile:
    """The bad rows of a list as a file: what it is called, what it is in HTTP, and its bytes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


async def start_load(
    session: AsyncSession, caller: Caller, write: WriteKey, upload_id: str, terms: LoadTerms, *, now: datetime
) -> Answer:
    """Begin to load an upload in the background and answer with the load's id; a worker runs it.

    Raises
    ------
    AlreadyLoaded
        A file with the same content was loaded, or is being loaded; nothing has changed.
    InvalidField
        What is said about the columns cannot be read.
    InvalidIdentifier, NotFound
        As for `inventory.services.uploads.read_upload`.
    UploadIncomplete
        Not all of the file is here.
    """

    async def work() -> dict[str, Any]:
        upload = await upload_of(session, caller, upload_id)
        return await _open_load(session, caller, upload, terms, now=now, worker_from=now)

    return await once(session, caller, write, work, now=now)


async def load_file(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    wish: FileWish,
    *,
    vault: Vault,
    now: datetime,
    on_progress: Callable[[int, int], None] | None = None,
) -> Answer:
    """Load a small file while its sender waits, and answer with the load and its document.

    It is a load like any other: should this process die, a worker ends it. A trial (`dry_run`) answers with what it
    found instead: `good` and `bad` rows, `columns`, and the first `faults`. `on_progress` is told rows taken, and all.

    Raises
    ------
    AlreadyLoaded
        As for `start_load`.
    Busy
        Another load is taking one of the same items just now, or another process runs this one.
    InvalidField
        The file cannot be unpacked, its card product is not named, or what is said about its columns cannot be read.
    LoadRejected
        Rows are refused; nothing was taken. All faults are kept with the batch that the refusal names.
    LoadNotRunning
        The same request was refused as a whole before, or its load was cancelled; the load tells why.
    NotFound
        The card product or transport key is unknown.
    """

    async def work() -> dict[str, Any]:
        upload = await keep_whole(session, caller, wish.name, wish.content, vault=vault, now=now)
        return await _open_load(session, caller, upload, wish, now=now, worker_from=now + _GRACE)

    async def tell(progress: Progress) -> None:
        if on_progress is not None and progress.phase == "taking":
            on_progress(progress.done, progress.total)

    begun = await once(session, caller, write, work, now=now)
    load = LoadRef(caller.city_id, parse_public_id(begun.body["id"], "b").serial)
    await run_load(session, load, vault=vault, now=now, tell=tell)
    async with session.begin():
        run = await load_runs.find_run(session, **load._asdict())
    return Answer(_answer(run), replayed=begun.replayed)


def _answer(run: Run | None) -> dict[str, Any]:
    """Return what a load that has ended answers, or raise its refusal."""
    if run is None or run.state in LOAD_OPEN:
        raise Busy
    if run.answer is None:
        raise LoadNotRunning(load=format_public_id("b", run.city_id, run.batch_id), state=run.state)
    if run.state == LoadState.REJECTED:
        raise LoadRejected(**run.answer)
    return run.answer


async def load_again(
    session: AsyncSession, caller: Caller, write: WriteKey, *, public_id: str, keep_good: bool, now: datetime
) -> Answer:
    """Begin to load the file of a trial, or of a load that took nothing, which lies here still; answer with the load.

    Raises
    ------
    AlreadyLoaded
        As for `start_load`.
    InvalidIdentifier
        The id is not a load's.
    NotFound
        There is no such load, or its file lies here no longer.
    """
    batch = await read_load(session, caller, public_id=public_id)
    async with session.begin():
        run = await load_runs.find_run(session, city_id=batch.city_id, batch_id=batch.batch_id)
    if run is None:
        raise NotFound(what="upload", value=public_id)
    terms = replace(LoadTerms.from_json(run.terms), keep_good=keep_good, dry_run=False)
    upload = format_public_id("u", run.city_id, run.upload_id)
    return await start_load(session, caller, write, upload, terms, now=now)


async def cancel_load(session: AsyncSession, caller: Caller, *, public_id: str, now: datetime) -> None:
    """Ask for a load to be left; one that nobody runs yet ends at once, the others the next time they tell how far.

    Raises
    ------
    InvalidIdentifier, NotFound
        As for `read_load`.
    LoadNotRunning
        It has ended.
    """
    batch = await read_load(session, caller, public_id=public_id)
    load = LoadRef(batch.city_id, batch.batch_id)
    async with session.begin():
        run = await load_runs.find_run(session, **load._asdict())
        if run is None or run.state not in LOAD_OPEN:
            raise LoadNotRunning(load=public_id, state=batch.state)
        await load_runs.ask_to_cancel(session, **load._asdict())
        if await load_runs.claim(session, **load._asdict()):
            run = await load_runs.find_run(session, **load._asdict())  # it may have ended while we waited
            if run is None or run.state not in LOAD_OPEN:
                raise LoadNotRunning(load=public_id, state=batch.state if run is None else run.state)
            state = LOAD_LIFECYCLE.advance(LoadState(run.state), LoadEvent.CANCEL)
            await loads.end_batch(session, **load._asdict(), state=state, figures={}, now=now)


async def _open_load(
    session: AsyncSession,
    caller: Caller,
    upload: StoredUpload,
    terms: LoadTerms,
    *,
    now: datetime,
    worker_from: datetime,
) -> dict[str, Any]:
    """Write a load that is to be run, and the job that runs it, in the open transaction."""
    if upload.sha256 is None:
        name = format_public_id("u", upload.city_id, upload.upload_id)
        raise UploadIncomplete(upload=name, offset=upload.received, size=upload.size)
    if terms.announced and terms.resource != SIM.name:
        raise InvalidField(field="announced", value=terms.kind, reason="only cards come after their file")
    if parse_columns(terms.columns) and terms.vendor is not None:
        await list_mappings.remember(
            session, city_id=caller.city_id, vendor=terms.vendor, kind=terms.kind, columns=terms.columns, now=now
        )
    await stock.lock_for_transaction(session, f"load source/{caller.city_id}/{upload.sha256.hex()}")
    if not terms.dry_run:
        earlier = await loads.same_source(
            session, city_id=caller.city_id, resource=terms.resource, sha256=upload.sha256
        )
        if earlier is not None:
            raise AlreadyLoaded(digest=upload.sha256.hex(), batch=format_public_id("b", caller.city_id, earlier))
    draft = BatchDraft(
        resource=terms.resource,
        source=upload.name,
        sha256=upload.sha256,
        state=LOAD_LIFECYCLE.enter(LoadEvent.TRY if terms.dry_run else LoadEvent.START),
        vendor=terms.vendor,
        rows=0,
        accepted=0,
        figures={},
    )
    batch_id = await loads.add_batch(session, draft, **acting(caller, now))
    load = LoadRef(caller.city_id, batch_id)
    await load_runs.add_run(session, **load._asdict(), upload_id=upload.upload_id, terms=terms.as_json(), now=now)
    name = format_public_id("b", *load)
    await queue.defer(session, TASK, load._asdict(), at=worker_from, once_as=f"load {name}")
    return {"id": name, "state": draft.state}


async def enter_card(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: CardWish, *, vault: Vault, now: datetime
) -> Answer:
    """Enter one card and answer with the load and its document.

    Raises
    ------
    DuplicateIdentifier
        The card exists already, here or in another city.
    InvalidField
        It has neither ICCID nor serial, or only a part of its secrets.
    InvalidIdentifier
        ICCID or serial are not well formed.
    NotFound
        The card product or transport key is unknown.
    """
    iccid = None if wish.iccid is None else parse_iccid(wish.iccid).iccid
    serial = None if wish.serial is None else parse_chip_serial(wish.serial, field="serial")
    names = "/".join(filter(None, (iccid, serial)))
    if not names:
        raise InvalidField(field="iccid", value=None, reason="give the ICCID or the chip serial")
    keys = [wish.secrets.ki, wish.secrets.opc, wish.secrets.adm1]
    if any(keys) and not all(keys):
        raise InvalidField(field="secrets", value="partial", reason="give Ki, OPc and ADM1 together, or none")
    card = CardRow(1, iccid, serial, None, None, wish.secrets, ())
    terms = LoadTerms(kind=FileKind.CARD_LIST, card_kind=wish.card_kind, vendor=wish.vendor, pool=wish.pool)
    draft = BatchDraft(
        resource=SIM.name,
        source=names,
        # A name that was given back may come again: the registry guards names, this digest only tells loads apart.
        sha256=hashlib.sha256(f"{names} {caller.interface_no} {write.key}".encode()).digest(),
        state=LOAD_LIFECYCLE.enter(LoadEvent.START),
        vendor=wish.vendor,
        rows=1,
        accepted=0,
        figures={},
    )

    async def work() -> dict[str, Any]:
        return await take_card(session, draft, terms, card, wish.transport_key, acting(caller, now), vault=vault)

    return await once(session, caller, write, work, now=now)


async def read_rejects(session: AsyncSession, caller: Caller, *, public_id: str) -> RejectFile:
    """Return the bad rows of a list in its own form, each with its reasons, to be mended and loaded as a file again.

    Those of a workbook come as one.

    Raises
    ------
    InvalidIdentifier
        As for `read_load`.
    NotFound
        There is no such load, or it was no list: the rows of other files may hold secrets and are not kept.
    """
    batch = await read_load(session, caller, public_id=public_id)
    form = batch.figures.get("list")
    if form is None:
        raise NotFound(what="reject file", value=public_id)
    async with session.begin():
        found = await loads.faults_of(session, city_id=batch.city_id, batch_id=batch.batch_id, after=0, limit=None)
    rejects = (Reject(**vars(fault)) for _, fault in found)
    if form.get("workbook"):  # loads of earlier versions do not say
        rows = reject_rows(form["delimiter"], form["header"], len(form["columns"]), rejects)
        content = await asyncio.to_thread(as_workbook, rows)
        return RejectFile(f"{public_id}-rejects.xlsx", Form.XLSX.media_type, content)
    text = reject_text(form["delimiter"], form["header"], rejects)
    return RejectFile(f"{public_id}-rejects.csv", "text/csv", text.encode(form["encoding"]))

"""Intake: whole segments, files, single cards."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import (
    AlreadyLoaded,
    Busy,
    InvalidField,
    InvalidIdentifier,
    LoadNotRunning,
    LoadNotUndoable,
    LoadRejected,
    NotFound,
    ReasonMissing,
    SegmentOverlap,
)
from inventory.domain.identifiers import NumberKind, format_public_id
from inventory.downloads import FILES, FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.exporting import fault_listing, load_listing
from inventory.services.load_standing import Standing, list_loads, read_faults, read_standing
from inventory.services.load_terms import FileKind
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileWish, cancel_load, load_file, read_rejects
from inventory.services.numbers import SegmentWish, take_segments
from inventory.sheets import Form as SheetForm

router = APIRouter(tags=["loads"])

Prefix = Annotated[str, Field(pattern="^[0-9]{3,12}$", examples=["1388804"])]
Code = Annotated[str, Field(min_length=1, max_length=40)]


class NewSegments(Model):
    """Segments to take: these prefixes, or all of the carrier in the city by the number plan."""

    prefixes: Annotated[list[Prefix], Field(min_length=1, max_length=1000)] | None = None
    kind: NumberKind = NumberKind.MOBILE
    carrier: Annotated[str, Field(min_length=1, max_length=32, examples=["mobile"])]
    hlr: Code
    pool: Code | None = Field(default=None, examples=["hall"])
    group: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    listed: Annotated[bool, Field(description="own the segments now; their numbers come by list")] = False


class TakenSegments(Model):
    """What was taken, and the class of each number; no document where the numbers come by list."""

    load: str
    movement: str | None
    segments: int
    numbers: int
    by_class: dict[str, int]


@router.post(
    "/segments",
    operation_id="take_segments",
    status_code=201,
    summary="Take whole segments into stock",
    response_model=TakenSegments,
    responses=errors(InvalidField, InvalidIdentifier, NotFound, SegmentOverlap),
)
async def post_segments(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: NewSegments,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Take all the segments into the city's stock, or none; every number is rated by the rules in force."""
    answer = await take_segments(
        session,
        caller,
        write,
        SegmentWish(
            prefixes=None if wish.prefixes is None else tuple(wish.prefixes),
            kind=wish.kind,
            carrier=wish.carrier,
            hlr_code=wish.hlr,
            pool=wish.pool,
            group=wish.group,
            listed=wish.listed,
        ),
        now=now,
    )
    return reply(answer, response, 201)


_CSV = "text/csv"
LoadId = Annotated[str, Path(examples=["b-530700-7"], max_length=40)]
FormText = Annotated[str | None, Form(max_length=64)]


class Loaded(Model):
    """What a load took: its id, its document (none for card data), how many rows, and how many it left out."""

    id: str
    movement: str | None
    resource: str
    rows: int
    rejected: int = 0


class Progress(Model):
    """How far a load is: `done` of `total` bytes (`reading`) or rows (`taking`), a second, and seconds left if known.

    The other phases, `waiting` for a worker and `checking`, count nothing.
    """

    phase: str
    done: int
    total: int
    rate: float
    seconds_left: int | None


class LoadView(Model):
    """A load as it stands; `state` is a `LoadState`. `progress` is there while it runs.

    `cancelling` says that someone has asked to leave it. `figures` has the `refusal` of a file that is refused whole.
    """

    id: str
    resource: str
    source: str
    sha256: str
    state: str
    vendor: str | None
    rows: int
    accepted: int
    rejected: int
    staff: str
    interface: str
    created_at: Time
    finished_at: Time | None
    figures: dict[str, Any]
    progress: Progress | None = None
    cancelling: bool = False


class Loads(Model):
    """A page of loads, the newest first; `next_before` asks for the page behind it."""

    loads: list[LoadView]
    next_before: int | None


class LoadFault(Model):
    """One fault: the line, the column, the value (empty where it could be a secret) and the code."""

    no: int
    row: int
    column: str
    value: str
    code: str


class Tried(Model):
    """What a trial found, kept as load `id`; nothing was taken. `columns` are those of a list ("": not read).

    `faults` are the first of them.
    """

    dry_run: Literal[True]
    id: str
    good: int
    bad: int
    columns: list[str]
    faults: list[LoadFault]


class LoadFaults(Model):
    """A page of faults; `next_after` asks for the page behind it."""

    faults: list[LoadFault]
    next_after: int | None


@router.post(
    "/loads",
    operation_id="load_file",
    status_code=201,
    summary="Load a vendor's file of cards, a pool of IMSIs, or a list of cards or numbers",
    response_model=Loaded | Tried,
    responses={
        **errors(AlreadyLoaded, Busy, InvalidField, LoadRejected, NotFound),
        200: {"model": Tried, "description": "A trial: nothing is taken"},
    },
)
async def post_load(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    kind: Annotated[FileKind, Form()],
    file: Annotated[UploadFile, File(description="the file, as delivered")],
    write: WriteDep,
    runtime: RuntimeDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    *,
    card_kind: FormText = None,
    hlr: FormText = None,
    vendor: FormText = None,
    pool: FormText = None,
    columns: Annotated[
        str, Form(max_length=400, description="where the columns of a list are: `iccid=2,serial=卡片编号`")
    ] = "",
    keep_good: Annotated[bool, Form(description="take the good rows and list the bad ones")] = False,
    dry_run: Annotated[bool, Form(description="check everything, take nothing")] = False,
    announced: Annotated[bool, Form(description="the cards come later: each is available once it is scanned")] = False,
) -> dict[str, Any]:
    """Load the file whole, or refuse it with all its faults kept; or take its good rows, or only try.

    The answer waits for the load: send large files as uploads.
    """
    wish = FileWish(
        kind=kind,
        name=file.filename or "file",
        content=await file.read(),
        card_kind=card_kind,
        hlr=hlr,
        vendor=vendor,
        pool=pool,
        columns=columns,
        keep_good=keep_good,
        dry_run=dry_run,
        announced=announced,
    )
    answer = await load_file(session, caller, write, wish, vault=runtime.vault, now=now)
    return reply(answer, response, 200 if dry_run else 201)


@router.get(
    "/loads",
    operation_id="list_loads",
    summary="The loads of the city",
    response_model=Loads,
    responses=FILES | errors(),
)
async def get_loads(
    caller: Annotated[Caller, require(Permission.LOADS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    before: Annotated[int | None, Query(ge=0, le=BIGGEST, description="`next_before` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Loads | Response:
    """List the loads of the city, the newest first, whatever became of them; as a file all of them."""
    if file is not None:
        return await download(runtime.database, caller, load_listing(), file)
    found = await list_loads(session, caller, before=before, limit=limit)
    return Loads(
        loads=[_view(Standing(batch)) for batch in found],
        next_before=found[-1].batch_id if len(found) == limit else None,
    )


@router.get(
    "/loads/{load_id}", operation_id="read_load", summary="One load", responses=errors(InvalidIdentifier, NotFound)
)
async def get_load(
    load_id: LoadId, caller: Annotated[Caller, require(Permission.LOADS_READ)], session: SessionDep
) -> LoadView:
    """Read one load of the city: how far it is, or what became of it."""
    return _view(await read_standing(session, caller, public_id=load_id))


@router.post(
    "/loads/{load_id}:cancel",
    operation_id="cancel_load",
    summary="Leave a load that runs",
    responses=errors(InvalidIdentifier, LoadNotRunning, NotFound),
)
async def post_cancel(
    load_id: LoadId,
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    session: SessionDep,
    now: NowDep,
) -> LoadView:
    """Ask for a load to be left; nothing of it is taken then. It ends the next time that it tells how far it is."""
    await cancel_load(session, caller, public_id=load_id, now=now)
    return _view(await read_standing(session, caller, public_id=load_id))


class Undo(Model):
    """Why a load is undone."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Undone(Model):
    """A load that was undone, its closing document (none for card data), and how many rows left the stock."""

    id: str
    state: str
    movement: str | None
    rows: int


@router.post(
    "/loads/{load_id}:undo",
    operation_id="undo_load",
    summary="Undo a load of which nothing has moved or changed",
    response_model=Undone,
    responses=errors(InvalidIdentifier, LoadNotUndoable, NotFound, ReasonMissing),
)
async def post_undo(
    load_id: LoadId,
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: Undo,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Take everything that the load brought out of stock again; the same file may then be loaded again."""
    answer = await undo_load(session, caller, write, public_id=load_id, reason=wish.reason, now=now)
    return reply(answer, response)


def _view(standing: Standing) -> LoadView:
    batch, progress = standing.batch, standing.progress
    return LoadView(
        id=format_public_id("b", batch.city_id, batch.batch_id),
        resource=batch.resource,
        source=batch.source,
        sha256=batch.sha256.hex(),
        state=batch.state,
        vendor=batch.vendor,
        rows=batch.rows,
        accepted=batch.accepted,
        rejected=batch.rejected,
        staff=batch.staff_no,
        interface=batch.interface_no,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        figures=batch.figures,
        progress=None if progress is None else Progress(**vars(progress)),
        cancelling=standing.cancelling,
    )


@router.get(
    "/loads/{load_id}/faults",
    operation_id="list_load_faults",
    summary="The faults of a load",
    response_model=LoadFaults,
    responses=FILES | errors(InvalidIdentifier, NotFound),
)
async def get_load_faults(
    load_id: LoadId,
    caller: Annotated[Caller, require(Permission.LOADS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    after: Annotated[int, Query(ge=0, le=BIGGEST, description="`next_after` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> LoadFaults | Response:
    """List what is wrong with the file, line by line; as a file all of it."""
    if file is not None:
        return await download(runtime.database, caller, fault_listing(load_id), file)
    found = await read_faults(session, caller, public_id=load_id, after=after, limit=limit)
    return LoadFaults(
        faults=[
            LoadFault(no=number, row=fault.row, column=fault.column, value=fault.value, code=fault.code)
            for number, fault in found
        ],
        next_after=found[-1][0] if len(found) == limit else None,
    )


@router.get(
    "/loads/{load_id}/rejects",
    operation_id="read_load_rejects",
    summary="The bad rows of a list, to be mended",
    response_class=Response,
    responses={
        **errors(InvalidIdentifier, NotFound),
        200: {
            "content": {_CSV: {"schema": {"type": "string"}}, SheetForm.XLSX.media_type: {}},
            "description": "The rows with their reasons",
        },
    },
)
async def get_load_rejects(
    load_id: LoadId, caller: Annotated[Caller, require(Permission.LOADS_READ)], session: SessionDep
) -> Response:
    """Give the bad rows as they stand in the list, in its own form (a workbook's as one), reasons in a last column."""
    file = await read_rejects(session, caller, public_id=load_id)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)

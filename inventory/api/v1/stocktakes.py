"""Stocktakes: opened for a place, scanned blind, closed with a signature, posted to the book."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.movements import MOST_ITEMS, ItemName, Movement, OrgCode, PersonName, Resource
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    BoxNotSealed,
    IllegalTransition,
    InvalidField,
    InvalidIdentifier,
    NotFound,
    OrganisationUnknown,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
    StocktakeNotOpen,
)
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FILES, FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.exporting import stocktake_listing
from inventory.services.leaving import LeaveWish, TakeOverWish, begin_leaving, take_over
from inventory.services.short_lists import stocktakes_listing
from inventory.services.stocktake_posting import PostWish, post_stocktake
from inventory.services.stocktakes import (
    FindingView,
    Scan,
    StocktakeWish,
    as_dict,
    cancel_stocktake,
    close_stocktake,
    open_stocktake,
    read_stocktake,
    read_stocktakes,
    scan_items,
)

router = APIRouter(tags=["stocktakes"])

StocktakeId = Annotated[str, Path(examples=["c-530700-5"], max_length=40)]
Counter = Annotated[Caller, require(Permission.COUNT, writes=True)]


class NewStocktake(Model):
    """A count of a place, perhaps with all below it, perhaps of one card product only."""

    resource: Resource
    place: OrgCode = Field(examples=["LJ-GUCHENG"])
    with_below: bool = False
    of: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(default=None, description="a card product")


class Stocktake(Model):
    """A stocktake; `figures` stay hidden until it is closed."""

    id: str
    resource: str
    place: str
    with_below: bool
    of: str | None
    state: Literal["OPEN", "CLOSED", "POSTED", "CANCELLED"]
    opened_by: str
    opened_at: Time
    scanned: int
    counted_by: str | None
    closed_by: str | None
    closed_at: Time | None
    figures: dict[str, Any] | None = Field(
        description="expected, scanned, missing, extra, written, spoiled; states of the book, findings by code"
    )
    ended_by: str | None
    approver: str | None
    ended_at: Time | None
    reason: str | None


class Stocktakes(Model):
    """The newest stocktakes of the caller's part, those under way first; `scanned` stands in their figures."""

    stocktakes: list[Stocktake]


class NewScan(Model):
    """What a device has scanned: ICCIDs, chip serials, or labels of sealed boxes; `damaged` is said of all of it."""

    items: Annotated[list[ItemName], Field(min_length=1, max_length=MOST_ITEMS)]
    damaged: bool = False


class Tally(Model):
    """How much of the scan is new, and how much is scanned in all; nothing else before the count is closed."""

    id: str
    new: int
    scanned: int


class Signature(Model):
    """Who counted."""

    counted_by: PersonName


class Posting(Model):
    """`approval` is the id of the second person's word, where cards are missing."""

    approval: Annotated[str, Field(max_length=40)] | None = None


class Posted(Stocktake):
    """A posted stocktake: documents written, cards that became lost or damaged, differences still to be settled."""

    documents: list[str]
    lost: int
    spoiled: int
    unsettled: int


class NewLeaver(Model):
    """A clerk who leaves."""

    leaver: OrgCode = Field(examples=["LJ-C1"], description="the clerk's organisation")
    reason: str


class Leaving(Model):
    """What was closed and given back, and the stocktake to scan (none where the account is empty)."""

    leaver: str
    staff_closed: list[str]
    holds_released: int
    holds_handed_over: int
    holds_left: int
    stocktake: str | None


class TakeOver(Model):
    """`receiver` is the leaver's hall or another clerk of it; `approval` the id of the witness's word."""

    receiver: OrgCode
    person: PersonName | None = None
    approval: Annotated[str, Field(max_length=40)] | None = None


class TakenOver(Movement):
    """The document of a takeover: who witnessed it, what is left on the leaver's account, whether that is closed."""

    stocktake: str
    witness: str
    left: int
    closed: bool


class Cancelling(Model):
    """Why."""

    reason: str


class Difference(Model):
    """A difference; `code` says which, `document` is the last that moved the item before the count was closed."""

    no: int
    item: str
    code: str
    state: str | None
    holder: str | None
    document: str | None
    settled: bool
    settled_by: str | None


class StocktakePage(Model):
    """A stocktake with a page of its differences; `next_after` asks for the page behind it."""

    stocktake: Stocktake
    differences: list[Difference]
    next_after: int | None


@router.post(
    "/stocktakes",
    operation_id="open_stocktake",
    status_code=201,
    summary="Open a stocktake",
    response_model=Stocktake,
    responses=errors(InvalidField, NotFound, OrganisationUnknown, OutsideScope),
)
async def post_stocktakes(
    caller: Counter, wish: NewStocktake, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> dict[str, Any]:
    """Open a count; any number of devices may scan for it."""
    what = StocktakeWish(resource=wish.resource, place=wish.place, with_below=wish.with_below, of=wish.of)
    return reply(await open_stocktake(session, caller, write, what, now=now), response, 201)


@router.get(
    "/stocktakes",
    operation_id="read_stocktakes",
    summary="Stocktakes of the caller's part",
    response_model=Stocktakes,
    responses=FILES,
)
async def get_stocktakes(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> Stocktakes | Response:
    """List the newest hundred; as a file all."""
    if file is not None:
        return await download(runtime.database, caller, stocktakes_listing(), file)
    rows = await read_stocktakes(session, caller)
    return Stocktakes(
        stocktakes=[Stocktake.model_validate(as_dict(row, place, row.figures.get("scanned", 0))) for row, place in rows]
    )


@router.get(
    "/stocktakes/{stocktake_id}",
    operation_id="read_stocktake",
    summary="A stocktake with its differences",
    response_model=StocktakePage,
    responses=FILES | errors(InvalidIdentifier, NotFound),
)
async def get_stocktake(
    stocktake_id: StocktakeId,
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    after: Annotated[int, Query(ge=0, le=BIGGEST, description="`next_after` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> StocktakePage | Response:
    """Read a stocktake page by page; while it is open there is only the tally; as a file all that differs."""
    if file is not None:
        return await download(runtime.database, caller, stocktake_listing(stocktake_id), file)
    view = await read_stocktake(session, caller, stocktake_id, after=after, limit=limit)
    return StocktakePage(
        stocktake=Stocktake.model_validate(as_dict(view.row, view.place, view.scanned)),
        differences=[_difference(found, caller.city_id) for found in view.findings],
        next_after=view.next_after,
    )


@router.post(
    "/stocktakes/{stocktake_id}:scan",
    operation_id="scan_stocktake",
    summary="Scan items",
    response_model=Tally,
    responses=errors(BoxNotSealed, InvalidIdentifier, NotFound, StocktakeNotOpen),
)
async def post_scan(
    stocktake_id: StocktakeId,
    caller: Counter,
    wish: NewScan,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Keep what was scanned with what the book says of it at this moment."""
    scan = Scan(items=tuple(wish.items), damaged=wish.damaged)
    return reply(await scan_items(session, caller, write, stocktake_id, scan, now=now), response)


@router.post(
    "/stocktakes/{stocktake_id}:close",
    operation_id="close_stocktake",
    summary="Close a stocktake",
    response_model=Stocktake,
    responses=errors(InvalidField, InvalidIdentifier, NotFound, StocktakeNotOpen),
)
async def post_close(
    stocktake_id: StocktakeId,
    caller: Counter,
    wish: Signature,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Compare the scans with the book and fix the differences; nothing moves."""
    return reply(await close_stocktake(session, caller, write, stocktake_id, wish.counted_by, now=now), response)


@router.post(
    "/stocktakes/{stocktake_id}:post",
    operation_id="post_stocktake",
    summary="Set the book right by a stocktake",
    response_model=Posted,
    responses=errors(
        ApprovalDiffers, ApprovalNeeded, ApprovalNotGranted, IllegalTransition, InvalidIdentifier, NotFound
    ),
)
async def post_posting(
    stocktake_id: StocktakeId,
    caller: Annotated[Caller, require(Permission.POST_COUNT, writes=True)],
    wish: Posting,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Move what was found here, mark what is broken, and with a second person give up what is missing."""
    what = PostWish(stocktake=stocktake_id, approval=wish.approval)
    return reply(await post_stocktake(session, caller, write, what, now=now), response)


@router.post(
    "/stocktakes/{stocktake_id}:cancel",
    operation_id="cancel_stocktake",
    summary="Cancel a stocktake",
    response_model=Stocktake,
    responses=errors(IllegalTransition, InvalidIdentifier, NotFound, ReasonMissing),
)
async def post_cancel(
    stocktake_id: StocktakeId,
    caller: Counter,
    wish: Cancelling,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Let nothing follow from a count that is not posted yet."""
    return reply(await cancel_stocktake(session, caller, write, stocktake_id, wish.reason, now=now), response)


@router.post(
    "/leavers",
    operation_id="begin_leaving",
    status_code=201,
    summary="A clerk leaves: close its staff id and count its drawer",
    response_model=Leaving,
    responses=errors(InvalidField, OrganisationUnknown, OutsideScope, PermissionDenied, ReasonMissing),
)
async def post_leaver(
    caller: Annotated[Caller, require(Permission.TAKE_OVER, writes=True)],
    wish: NewLeaver,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Close the clerk's staff ids at once, give its holds back, and open the count of its drawer."""
    what = LeaveWish(leaver=wish.leaver, reason=wish.reason)
    return reply(await begin_leaving(session, caller, write, what, now=now), response, 201)


@router.post(
    "/stocktakes/{stocktake_id}:take-over",
    operation_id="take_over_stocktake",
    status_code=201,
    summary="Take over what a leaver had",
    response_model=TakenOver,
    responses=errors(
        ApprovalDiffers, ApprovalNeeded, ApprovalNotGranted, IllegalTransition, InvalidField, InvalidIdentifier,
        NotFound, OrganisationUnknown, OutsideScope,
    ),
)  # fmt: skip
async def post_take_over(
    stocktake_id: StocktakeId,
    caller: Annotated[Caller, require(Permission.TAKE_OVER, writes=True)],
    wish: TakeOver,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Move what was scanned in the leaver's drawer, before a witness; what is missing stays a difference to settle."""
    what = TakeOverWish(stocktake=stocktake_id, receiver=wish.receiver, person=wish.person, approval=wish.approval)
    return reply(await take_over(session, caller, write, what, now=now), response, 201)


def _difference(found: FindingView, city_id: int) -> Difference:
    row = found.row
    return Difference(
        no=row.finding_no,
        item=row.name,
        code=row.code,
        state=row.state,
        holder=found.holder and found.holder.code,
        document=None if row.last_movement is None else format_public_id("m", city_id, row.last_movement),
        settled=row.settled,
        settled_by=None if row.settled_by is None else format_public_id("m", city_id, row.settled_by),
    )

"""What there is: counts per place, kind and state."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, InvalidIdentifier, NotFound, OrganisationUnknown, OutsideScope
from inventory.downloads import FILES, FileDep, download
from inventory.services.counting import CountWish, count
from inventory.services.exporting import stock_listing
from inventory.services.reporting import read_stock

router = APIRouter(tags=["stock"])


class StockCount(Model):
    """So many items of a sort in one state: `count` at the place and all below it, `own` at the place itself."""

    place: str
    name_zh: str
    name_en: str
    level: str
    resource: str
    sort: str
    state: str
    count: int
    own: int
    on_the_way: int = Field(description="of `count`, not signed for yet")


class Stock(Model):
    """The counts of a place and of each of its direct children."""

    counts: list[StockCount]


@router.get(
    "/stock",
    operation_id="read_stock",
    summary="Stock per place, kind and state",
    response_model=Stock,
    responses=FILES | errors(NotFound, OrganisationUnknown, OutsideScope),
)
async def get_stock(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
    place: Annotated[str | None, Query(max_length=32, description="organisation; by default the caller's own")] = None,
    resource: Annotated[str | None, Query(max_length=32, examples=["sim"])] = None,
) -> Stock | Response:
    """Count what lies at a place of the caller's part and at each of its direct children."""
    if file is not None:
        return await download(runtime.database, caller, stock_listing(place=place, resource=resource), file)
    rows = await read_stock(session, caller, node=place, resource=resource)
    return Stock(
        counts=[
            StockCount(
                place=row.node.code,
                name_zh=row.node.name_zh,
                name_en=row.node.name_en,
                level=row.node.level,
                resource=row.resource,
                sort=row.sort,
                state=row.state,
                count=row.count,
                own=row.own,
                on_the_way=row.on_the_way,
            )
            for row in rows
        ]
    )


class NewCount(Model):
    """What was scanned at a place: ICCIDs or chip serials, in any order; `counted_by` is the person who did."""

    resource: Annotated[str, Field(max_length=32, examples=["sim"])]
    place: Annotated[str, Field(min_length=1, max_length=32, examples=["LJ-C1"])]
    items: Annotated[list[Annotated[str, Field(min_length=3, max_length=40)]], Field(max_length=50_000)]
    counted_by: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class MissingItem(Model):
    """An item that should lie there and was not scanned."""

    item: str
    state: str


class ExtraItem(Model):
    """Something scanned that should not lie there: not in stock, held elsewhere, or not signed for yet."""

    item: str
    code: Literal["not_in_stock", "not_holder", "in_transit"]
    state: str | None
    holder: str | None


class Count(Model):
    """The scan against the book; the first thousand items of each sort are named.

    The count is kept as a closed stocktake, which tells the differences apart.
    """

    stocktake: str
    resource: str
    place: str
    scanned: int
    book: int
    missing: int
    extra: int
    agrees: bool
    states: dict[str, int]
    missing_items: list[MissingItem]
    extra_items: list[ExtraItem]
    counted_by: str | None
    staff: str
    at: Time


@router.post(
    "/stock:count",
    operation_id="count_stock",
    status_code=201,
    summary="Compare a scanned drawer with the book",
    response_model=Count,
    responses=errors(InvalidField, InvalidIdentifier, NotFound, OrganisationUnknown, OutsideScope),
)
async def post_count(
    caller: Annotated[Caller, require(Permission.COUNT, writes=True)],
    wish: NewCount,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Tell what is missing and what is too much; nothing moves, and the count is kept."""
    counted = CountWish(resource=wish.resource, place=wish.place, items=tuple(wish.items), counted_by=wish.counted_by)
    return reply(await count(session, caller, write, counted, now=now), response, 201)

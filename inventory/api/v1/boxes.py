"""Boxes: packed and sealed, opened with a reason; moved as one by `movements` with `{"boxes": […]}`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.movements import BoxCode, ItemBatch, ItemRange, Items, OrgCode, Resource
from inventory.domain.errors import (
    BoxNotSealed,
    BoxSealed,
    InvalidField,
    InvalidIdentifier,
    MovementRefused,
    NotFound,
    NothingOfLoad,
    OrganisationUnknown,
    OutsideScope,
    ReasonMissing,
)
from inventory.downloads import FILES, FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.boxes import PackWish, as_dict, open_box, pack, read_box, read_boxes
from inventory.services.short_lists import box_listing

router = APIRouter(tags=["boxes"])

BoxPath = Annotated[str, Path(examples=["LJ-0001"], max_length=40)]


class NewBox(Model):
    """A box to pack: its items by list, range or load, or the sealed boxes that it takes in."""

    resource: Resource
    place: OrgCode = Field(examples=["530700"])
    box: BoxCode
    seal: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    selection: Items | ItemRange | ItemBatch | None = None
    boxes: Annotated[tuple[BoxCode, ...], Field(max_length=1000)] = ()


class Box(Model):
    """A box; `count` is what it held when it was sealed."""

    box: str
    resource: str
    state: Literal["SEALED", "OPENED"]
    seal: str | None
    count: int
    packed_by: str
    packed_at: Time
    opened_by: str | None
    opened_at: Time | None
    open_reason: str | None


class BoxAt(Box):
    """A box and the place where it lies."""

    place: str


class Boxes(Model):
    """The newest boxes that lie in the caller's part."""

    boxes: list[BoxAt]


class BoxGroup(Model):
    """So many items of a box lie with one holder in one state."""

    holder: str
    state: str
    on_the_way: bool
    count: int


class BoxItem(Model):
    """An item in a box."""

    item: str
    state: str


class BoxPage(Model):
    """A box with a page of its items; `next_after` asks for the page behind it."""

    box: Box
    parent: str | None
    inside: list[str]
    lying: list[BoxGroup]
    items: list[BoxItem]
    next_after: int | None


class Opening(Model):
    """Why a seal is broken."""

    reason: str


@router.post(
    "/boxes",
    operation_id="pack_box",
    status_code=201,
    summary="Pack and seal a box",
    response_model=BoxAt,
    responses=errors(
        BoxNotSealed, BoxSealed, InvalidField, InvalidIdentifier, MovementRefused, NotFound, NothingOfLoad,
        OrganisationUnknown, OutsideScope,
    ),
)  # fmt: skip
async def post_box(
    caller: Annotated[Caller, require(Permission.PACK, writes=True)],
    wish: NewBox,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Pack items, or boxes, that lie at one place; an opened box is packed anew."""
    what = PackWish(
        resource=wish.resource,
        place=wish.place,
        code=wish.box,
        selection=None if wish.selection is None else wish.selection.as_selection(),
        boxes=wish.boxes,
        seal=wish.seal,
    )
    return reply(await pack(session, caller, write, what, now=now), response, 201)


@router.get(
    "/boxes",
    operation_id="read_boxes",
    summary="Boxes of the caller's part",
    response_model=Boxes,
    responses=FILES,
)
async def get_boxes(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> Boxes | Response:
    """List the newest two hundred, as a file all; boxes inside others are found in these."""
    if file is not None:
        return await download(runtime.database, caller, box_listing(), file)
    rows = await read_boxes(session, caller)
    return Boxes(boxes=[BoxAt.model_validate({**as_dict(row), "place": place.code}) for row, place in rows])


@router.get(
    "/boxes/{box}",
    operation_id="read_box",
    summary="A box with its contents",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_box(
    box: BoxPath,
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    after: Annotated[int, Query(ge=-1, le=BIGGEST, description="`next_after` of the page before")] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> BoxPage:
    """Read where the items of a box lie, and the list of them page by page."""
    view = await read_box(session, caller, box, after=after, limit=limit)
    return BoxPage(
        box=Box.model_validate(as_dict(view.row)),
        parent=view.parent and view.parent.code,
        inside=[row.code for row in view.inside],
        lying=[
            BoxGroup(holder=node.code, state=group.state, on_the_way=group.on_the_way, count=group.count)
            for group, node in view.lying
        ],
        items=[BoxItem(item=name, state=state) for name, state in view.items],
        next_after=view.next_after,
    )


@router.post(
    "/boxes/{box}:open",
    operation_id="open_box",
    summary="Break the seal of a box",
    response_model=Box,
    responses=errors(BoxNotSealed, InvalidIdentifier, NotFound, ReasonMissing),
)
async def post_open(
    box: BoxPath,
    caller: Annotated[Caller, require(Permission.PACK, writes=True)],
    wish: Opening,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Open a box and those around it; its items are moved one by one from now on."""
    return reply(await open_box(session, caller, write, box, wish.reason, now=now), response)

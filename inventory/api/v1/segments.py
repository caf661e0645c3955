"""The number segments (号段) of the city and their groups (号群)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import RuntimeDep, SessionDep, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import TooManyLists
from inventory.downloads import FILES, FileDep, download
from inventory.services.exporting import segment_listing
from inventory.services.segments import FIRST, PAGE, read_segments
from inventory.sheets import Form
from inventory.store.segments import SegmentFilter

router = APIRouter(tags=["numbers"])

Text = Annotated[str | None, Field(max_length=64)]


class SegmentConditions(Model):
    """Conditions on segments, all of which hold together, and which page of the list."""

    prefix: Annotated[str | None, Field(pattern="^[0-9]{1,20}$", description="how they begin")] = None
    group: Text = None
    hlr: Text = None
    kind: Text = None
    carrier: Text = None
    after: Annotated[str, Field(max_length=20, description="`next_after` of the page before")] = FIRST
    limit: int = Field(default=PAGE, ge=1, le=100)
    format: Form | None = Field(default=None, description="the whole list as a file")

    def wanted(self) -> SegmentFilter:
        """Give what the service takes."""
        return SegmentFilter(**self.model_dump(exclude={"after", "limit", "format"}))


class SegmentLine(Model):
    """A segment; `size` is 0 where its numbers come by list. `states` counts the numbers of the caller's part."""

    prefix: str
    size: int
    kind: str
    carrier: str
    hlr: str
    group: str | None
    states: dict[str, int]


class Segments(Model):
    """A page of segments in the order of their prefixes."""

    segments: list[SegmentLine]
    next_after: str | None


@router.get(
    "/segments",
    operation_id="list_segments",
    summary="The segments of the city, with their groups and the states of their numbers",
    response_model=Segments,
    responses=FILES | errors(TooManyLists),
)
async def get_segments(
    caller: Annotated[Caller, require(Permission.NUMBERS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    conditions: Annotated[SegmentConditions, Query()],
    file: FileDep,
) -> Segments | Response:
    """List the segments, page by page; as a file all of them."""
    if file is not None:
        return await download(runtime.database, caller, segment_listing(conditions.wanted()), file)
    page = await read_segments(session, caller, conditions.wanted(), after=conditions.after, limit=conditions.limit)
    lines = [
        SegmentLine(
            prefix=view.segment.prefix,
            size=view.segment.size,
            kind=view.segment.kind,
            carrier=view.segment.carrier,
            hlr=view.segment.hlr_code,
            group=view.segment.group,
            states=view.states,
        )
        for view in page.segments
    ]
    return Segments(segments=lines, next_after=page.next_after)

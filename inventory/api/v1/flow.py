"""Movement per day: what came to a place, what went, what was sold, what was found damaged."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, NotFound, OrganisationUnknown, OutsideScope
from inventory.downloads import FILES, FileDep, download
from inventory.services.exporting import flow_listing
from inventory.services.flow import read_flow

router = APIRouter(tags=["stock"])


class FlowDay(Model):
    """Items of one kind on one day of the halls' calendar."""

    day: date
    came: int
    went: int
    sold: int
    damaged: int


class StockFlow(Model):
    """A row for every day, oldest first; what stays within the place is no movement of it."""

    place: str
    resource: str
    days: list[FlowDay]


@router.get(
    "/stock/flow",
    operation_id="read_stock_flow",
    summary="Movement of a place per day",
    response_model=StockFlow,
    responses=FILES | errors(InvalidField, NotFound, OrganisationUnknown, OutsideScope),
)
async def get_flow(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
    resource: Annotated[str, Query(max_length=32, examples=["sim"])],
    place: Annotated[str | None, Query(max_length=32, description="organisation; by default the caller's own")] = None,
    days: Annotated[int, Query(description="7, 30 or 90, today included")] = 30,
) -> StockFlow | Response:
    """Count what passed the border of a place of the caller's part, day by day."""
    if file is not None:
        listing = flow_listing(resource=resource, place=place, days=days, now=now)
        return await download(runtime.database, caller, listing, file)
    found = await read_flow(session, caller, resource=resource, place=place, days=days, now=now)
    rows = [FlowDay.model_validate(vars(day)) for day in found.days]
    return StockFlow(place=found.place.code, resource=found.kind.name, days=rows)

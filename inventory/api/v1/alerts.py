"""Low stock: thresholds, what is there against them, how long it lasts, who beside could help."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, NotFound, OrganisationUnknown, OutsideScope
from inventory.downloads import FILES, FileDep, download
from inventory.services.alerts import ThresholdWish, read_alerts, set_threshold
from inventory.services.exporting import alert_listing

router = APIRouter(tags=["stock"])

Sort = Annotated[str, Field(max_length=40, description="card product, or the digit of a class; empty is any")]


class StockAlert(Model):
    """A threshold with what is there; `days` is how long that lasts, null where nothing was sold in 30 days."""

    place: str
    resource: str
    sort: str
    hlr: str
    minimum: int
    free: int
    sold: int = Field(description="in the last 30 days")
    days: int | None
    low: bool
    low_since: Time | None
    giver: str | None = Field(description="who beside could give some")
    give: int | None


class StockAlerts(Model):
    """Thresholds, low ones first."""

    alerts: list[StockAlert]


class NewThreshold(Model):
    """A threshold for a place and all below it; `minimum` null takes it away."""

    place: Annotated[str, Field(min_length=1, max_length=32, examples=["LJ-GUCHENG"])]
    resource: Annotated[str, Field(max_length=32, examples=["sim"], description="number, sim, or data (card data)")]
    sort: Sort = ""
    hlr: Annotated[str, Field(max_length=40)] = ""
    minimum: int | None


class ThresholdSet(Model):
    """A threshold as it is now and as it was."""

    place: str
    resource: str
    sort: str
    hlr: str
    before: int | None
    minimum: int | None


@router.get(
    "/stock/alerts",
    operation_id="read_stock_alerts",
    summary="Thresholds of stock and what is there",
    response_model=StockAlerts,
    responses=FILES | errors(OrganisationUnknown, OutsideScope),
)
async def get_alerts(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
    *,
    place: Annotated[str | None, Query(max_length=32, description="organisation; by default the caller's own")] = None,
    low: Annotated[bool, Query(description="only what has come down to its threshold")] = False,
) -> StockAlerts | Response:
    """List the thresholds of a place of the caller's part and all below it, with what is there now."""
    if file is not None:
        return await download(runtime.database, caller, alert_listing(place=place, low=low, now=now), file)
    found = await read_alerts(session, caller, place=place, low=low, now=now)
    return StockAlerts(
        alerts=[
            StockAlert(
                place=one.place.code,
                resource=one.threshold.resource,
                sort=one.threshold.sort,
                hlr=one.threshold.hlr,
                minimum=one.threshold.minimum,
                free=one.shelf.free,
                sold=one.shelf.sold,
                days=one.shelf.days,
                low=one.shelf.low,
                low_since=one.threshold.low_since,
                giver=None if one.suggestion is None else one.suggestion.place,
                give=None if one.suggestion is None else one.suggestion.count,
            )
            for one in found
        ]
    )


@router.post(
    "/stock/thresholds",
    operation_id="set_stock_threshold",
    summary="Set a threshold of stock",
    response_model=ThresholdSet,
    responses=errors(InvalidField, NotFound, OrganisationUnknown, OutsideScope),
)
async def post_threshold(
    caller: Annotated[Caller, require(Permission.THRESHOLDS, writes=True)],
    wish: NewThreshold,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Set, change or take away a threshold; both values are kept."""
    asked = ThresholdWish(**wish.model_dump())
    return reply(await set_threshold(session, caller, write, asked, now=now), response)

"""Quotas of issues: how many items a place may be given in a day or a month, and what is left."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, NotFound, OrganisationUnknown, OutsideScope
from inventory.domain.quotas import Period
from inventory.downloads import FILES, FileDep, download
from inventory.services.exporting import quota_listing
from inventory.services.quotas import QuotaWish, read_quotas, set_quota

router = APIRouter(tags=["movements"])

Sort = Annotated[str, Field(max_length=40, description="card product, or the digit of a class; empty is any")]


class Quota(Model):
    """A quota with what is left of it in the running period."""

    place: str
    resource: str
    sort: str
    period: Period
    most: int
    left: int


class Quotas(Model):
    """Quotas by place, kind and sort."""

    quotas: list[Quota]


class NewQuota(Model):
    """A quota for a place below one's own; `most` null takes it away."""

    place: Annotated[str, Field(min_length=1, max_length=32, examples=["LJ-GUCHENG"])]
    resource: Annotated[str, Field(max_length=32, examples=["sim"])]
    sort: Sort = ""
    period: Period
    most: int | None


class QuotaSet(Model):
    """A quota as it is now and as it was."""

    place: str
    resource: str
    sort: str
    period: Period
    before: int | None
    most: int | None


@router.get(
    "/quotas",
    operation_id="read_quotas",
    summary="Quotas of issues and what is left of them",
    response_model=Quotas,
    responses=FILES | errors(OrganisationUnknown, OutsideScope),
)
async def get_quotas(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
    place: Annotated[str | None, Query(max_length=32, description="by default all of the caller's part")] = None,
    resource: Annotated[str | None, Query(max_length=32, examples=["sim"])] = None,
) -> Quotas | Response:
    """List the quotas of places of the caller's part."""
    if file is not None:
        listing = quota_listing(place=place, resource=resource, now=now)
        return await download(runtime.database, caller, listing, file)
    found = await read_quotas(session, caller, place=place, resource=resource, now=now)
    return Quotas(
        quotas=[
            Quota(
                place=view.place.code,
                resource=view.quota.resource,
                sort=view.quota.sort,
                period=Period(view.quota.period),
                most=view.quota.most,
                left=view.left,
            )
            for view in found
        ]
    )


@router.post(
    "/quotas",
    operation_id="set_quota",
    summary="Set a quota of issues",
    response_model=QuotaSet,
    responses=errors(InvalidField, NotFound, OrganisationUnknown, OutsideScope),
)
async def post_quota(
    caller: Annotated[Caller, require(Permission.QUOTAS, writes=True)],
    wish: NewQuota,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Set, change or take away a quota of a place below the caller's own; both values are kept."""
    return reply(await set_quota(session, caller, write, QuotaWish(**wish.model_dump()), now=now), response)

"""The national number plan: the version in force, and a later one in its place."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, MissingField
from inventory.services.plan import PlanWish, read_plan, source_as_json, take_plan

router = APIRouter(tags=["setup"])


class PlanVersion(Model):
    """A version of the plan: where it came from, and what was done to its rows on the way in, by repair and place."""

    source: str
    version: str
    dated: date
    loaded_at: Time
    rows: int
    repaired: dict[str, int]
    unmapped: Annotated[dict[str, int], Field(description="rows by `province|city` that has no GB/T 2260 code")]


class HolderCount(Model):
    """How many segments of the city an operator holds; `virtual` ones are lent to virtual operators."""

    carrier: str
    kind: str
    segments: int


class NumberPlan(Model):
    """The version in force, null before the first, and the segments of the caller's city by it."""

    in_force: PlanVersion | None
    city: list[HolderCount]


@router.get("/number-plan", operation_id="read_number_plan", summary="The number plan in force")
async def get_plan(caller: Annotated[Caller, require(Permission.SETUP_READ)], session: SessionDep) -> NumberPlan:
    """Tell the version in force."""
    standing = await read_plan(session, caller)
    return NumberPlan(
        in_force=None if standing.source is None else PlanVersion(**source_as_json(standing.source)),
        city=[HolderCount(**vars(holder)) for holder in standing.holders],
    )


@router.post(
    "/number-plan",
    operation_id="load_number_plan",
    status_code=201,
    summary="Put a version of the number plan in force",
    response_model=PlanVersion,
    responses=errors(InvalidField, MissingField),
)
async def post_plan(
    caller: Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)],
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
    *,
    file: Annotated[
        UploadFile | None, File(description="a table, or `phone.dat`; without it the product's own")
    ] = None,
    version: Annotated[str, Form(max_length=40, description="of a table")] = "",
    dated: Annotated[date | None, Form(description="of a table")] = None,
) -> Any:
    """Replace the plan of all cities by the file, whole or not at all; segments in stock stay as they are."""
    wish = PlanWish(content=None if file is None else await file.read(), version=version, dated=dated)
    return reply(await take_plan(session, caller, write, wish, now=now), response, 201)

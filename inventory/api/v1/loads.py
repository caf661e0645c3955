"""Intake: whole segments, files, single cards."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, InvalidIdentifier, NotFound, SegmentOverlap
from inventory.domain.identifiers import NumberKind
from inventory.services.numbers import SegmentWish, take_segments

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


class TakenSegments(Model):
    """What was taken, and the class of each number."""

    load: str
    movement: str
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
        ),
        now=now,
    )
    return reply(answer, response, 201)

"""The kinds of numbers in the city: what they are called, and which are taken in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, NotFound, OutsideScope
from inventory.domain.reasons import LONGEST_NAME
from inventory.downloads import FILES, FileDep, download
from inventory.services.number_kinds import read_number_kinds, rename_number_kind, set_intake
from inventory.services.short_lists import number_kind_listing

router = APIRouter(tags=["setup"])

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Kind = Annotated[str, Path(max_length=40, examples=["iot"])]
Admin = Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)]


class NumberKindNames(Model):
    """What people call a kind of numbers."""

    name_zh: Annotated[Name, Field(examples=["物联网号码"])]
    name_en: Annotated[Name, Field(examples=["IoT number"])]


class CityNumberKind(NumberKindNames):
    """A kind of numbers; of one without `intake` nothing more is taken in, what is in stock stays and sells."""

    kind: str
    intake: bool


class NumberKinds(Model):
    """Every kind of numbers as it is in the city."""

    number_kinds: list[CityNumberKind]


@router.get(
    "/number-kinds",
    operation_id="read_number_kinds",
    summary="The kinds of numbers, and which are taken in",
    response_model=NumberKinds,
    responses=FILES,
)
async def get_number_kinds(
    caller: Annotated[Caller, require(Permission.NUMBERS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> NumberKinds | Response:
    """List the kinds of numbers; which there are is the product's to say."""
    if file is not None:
        return await download(runtime.database, caller, number_kind_listing(), file)
    found = await read_number_kinds(session, caller)
    return NumberKinds(number_kinds=[CityNumberKind(**vars(row)) for row in found])


@router.post(
    "/number-kinds/{kind}:rename",
    operation_id="rename_number_kind",
    summary="Call a kind of numbers otherwise",
    response_model=CityNumberKind,
    responses=errors(InvalidField, NotFound, OutsideScope),
)
async def post_rename(
    caller: Admin,
    kind: Kind,
    wish: NumberKindNames,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Give a kind other names on the city's pages."""
    answer = await rename_number_kind(session, caller, write, kind=kind, **dict(wish), now=now)
    return reply(answer, response)


@router.post(
    "/number-kinds/{kind}:close",
    operation_id="close_number_kind",
    summary="Take no more numbers of a kind in",
    response_model=CityNumberKind,
    responses=errors(NotFound, OutsideScope),
)
async def post_close(
    caller: Admin, kind: Kind, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Take no segment and no listed number of the kind in; what is in stock stays and sells."""
    return reply(await set_intake(session, caller, write, kind=kind, intake=False, now=now), response)


@router.post(
    "/number-kinds/{kind}:open",
    operation_id="open_number_kind",
    summary="Take numbers of a kind in again",
    response_model=CityNumberKind,
    responses=errors(NotFound, OutsideScope),
)
async def post_open(
    caller: Admin, kind: Kind, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Take numbers of a closed kind in again."""
    return reply(await set_intake(session, caller, write, kind=kind, intake=True, now=now), response)

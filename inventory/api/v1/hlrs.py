"""The HLRs of the city: what ties a number's segment to the IMSIs that may serve it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import DuplicateIdentifier, InvalidField, MissingField, NotFound, OutsideScope
from inventory.downloads import FILES, FileDep, download
from inventory.services.catalogue import add_hlr, close_hlr, read_code_tables
from inventory.services.short_lists import hlr_listing

router = APIRouter(tags=["setup"])

Code = Annotated[str, Field(min_length=1, max_length=40, examples=["HLR-530700-1"])]


class Hlr(Model):
    """An HLR; nothing new comes for a closed one, what is in stock stays and sells."""

    code: str
    name: str
    smsc: str
    active: bool


class Hlrs(Model):
    """The HLRs of the city by code, closed ones too."""

    hlrs: list[Hlr]


class AddedHlr(Hlr):
    """An HLR as it was added."""

    city: int


class NewHlr(Model):
    """An HLR to add; `smsc` is its short message centre, written on the cards of its numbers."""

    code: Code
    name: Annotated[str, Field(max_length=64, examples=["丽江 HLR 1"])]
    smsc: Annotated[str, Field(max_length=16, examples=["+8613800888500"])]


class HlrClosed(Model):
    """An HLR that is closed now."""

    code: str
    active: bool


@router.get(
    "/hlrs",
    operation_id="read_hlrs",
    summary="The HLRs of the city, closed ones too",
    response_model=Hlrs,
    responses=FILES,
)
async def get_hlrs(
    caller: Annotated[Caller, require(Permission.SETUP_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> Hlrs | Response:
    """List the HLRs."""
    if file is not None:
        return await download(runtime.database, caller, hlr_listing(), file)
    found = (await read_code_tables(session, caller)).hlrs
    return Hlrs(hlrs=[Hlr(code=row.code, name=row.name, smsc=row.smsc, active=row.active) for row in found])


@router.post(
    "/hlrs",
    operation_id="add_hlr",
    status_code=201,
    summary="Add an HLR",
    response_model=AddedHlr,
    responses=errors(DuplicateIdentifier, InvalidField, MissingField, OutsideScope),
)
async def post_hlr(
    caller: Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)],
    wish: NewHlr,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Add an HLR of the city; it is closed one day, never changed."""
    return reply(await add_hlr(session, caller, write, **dict(wish), now=now), response, 201)


@router.post(
    "/hlrs/{code}:close",
    operation_id="close_hlr",
    summary="Close an HLR",
    response_model=HlrClosed,
    responses=errors(NotFound, OutsideScope),
)
async def post_close(
    caller: Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)],
    code: Annotated[str, Path(max_length=40)],
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Let nothing new come for an HLR: no segment, no card data, no finished card."""
    return reply(await close_hlr(session, caller, write, code=code, now=now), response)

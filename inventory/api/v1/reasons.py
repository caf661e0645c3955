"""Reasons of the city: a code table that is added to, renamed and closed, and how often each was given."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import DuplicateIdentifier, InvalidField, NotFound, OutsideScope
from inventory.domain.reasons import LONGEST_NAME, Purpose
from inventory.domain.reasons import Reason as ReasonRow
from inventory.downloads import FILES, FileDep, download
from inventory.services import reasons
from inventory.services.short_lists import reason_listing

router = APIRouter(tags=["setup"])

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Code = Annotated[str, Path(max_length=40)]
Admin = Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)]


class ReasonNames(Model):
    """What people call a reason; without a colon, for what stands behind one are more words."""

    name_zh: Annotated[Name, Field(examples=["网点补货"])]
    name_en: Annotated[Name, Field(examples=["The hall runs low"])]


class NewReason(ReasonNames):
    """A reason to add, with what it is for."""

    code: Annotated[str, Field(min_length=2, max_length=40, examples=["hall_needs"])]
    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=len(Purpose))]


class Reason(ReasonNames):
    """A reason; a closed one is offered no more, and stands where it was given."""

    code: str
    purposes: list[str]
    active: bool


class Reasons(Model):
    """Reasons by code."""

    reasons: list[Reason]


class ReasonCount(Model):
    """How often something happened for a reason, and to how many items."""

    code: str
    event: str
    acts: int
    items: int


class ReasonCounts(Model):
    """What was done for the reasons of the table, by code and event."""

    counts: list[ReasonCount]


@router.get(
    "/reasons",
    operation_id="read_reasons",
    summary="Reasons that may be given, closed ones too",
    response_model=Reasons,
    responses=FILES,
)
async def get_reasons(
    caller: Annotated[Caller, require(Permission.ORGANISATION_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> Reasons | Response:
    """List the reasons; where a reason is asked for, its code or name may be given, and more words behind a colon."""
    if file is not None:
        return await download(runtime.database, caller, reason_listing(), file)
    found = await reasons.read_reasons(session, caller)
    return Reasons(reasons=[Reason.model_validate({**vars(row), "purposes": list(row.purposes)}) for row in found])


@router.get(
    "/reasons:count",
    operation_id="count_reasons",
    summary="How often each reason was given",
    response_model=ReasonCounts,
    responses=errors(InvalidField, OutsideScope),
)
async def get_counts(
    caller: Annotated[Caller, require(Permission.SETUP_READ)],
    session: SessionDep,
    now: NowDep,
    days: Annotated[int, Query(ge=1, le=reasons.LONGEST_LOOK)] = 90,
) -> ReasonCounts:
    """Count what was done for the reasons of the table in the last so many days, today included."""
    found = await reasons.count_reasons(session, caller, days=days, now=now)
    return ReasonCounts(counts=[ReasonCount(**vars(row)) for row in found])


@router.post(
    "/reasons",
    operation_id="add_reason",
    status_code=201,
    summary="Add a reason",
    response_model=Reason,
    responses=errors(DuplicateIdentifier, InvalidField, OutsideScope),
)
async def post_reason(
    caller: Admin, wish: NewReason, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Add a reason of the city; it is renamed or closed one day, never deleted."""
    purposes = tuple(dict.fromkeys(purpose.value for purpose in wish.purposes))
    row = ReasonRow(wish.code, wish.name_zh, wish.name_en, purposes)
    return reply(await reasons.add_reason(session, caller, write, row, now=now), response, 201)


@router.post(
    "/reasons/{code}:rename",
    operation_id="rename_reason",
    summary="Call a reason otherwise",
    response_model=Reason,
    responses=errors(InvalidField, NotFound, OutsideScope),
)
async def post_rename(
    caller: Admin, code: Code, wish: ReasonNames, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Give a reason other names from now on; documents and events keep what was said."""
    answer = await reasons.rename_reason(session, caller, write, code=code, **dict(wish), now=now)
    return reply(answer, response)


@router.post(
    "/reasons/{code}:close",
    operation_id="close_reason",
    summary="Close a reason",
    response_model=Reason,
    responses=errors(NotFound, OutsideScope),
)
async def post_close(
    caller: Admin, code: Code, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Take a reason off what is offered; it stands where it was given."""
    return reply(await reasons.set_in_use(session, caller, write, code=code, active=False, now=now), response)


@router.post(
    "/reasons/{code}:open",
    operation_id="open_reason",
    summary="Open a reason again",
    response_model=Reason,
    responses=errors(NotFound, OutsideScope),
)
async def post_open(
    caller: Admin, code: Code, session: SessionDep, write: WriteDep, now: NowDep, response: Response
) -> Any:
    """Offer a closed reason again."""
    return reply(await reasons.set_in_use(session, caller, write, code=code, active=True, now=now), response)

"""Staff ids: made, bound to interfaces, closed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from inventory.access.permissions import Permission, Role
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Id, Model
from inventory.api.problems import errors
from inventory.domain.errors import DuplicateIdentifier, InterfaceClosed, NotFound, OrganisationUnknown
from inventory.services import staff

router = APIRouter(tags=["access"])
Admin = Annotated[Caller, require(Permission.ACCESS_ADMIN, writes=True)]
Code = Annotated[str, Field(min_length=1, max_length=32)]


class NewStaff(Model):
    """A staff id to make; without a password it can only use keys."""

    staff_no: Code = Field(examples=["LJ0001"])
    name: Annotated[str, Field(min_length=1, max_length=64)]
    role: Role
    org_id: Id
    interfaces: Annotated[tuple[Code, ...], Field(max_length=32)] = ()
    language: Literal["zh", "en"] = "zh"
    password: Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)] | None = None


class StaffMember(Model):
    """A staff id as made."""

    staff_no: str
    name: str
    role: Role
    org_id: int
    interfaces: list[str]


@router.post(
    "/staff",
    operation_id="add_staff",
    status_code=201,
    summary="Make a staff id and bind it to interfaces",
    response_model=StaffMember,
    responses=errors(OrganisationUnknown, NotFound, InterfaceClosed, DuplicateIdentifier),
)
async def post_staff(
    caller: Admin, wish: NewStaff, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> Any:
    """Make a staff id."""
    asked = staff.StaffWish(**dict(wish))
    return reply(await staff.add(session, caller, write, asked, now=now), response, 201)


class Binding(Model):
    """A staff id that may work through an interface."""

    interface_no: str
    staff_no: str


@router.put(
    "/interfaces/{no}/staff/{staff_no}",
    operation_id="bind_staff",
    summary="Let a staff id work through an interface",
    response_model=Binding,
    responses=errors(NotFound, InterfaceClosed),
)
async def put_binding(
    caller: Admin, no: Code, staff_no: Code, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> Any:
    """Bind a staff id to an interface."""
    return reply(await staff.bind(session, caller, write, no, staff_no, now=now), response)


class EndedStaff(Model):
    """The staff id that is closed."""

    staff_no: str


@router.post(
    "/staff/{staff_no}:end",
    operation_id="end_staff",
    summary="Close a staff id with its keys and sign-ins",
    response_model=EndedStaff,
    responses=errors(NotFound),
)
async def end_staff(
    caller: Admin,
    staff_no: Code,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Close a staff id."""
    answer = await staff.end(session, caller, write, staff_no, now=now)
    runtime.callers.clear()
    return reply(answer, response)

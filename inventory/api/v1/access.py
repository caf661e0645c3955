"""Signing in and out, and the administration of interfaces, staff, keys and working hours."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.hours import Window
from inventory.access.interfaces import InterfaceKind
from inventory.access.passwords import LONGEST_PASSWORD, SESSION_PREFIX, SHORTEST_PASSWORD
from inventory.access.permissions import Permission, Role
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, origin_of, reply, require
from inventory.api.models import Id, Model, Time
from inventory.api.problems import errors
from inventory.domain.calendar import SHANGHAI
from inventory.domain.errors import (
    BadCredentials,
    BuiltInInterface,
    DuplicateIdentifier,
    InterfaceClosed,
    InvalidIdentifier,
    NotFound,
    OrganisationUnknown,
    TooManySignIns,
    UnknownInterface,
)
from inventory.runtime import Runtime
from inventory.services import interfaces
from inventory.services.access import SignInRules, SignInWish, sign_in, sign_out
from inventory.services.staff import change_password

router = APIRouter(tags=["access"])
Admin = Annotated[Caller, require(Permission.ACCESS_ADMIN, writes=True)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Code = Annotated[str, Field(min_length=1, max_length=32)]


class SignIn(Model):
    """A person's interface number, staff id and password."""

    interface_no: Code = Field(examples=["DIRECT-530700-001"])
    staff_no: Code = Field(examples=["LJ0001"])
    password: str = Field(max_length=LONGEST_PASSWORD, json_schema_extra={"format": "password"})


class Session(Model):
    """A session; its token goes into `Authorization: Bearer` with the two other headers."""

    token: str
    expires_at: Time
    role: Role
    city_id: int
    org_id: int


@router.post(
    "/sessions",
    operation_id="sign_in",
    status_code=201,
    summary="Sign in with interface number, staff id and password",
    responses=errors(UnknownInterface, BadCredentials, TooManySignIns),
    openapi_extra={"x-public": True},
)
async def post_session(
    wish: SignIn, request: Request, runtime: RuntimeDep, session: SessionDep, now: NowDep
) -> Session:
    """Open a session."""
    asked = SignInWish(
        interface_no=wish.interface_no, staff_no=wish.staff_no, password=wish.password, origin=origin_of(request)
    )
    opened = await sign_in(session, asked, _rules(runtime), now=now)
    caller = opened.caller
    return Session(
        token=opened.token,
        expires_at=opened.expires_at,
        role=caller.role,
        city_id=caller.city_id,
        org_id=caller.org_id,
    )


@router.delete(
    "/sessions/current",
    operation_id="sign_out",
    status_code=204,
    summary="Sign out",
    openapi_extra={"x-public": True},
)
async def delete_session(request: Request, runtime: RuntimeDep, session: SessionDep, now: NowDep) -> None:
    """End the session of the bearer token; anything else is ignored."""
    token = request.headers.get("authorization", "").partition(" ")[2]
    if token.startswith(SESSION_PREFIX):
        await sign_out(session, runtime.callers, token, now=now)


class NewPassword(Model):
    """The password in use and the one to come."""

    old: str = Field(max_length=LONGEST_PASSWORD, json_schema_extra={"format": "password"})
    new: str = Field(
        min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, json_schema_extra={"format": "password"}
    )


@router.put(
    "/staff/current/password",
    operation_id="change_password",
    status_code=204,
    summary="Change the caller's own password; its sign-ins end",
    responses=errors(TooManySignIns),
)
async def put_password(
    caller: Annotated[Caller, require(Permission.OWN_PASSWORD, writes=True)],
    wish: NewPassword,
    request: Request,
    runtime: RuntimeDep,
    session: SessionDep,
    now: NowDep,
) -> None:
    """Change the password."""
    old = SignInWish(
        interface_no=caller.interface_no, staff_no=caller.staff_no, password=wish.old, origin=origin_of(request)
    )
    await change_password(session, caller, old, wish.new, _rules(runtime), now=now)
    runtime.callers.clear()


def _rules(runtime: Runtime) -> SignInRules:
    settings = runtime.settings
    return SignInRules(
        lasts=timedelta(hours=settings.session_hours),
        failures=settings.sign_in_failures,
        wait=timedelta(minutes=settings.sign_in_wait_minutes),
    )


class Interface(Model):
    """An interface as it stands."""

    no: str
    kind: InterfaceKind
    name_zh: str
    name_en: str
    city_id: int
    org_id: int
    pools: list[str]
    built_in: bool
    active: bool
    replaced_by: str | None


class Interfaces(Model):
    """The interfaces of a city."""

    interfaces: list[Interface]


@router.get("/interfaces", operation_id="list_interfaces", summary="All interfaces of the city, closed ones too")
async def get_interfaces(caller: Annotated[Caller, require(Permission.ACCESS_READ)], session: SessionDep) -> Interfaces:
    """List the interfaces."""
    rows = await interfaces.read_all(session, caller)
    return Interfaces(interfaces=[Interface(**interfaces.as_answer(row)) for row in rows])


class Grant(Model):
    """An interface to grant; without `no` the next number of its kind is given."""

    kind: InterfaceKind
    name_zh: Name
    name_en: Name
    org_id: Id
    pools: Annotated[tuple[Code, ...], Field(max_length=32)] = ()
    no: Code | None = None


@router.post(
    "/interfaces",
    operation_id="grant_interface",
    status_code=201,
    summary="Grant an interface number",
    response_model=Interface,
    responses=errors(OrganisationUnknown, InvalidIdentifier, DuplicateIdentifier),
)
async def post_interface(
    caller: Admin, wish: Grant, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> Any:
    """Grant an interface."""
    asked = interfaces.GrantWish(**dict(wish))
    return reply(await interfaces.grant(session, caller, write, asked, now=now), response, 201)


@router.post(
    "/interfaces/{no}:disable",
    operation_id="disable_interface",
    summary="Close an interface for good",
    response_model=Interface,
    responses=errors(NotFound, InterfaceClosed, BuiltInInterface),
)
async def disable_interface(
    caller: Admin, no: Code, write: WriteDep, session: SessionDep, now: NowDep, response: Response, runtime: RuntimeDep
) -> Any:
    """Close an interface; its sign-ins end at once."""
    answer = await interfaces.disable(session, caller, write, no, now=now)
    runtime.callers.clear()
    return reply(answer, response)


class NewNumber(Model):
    """The new number of an interface; without it the next of its kind is given."""

    no: Code | None = None


@router.post(
    "/interfaces/{no}:replace",
    operation_id="replace_interface",
    summary="Give an interface another number",
    response_model=Interface,
    responses=errors(NotFound, InterfaceClosed, BuiltInInterface, InvalidIdentifier, DuplicateIdentifier),
)
async def replace_interface(
    caller: Admin,
    no: Code,
    wish: NewNumber,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Replace an interface number; keys, staff and hours move to the new one."""
    answer = await interfaces.replace_number(session, caller, write, no, wish.no, now=now)
    runtime.callers.clear()
    return reply(answer, response)


class WindowModel(Model):
    """Hours on some weekdays, Asia/Shanghai; `weekdays` 1 is Monday, 7 Sunday; `closes` 00:00 is the day's end."""

    weekdays: Annotated[list[Annotated[int, Field(strict=True, ge=1, le=7)]], Field(min_length=1, max_length=7)]
    opens: time
    closes: time
    on_holidays: bool = False
    reading_outside: bool = True


class Hours(Model):
    """The windows of an interface or a role; none: always open."""

    windows: Annotated[list[WindowModel], Field(max_length=50)]


class HoursSet(Model):
    """Whose windows were set, and how many."""

    interface_no: str | None
    role: Role | None
    windows: int


def _of_halls(moment: time) -> time:
    """Give a time of day without its offset where that is the halls' own; any other is left to be refused."""
    own = SHANGHAI.utcoffset(None)
    return moment.replace(tzinfo=None) if moment.utcoffset() == own else moment


def _windows(wish: Hours) -> tuple[Window, ...]:
    return tuple(
        Window(
            weekdays=sum({1 << (day - 1) for day in window.weekdays}),
            opens=_of_halls(window.opens),
            closes=_of_halls(window.closes),
            on_holidays=window.on_holidays,
            reading_outside=window.reading_outside,
        )
        for window in wish.windows
    )


@router.put(
    "/interfaces/{no}/windows",
    operation_id="set_interface_windows",
    summary="Set the working hours of an interface",
    response_model=HoursSet,
    responses=errors(NotFound, InterfaceClosed),
)
async def put_interface_windows(
    caller: Admin,
    no: Code,
    wish: Hours,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Replace all windows of the interface."""
    asked = interfaces.WindowsWish(interface_no=no, windows=_windows(wish))
    answer = await interfaces.set_windows(session, caller, write, asked, now=now)
    runtime.callers.clear()
    return reply(answer, response)


@router.put(
    "/roles/{role}/windows",
    operation_id="set_role_windows",
    summary="Set the working hours of a role in the city",
    response_model=HoursSet,
)
async def put_role_windows(
    caller: Admin,
    role: Role,
    wish: Hours,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Replace all windows of the role."""
    asked = interfaces.WindowsWish(role=role, windows=_windows(wish))
    answer = await interfaces.set_windows(session, caller, write, asked, now=now)
    runtime.callers.clear()
    return reply(answer, response)


class NewKey(Model):
    """Whom a key is for."""

    staff_no: Code


class IssuedKey(Model):
    """A key; `key` is shown this once, null when the answer is replayed."""

    interface_no: str
    staff_no: str
    prefix: str
    key: str | None


@router.post(
    "/interfaces/{no}/keys",
    operation_id="issue_key",
    status_code=201,
    summary="Issue an API key for a staff id at an interface",
    response_model=IssuedKey,
    responses=errors(NotFound, InterfaceClosed),
)
async def post_key(
    caller: Admin, no: Code, wish: NewKey, write: WriteDep, session: SessionDep, now: NowDep, response: Response
) -> Any:
    """Issue a key."""
    asked = interfaces.KeyWish(interface_no=no, staff_no=wish.staff_no)
    return reply(await interfaces.issue_key(session, caller, write, asked, now=now), response, 201)


class RevokedKey(Model):
    """The key that has ended."""

    interface_no: str
    prefix: str


@router.post(
    "/interfaces/{no}/keys/{prefix}:revoke",
    operation_id="revoke_key",
    summary="End an API key at once",
    response_model=RevokedKey,
    responses=errors(NotFound),
)
async def revoke_key(
    caller: Admin,
    no: Code,
    prefix: Code,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """End a key."""
    answer = await interfaces.revoke_key(session, caller, write, no, prefix, now=now)
    runtime.callers.clear()
    return reply(answer, response)

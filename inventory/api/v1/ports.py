"""SMS ports: which are free, to whom the others are rented and until when; rent, extend, take back (REQ-NUM-15)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import (
    IllegalTransition,
    InvalidField,
    InvalidIdentifier,
    ItemNotMovable,
    LegalHold,
    MissingField,
    NotFound,
    NotHolder,
    PortSpanOverlaps,
    ReasonMissing,
)
from inventory.domain.lifecycle import PortState
from inventory.domain.ports import LONGEST, Standing
from inventory.downloads import FILES, FileDep, download
from inventory.services.exporting import port_listing
from inventory.services.ports import PortQuery, RentWish, end_rent, extend_term, read_ports, rent_port
from inventory.sheets import Form

router = APIRouter(tags=["ports"])

PortPath = Annotated[str, Path(max_length=40, examples=["10690123"])]
Renter = Annotated[Caller, require(Permission.PORTS_RENT, writes=True)]
_REFUSALS = (IllegalTransition, InvalidIdentifier, ItemNotMovable, LegalHold, NotFound, NotHolder)


class PortConditions(Model):
    """Conditions on ports, all of which hold together."""

    state: list[PortState] = Field([], max_length=4)
    ending: bool = Field(
        default=False, description="only those whose term ends soon (the city's `port_notice_days`) or is over"
    )
    name: str | None = Field(default=None, max_length=40, description="how base, tenant or its reference begins")
    format: Form | None = Field(default=None, description="the whole list as a file")

    def query(self) -> PortQuery:
        """Give what the service takes."""
        return PortQuery(states=tuple(self.state), ending=self.ending, name=self.name or None)


class Port(Model):
    """A port; the tenant may send from its number and from it with up to `extension_digits` more.

    `standing` says whether the term ends soon or is over; of a port that cools the last tenant is shown, and from which
    day it is free.
    """

    number: str
    state: PortState
    tenant: str | None
    tenant_ref: str | None
    extension_digits: int | None
    begins_on: date | None
    ends_on: date | None
    standing: Standing | None
    cooled_on: date | None


class Ports(Model):
    """At most 1,000 ports, those first whose term ends first; as a file all of them."""

    ports: list[Port]


class NewRent(Model):
    """A tenant and its term, both days included, in Asia/Shanghai."""

    tenant: Annotated[str, Field(max_length=200, examples=["丽江农商行"])]
    tenant_ref: Annotated[str, Field(max_length=64, description="customer or contract", examples=["KH-20261122-7"])]
    begins_on: date
    ends_on: date
    extension_digits: Annotated[int, Field(ge=0, le=LONGEST, description="digits that may follow the base")]


class Rented(Model):
    """A port as it is rented now."""

    number: str
    state: PortState
    rent: int
    tenant: str
    tenant_ref: str
    begins_on: date
    ends_on: date
    extension_digits: int


class NewTerm(Model):
    """A later last day."""

    ends_on: date


class Extended(Model):
    """A rent with the last day as it was and is."""

    number: str
    state: PortState
    rent: int
    ends_before: date
    ends_on: date


class RentEnd(Model):
    """Why a port is taken back."""

    reason: str


class Ended(Model):
    """A port that was taken back, and the day from which it is free again."""

    number: str
    state: PortState
    rent: int
    tenant_ref: str
    cooled_on: date


@router.get(
    "/ports",
    operation_id="list_ports",
    summary="SMS ports and to whom they are rented",
    response_model=Ports,
    responses=FILES | errors(),
)
async def get_ports(
    caller: Annotated[Caller, require(Permission.PORTS_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    now: NowDep,
    conditions: Annotated[PortConditions, Query()],
    file: FileDep,
) -> Any:
    """List ports of the caller's part, those first whose term ends first."""
    if file is not None:
        return await download(runtime.database, caller, port_listing(conditions.query(), now=now), file)
    found = await read_ports(session, caller, conditions.query(), now=now)
    return {
        "ports": [
            {name: getattr(view.port, name) for name in Port.model_fields if name != "standing"}
            | {"standing": view.standing}
            for view in found
        ]
    }


@router.post(
    "/ports/{number}:rent",
    operation_id="rent_port",
    status_code=201,
    summary="Rent an SMS port to a tenant",
    response_model=Rented,
    responses=errors(*_REFUSALS, InvalidField, MissingField, PortSpanOverlaps),
)
async def post_rent(
    number: PortPath,
    caller: Renter,
    wish: NewRent,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Rent a free port; no sender number may belong to two tenants."""
    answer = await rent_port(session, caller, write, RentWish(number=number, **wish.model_dump()), now=now)
    return reply(answer, response, 201)


@router.post(
    "/ports/{number}:extend-term",
    operation_id="extend_port_term",
    summary="Let a port stay with its tenant for longer",
    response_model=Extended,
    responses=errors(*_REFUSALS, InvalidField),
)
async def post_term(
    number: PortPath,
    caller: Renter,
    wish: NewTerm,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Set a later last day."""
    return reply(await extend_term(session, caller, write, number=number, ends_on=wish.ends_on, now=now), response)


@router.post(
    "/ports/{number}:end-rent",
    operation_id="end_port_rent",
    summary="Take a port back from its tenant",
    response_model=Ended,
    responses=errors(*_REFUSALS, ReasonMissing),
)
async def post_end(
    number: PortPath,
    caller: Renter,
    wish: RentEnd,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
) -> dict[str, Any]:
    """Take the port back, with a reason; it cools for 90 days before another tenant gets it."""
    return reply(await end_rent(session, caller, write, number=number, reason=wish.reason, now=now), response)

"""One number: what it is now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import SessionDep, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.fees import Fee, NumberPath
from inventory.api.v1.items import add_item_routes
from inventory.domain.errors import InvalidIdentifier, NotFound
from inventory.domain.kinds import NUMBER
from inventory.services.reporting import read_item

router = APIRouter(tags=["numbers"])


class NumberView(Model):
    """A number as it is now; `pool` is null when it is not on sale."""

    number: str
    kind: str
    state: str
    version: int
    holder: str
    in_transit: bool
    legal_hold: bool = Field(description="an outside order lies on it: it is neither sold nor given up")
    pool: str | None
    hlr: str | None
    segment: str | None
    segment_group: str | None
    held_until: Time | None
    fee: Fee
    updated_at: Time


@router.get(
    "/numbers/{number}",
    operation_id="read_number",
    summary="One number",
    responses=errors(InvalidIdentifier, NotFound),
)
async def get_number(
    number: NumberPath, caller: Annotated[Caller, require(Permission.NUMBERS_READ)], session: SessionDep
) -> NumberView:
    """Read one number of the caller's part: state, holder, segment, fee."""
    view = await read_item(session, caller, resource=NUMBER.name, name=number)
    if view.fee is None:
        raise NotFound(what=NUMBER.name, value=number)
    item = view.item
    return NumberView(
        number=item.name,
        kind=item.row["kind"],
        state=item.state,
        version=item.version,
        holder=view.holder.code,
        in_transit=item.transit_id is not None,
        legal_hold=item.row["legal_hold"],
        pool=item.pool,
        hlr=item.row["hlr_code"],
        segment=view.segment.prefix if view.segment else None,
        segment_group=view.segment.group if view.segment else None,
        held_until=item.hold_until,
        fee=Fee.model_validate(view.fee.as_dict()),
        updated_at=item.updated_at,
    )


add_item_routes(router, NUMBER, parameter="number", read=Permission.NUMBERS_READ)

"""What there is: counts per place, kind and state."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import SessionDep, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import NotFound, OrganisationUnknown, OutsideScope
from inventory.services.reporting import read_stock

router = APIRouter(tags=["stock"])


class StockCount(Model):
    """So many items of a sort in one state: `count` at the place and all below it, `own` at the place itself."""

    place: str
    name_zh: str
    name_en: str
    level: str
    resource: str
    sort: str
    state: str
    count: int
    own: int
    on_the_way: int = Field(description="of `count`, not signed for yet")


class Stock(Model):
    """The counts of a place and of each of its direct children."""

    counts: list[StockCount]


@router.get(
    "/stock",
    operation_id="read_stock",
    summary="Stock per place, kind and state",
    responses=errors(NotFound, OrganisationUnknown, OutsideScope),
)
async def get_stock(
    caller: Annotated[Caller, require(Permission.STOCK_READ)],
    session: SessionDep,
    place: Annotated[str | None, Query(max_length=32, description="organisation; by default the caller's own")] = None,
    resource: Annotated[str | None, Query(max_length=32, examples=["sim"])] = None,
) -> Stock:
    """Count what lies at a place of the caller's part and at each of its direct children."""
    rows = await read_stock(session, caller, node=place, resource=resource)
    return Stock(
        counts=[
            StockCount(
                place=row.node.code,
                name_zh=row.node.name_zh,
                name_en=row.node.name_en,
                level=row.node.level,
                resource=row.resource,
                sort=row.sort,
                state=row.state,
                count=row.count,
                own=row.own,
                on_the_way=row.on_the_way,
            )
            for row in rows
        ]
    )

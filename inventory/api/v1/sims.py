"""One card: what it is now, without its secrets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import SessionDep, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.api.v1.items import add_item_routes
from inventory.domain.errors import InvalidIdentifier, NotFound
from inventory.domain.kinds import SIM
from inventory.services.reporting import read_card_identities, read_item

router = APIRouter(tags=["sims"])


class Identity(Model):
    """One identity on a card; of the IMSI the first six and the last two digits (REQ-SEC-03)."""

    slot: int
    application: str
    imsi: str
    hlr: str
    state: str
    auc: str


class SimView(Model):
    """A card as it is now."""

    iccid: str | None
    serial: str | None
    kind: str
    state: str
    version: int
    holder: str
    in_transit: bool
    pool: str | None
    hlr: str | None
    generation: int
    held_until: Time | None
    identities: list[Identity]
    updated_at: Time


@router.get("/sims/{iccid}", operation_id="read_sim", summary="One card", responses=errors(InvalidIdentifier, NotFound))
async def get_sim(
    iccid: Annotated[str, Path(examples=["89860012345678901238"], max_length=40, description="ICCID or chip serial")],
    caller: Annotated[Caller, require(Permission.SIMS_READ)],
    session: SessionDep,
) -> SimView:
    """Read one card of the caller's part: state, holder, identities; never a key or code."""
    view = await read_item(session, caller, resource=SIM.name, name=iccid)
    identities = await read_card_identities(session, caller, item_no=view.item.item_no)
    item = view.item
    return SimView(
        iccid=item.row["iccid"],
        serial=item.row["serial"],
        kind=item.row["kind_code"],
        state=item.state,
        version=item.version,
        holder=view.holder.code,
        in_transit=item.transit_id is not None,
        pool=item.pool,
        hlr=item.row["hlr_code"],
        generation=item.row["generation"],
        held_until=item.hold_until,
        identities=[
            Identity(
                slot=row.slot,
                application=row.application,
                imsi=row.imsi,
                hlr=row.hlr_code,
                state=row.state,
                auc=row.auc,
            )
            for row in identities
        ],
        updated_at=item.updated_at,
    )


add_item_routes(router, SIM, parameter="iccid", read=Permission.SIMS_READ)

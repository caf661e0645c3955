"""Cards that writing has spoiled: the account by station, load and fault, and the claim file for the vendor."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import RuntimeDep, SessionDep, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, StationUnknown
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FILES, FileDep, download
from inventory.services.exporting import claim_listing, spoiled_listing
from inventory.services.faulty_cards import FaultQuery, read_account
from inventory.services.items import load_name
from inventory.sheets import Form

router = APIRouter(tags=["cards"])
Reader = Annotated[Caller, require(Permission.STATIONS_READ)]


class SpoiledCards(Model):
    """So many cards of a load (`batch`, `vendor`) that showed a fault at a station; each card counts once."""

    station: str = Field(examples=["st-530700-3"])
    station_name: str
    batch: str = Field(examples=["b-530700-12"])
    vendor: str
    fault: str = Field(examples=["wrong_key"])
    count: int


class SpoiledAccount(Model):
    """The account of spoiled cards, and how many there are in all."""

    rows: list[SpoiledCards]
    total: int


def _query(
    station: Annotated[str | None, Query(max_length=64, examples=["st-530700-3"])] = None,
    vendor: Annotated[str | None, Query(max_length=64, description="as the load says; empty: none named")] = None,
    first: Annotated[date | None, Query(description="first day, as in the halls")] = None,
    last: Annotated[date | None, Query(description="last day, included")] = None,
) -> FaultQuery:
    return FaultQuery(station=station, vendor=vendor, first=first, last=last)


QueryDep = Annotated[FaultQuery, Depends(_query)]


@router.get(
    "/spoiled-cards",
    operation_id="read_spoiled_cards",
    summary="Spoiled cards by station, load and fault",
    response_model=SpoiledAccount,
    responses=FILES | errors(InvalidField, StationUnknown),
)
async def get_spoiled_cards(
    caller: Reader, query: QueryDep, session: SessionDep, runtime: RuntimeDep, file: FileDep
) -> SpoiledAccount | Response:
    """Count the cards that writing has spoiled, or that refused their own key, at stations of the caller's part."""
    if file is not None:
        return await download(runtime.database, caller, spoiled_listing(query), file)
    found = await read_account(session, caller, query)
    rows = [
        SpoiledCards(
            station=format_public_id("st", caller.city_id, row.station_id),
            station_name=row.station,
            batch=load_name(row.batch_id, city_id=caller.city_id),
            vendor=row.vendor,
            fault=row.fault,
            count=row.count,
        )
        for row in found
    ]
    return SpoiledAccount(rows=rows, total=sum(row.count for row in rows))


@router.get(
    "/spoiled-cards:claim",
    operation_id="claim_spoiled_cards",
    summary="The claim file for a vendor",
    response_class=Response,
    responses=FILES | errors(InvalidField, StationUnknown),
)
async def get_claim(caller: Reader, query: QueryDep, runtime: RuntimeDep, file: FileDep) -> Response:
    """List the same cards one by one with load, fault, step, status word, station and time; as CSV unless told else."""
    return await download(runtime.database, caller, claim_listing(query), file or Form.CSV)

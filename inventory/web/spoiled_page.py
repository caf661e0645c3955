"""The account of spoiled cards on a page, and the claim file for the vendor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FileDep, download
from inventory.i18n import Language, texts
from inventory.services.exporting import claim_listing, spoiled_listing
from inventory.services.faulty_cards import FaultQuery, read_account
from inventory.services.items import load_name
from inventory.services.stations import read_stations
from inventory.sheets import Form
from inventory.store.spoiled import SpoiledCount
from inventory.web.deps import NowDep, RuntimeDep, SessionDep, language_of, require
from inventory.web.document_list import read_day
from inventory.web.problems import render_form
from inventory.web.wording import PageWording

router = APIRouter(prefix="/spoiled")

Reader = Annotated[Caller, require(Permission.STATIONS_READ)]
_FIELDS = ("station", "vendor", "first", "last")
_LONGEST = 64


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep, now: NowDep
) -> Response:
    """Show the account that meets the conditions of the address, or give it as a file."""
    language, given = language_of(request), _given(request)
    found: list[SpoiledCount] = []
    refusal = None
    try:
        query = _query(given)
        if file is not None:
            return await download(runtime.database, caller, spoiled_listing(query), file, PageWording(language))
        found = await read_account(session, caller, query)
    except DomainError as error:
        refusal = error
    stations = await read_stations(session, caller, now=now)
    vendors = {row.vendor for row in found if row.vendor} | ({given["vendor"]} if "vendor" in given else set())
    values = {
        "asked": {name: given.get(name, "") for name in _FIELDS},
        "stations": {one["id"]: one["name"] for one in stations} | _stations(found, caller),
        "vendors": {vendor: vendor for vendor in sorted(vendors)},
        "rows": [_line(row, caller, language) for row in found],
        "total": sum(row.count for row in found),
        "address": urlencode(given),
    }
    return render_form(request, "spoiled/page.html", values, refusal, caller=caller)


@router.get("/claim")
async def claim(request: Request, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Give the same cards one by one, to go to the vendor with them."""
    listing, wording = claim_listing(_query(_given(request))), PageWording(language_of(request))
    return await download(runtime.database, caller, listing, file or Form.CSV, wording)


def _given(request: Request) -> dict[str, str]:
    given = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    return {name: value for name, value in given.items() if value}


def _query(given: Mapping[str, str]) -> FaultQuery:
    """Read the conditions.

    Raises
    ------
    InvalidField
        A day is none.
    """
    days = {name: read_day(name, given[name]) for name in ("first", "last") if name in given}
    return FaultQuery(
        station=given.get("station"), vendor=given.get("vendor"), first=days.get("first"), last=days.get("last")
    )


def _stations(found: Iterable[SpoiledCount], caller: Caller) -> dict[str, str]:
    """Give the stations of an account by their ids: one that was revoked has its spoiled cards, too."""
    return {format_public_id("st", caller.city_id, row.station_id): row.station for row in found}


def _line(row: SpoiledCount, caller: Caller, language: Language) -> dict[str, Any]:
    return {
        "station": row.station,
        "vendor": row.vendor,
        "batch": load_name(row.batch_id, city_id=caller.city_id),
        "fault": texts("cards", language).get(("failure", row.fault), row.fault),
        "code": row.fault,
        "count": row.count,
    }

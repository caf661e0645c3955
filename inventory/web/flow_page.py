"""Movement of a place, day by day, as a chart and as the table that it is drawn from."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.kinds import KINDS, SIM
from inventory.downloads import FileDep, download
from inventory.services.exporting import flow_listing
from inventory.services.flow import SPANS, read_flow
from inventory.services.organisation import read_tree
from inventory.store.organisation import PSEUDO
from inventory.web.deps import NowDep, RuntimeDep, SessionDep, language_of, require
from inventory.web.names import kind_name, node_name
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter(prefix="/stock")

Keeper = Annotated[Caller, require(Permission.STOCK_READ)]


@router.get("/flow")
async def show(
    request: Request,
    session: SessionDep,
    caller: Keeper,
    runtime: RuntimeDep,
    now: NowDep,
    file: FileDep,
    kind: Annotated[str, Query(max_length=32)] = SIM.name,
    node: Annotated[str | None, Query(max_length=64)] = None,
    days: Annotated[int, Query()] = 30,
) -> Response:
    """Show what came to the place, went, was sold and was found damaged in the last days."""
    language = language_of(request)
    if file is not None:
        listing = flow_listing(resource=kind, place=node, days=days, now=now)
        return await download(runtime.database, caller, listing, file, PageWording(language))
    found = await read_flow(session, caller, resource=kind, place=node, days=days, now=now)
    tree = [place for place in await read_tree(session, caller) if place.level not in PSEUDO]
    values = {
        "asked": {"kind": found.kind.name, "node": found.place.code, "days": str(days)},
        "address": urlencode({"kind": found.kind.name, "node": found.place.code, "days": days}),
        "kinds": {one.name: kind_name(one, language) for one in KINDS.values()},
        "places": {place.code: node_name(place, language) for place in tree},
        "spans": {str(span): span for span in SPANS},
        "days": [vars(day) for day in reversed(found.days)],
        "sums": {name: sum(getattr(day, name) for day in found.days) for name in ("came", "went", "sold", "damaged")},
    }
    return render(request, "stock/flow.html", values, language=language, caller=caller)

"""Labels of places, to be printed and stuck on a door or a drawer: scanned, they name giver or receiver of a move."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import OrganisationUnknown
from inventory.domain.organisation import LABEL
from inventory.services.organisation import read_tree
from inventory.store.organisation import PSEUDO
from inventory.web.barcode import barcode
from inventory.web.deps import SessionDep, language_of, require
from inventory.web.names import node_name
from inventory.web.rendering import render

router = APIRouter(prefix="/stock")

Keeper = Annotated[Caller, require(Permission.STOCK_READ)]


@router.get("/labels")
async def show(
    request: Request, session: SessionDep, caller: Keeper, node: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    """Show the labels of a node (its code) and of each node right below it."""
    tree = [place for place in await read_tree(session, caller) if place.level not in PSEUDO and place.active]
    here = next((place for place in tree if node in {None, place.code}), None)
    if here is None:
        raise OrganisationUnknown(organisation=node)
    language = language_of(request)
    values = {
        "here": {"code": here.code, "name": node_name(here, language)},
        "labels": [
            {"code": place.code, "name": node_name(place, language), "bars": barcode(f"{LABEL}{place.code}")}
            for place in tree
            if here.id in {place.id, place.parent_id}
        ],
    }
    return render(request, "stock/labels.html", values, language=language, caller=caller)

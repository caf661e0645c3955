"""Stock at a glance: counts per place, kind and state, drilled down node by node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.kinds import KINDS, ResourceKind, kind_named
from inventory.domain.organisation import in_subtree
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.services.exporting import stock_listing
from inventory.services.organisation import read_tree
from inventory.services.recall_orders import public_id, read_orders
from inventory.services.reporting import PlaceCount, read_data_pools, read_stock
from inventory.store.organisation import Node
from inventory.web.deps import RuntimeDep, SessionDep, language_of, require
from inventory.web.names import kind_name, node_name
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter()

Keeper = Annotated[Caller, require(Permission.STOCK_READ)]


@router.get("/")
async def start(caller: Annotated[Caller, require(Permission.ORGANISATION_READ)]) -> Response:
    """Go to the page that the person works on."""
    if caller.may(Permission.HOLDS_WRITE):
        return RedirectResponse("/desk")
    return RedirectResponse("/stock" if caller.may(Permission.STOCK_READ) else "/places")


@router.get("/stock")
async def show(
    request: Request,
    session: SessionDep,
    caller: Keeper,
    runtime: RuntimeDep,
    file: FileDep,
    node: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Show the counts at a node (its code) and at each node right below it."""
    language = language_of(request)
    if file is not None:
        return await download(runtime.database, caller, stock_listing(place=node), file, PageWording(language))
    tree = await read_tree(session, caller)
    counts = await read_stock(session, caller, node=node)
    here = next(place for place in tree if place.code == node) if node else tree[0]
    values = {
        "trail": [
            {"code": place.code, "name": node_name(place, language)}
            for place in tree
            if in_subtree(place.path, here.path)
        ],
        "kinds": [_table(kind, counts, here, language) for kind in KINDS.values()],
        "place_code": here.code,
        "pools": await read_data_pools(session, caller),
        "owed": [
            {
                "order": public_id(view.order),
                "place": node_name(view.place, language),
                "kind": kind_name(kind_named(view.order.resource), language),
                "count": sum(found.debt.owed for found in view.debts),
            }
            for view in await read_orders(session, caller)
            if view.debts
        ],
    }
    return render(request, "stock/page.html", values, language=language, caller=caller)


def _table(kind: ResourceKind, counts: Sequence[PlaceCount], here: Node, language: Language) -> dict[str, Any]:
    """Lay the counts of a kind out: a row for what lies at the node itself and one for each node below."""
    rows: dict[str, tuple[Node, dict[str, int]]] = {}
    way: dict[str, int] = defaultdict(int)
    present: set[str] = set()
    for entry in counts:
        number = entry.own if entry.node.id == here.id else entry.count
        if entry.resource == kind.name and number:
            _, states = rows.setdefault(entry.node.code, (entry.node, defaultdict(int)))
            states[entry.state] += number
            present.add(entry.state)
            way[entry.node.code] += entry.own_on_the_way if entry.node.id == here.id else entry.on_the_way
    order = [str(state) for state in kind.lifecycle.names if str(state) in present]
    return {
        "name": kind.name,
        "label": kind_name(kind, language),
        "states": order,
        "total": sum(sum(states.values()) for _, states in rows.values()),
        "on_the_way": sum(way.values()),
        "rows": [
            {
                "code": place.code,
                "name": node_name(place, language),
                "own": place.id == here.id,
                "list": f"/items/{kind.name}?place={place.code}" + ("&itself=yes" if place.id == here.id else ""),
                "counts": [states.get(state, 0) for state in order],
                "total": sum(states.values()),
                "on_the_way": way[place.code],
            }
            for place, states in rows.values()
        ],
    }

"""Version 1 of the API: the explicit list of its routes."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter

from inventory.api import station_link
from inventory.api.routing import PREFIX
from inventory.api.v1 import (
    access,
    activation,
    alerts,
    approvals,
    boxes,
    bulk_orders,
    card_kinds,
    confirmation,
    deliveries,
    documents,
    ends,
    events,
    fees,
    flow,
    health,
    hlrs,
    holds,
    holidays,
    invariants,
    item_lists,
    kiosk,
    legal_holds,
    loads,
    loss,
    movements,
    network,
    network_deletions,
    number_kinds,
    number_plan,
    numbers,
    organisation,
    policies,
    ports,
    quotas,
    quotes,
    reasons,
    recall_orders,
    rolling_back,
    search,
    segments,
    sims,
    spoiled_cards,
    staff,
    stations,
    stock,
    stocktakes,
    transport_keys,
    uploads,
    write_jobs,
)

ROUTERS: tuple[APIRouter, ...] = (
    holds.router,
    confirmation.router,
    rolling_back.router,
    kiosk.router,
    search.router,
    quotes.router,
    numbers.router,
    ports.router,
    sims.router,
    activation.router,
    card_kinds.router,
    hlrs.router,
    segments.router,
    number_plan.router,
    number_kinds.router,
    write_jobs.router,
    health.router,
    access.router,
    staff.router,
    holidays.router,
    organisation.router,
    policies.router,
    reasons.router,
    stations.router,
    bulk_orders.router,
    spoiled_cards.router,
    station_link.router,
    stock.router,
    flow.router,
    alerts.router,
    item_lists.router,
    loads.router,
    loss.router,
    transport_keys.router,
    uploads.router,
    movements.router,
    documents.router,
    quotas.router,
    deliveries.router,
    boxes.router,
    recall_orders.router,
    legal_holds.router,
    stocktakes.router,
    approvals.router,
    ends.router,
    network.router,
    network_deletions.router,
    fees.router,
    events.router,
    invariants.router,
)
"""Tried in this order, one route after the other: what a counter calls all day comes first."""


@cache
def routes() -> APIRouter:
    """Return all of version 1 under its prefix, the same for every application of the process.

    It is one flat router inside, because each router inside another costs every request a search; and it is made once,
    because what FastAPI makes of a hundred routes when the first request comes takes half a second.
    """
    flat, version = APIRouter(), APIRouter()
    for router in ROUTERS:
        flat.routes.extend(router.routes)
    version.include_router(flat, prefix=PREFIX)
    return version

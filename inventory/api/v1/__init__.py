"""Version 1 of the API: the explicit list of its routes."""

from __future__ import annotations

from fastapi import APIRouter

from inventory.api import station_link
from inventory.api.routing import PREFIX
from inventory.api.v1 import (
    access,
    events,
    fees,
    health,
    holds,
    invariants,
    loads,
    movements,
    numbers,
    organisation,
    quotes,
    search,
    sims,
    staff,
    stations,
    stock,
    write_jobs,
)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    access.router,
    staff.router,
    organisation.router,
    stations.router,
    station_link.router,
    write_jobs.router,
    stock.router,
    loads.router,
    movements.router,
    numbers.router,
    sims.router,
    fees.router,
    search.router,
    quotes.router,
    holds.router,
    events.router,
    invariants.router,
)


def routes() -> APIRouter:
    """Return all of version 1."""
    v1 = APIRouter(prefix=PREFIX)
    for router in ROUTERS:
        v1.include_router(router)
    return v1

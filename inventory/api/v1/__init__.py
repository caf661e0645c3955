"""Version 1 of the API: the explicit list of its routes."""

from __future__ import annotations

from fastapi import APIRouter

from inventory.api import station_link
from inventory.api.v1 import (
    access,
    deliveries,
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
    holds.router,
    search.router,
    quotes.router,
    numbers.router,
    sims.router,
    write_jobs.router,
    health.router,
    access.router,
    staff.router,
    organisation.router,
    stations.router,
    station_link.router,
    stock.router,
    loads.router,
    movements.router,
    deliveries.router,
    fees.router,
    events.router,
    invariants.router,
)
"""Tried in this order, one route after the other: what a counter calls all day comes first."""


def routes() -> APIRouter:
    """Return all of version 1 as one flat router: each router inside another costs every request a search."""
    flat = APIRouter()
    for router in ROUTERS:
        flat.routes.extend(router.routes)
    return flat

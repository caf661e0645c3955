"""Version 1 of the API: the explicit list of its routes."""

from __future__ import annotations

from fastapi import APIRouter

from inventory.api.routing import PREFIX
from inventory.api.v1 import access, health, holds, organisation, quotes, staff

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    access.router,
    staff.router,
    organisation.router,
    quotes.router,
    holds.router,
)


def routes() -> APIRouter:
    """Return all of version 1."""
    v1 = APIRouter(prefix=PREFIX)
    for router in ROUTERS:
        v1.include_router(router)
    return v1

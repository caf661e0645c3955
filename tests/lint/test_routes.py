"""Every route names the permission it asks for, or stands in the list of those that ask for none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute

import inventory.api
import inventory.web
from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import require

WITHOUT_PERMISSION: Mapping[str, str] = {
    "inventory.api.v1.access.post_session": "signs in",
    "inventory.api.v1.access.delete_session": "signs out whoever holds the token",
    "inventory.api.v1.health.live": "says that the process runs, nothing else",
    "inventory.api.v1.health.ready": "says that the database answers, nothing else",
    "inventory.api.v1.stations.enrol_station": "trades a one-time code",
    "inventory.api.station_link.station_link": "admits by the station's own credential",
    "inventory.web.signing_in.show": "the page to sign in",
    "inventory.web.signing_in.enter": "signs in",
    "inventory.web.signing_in.leave": "signs out whoever holds the cookie",
    "inventory.web.signing_in.choose": "sets the language of the pages",
}
"""Routes that admit everybody, or by a credential of their own, and why."""


def routers() -> Iterator[APIRouter]:
    for package in (inventory.api, inventory.web):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, APIRouter):
                    yield value


def open_routes(some: Iterable[APIRouter]) -> set[str]:
    """Give the functions of routes without a dependency that holds a permission."""
    return {
        f"{route.endpoint.__module__}.{route.endpoint.__name__}"
        for router in some
        for route in router.routes
        if isinstance(route, APIRoute | APIWebSocketRoute)
        and not any(isinstance(getattr(call, "permission", None), Permission) for call in calls(route.dependant))
    }


def calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


def test_every_route_names_its_permission_or_says_why_not() -> None:
    """REQ-IF-04: a route without a caller is a named exception."""
    assert open_routes(routers()) == set(WITHOUT_PERMISSION)


@pytest.mark.parametrize("declares", [True, False])
def test_route_without_a_permission_is_found(*, declares: bool) -> None:
    router = APIRouter()

    @router.get("/asks")
    def asks(caller: Annotated[Caller, require(Permission.STOCK_READ)]) -> None:
        """Name a permission."""

    @router.get("/forgot")
    def forgot(caller: str) -> None:
        """Name none."""

    wanted = asks if declares else forgot
    assert (f"{__name__}.{wanted.__name__}" in open_routes([router])) is not declares

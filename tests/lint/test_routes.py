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
from inventory.access.permissions import PERMISSIONS, Permission, Role
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

NOT_FOR_AUDITORS: Mapping[str, str] = {
    "inventory.web.desk_pages": "the desk sells; what it shows of numbers, cards and readers stands on pages to read",
    "inventory.web.kiosk_pages": "a machine's screen for its customer; it sells, as the desk does",
    "inventory.web.kiosk_list.show": "a form that makes the screen a machine's; readers and stations are read by API",
    "inventory.web.move_pages": "empty forms; what was moved is on the page of documents",
    "inventory.web.network_page.fetch": "a file with keys in it, enclosed; what it was is on the list of exports",
    "inventory.api.v1.network.get_file": "as above",
    "inventory.web.network_deletions_page.fetch": "whole IMSIs, and each fetch is told of; the list shows the files",
    "inventory.api.v1.network_deletions.get_file": "as above",
    "inventory.web.delivery_pages.scanning": "a field to scan into; what is on its way is on the page of deliveries",
    "inventory.web.intake_pages": "forms that take stock in; what they brought is on the pages of loads",
    "inventory.web.upload_routes.stands": "where one's own unfinished upload goes on",
    "inventory.api.v1.uploads.get_upload": "as above",
}
"""Routes that only read and yet ask for more than an auditor has: a module or one function, and why."""


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


def closed_to_auditors(some: Iterable[APIRouter]) -> set[str]:
    """Give the functions of routes that only read and ask for a permission that the auditor's role has not."""
    seen = PERMISSIONS[Role.AUDITOR]
    return {
        f"{route.endpoint.__module__}.{route.endpoint.__name__}"
        for router in some
        for route in router.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and any(getattr(call, "permission", Permission.STOCK_READ) not in seen for call in calls(route.dependant))
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


def test_auditor_sees_all_that_routes_show() -> None:
    """REQ-IF-04: who only looks asks for a permission to look; each exception says why."""
    closed = closed_to_auditors(routers())
    excused = {name for name in closed if NOT_FOR_AUDITORS.keys() & {name, name.rpartition(".")[0]}}
    assert closed - excused == set()
    assert NOT_FOR_AUDITORS.keys() <= {part for name in closed for part in (name, name.rpartition(".")[0])}


@pytest.mark.parametrize(
    ("permission", "closed"), [(Permission.STOCK_READ, False), (Permission.COUNT, True), (Permission.END, True)]
)
def test_list_that_asks_for_leave_to_write_is_found(permission: Permission, *, closed: bool) -> None:
    router = APIRouter()

    @router.get("/list", dependencies=[require(permission)])
    def shown() -> None:
        """Only look."""

    assert (closed_to_auditors([router]) == {f"{__name__}.{shown.__name__}"}) is closed


def test_auditor_has_no_permission_to_change_anything_but_its_password() -> None:
    changing = {permission for permission in PERMISSIONS[Role.AUDITOR] if not permission.value.endswith(".read")}
    assert changing == {Permission.OWN_PASSWORD}


def test_province_sees_what_an_auditor_sees_and_answers_for_what_goes_between_cities() -> None:
    """REQ-STK-04: its word is nobody else's, and it moves nothing itself."""
    more = PERMISSIONS[Role.PROVINCE] - PERMISSIONS[Role.AUDITOR]
    assert more == {Permission.APPROVALS_WRITE, Permission.BETWEEN_CITIES}
    assert [role for role in Role if Permission.BETWEEN_CITIES in PERMISSIONS[role]] == [Role.PROVINCE]

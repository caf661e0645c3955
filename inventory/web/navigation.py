"""The way through the pages: groups in the head line, and below it the pages of the group one is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.access.caller import Caller
from inventory.access.permissions import Permission


@dataclass(frozen=True)
class Page:
    """A page: its address, its name, and what one must be allowed to do to see it."""

    address: str
    name: str
    permission: Permission


@dataclass(frozen=True)
class Group:
    """Pages of one kind of work, under one name in the head line."""

    name: str
    pages: tuple[Page, ...]


GROUPS = (
    Group(
        "Hall desk",
        (
            Page("/desk", "Hall desk", Permission.HOLDS_WRITE),
            Page("/kiosks", "Self-service machines", Permission.KIOSK_OPEN),
        ),
    ),
    Group(
        "Write cards",
        (
            Page("/bulk", "Bulk writing", Permission.STATIONS_READ),
            Page("/spoiled", "Spoiled cards", Permission.STATIONS_READ),
        ),
    ),
    Group(
        "Stock",
        (
            Page("/stock", "Stock", Permission.STOCK_READ),
            Page("/items", "Items", Permission.NUMBERS_READ),
            Page("/segments", "Segments", Permission.NUMBERS_READ),
            Page("/ports", "SMS ports", Permission.PORTS_READ),
            Page("/alerts", "Low stock", Permission.STOCK_READ),
            Page("/documents", "Documents", Permission.MOVEMENTS_READ),
            Page("/legal-holds", "Legal holds", Permission.LEGAL_READ),
        ),
    ),
    Group("Take in", (Page("/loads", "Take in", Permission.LOADS_READ),)),
    Group(
        "Hand over",
        (
            Page("/moves", "Moves", Permission.RECALL),
            Page("/deliveries", "Deliveries", Permission.MOVEMENTS_READ),
            Page("/orders", "Recall orders", Permission.MOVEMENTS_READ),
            Page("/quotas", "Quotas", Permission.STOCK_READ),
            Page("/ends", "Scrap and losses", Permission.STOCK_READ),
            Page("/boxes", "Boxes", Permission.STOCK_READ),
        ),
    ),
    Group("Count", (Page("/count", "Count", Permission.STOCK_READ),)),
    Group(
        "Approvals",
        (
            Page("/approvals", "Approvals", Permission.APPROVALS_READ),
            Page("/network", "Told to the network", Permission.NETWORK_READ),
            Page("/waiting", "Sales that wait", Permission.HOLDS_READ),
        ),
    ),
    Group(
        "Set up",
        (
            Page("/places", "Places", Permission.SETUP_READ),
            Page("/setup", "HLRs and number plan", Permission.SETUP_READ),
            Page("/policies", "City policies", Permission.SETUP_READ),
            Page("/hold-times", "Hold times", Permission.SETUP_READ),
            Page("/holidays", "Holidays", Permission.SETUP_READ),
            Page("/reasons", "Reasons", Permission.SETUP_READ),
            Page("/number-kinds", "Number kinds", Permission.SETUP_READ),
            Page("/card-kinds", "Card products", Permission.SETUP_READ),
            Page("/transport-keys", "Transport keys", Permission.SETUP_READ),
        ),
    ),
)


def menu(
    caller: Caller | None, here: str, gettext: Callable[[str], str], badges: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the groups with pages that the caller may see; `here` is the address of the page that is shown.

    `badges` says of some pages, by address, how many things wait there.
    """
    shown = []
    for group in GROUPS:
        pages = [page for page in group.pages if caller is not None and caller.may(page.permission)]
        if pages:
            shown.append(
                {
                    "label": gettext(group.name if len(pages) > 1 else pages[0].name),
                    "href": pages[0].address,
                    "current": here in {page.address for page in pages},
                    "badge": sum(badges.get(page.address, 0) for page in pages),
                    "pages": [
                        {"href": page.address, "label": gettext(page.name), "badge": badges.get(page.address, 0)}
                        for page in pages
                    ],
                }
            )
    return shown

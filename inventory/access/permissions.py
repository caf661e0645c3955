"""What a role may do: one table, read top to bottom."""

from __future__ import annotations

import enum


class Permission(enum.StrEnum):
    """One thing a caller may be allowed to do; every route names exactly one."""

    NUMBERS_READ = "numbers.read"
    PORTS_READ = "ports.read"
    """To see which SMS ports are rented to whom."""
    PORTS_RENT = "ports.rent"
    SIMS_READ = "sims.read"
    STOCK_READ = "stock.read"
    HOLDS_READ = "holds.read"
    HOLDS_WRITE = "holds.write"
    HOLDS_RELEASE_OTHERS = "holds.release_others"
    QUOTES_READ = "quotes.read"
    LOADS_READ = "loads.read"
    LOADS_WRITE = "loads.write"
    MOVEMENTS_READ = "movements.read"
    ISSUE = "movements.issue"
    RECALL = "movements.recall"
    ORDER_RECALL = "movements.order_recall"
    TRANSFER = "movements.transfer"
    RECEIVE = "movements.receive"
    COUNT = "stock.count"
    PACK = "stock.pack"
    POST_COUNT = "stock.post_count"
    QUOTAS = "movements.quotas"
    """How much the places below may be issued."""
    THRESHOLDS = "stock.thresholds"
    """How low stock may run before it is told."""
    TAKE_OVER = "movements.take_over"
    """What a leaver had: its staff id is closed, its drawer counted and taken over before a witness."""
    STATUS_RELEASE = "stock.status_release"
    BLOCK = "stock.block"
    """Declare items lost, or disable them."""
    END = "stock.end"
    """Scrap, write off, return to the vendor, void; and take back what was declared lost or disabled."""
    BETWEEN_CITIES = "movements.between_cities"
    """To give the province's word for what goes to another city (REQ-STK-04)."""
    LEGAL_READ = "legal_holds.read"
    """What legal holds there are, with reference and authority; that an item is under one is told to everybody."""
    LEGAL_PLACE = "legal_holds.place"
    LEGAL_LIFT = "legal_holds.lift"
    """Both persons need it."""
    FEES_CHANGE = "fees.change"
    APPROVALS_READ = "approvals.read"
    APPROVALS_WRITE = "approvals.write"
    """To ask for approvals and to answer them; the act in question has a permission of its own."""
    CARDS_WRITE = "cards.write"
    CARDS_BULK = "cards.bulk"
    """Have blanks finished in bulk at a station, for nobody's sale."""
    STATIONS_READ = "stations.read"
    STATIONS_ENROL = "stations.enrol"
    NETWORK_READ = "network.read"
    """What the network was told, and what it answered."""
    NETWORK_EXPORT = "network.export"
    """Tell the network of identities with their keys, enclosed; two persons."""
    NETWORK_ANSWER = "network.answer"
    """Take in what the network answered."""
    EVENTS_READ = "events.read"
    AUDIT_READ = "audit.read"
    ORGANISATION_READ = "organisation.read"
    ORGANISATION_WRITE = "organisation.write"
    SETUP_READ = "setup.read"
    """How the city is set up: its policies and hold times, HLRs, number plan, card products, segments."""
    SETUP_WRITE = "setup.write"
    """Add HLRs and close them, load the number plan."""
    ACCESS_READ = "access.read"
    """Which interface numbers and staff ids there are."""
    ACCESS_ADMIN = "access.admin"
    KIOSK_OPEN = "kiosk.open"
    """Let a dispenser of the place sell to customers by itself, and end that."""
    KIOSK_SELL = "kiosk.sell"
    """What a self-service machine does for the customer before it; nothing else."""
    OWN_PASSWORD = "access.own_password"  # noqa: S105 - a permission


class Role(enum.StrEnum):
    """What a staff id is there for."""

    CITY_ADMIN = "city_admin"
    DISTRICT_KEEPER = "district_keeper"
    HALL_KEEPER = "hall_keeper"
    CLERK = "clerk"
    ACCEPTANCE = "acceptance"
    """An acceptance system, by API."""
    INTERFACE_ADMIN = "interface_admin"
    """The only role that grants interface numbers (REQ-IF-10)."""
    AUDITOR = "auditor"
    """Sees all of its subtree and changes nothing."""
    KIOSK = "kiosk"
    """A self-service machine, in a session that a keeper has opened on it."""
    PROVINCE = "province"
    """The province's person in a city: sees what an auditor sees, and answers for what goes to another city."""


_READ = frozenset(
    {
        Permission.NUMBERS_READ,
        Permission.SIMS_READ,
        Permission.STOCK_READ,
        Permission.HOLDS_READ,
        Permission.QUOTES_READ,
        Permission.MOVEMENTS_READ,
        Permission.STATIONS_READ,
        Permission.ORGANISATION_READ,
        Permission.OWN_PASSWORD,
    }
)
_SEE_ALL = _READ | {
    Permission.LOADS_READ,
    Permission.NETWORK_READ,
    Permission.APPROVALS_READ,
    Permission.LEGAL_READ,
    Permission.EVENTS_READ,
    Permission.AUDIT_READ,
    Permission.PORTS_READ,
    Permission.SETUP_READ,
    Permission.ACCESS_READ,
}
_SELL = _READ | {Permission.HOLDS_WRITE, Permission.CARDS_WRITE}
_HANDLE = frozenset(
    {
        Permission.RECALL,
        Permission.TRANSFER,
        Permission.RECEIVE,
        Permission.COUNT,
        Permission.STATUS_RELEASE,
        Permission.APPROVALS_READ,
        Permission.APPROVALS_WRITE,
    }
)
"""What one may do with stock that one holds."""
_KEEP = (
    _READ
    | _HANDLE
    | {
        Permission.BLOCK,
        Permission.ISSUE,
        Permission.ORDER_RECALL,
        Permission.PACK,
        Permission.QUOTAS,
        Permission.THRESHOLDS,
        Permission.POST_COUNT,
        Permission.TAKE_OVER,
        Permission.CARDS_BULK,
        Permission.HOLDS_RELEASE_OTHERS,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CITY_ADMIN: _KEEP
    | {
        Permission.LOADS_READ,
        Permission.LOADS_WRITE,
        Permission.PORTS_READ,
        Permission.PORTS_RENT,
        Permission.END,
        Permission.LEGAL_READ,
        Permission.LEGAL_PLACE,
        Permission.LEGAL_LIFT,
        Permission.FEES_CHANGE,
        Permission.STATIONS_ENROL,
        Permission.NETWORK_READ,
        Permission.NETWORK_EXPORT,
        Permission.NETWORK_ANSWER,
        Permission.EVENTS_READ,
        Permission.AUDIT_READ,
        Permission.ORGANISATION_WRITE,
        Permission.SETUP_READ,
        Permission.SETUP_WRITE,
        Permission.ACCESS_READ,
    },
    Role.DISTRICT_KEEPER: _KEEP | {Permission.FEES_CHANGE},
    Role.HALL_KEEPER: _KEEP | _SELL | {Permission.FEES_CHANGE, Permission.STATIONS_ENROL, Permission.KIOSK_OPEN},
    Role.CLERK: _SELL | _HANDLE,
    Role.ACCEPTANCE: _SELL | {Permission.EVENTS_READ, Permission.NETWORK_ANSWER},
    Role.INTERFACE_ADMIN: frozenset(
        {
            Permission.ACCESS_READ,
            Permission.ACCESS_ADMIN,
            Permission.AUDIT_READ,
            Permission.ORGANISATION_READ,
            Permission.ORGANISATION_WRITE,
            Permission.SETUP_READ,
            Permission.OWN_PASSWORD,
        }
    ),
    Role.KIOSK: frozenset({Permission.KIOSK_SELL}),
    Role.AUDITOR: _SEE_ALL,
    Role.PROVINCE: _SEE_ALL | {Permission.APPROVALS_WRITE, Permission.BETWEEN_CITIES},
}

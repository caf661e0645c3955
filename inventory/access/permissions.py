"""What a role may do: one table, read top to bottom."""

from __future__ import annotations

import enum


class Permission(enum.StrEnum):
    """One thing a caller may be allowed to do; every route names exactly one."""

    NUMBERS_READ = "numbers.read"
    SIMS_READ = "sims.read"
    STOCK_READ = "stock.read"
    HOLDS_READ = "holds.read"
    HOLDS_WRITE = "holds.write"
    HOLDS_RELEASE_OTHERS = "holds.release_others"
    QUOTES_READ = "quotes.read"
    LOADS_WRITE = "loads.write"
    MOVEMENTS_READ = "movements.read"
    ISSUE = "movements.issue"
    RECALL = "movements.recall"
    TRANSFER = "movements.transfer"
    RECEIVE = "movements.receive"
    COUNT = "stock.count"
    STATUS_RELEASE = "stock.status_release"
    FEES_CHANGE = "fees.change"
    CARDS_WRITE = "cards.write"
    STATIONS_READ = "stations.read"
    STATIONS_ENROL = "stations.enrol"
    EVENTS_READ = "events.read"
    AUDIT_READ = "audit.read"
    ORGANISATION_READ = "organisation.read"
    ORGANISATION_WRITE = "organisation.write"
    ACCESS_ADMIN = "access.admin"
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
_SELL = _READ | {Permission.HOLDS_WRITE, Permission.CARDS_WRITE}
_HANDLE = frozenset(
    {
        Permission.RECALL,
        Permission.TRANSFER,
        Permission.RECEIVE,
        Permission.COUNT,
        Permission.STATUS_RELEASE,
    }
)
"""What one may do with stock that one holds."""
_KEEP = _READ | _HANDLE | {Permission.ISSUE, Permission.HOLDS_RELEASE_OTHERS}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CITY_ADMIN: _KEEP
    | {
        Permission.LOADS_WRITE,
        Permission.FEES_CHANGE,
        Permission.STATIONS_ENROL,
        Permission.EVENTS_READ,
        Permission.AUDIT_READ,
        Permission.ORGANISATION_WRITE,
    },
    Role.DISTRICT_KEEPER: _KEEP | {Permission.FEES_CHANGE},
    Role.HALL_KEEPER: _KEEP | _SELL | {Permission.FEES_CHANGE, Permission.STATIONS_ENROL},
    Role.CLERK: _SELL | _HANDLE,
    Role.ACCEPTANCE: _SELL | {Permission.EVENTS_READ},
    Role.INTERFACE_ADMIN: frozenset(
        {
            Permission.ACCESS_ADMIN,
            Permission.AUDIT_READ,
            Permission.ORGANISATION_READ,
            Permission.ORGANISATION_WRITE,
            Permission.OWN_PASSWORD,
        }
    ),
    Role.AUDITOR: _READ | {Permission.EVENTS_READ, Permission.AUDIT_READ},
}

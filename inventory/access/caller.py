"""The caller of a service: who asks, from where, and how far its arm reaches."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.access.hours import WorkingHours
from inventory.access.permissions import PERMISSIONS, Permission, Role
from inventory.domain.holds import DEFAULT_POLICY, HoldPolicy


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated caller: an interface number and a staff id bound to it (REQ-IF-03).

    `org_id` is the node whose subtree the caller sees and acts in; `scope` is the ids of that subtree, itself included.
    `pools` are the sale pools its interface may take from; `channel` is the
    sales channel of its interface, a value of `inventory.domain.channels.Channel`. `hold_policy` says how long its city
    holds what.
    """

    interface_no: str
    staff_no: str
    role: Role
    city_id: int
    org_id: int
    scope: frozenset[int]
    pools: frozenset[str]
    channel: str
    language: str = "zh"
    hold_policy: HoldPolicy = DEFAULT_POLICY

    def may(self, permission: Permission) -> bool:
        """Whether the caller's role has the permission."""
        return permission in PERMISSIONS[self.role]


@dataclass(frozen=True)
class Admission:
    """A caller whose secret fitted, with the hours in which it may write (REQ-IF-06)."""

    caller: Caller
    hours: WorkingHours

"""Kinds of interface, and how interface numbers are made from kind and place (REQ-IF-01, REQ-IF-02)."""

from __future__ import annotations

import enum
import re

from inventory.domain.channels import Channel
from inventory.domain.errors import InvalidIdentifier

_NUMBER = re.compile(r"[A-Z0-9]{2,8}-[0-9]{6}-[0-9]{3,6}", re.ASCII)


class InterfaceKind(enum.StrEnum):
    """Where requests come from. A new kind is a member here, its prefix and its sales channel."""

    BANK = "bank"
    AGENT_1 = "agent_1"
    AGENT_2 = "agent_2"
    OWN_HALL = "own_hall"
    WEB = "web"
    CALL_CENTRE = "call_centre"
    DIRECT = "direct"
    """Users connected directly to the system; each city has one built-in interface of this kind (REQ-IF-05)."""
    PARTNER = "partner"


PREFIXES: dict[InterfaceKind, str] = {
    InterfaceKind.BANK: "BANK",
    InterfaceKind.AGENT_1: "AGENT1",
    InterfaceKind.AGENT_2: "AGENT2",
    InterfaceKind.OWN_HALL: "HALL",
    InterfaceKind.WEB: "WEB",
    InterfaceKind.CALL_CENTRE: "CALL",
    InterfaceKind.DIRECT: "DIRECT",
    InterfaceKind.PARTNER: "PARTNER",
}
"""The part of an interface number that names its kind."""

CHANNELS: dict[InterfaceKind, Channel] = {
    InterfaceKind.BANK: Channel.AGENT,
    InterfaceKind.AGENT_1: Channel.AGENT,
    InterfaceKind.AGENT_2: Channel.AGENT,
    InterfaceKind.OWN_HALL: Channel.OWN_HALL,
    InterfaceKind.WEB: Channel.WEB,
    InterfaceKind.CALL_CENTRE: Channel.CALL_CENTRE,
    InterfaceKind.DIRECT: Channel.OWN_HALL,
    InterfaceKind.PARTNER: Channel.AGENT,
}
"""The sales channel that fee rules and hold times know each kind by."""


def format_interface_no(kind: InterfaceKind, city_id: int, serial: int) -> str:
    """Write an interface number such as `HALL-530700-001`."""
    return f"{PREFIXES[kind]}-{city_id:06d}-{serial:03d}"


def parse_interface_no(value: str, *, kind: InterfaceKind, city_id: int, field: str = "no") -> str:
    """Read an interface number that an administrator chose; it must name this kind and city.

    Raises
    ------
    InvalidIdentifier
        It has another form, or names another kind or city.
    """
    start = f"{PREFIXES[kind]}-{city_id:06d}-"
    if _NUMBER.fullmatch(value) is None or not value.startswith(start):
        raise InvalidIdentifier(field=field, value=value, reason=f"it looks like {start}001")
    return value

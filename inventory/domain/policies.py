"""What a city decides for itself; what it has not decided is as the documents have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Policy(StrEnum):
    """One thing to decide."""

    SIGNING = "signing"
    """Whether the receiver signs for every issue and transfer, whatever the giver says."""
    LEVEL_SKIPPING = "level_skipping"
    """Whether an issue may pass over levels (REQ-SIM-05: "unless a policy allows it")."""
    COMPLETION = "completion"
    """Whether a sale is complete at once, or when the network has confirmed the identity (REQ-AUC-01, N8b)."""
    PORT_NOTICE_DAYS = "port_notice_days"
    """So long before its last day the term of a rented port counts as ending (REQ-NUM-15)."""
    PORT_COOLING_DAYS = "port_cooling_days"
    """So long after its tenant has gone a port is nobody's (REQ-NUM-15)."""


OPTIONAL, REQUIRED = "optional", "required"
REFUSED, ALLOWED = "refused", "allowed"
AT_ONCE, BY_NETWORK = "at_once", "by_network"

CHOICES: Mapping[Policy, tuple[str, ...]] = {
    Policy.SIGNING: (OPTIONAL, REQUIRED),
    Policy.LEVEL_SKIPPING: (REFUSED, ALLOWED),
    Policy.COMPLETION: (AT_ONCE, BY_NETWORK),
}
"""What may be decided of most policies; the first one holds where nothing is."""


@dataclass(frozen=True)
class Days:
    """A policy that is a number of days, `usual` where nothing is decided."""

    usual: int
    least: int
    most: int


DAYS: Mapping[Policy, Days] = {
    Policy.PORT_NOTICE_DAYS: Days(usual=30, least=1, most=365),
    Policy.PORT_COOLING_DAYS: Days(usual=90, least=1, most=730),
}
"""What may be decided of the others."""


def usual(policy: Policy) -> str:
    """Give what holds where nothing is decided."""
    return str(DAYS[policy].usual) if policy in DAYS else CHOICES[policy][0]


def allows(policy: Policy, value: str) -> bool:
    """Tell whether a policy may have a value; days are written in digits alone, without a zero before them."""
    if policy not in DAYS:
        return value in CHOICES[policy]
    days = DAYS[policy]
    return any(value == str(number) for number in range(days.least, days.most + 1))

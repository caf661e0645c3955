"""How states are shown: their names in both languages and the tone of their colour."""

from __future__ import annotations

from typing import Any

from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import (
    APPROVAL_LIFECYCLE,
    AUC_LIFECYCLE,
    BOX_LIFECYCLE,
    BULK_ORDER_LIFECYCLE,
    HOLD_LIFECYCLE,
    LEGAL_ORDER_LIFECYCLE,
    LOAD_LIFECYCLE,
    NUMBER_LIFECYCLE,
    PORT_LIFECYCLE,
    RECALL_ORDER_LIFECYCLE,
    SIM_LIFECYCLE,
    STOCKTAKE_LIFECYCLE,
    WRITE_JOB_LIFECYCLE,
    Lifecycle,
)

_TONES = {
    "good": (
        "UNUSED",
        "FREE",
        "RENTED",
        "IN_SERVICE",
        "AVAILABLE",
        "WRITTEN",
        "IN_USE",
        "CONFIRMED",
        "VERIFIED",
        "FULFILLED",
        "POSTED",
        "GRANTED",
        "SEALED",
        "COMMITTED",
        "TRIED",
        "DONE",
    ),
    "busy": (
        "HELD",
        "BOOKED",
        "ACTIVE",
        "WRITING",
        "COMPLETING",
        "SHIPPED",
        "PORTING_IN",
        "OPEN",
        "ASKED",
        "RUNNING",
        "TRYING",
        "SENT",
    ),
    "warn": (
        "WRITE_UNKNOWN",
        "FROZEN",
        "COOLING",
        "SUSPENDED",
        "RECYCLED",
        "EXPIRED",
        "RETURN_PENDING",
        "UNKNOWN",
        "PAUSED",
        "EXHAUSTED",
    ),
    "bad": ("IN_FORCE", "DAMAGED", "LOST", "DISABLED", "REPORTED_LOST", "VOID", "REFUSED", "REJECTED", "FAILED"),
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states}

_LIFECYCLES: tuple[Lifecycle[Any, Any], ...] = (
    AUC_LIFECYCLE,
    BULK_ORDER_LIFECYCLE,
    BOX_LIFECYCLE,
    LOAD_LIFECYCLE,
    STOCKTAKE_LIFECYCLE,
    RECALL_ORDER_LIFECYCLE,
    LEGAL_ORDER_LIFECYCLE,
    APPROVAL_LIFECYCLE,
    WRITE_JOB_LIFECYCLE,
    HOLD_LIFECYCLE,
    SIM_LIFECYCLE,
    PORT_LIFECYCLE,
    NUMBER_LIFECYCLE,
)
_NAMES = {str(state): name for cycle in _LIFECYCLES for state, name in cycle.names.items()}

_OF_KIND = {(kind.name, str(state)): name for kind in KINDS.values() for state, name in kind.lifecycle.names.items()}


def tone(state: str) -> str:
    """Return the class of the state's colour: good, busy, warn, bad or idle."""
    return _TONE_OF.get(state.upper(), "idle")


def state_name(state: str, resource: str = "", *, language: str) -> str:
    """Return the state's name for people, of an item of the kind `resource` (a card in use is 已开通, a number 占用).

    A state of no life cycle is shown as it is.
    """
    name = _OF_KIND.get((resource, state)) or _NAMES.get(state)
    return state if name is None else (name.en if language == "en" else name.zh)

"""How states are shown: their names in both languages and the tone of their colour."""

from __future__ import annotations

from typing import Any

from inventory.domain.lifecycle import (
    HOLD_LIFECYCLE,
    NUMBER_LIFECYCLE,
    SIM_LIFECYCLE,
    WRITE_JOB_LIFECYCLE,
    Lifecycle,
)

_TONES = {
    "good": ("UNUSED", "AVAILABLE", "WRITTEN", "IN_USE", "CONFIRMED", "VERIFIED"),
    "busy": ("HELD", "BOOKED", "ACTIVE", "WRITING", "COMPLETING", "SHIPPED", "PORTING_IN"),
    "warn": ("WRITE_UNKNOWN", "FROZEN", "RECYCLED", "EXPIRED", "RETURN_PENDING", "UNKNOWN"),
    "bad": ("DAMAGED", "LOST", "DISABLED", "REPORTED_LOST", "VOID"),
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states}

_LIFECYCLES: tuple[Lifecycle[Any, Any], ...] = (
    WRITE_JOB_LIFECYCLE,
    HOLD_LIFECYCLE,
    SIM_LIFECYCLE,
    NUMBER_LIFECYCLE,
)
_NAMES = {str(state): name for cycle in _LIFECYCLES for state, name in cycle.names.items()}


def tone(state: str) -> str:
    """Return the class of the state's colour: good, busy, warn, bad or idle."""
    return _TONE_OF.get(state.upper(), "idle")


def state_name(state: str, *, language: str) -> str:
    """Return the state's name for people; a state of no life cycle is shown as it is."""
    name = _NAMES.get(state)
    return state if name is None else (name.en if language == "en" else name.zh)

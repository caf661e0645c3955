"""Faults as data: what goes wrong, and at which command."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


class FaultKind(enum.StrEnum):
    """What a card does instead of its duty."""

    DIE_BEFORE = "die_before"
    """Power goes before the command takes effect; no answer."""
    DIE_AFTER = "die_after"
    """Power goes after the command took effect; no answer."""
    MUTE = "mute"
    """The command takes effect, the answer never comes, nor does any other before the next reset."""
    RESET = "reset"
    """The card restarts by itself just before the command: selection and rights are gone."""
    ANSWER = "answer"
    """The command has no effect and the status word `sw` is answered, such as 6581."""
    FINISH = "finish"
    """The command takes effect and the status word `sw` replaces 9000, such as 63C1 or 9180."""
    SLOW = "slow"
    """The answer takes `seconds` longer; the only fault that stays."""


@dataclass
class Fault:
    """One fault: it strikes once, at the `at`-th command (from 1) of those with instruction `ins` (None: of all)."""

    kind: FaultKind
    at: int = 1
    ins: int | None = None
    sw: int = 0x6581
    seconds: float = 0.0
    seen: int = 0

    def strikes(self, ins: int) -> bool:
        """Count one command and return whether it is the one."""
        if self.ins is not None and ins != self.ins:
            return False
        self.seen += 1
        return self.seen >= self.at

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON-ready values, with what it counted so far."""
        return {**vars(self), "kind": self.kind.value}

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Build a fault from its JSON form.

        Raises
        ------
        TypeError, ValueError
            A field is unknown, or the kind is.
        """
        return cls(**{**wire, "kind": FaultKind(wire["kind"])})

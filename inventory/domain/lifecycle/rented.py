"""The lives of numbers that no hall sells: an SMS port is rented, an access code serves (REQ-NUM-15, REQ-NUM-16).

Their states are none of a subscriber number's, so whatever looks for an unused number passes them by.
"""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class PortState(StrEnum):
    """Status of the base of an SMS port (短信端口号)."""

    FREE = "FREE"
    RENTED = "RENTED"
    """To one tenant, with all its extensions; also past the last day, until a person ends it."""
    COOLING = "COOLING"
    """Nobody's, so that no answer meant for the last tenant reaches the next one."""
    VOID = "VOID"


class PortEvent(StrEnum):
    """What can happen to an SMS port."""

    INTAKE = "INTAKE"
    RENT = "RENT"
    EXTEND_TERM = "EXTEND_TERM"
    END_RENT = "END_RENT"
    COOLED = "COOLED"
    VOID = "VOID"


class CodeState(StrEnum):
    """Status of an access code (接入号)."""

    IDLE = "IDLE"
    IN_SERVICE = "IN_SERVICE"
    SUSPENDED = "SUSPENDED"
    VOID = "VOID"


class CodeEvent(StrEnum):
    """What can happen to an access code."""

    INTAKE = "INTAKE"
    OPEN = "OPEN"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    CLOSE = "CLOSE"
    VOID = "VOID"


_P, _PE = PortState, PortEvent

PORT_LIFECYCLE: Lifecycle[PortState, PortEvent] = Lifecycle(
    initial=_P.FREE,
    entries={_PE.INTAKE: _P.FREE},
    table={
        (_P.FREE, _PE.RENT): _P.RENTED,
        (_P.RENTED, _PE.EXTEND_TERM): _P.RENTED,
        (_P.RENTED, _PE.END_RENT): _P.COOLING,
        (_P.COOLING, _PE.COOLED): _P.FREE,
        (_P.FREE, _PE.VOID): _P.VOID,
    },
    names={
        _P.FREE: Name("可租", "Free to rent"),
        _P.RENTED: Name("已出租", "Rented"),
        _P.COOLING: Name("冷却", "Cooling"),
        _P.VOID: Name("作废", "Void"),
    },
)
"""Every legal move of an SMS port."""

PORT_MOVABLE_UP = frozenset({_P.FREE})
"""One that was handed down before ports were rented comes home; none goes down."""

_C, _CE = CodeState, CodeEvent

CODE_LIFECYCLE: Lifecycle[CodeState, CodeEvent] = Lifecycle(
    initial=_C.IDLE,
    entries={_CE.INTAKE: _C.IDLE},
    table={
        (_C.IDLE, _CE.OPEN): _C.IN_SERVICE,
        (_C.IN_SERVICE, _CE.SUSPEND): _C.SUSPENDED,
        (_C.SUSPENDED, _CE.RESUME): _C.IN_SERVICE,
        (_C.IN_SERVICE, _CE.CLOSE): _C.IDLE,
        (_C.SUSPENDED, _CE.CLOSE): _C.IDLE,
        (_C.IDLE, _CE.VOID): _C.VOID,
    },
    names={
        _C.IDLE: Name("闲置", "Idle"),
        _C.IN_SERVICE: Name("启用", "In service"),
        _C.SUSPENDED: Name("暂停", "Suspended"),
        _C.VOID: Name("作废", "Void"),
    },
)
"""Every legal move of an access code."""

CODE_MOVABLE_UP = frozenset({_C.IDLE})
"""As for ports."""

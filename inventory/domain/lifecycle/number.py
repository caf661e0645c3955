"""The life of a number: rows N1 to N22 of the state table (REQ-NUM-09, REQ-NUM-10)."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class NumberState(StrEnum):
    """Status of a number; holder, transit and sale are other dimensions."""

    UNUSED = "UNUSED"
    HELD = "HELD"
    BOOKED = "BOOKED"
    COMPLETING = "COMPLETING"
    IN_USE = "IN_USE"
    FROZEN = "FROZEN"
    RECYCLED = "RECYCLED"
    DISABLED = "DISABLED"
    PORTING_IN = "PORTING_IN"
    PORTED_OUT = "PORTED_OUT"
    RETURN_PENDING = "RETURN_PENDING"
    RETURNED = "RETURNED"
    VOID = "VOID"


class NumberEvent(StrEnum):
    """What can happen to a number; own and ported-in numbers part where their targets differ."""

    INTAKE = "INTAKE"
    HOLD = "HOLD"
    RELEASE = "RELEASE"
    EXPIRE = "EXPIRE"
    EXTEND = "EXTEND"
    BOOK = "BOOK"
    BOOK_DIRECT = "BOOK_DIRECT"
    CANCEL_BOOKING = "CANCEL_BOOKING"
    CONFIRM = "CONFIRM"
    COMPLETE = "COMPLETE"
    ROLL_BACK = "ROLL_BACK"
    CANCEL = "CANCEL"
    RESTORE = "RESTORE"
    QUARANTINE_OVER = "QUARANTINE_OVER"
    STATUS_RELEASE = "STATUS_RELEASE"
    WITHDRAW = "WITHDRAW"
    DISABLE = "DISABLE"
    ENABLE = "ENABLE"
    PORT_OUT = "PORT_OUT"
    COME_BACK = "COME_BACK"
    PORT_IN = "PORT_IN"
    PORT_IN_ACCEPTED = "PORT_IN_ACCEPTED"
    PORT_IN_FAILED = "PORT_IN_FAILED"
    """A stranger's number: refused by the donor, or the code expired."""
    WIN_BACK_FAILED = "WIN_BACK_FAILED"
    """An own number that was to be won back stays away."""
    GIVE_BACK = "GIVE_BACK"
    """A ported-in number is cancelled or ported onward: its range holder gets it back (REQ-CMP-05)."""
    RETURN_ACKNOWLEDGED = "RETURN_ACKNOWLEDGED"
    VOID = "VOID"
    CHANGE_AWAY = "CHANGE_AWAY"
    """Change number, the old own number."""
    CHANGE_AWAY_PORTED = "CHANGE_AWAY_PORTED"
    """Change number, the old number is a ported-in one."""
    CHANGE_TO = "CHANGE_TO"
    """Change number, the new number."""


_S = NumberState
_E = NumberEvent

NUMBER_LIFECYCLE: Lifecycle[NumberState, NumberEvent] = Lifecycle(
    initial=_S.UNUSED,
    entries={_E.INTAKE: _S.UNUSED, _E.PORT_IN: _S.PORTING_IN},  # N1, N19
    table={
        (_S.UNUSED, _E.HOLD): _S.HELD,  # N2
        (_S.HELD, _E.RELEASE): _S.UNUSED,  # N3
        (_S.HELD, _E.EXPIRE): _S.UNUSED,
        (_S.HELD, _E.EXTEND): _S.HELD,  # N4
        (_S.HELD, _E.BOOK): _S.BOOKED,  # N5
        (_S.UNUSED, _E.BOOK_DIRECT): _S.BOOKED,  # N6
        (_S.BOOKED, _E.CANCEL_BOOKING): _S.UNUSED,  # N7
        (_S.BOOKED, _E.EXPIRE): _S.UNUSED,
        (_S.HELD, _E.CONFIRM): _S.COMPLETING,  # N8
        (_S.BOOKED, _E.CONFIRM): _S.COMPLETING,
        (_S.COMPLETING, _E.COMPLETE): _S.IN_USE,  # N8b
        (_S.COMPLETING, _E.ROLL_BACK): _S.HELD,  # N9
        (_S.IN_USE, _E.CANCEL): _S.FROZEN,  # N10
        (_S.FROZEN, _E.RESTORE): _S.COMPLETING,  # N11
        (_S.FROZEN, _E.QUARANTINE_OVER): _S.RECYCLED,  # N12
        (_S.RECYCLED, _E.STATUS_RELEASE): _S.UNUSED,  # N13
        (_S.UNUSED, _E.WITHDRAW): _S.RECYCLED,  # N14
        (_S.UNUSED, _E.DISABLE): _S.DISABLED,  # N15
        (_S.RECYCLED, _E.DISABLE): _S.DISABLED,
        (_S.DISABLED, _E.ENABLE): _S.RECYCLED,  # N16
        (_S.IN_USE, _E.PORT_OUT): _S.PORTED_OUT,  # N17
        (_S.PORTED_OUT, _E.COME_BACK): _S.FROZEN,  # N18
        (_S.RETURNED, _E.PORT_IN): _S.PORTING_IN,  # N19
        (_S.PORTED_OUT, _E.PORT_IN): _S.PORTING_IN,
        (_S.PORTING_IN, _E.PORT_IN_ACCEPTED): _S.COMPLETING,  # N19b
        (_S.PORTING_IN, _E.PORT_IN_FAILED): _S.RETURNED,
        (_S.PORTING_IN, _E.WIN_BACK_FAILED): _S.PORTED_OUT,
        (_S.IN_USE, _E.GIVE_BACK): _S.RETURN_PENDING,  # N20
        (_S.RETURN_PENDING, _E.RETURN_ACKNOWLEDGED): _S.RETURNED,  # N20b
        (_S.RECYCLED, _E.VOID): _S.VOID,  # N21
        (_S.DISABLED, _E.VOID): _S.VOID,
        (_S.IN_USE, _E.CHANGE_AWAY): _S.FROZEN,  # N22
        (_S.IN_USE, _E.CHANGE_AWAY_PORTED): _S.RETURN_PENDING,
        (_S.HELD, _E.CHANGE_TO): _S.COMPLETING,
        (_S.BOOKED, _E.CHANGE_TO): _S.COMPLETING,
    },
    names={
        _S.UNUSED: Name("未用", "Unused"),
        _S.HELD: Name("预占", "Held"),
        _S.BOOKED: Name("预定", "Booked"),
        _S.COMPLETING: Name("竣工中", "Completing"),
        _S.IN_USE: Name("占用", "In use"),
        _S.FROZEN: Name("冷冻", "Quarantined"),
        _S.RECYCLED: Name("回收", "Recycled"),
        _S.DISABLED: Name("禁用", "Disabled"),
        _S.PORTING_IN: Name("携入中", "Porting in"),
        _S.PORTED_OUT: Name("已携出", "Ported out"),
        _S.RETURN_PENDING: Name("待归还", "Return pending"),
        _S.RETURNED: Name("已归还", "Returned"),
        _S.VOID: Name("作废", "Void"),
    },
)
"""Every legal move of a number; guards beyond the state are the services'."""

NUMBER_MOVABLE_UP = frozenset({_S.UNUSED, _S.RECYCLED, _S.DISABLED, _S.FROZEN})
"""A number in these states may go up the line or lie in transit upward."""

NUMBER_MOVABLE_DOWN = frozenset({_S.UNUSED})
"""Only what can be sold goes down: the other movable states wait at the city for a decision (N13, N16)."""

NUMBER_PROMISED = frozenset({_S.HELD, _S.BOOKED})
"""Not the customer's yet: a number in these states may become free again where it lies."""

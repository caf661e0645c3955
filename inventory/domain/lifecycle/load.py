"""The life of a load: a file that is read, checked, and taken whole, in part, or not at all."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class LoadState(StrEnum):
    """Where a load stands. Only `COMMITTED` has anything in stock."""

    RUNNING = "RUNNING"
    TRYING = "TRYING"
    """A trial that runs: it takes nothing."""
    COMMITTED = "COMMITTED"
    REJECTED = "REJECTED"
    TRIED = "TRIED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    """It could not be brought to an end; nothing was taken."""
    UNDONE = "UNDONE"
    """What it had taken was given back, untouched."""


class LoadEvent(StrEnum):
    """What can happen to a load."""

    START = "START"
    TRY = "TRY"
    TAKE = "TAKE"
    REFUSE = "REFUSE"
    FIND = "FIND"
    CANCEL = "CANCEL"
    FAIL = "FAIL"
    UNDO = "UNDO"


_S, _E = LoadState, LoadEvent

LOAD_LIFECYCLE: Lifecycle[LoadState, LoadEvent] = Lifecycle(
    initial=_S.RUNNING,
    entries={_E.START: _S.RUNNING, _E.TRY: _S.TRYING},
    table={
        (_S.RUNNING, _E.TAKE): _S.COMMITTED,
        (_S.RUNNING, _E.REFUSE): _S.REJECTED,
        (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
        (_S.RUNNING, _E.FAIL): _S.FAILED,
        (_S.TRYING, _E.FIND): _S.TRIED,
        (_S.TRYING, _E.REFUSE): _S.REJECTED,
        (_S.TRYING, _E.CANCEL): _S.CANCELLED,
        (_S.TRYING, _E.FAIL): _S.FAILED,
        (_S.COMMITTED, _E.UNDO): _S.UNDONE,
    },
    names={
        _S.RUNNING: Name("进行中", "Running"),
        _S.TRYING: Name("试跑中", "Trying"),
        _S.COMMITTED: Name("已入库", "Taken in"),
        _S.REJECTED: Name("已拒绝", "Refused"),
        _S.TRIED: Name("已试跑", "Tried"),
        _S.CANCELLED: Name("已取消", "Cancelled"),
        _S.FAILED: Name("失败", "Failed"),
        _S.UNDONE: Name("已撤回", "Undone"),
    },
)
"""Every legal move of a load."""

LOAD_OPEN = frozenset({_S.RUNNING, _S.TRYING})
"""A load in these states is still to be run to its end."""

"""The life of a bulk order (批量写卡): so many blanks of a kind to be finished at one station."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class BulkOrderState(StrEnum):
    """Where a bulk order stands; only a running one begins a card."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    """As many cards are written and proven as were wanted."""
    EXHAUSTED = "EXHAUSTED"
    """No data of its HLR was left for the next card."""
    CANCELLED = "CANCELLED"


class BulkOrderEvent(StrEnum):
    """What can happen to a bulk order."""

    OPEN = "OPEN"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    FINISH = "FINISH"
    RUN_OUT = "RUN_OUT"
    CANCEL = "CANCEL"


_S, _E = BulkOrderState, BulkOrderEvent

BULK_ORDER_LIFECYCLE: Lifecycle[BulkOrderState, BulkOrderEvent] = Lifecycle(
    initial=_S.RUNNING,
    entries={_E.OPEN: _S.RUNNING},
    table={
        (_S.RUNNING, _E.PAUSE): _S.PAUSED,
        (_S.RUNNING, _E.FINISH): _S.DONE,
        (_S.RUNNING, _E.RUN_OUT): _S.EXHAUSTED,
        (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
        (_S.PAUSED, _E.RESUME): _S.RUNNING,
        # Cards that were begun before the pause are written to their end.
        (_S.PAUSED, _E.FINISH): _S.DONE,
        (_S.PAUSED, _E.CANCEL): _S.CANCELLED,
    },
    names={
        _S.RUNNING: Name("进行中", "Running"),
        _S.PAUSED: Name("已暂停", "Paused"),
        _S.DONE: Name("已完成", "Done"),
        _S.EXHAUSTED: Name("码号数据用完", "Out of data"),
        _S.CANCELLED: Name("已撤销", "Cancelled"),
    },
)
"""Every legal move of a bulk order."""

BULK_ORDER_OPEN = frozenset({_S.RUNNING, _S.PAUSED})
"""An order in these states has its station to itself."""

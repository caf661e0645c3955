"""Life cycles as tables of data: the only legal moves of numbers, cards, data, holds and write jobs (REQ-NUM-10)."""

from __future__ import annotations

from inventory.domain.lifecycle.data import (
    AUC_LIFECYCLE,
    DATA_LIFECYCLE,
    IDENTITY_LIFECYCLE,
    AucEvent,
    AucState,
    DataEvent,
    DataState,
    IdentityEvent,
    IdentityState,
)
from inventory.domain.lifecycle.machine import Lifecycle, Name
from inventory.domain.lifecycle.number import (
    NUMBER_LIFECYCLE,
    NUMBER_MOVABLE_DOWN,
    NUMBER_MOVABLE_UP,
    NumberEvent,
    NumberState,
)
from inventory.domain.lifecycle.sim import (
    SIM_LIFECYCLE,
    SIM_MOVABLE_DOWN,
    SIM_MOVABLE_UP,
    SIM_WITH_CUSTOMER,
    SIM_WRITE_UNSETTLED,
    SimEvent,
    SimState,
)
from inventory.domain.lifecycle.work import (
    HOLD_LIFECYCLE,
    WRITE_JOB_DELIVERED,
    WRITE_JOB_LIFECYCLE,
    WRITE_JOB_OPEN,
    HoldEvent,
    HoldState,
    WriteJobEvent,
    WriteJobState,
)

__all__ = [
    "AUC_LIFECYCLE",
    "DATA_LIFECYCLE",
    "HOLD_LIFECYCLE",
    "IDENTITY_LIFECYCLE",
    "NUMBER_LIFECYCLE",
    "NUMBER_MOVABLE_DOWN",
    "NUMBER_MOVABLE_UP",
    "SIM_LIFECYCLE",
    "SIM_MOVABLE_DOWN",
    "SIM_MOVABLE_UP",
    "SIM_WITH_CUSTOMER",
    "SIM_WRITE_UNSETTLED",
    "WRITE_JOB_DELIVERED",
    "WRITE_JOB_LIFECYCLE",
    "WRITE_JOB_OPEN",
    "AucEvent",
    "AucState",
    "DataEvent",
    "DataState",
    "HoldEvent",
    "HoldState",
    "IdentityEvent",
    "IdentityState",
    "Lifecycle",
    "Name",
    "NumberEvent",
    "NumberState",
    "SimEvent",
    "SimState",
    "WriteJobEvent",
    "WriteJobState",
]

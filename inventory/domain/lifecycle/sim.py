"""The life of a card: rows S1 to S19 of the state table, and S20, its way to another city.

A card's secrets and its subscription data have lives of their own (`inventory.domain.lifecycle.data`).
"""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class SimState(StrEnum):
    """Status of a card; holder and transit are other dimensions."""

    AVAILABLE = "AVAILABLE"
    HELD = "HELD"
    WRITING = "WRITING"
    WRITE_UNKNOWN = "WRITE_UNKNOWN"
    WRITTEN = "WRITTEN"
    SHIPPED = "SHIPPED"
    COMPLETING = "COMPLETING"
    IN_USE = "IN_USE"
    REPORTED_LOST = "REPORTED_LOST"
    REPLACED = "REPLACED"
    RETIRED = "RETIRED"
    DAMAGED = "DAMAGED"
    LOST = "LOST"
    DISABLED = "DISABLED"
    SCRAPPED = "SCRAPPED"
    WRITTEN_OFF = "WRITTEN_OFF"
    RETURNED_TO_VENDOR = "RETURNED_TO_VENDOR"
    VOIDED = "VOIDED"
    SENT_AWAY = "SENT_AWAY"
    """Another city's book has it now."""


class SimEvent(StrEnum):
    """What can happen to a card; facts that change the target choose the event."""

    INTAKE = "INTAKE"
    HOLD = "HOLD"
    RELEASE = "RELEASE"
    EXPIRE = "EXPIRE"
    START_WRITE = "START_WRITE"
    PROVEN = "PROVEN"
    """All read back equal and authenticated: while writing, or when an unknown card is read again."""
    NOTHING_WRITTEN = "NOTHING_WRITTEN"
    """The card is as blank as before and its hold is alive."""
    NOTHING_WRITTEN_HOLD_GONE = "NOTHING_WRITTEN_HOLD_GONE"
    SPOILED = "SPOILED"
    """Verify mismatch or fatal status word: while writing, or when an unknown card is read again."""
    FOUND_DAMAGED = "FOUND_DAMAGED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    DECLARE_DEAD = "DECLARE_DEAD"
    """An unknown card that lies on the table and answers nobody; two persons."""
    DECLARE_GONE = "DECLARE_GONE"
    """An unknown card that nobody has; two persons."""
    CONFIRM = "CONFIRM"
    CONFIRM_FINISHED = "CONFIRM_FINISHED"
    """The held card came finished from the factory or from a dropped order; nothing was to be written."""
    COMPLETE = "COMPLETE"
    ROLL_BACK = "ROLL_BACK"
    ROLL_BACK_FINISHED = "ROLL_BACK_FINISHED"
    KEEP_FINISHED = "KEEP_FINISHED"
    """The order is dropped, the written card is back in hand: a finished card of its HLR (REQ-RSV-19)."""
    SHIP = "SHIP"
    SHIPMENT_BACK = "SHIPMENT_BACK"
    NOT_BROUGHT_BACK = "NOT_BROUGHT_BACK"
    """The customer kept it or the courier lost it; its identity is deleted or was never sent to the network."""
    REPLACE = "REPLACE"
    REPORT_LOSS = "REPORT_LOSS"
    WITHDRAW_LOSS = "WITHDRAW_LOSS"
    RETIRE = "RETIRE"
    LOSE = "LOSE"
    DISABLE = "DISABLE"
    STATUS_RELEASE = "STATUS_RELEASE"
    SCRAP = "SCRAP"
    SCRAP_EXPIRED = "SCRAP_EXPIRED"
    WRITE_OFF = "WRITE_OFF"
    RETURN_TO_VENDOR = "RETURN_TO_VENDOR"
    VOID = "VOID"
    SEND_AWAY = "SEND_AWAY"


_S = SimState
_E = SimEvent

SIM_LIFECYCLE: Lifecycle[SimState, SimEvent] = Lifecycle(
    initial=_S.AVAILABLE,
    entries={_E.INTAKE: _S.AVAILABLE},  # S1
    table={
        (_S.AVAILABLE, _E.HOLD): _S.HELD,  # S2
        (_S.HELD, _E.RELEASE): _S.AVAILABLE,  # S3
        (_S.HELD, _E.EXPIRE): _S.AVAILABLE,
        (_S.HELD, _E.START_WRITE): _S.WRITING,  # S4
        (_S.WRITING, _E.PROVEN): _S.WRITTEN,  # S5
        (_S.WRITING, _E.NOTHING_WRITTEN): _S.HELD,  # S6
        (_S.WRITING, _E.NOTHING_WRITTEN_HOLD_GONE): _S.AVAILABLE,
        (_S.WRITING, _E.SPOILED): _S.DAMAGED,  # S7
        (_S.AVAILABLE, _E.FOUND_DAMAGED): _S.DAMAGED,  # S7b
        (_S.HELD, _E.FOUND_DAMAGED): _S.DAMAGED,
        (_S.WRITING, _E.OUTCOME_UNKNOWN): _S.WRITE_UNKNOWN,  # S8
        (_S.WRITE_UNKNOWN, _E.PROVEN): _S.WRITTEN,  # S9
        (_S.WRITE_UNKNOWN, _E.NOTHING_WRITTEN): _S.HELD,
        (_S.WRITE_UNKNOWN, _E.NOTHING_WRITTEN_HOLD_GONE): _S.AVAILABLE,
        (_S.WRITE_UNKNOWN, _E.SPOILED): _S.DAMAGED,
        (_S.WRITE_UNKNOWN, _E.DECLARE_DEAD): _S.DAMAGED,  # S9b
        (_S.WRITE_UNKNOWN, _E.DECLARE_GONE): _S.LOST,
        (_S.WRITTEN, _E.CONFIRM): _S.COMPLETING,  # S10
        (_S.HELD, _E.CONFIRM_FINISHED): _S.COMPLETING,
        (_S.COMPLETING, _E.COMPLETE): _S.IN_USE,
        (_S.COMPLETING, _E.ROLL_BACK): _S.WRITTEN,  # S10b
        (_S.COMPLETING, _E.ROLL_BACK_FINISHED): _S.HELD,
        (_S.WRITTEN, _E.KEEP_FINISHED): _S.AVAILABLE,  # S11
        (_S.WRITTEN, _E.SHIP): _S.SHIPPED,  # S11b
        (_S.SHIPPED, _E.SHIPMENT_BACK): _S.WRITTEN,
        (_S.WRITTEN, _E.NOT_BROUGHT_BACK): _S.LOST,  # S11c
        (_S.SHIPPED, _E.NOT_BROUGHT_BACK): _S.LOST,
        (_S.IN_USE, _E.REPLACE): _S.REPLACED,  # S12
        (_S.REPORTED_LOST, _E.REPLACE): _S.REPLACED,
        (_S.IN_USE, _E.REPORT_LOSS): _S.REPORTED_LOST,  # S13
        (_S.REPORTED_LOST, _E.WITHDRAW_LOSS): _S.IN_USE,
        (_S.IN_USE, _E.RETIRE): _S.RETIRED,  # S14
        (_S.REPORTED_LOST, _E.RETIRE): _S.RETIRED,
        # S15 "any in stock": what lies in a drawer and has no stricter row of its own (S9b for an unknown card and
        # S11c for a written one first ask what the network knows).
        (_S.AVAILABLE, _E.LOSE): _S.LOST,
        (_S.HELD, _E.LOSE): _S.LOST,
        (_S.DAMAGED, _E.LOSE): _S.LOST,
        (_S.REPLACED, _E.LOSE): _S.LOST,
        (_S.DISABLED, _E.LOSE): _S.LOST,
        # One person blocks at once, two lift it: docs/adr/0028-blocking-takes-one-person.md
        (_S.AVAILABLE, _E.DISABLE): _S.DISABLED,
        (_S.HELD, _E.DISABLE): _S.DISABLED,
        (_S.WRITTEN, _E.DISABLE): _S.DISABLED,
        (_S.DAMAGED, _E.DISABLE): _S.DISABLED,
        (_S.REPLACED, _E.DISABLE): _S.DISABLED,
        (_S.LOST, _E.STATUS_RELEASE): _S.AVAILABLE,  # S16
        (_S.DISABLED, _E.STATUS_RELEASE): _S.AVAILABLE,
        (_S.DAMAGED, _E.STATUS_RELEASE): _S.AVAILABLE,
        (_S.DAMAGED, _E.SCRAP): _S.SCRAPPED,  # S17
        (_S.REPLACED, _E.SCRAP): _S.SCRAPPED,
        (_S.DISABLED, _E.SCRAP): _S.SCRAPPED,
        (_S.AVAILABLE, _E.SCRAP_EXPIRED): _S.SCRAPPED,
        (_S.LOST, _E.WRITE_OFF): _S.WRITTEN_OFF,  # S18
        (_S.AVAILABLE, _E.RETURN_TO_VENDOR): _S.RETURNED_TO_VENDOR,  # S19
        (_S.DAMAGED, _E.RETURN_TO_VENDOR): _S.RETURNED_TO_VENDOR,
        (_S.AVAILABLE, _E.VOID): _S.VOIDED,
        (_S.AVAILABLE, _E.SEND_AWAY): _S.SENT_AWAY,  # S20; in the other city it begins anew, as S1 has it
    },
    names={
        _S.AVAILABLE: Name("可用", "Available"),
        _S.HELD: Name("预占", "Held"),
        _S.WRITING: Name("写卡中", "Being written"),
        _S.WRITE_UNKNOWN: Name("写卡结果未知", "Write outcome unknown"),
        _S.WRITTEN: Name("已写卡", "Written"),
        _S.SHIPPED: Name("寄送中", "Shipped"),
        _S.COMPLETING: Name("竣工中", "Completing"),
        _S.IN_USE: Name("已开通", "In use"),
        _S.REPORTED_LOST: Name("挂失", "Reported lost"),
        _S.REPLACED: Name("换卡回收", "Replaced"),
        _S.RETIRED: Name("拆机", "Retired"),
        _S.DAMAGED: Name("损坏", "Damaged"),
        _S.LOST: Name("丢失", "Lost"),
        _S.DISABLED: Name("禁用", "Disabled"),
        _S.SCRAPPED: Name("报废", "Scrapped"),
        _S.WRITTEN_OFF: Name("核销", "Written off"),
        _S.RETURNED_TO_VENDOR: Name("退厂", "Returned to vendor"),
        _S.VOIDED: Name("误登作废", "Voided"),
        _S.SENT_AWAY: Name("调往外地市", "Sent to another city"),
    },
)
"""Every legal move of a card; guards beyond the state are the services'."""

SIM_MOVABLE_UP = frozenset({_S.AVAILABLE, _S.DAMAGED, _S.WRITE_UNKNOWN, _S.REPLACED, _S.DISABLED})
"""A card in these states may go up the line or to scrap (REPLACED: when the old card is in hand)."""

SIM_MOVABLE_DOWN = frozenset({_S.AVAILABLE})
"""Only what can be sold goes down."""

SIM_PROMISED = frozenset({_S.HELD, _S.WRITING, _S.WRITE_UNKNOWN, _S.WRITTEN})
"""Not the customer's yet: a card in these states may become free again where it lies."""

SIM_WITH_CUSTOMER = frozenset({_S.COMPLETING, _S.IN_USE, _S.REPORTED_LOST, _S.RETIRED})
"""In these states the holder is the pseudo-holder customer, outside every stocktake."""

SIM_WRITE_UNSETTLED = frozenset({_S.WRITING, _S.WRITE_UNKNOWN})
"""While a card of a kit is in these states the kit neither expires nor is released (REQ-RSV-15)."""

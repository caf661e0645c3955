"""The life of a sale at a self-service machine (自助终端), from the chosen number to the card in hand."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class KioskState(StrEnum):
    """Where a sale at a machine stands."""

    WAITING = "waiting"
    """The kit is held; terms are to be accepted, and the person is to be checked."""
    SERVING = "serving"
    """Cards are fed and written until one is proven."""
    SOLD = "sold"
    """The line is the customer's; its card is on its way out or lies at the gate."""
    TAKEN_BACK = "taken_back"
    """Nobody took the card: it lies in the machine's bin, and the staff keeps it for its customer."""
    DONE = "done"
    """The customer has the card."""
    LEFT = "left"
    """The customer went away, or changed its mind, before anything was fed."""
    STOPPED = "stopped"
    """The machine could not finish it; the customer goes to the counter."""


class KioskEvent(StrEnum):
    """What can happen to a sale at a machine."""

    CHOOSE = "CHOOSE"
    SERVE = "SERVE"
    SELL = "SELL"
    TAKE = "TAKE"
    TAKE_BACK = "TAKE_BACK"
    LEAVE = "LEAVE"
    STOP = "STOP"


_S, _E = KioskState, KioskEvent

KIOSK_LIFECYCLE: Lifecycle[KioskState, KioskEvent] = Lifecycle(
    initial=_S.WAITING,
    entries={_E.CHOOSE: _S.WAITING},
    table={
        (_S.WAITING, _E.SERVE): _S.SERVING,
        (_S.WAITING, _E.LEAVE): _S.LEFT,
        (_S.WAITING, _E.STOP): _S.STOPPED,
        (_S.SERVING, _E.SELL): _S.SOLD,
        (_S.SERVING, _E.STOP): _S.STOPPED,
        (_S.SOLD, _E.TAKE): _S.DONE,
        (_S.SOLD, _E.TAKE_BACK): _S.TAKEN_BACK,
        (_S.TAKEN_BACK, _E.TAKE): _S.DONE,
    },
    names={
        _S.WAITING: Name("等待核验", "Waiting"),
        _S.SERVING: Name("出卡中", "Serving"),
        _S.SOLD: Name("待取卡", "Card to be taken"),
        _S.TAKEN_BACK: Name("已收回待领", "Card taken back"),
        _S.DONE: Name("已完成", "Done"),
        _S.LEFT: Name("客户离开", "Left"),
        _S.STOPPED: Name("转人工柜台", "Sent to the counter"),
    },
)
"""Every legal move of a sale at a machine."""

KIOSK_OPEN = frozenset({_S.WAITING, _S.SERVING, _S.SOLD})
"""A sale in these states has its machine to itself."""

KIOSK_UNFINISHED = KIOSK_OPEN | {_S.TAKEN_BACK}
"""In these a customer still waits for something."""

"""The lives of what we do to the stock: a hold, a write job, a recall order, a legal hold, a stocktake and a box."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class HoldState(StrEnum):
    """Where a hold stands; BOOKED is the long promise bound to a customer or order (N5, N6)."""

    ACTIVE = "ACTIVE"
    BOOKED = "BOOKED"
    CONFIRMED = "CONFIRMED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"
    ROLLED_BACK = "ROLLED_BACK"


class HoldEvent(StrEnum):
    """What can happen to a hold."""

    HOLD = "HOLD"
    BOOK_DIRECT = "BOOK_DIRECT"
    EXTEND = "EXTEND"
    BOOK = "BOOK"
    CONFIRM = "CONFIRM"
    RELEASE = "RELEASE"
    EXPIRE = "EXPIRE"
    ROLL_BACK = "ROLL_BACK"
    """The items go to a fresh hold; this one is history (N9)."""


class WriteJobState(StrEnum):
    """Where a write job stands; a card ends in exactly one of verified, nothing written, damaged or unknown."""

    CREATED = "created"
    IDENTIFYING = "identifying"
    WRITING = "writing"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    NOTHING_WRITTEN = "nothing_written"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class WriteJobEvent(StrEnum):
    """What can happen to a write job."""

    CREATE = "CREATE"
    IDENTIFY = "IDENTIFY"
    DELIVER_WRITE = "DELIVER_WRITE"
    DELIVER_VERIFY = "DELIVER_VERIFY"
    VERIFIED = "VERIFIED"
    NOTHING_WRITTEN = "NOTHING_WRITTEN"
    DAMAGED = "DAMAGED"
    UNKNOWN = "UNKNOWN"
    CANCEL = "CANCEL"


_H, _HE = HoldState, HoldEvent

HOLD_LIFECYCLE: Lifecycle[HoldState, HoldEvent] = Lifecycle(
    initial=_H.ACTIVE,
    entries={_HE.HOLD: _H.ACTIVE, _HE.BOOK_DIRECT: _H.BOOKED},
    table={
        (_H.ACTIVE, _HE.EXTEND): _H.ACTIVE,
        (_H.ACTIVE, _HE.BOOK): _H.BOOKED,
        (_H.ACTIVE, _HE.CONFIRM): _H.CONFIRMED,
        (_H.ACTIVE, _HE.RELEASE): _H.RELEASED,
        (_H.ACTIVE, _HE.EXPIRE): _H.EXPIRED,
        (_H.BOOKED, _HE.CONFIRM): _H.CONFIRMED,
        (_H.BOOKED, _HE.RELEASE): _H.RELEASED,
        (_H.BOOKED, _HE.EXPIRE): _H.EXPIRED,
        (_H.CONFIRMED, _HE.ROLL_BACK): _H.ROLLED_BACK,
    },
    names={
        _H.ACTIVE: Name("有效", "Active"),
        _H.BOOKED: Name("已预定", "Booked"),
        _H.CONFIRMED: Name("已实占", "Confirmed"),
        _H.RELEASED: Name("已撤销", "Released"),
        _H.EXPIRED: Name("已过期", "Expired"),
        _H.ROLLED_BACK: Name("已回滚", "Rolled back"),
    },
)
"""Every legal move of a hold."""

_W, _WE = WriteJobState, WriteJobEvent

WRITE_JOB_LIFECYCLE: Lifecycle[WriteJobState, WriteJobEvent] = Lifecycle(
    initial=_W.CREATED,
    entries={_WE.CREATE: _W.CREATED},
    table={
        (_W.CREATED, _WE.IDENTIFY): _W.IDENTIFYING,
        (_W.CREATED, _WE.CANCEL): _W.CANCELLED,
        (_W.IDENTIFYING, _WE.DELIVER_WRITE): _W.WRITING,
        # Until the write script is delivered nothing can be on the card.
        (_W.IDENTIFYING, _WE.NOTHING_WRITTEN): _W.NOTHING_WRITTEN,
        (_W.IDENTIFYING, _WE.CANCEL): _W.CANCELLED,
        (_W.WRITING, _WE.DELIVER_VERIFY): _W.VERIFYING,
        (_W.WRITING, _WE.NOTHING_WRITTEN): _W.NOTHING_WRITTEN,
        (_W.WRITING, _WE.DAMAGED): _W.DAMAGED,
        (_W.WRITING, _WE.UNKNOWN): _W.UNKNOWN,
        (_W.VERIFYING, _WE.VERIFIED): _W.VERIFIED,
        (_W.VERIFYING, _WE.NOTHING_WRITTEN): _W.NOTHING_WRITTEN,
        (_W.VERIFYING, _WE.DAMAGED): _W.DAMAGED,
        (_W.VERIFYING, _WE.UNKNOWN): _W.UNKNOWN,
        # An unknown card is settled by reading that card again, and by nothing else.
        (_W.UNKNOWN, _WE.VERIFIED): _W.VERIFIED,
        (_W.UNKNOWN, _WE.NOTHING_WRITTEN): _W.NOTHING_WRITTEN,
        (_W.UNKNOWN, _WE.DAMAGED): _W.DAMAGED,
    },
    names={
        _W.CREATED: Name("已建立", "Created"),
        _W.IDENTIFYING: Name("识别中", "Identifying"),
        _W.WRITING: Name("写入中", "Writing"),
        _W.VERIFYING: Name("校验中", "Verifying"),
        _W.VERIFIED: Name("已校验", "Verified"),
        _W.NOTHING_WRITTEN: Name("未写入", "Nothing written"),
        _W.DAMAGED: Name("已损坏", "Damaged"),
        _W.UNKNOWN: Name("结果未知", "Unknown"),
        _W.CANCELLED: Name("已取消", "Cancelled"),
    },
)
"""Every legal move of a write job."""

WRITE_JOB_OPEN = frozenset({_W.CREATED, _W.IDENTIFYING, _W.WRITING, _W.VERIFYING})
"""A job in these states holds its card and its kit."""

WRITE_JOB_DELIVERED = frozenset({_W.WRITING, _W.VERIFYING, _W.UNKNOWN})
"""In these states a card-changing script may have reached the card."""


class RecallOrderState(StrEnum):
    """Where a recall order (回收令) stands."""

    OPEN = "OPEN"
    FULFILLED = "FULFILLED"
    """Nothing is owed any more: everything came back or was sold under an older promise."""
    ENDED = "ENDED"
    """Closed by a person with a reason; what had not come back sells again."""


class RecallOrderEvent(StrEnum):
    """What can happen to a recall order."""

    ORDER = "ORDER"
    FULFIL = "FULFIL"
    END = "END"


_R, _RE = RecallOrderState, RecallOrderEvent

RECALL_ORDER_LIFECYCLE: Lifecycle[RecallOrderState, RecallOrderEvent] = Lifecycle(
    initial=_R.OPEN,
    entries={_RE.ORDER: _R.OPEN},
    table={(_R.OPEN, _RE.FULFIL): _R.FULFILLED, (_R.OPEN, _RE.END): _R.ENDED},
    names={
        _R.OPEN: Name("进行中", "Open"),
        _R.FULFILLED: Name("已交清", "Fulfilled"),
        _R.ENDED: Name("已终止", "Ended"),
    },
)
"""Every legal move of a recall order."""


class LegalOrderState(StrEnum):
    """Whether a legal hold (司法/政企保留) is in force."""

    IN_FORCE = "IN_FORCE"
    LIFTED = "LIFTED"


class LegalOrderEvent(StrEnum):
    """What can happen to a legal hold; that its review is due changes nothing."""

    PLACE = "PLACE"
    LIFT = "LIFT"
    """By two persons."""


_L, _LE = LegalOrderState, LegalOrderEvent

LEGAL_ORDER_LIFECYCLE: Lifecycle[LegalOrderState, LegalOrderEvent] = Lifecycle(
    initial=_L.IN_FORCE,
    entries={_LE.PLACE: _L.IN_FORCE},
    table={(_L.IN_FORCE, _LE.LIFT): _L.LIFTED},
    names={_L.IN_FORCE: Name("生效中", "In force"), _L.LIFTED: Name("已解除", "Lifted")},
)
"""Every legal move of a legal hold."""


class StocktakeState(StrEnum):
    """Where a stocktake (盘点单) stands."""

    OPEN = "OPEN"
    """Being scanned; nobody is told what is expected."""
    CLOSED = "CLOSED"
    """Signed by the counter; its differences are fixed."""
    POSTED = "POSTED"
    """The book has been set right by its differences."""
    CANCELLED = "CANCELLED"


class StocktakeEvent(StrEnum):
    """What can happen to a stocktake."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    POST = "POST"
    CANCEL = "CANCEL"


_T, _TE = StocktakeState, StocktakeEvent

STOCKTAKE_LIFECYCLE: Lifecycle[StocktakeState, StocktakeEvent] = Lifecycle(
    initial=_T.OPEN,
    entries={_TE.OPEN: _T.OPEN},
    table={
        (_T.OPEN, _TE.CLOSE): _T.CLOSED,
        (_T.OPEN, _TE.CANCEL): _T.CANCELLED,
        (_T.CLOSED, _TE.POST): _T.POSTED,
        (_T.CLOSED, _TE.CANCEL): _T.CANCELLED,
    },
    names={
        _T.OPEN: Name("进行中", "Open"),
        _T.CLOSED: Name("已封盘", "Closed"),
        _T.POSTED: Name("已过账", "Posted"),
        _T.CANCELLED: Name("已撤销", "Cancelled"),
    },
)
"""Every legal move of a stocktake."""


class BoxState(StrEnum):
    """Whether a box (箱) is closed with a seal."""

    SEALED = "SEALED"
    OPENED = "OPENED"


class BoxEvent(StrEnum):
    """What can happen to a box."""

    PACK = "PACK"
    OPEN = "OPEN"


_B, _BE = BoxState, BoxEvent

BOX_LIFECYCLE: Lifecycle[BoxState, BoxEvent] = Lifecycle(
    initial=_B.SEALED,
    entries={_BE.PACK: _B.SEALED},
    table={(_B.SEALED, _BE.OPEN): _B.OPENED, (_B.OPENED, _BE.PACK): _B.SEALED},
    names={_B.SEALED: Name("已封箱", "Sealed"), _B.OPENED: Name("已开箱", "Opened")},
)
"""Every legal move of a box."""

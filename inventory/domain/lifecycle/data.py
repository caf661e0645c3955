"""The lives behind a card: subscription data, what the network knows of it, and the identity in a slot of the card."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class DataState(StrEnum):
    """Where one unit of subscription data (an IMSI of an HLR) stands. An IMSI is never on two cards."""

    FREE = "FREE"
    RESERVED = "RESERVED"
    LEASED = "LEASED"
    BOUND = "BOUND"
    QUARANTINED = "QUARANTINED"
    RETIRED = "RETIRED"


class DataEvent(StrEnum):
    """What can happen to a unit of subscription data."""

    INTAKE = "INTAKE"
    INTAKE_FINISHED = "INTAKE_FINISHED"
    """The data came inside a finished card."""
    RESERVE = "RESERVE"
    RELEASE = "RELEASE"
    LEASE = "LEASE"
    NEVER_DELIVERED = "NEVER_DELIVERED"
    READ_BLANK = "READ_BLANK"
    """The card it was leased for was read again and is blank."""
    PROVEN = "PROVEN"
    QUARANTINE = "QUARANTINE"
    CARD_GONE = "CARD_GONE"
    """The card that may carry it is dead, lost or scrapped; two persons."""
    NETWORK_DELETED = "NETWORK_DELETED"
    WITHDRAW = "WITHDRAW"
    FETCH = "FETCH"
    """Issue data came from an operator's own system for one card, and go to it at once."""
    CONSUME = "CONSUME"
    """Issue data fetched from an operator's own system that did not end on a card: used up, never given again."""


class AucState(StrEnum):
    """What the network's authentication centre knows of an identity (REQ-AUC-01)."""

    NONE = "none"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    DELETED = "deleted"


class AucEvent(StrEnum):
    """What passes between us and the network about an identity."""

    CREATE = "CREATE"
    SEND = "SEND"
    CONFIRM = "CONFIRM"
    FAIL = "FAIL"
    DELETE = "DELETE"


class IdentityState(StrEnum):
    """How far the identity in one slot and application of a card has come."""

    NONE = "NONE"
    LEASED = "LEASED"
    WRITTEN = "WRITTEN"
    VERIFIED = "VERIFIED"


class IdentityEvent(StrEnum):
    """What can happen to the identity in a slot."""

    INTAKE = "INTAKE"
    INTAKE_FINISHED = "INTAKE_FINISHED"
    LEASE = "LEASE"
    TAKE_BACK = "TAKE_BACK"
    WRITE = "WRITE"
    VERIFY = "VERIFY"


_D, _DE = DataState, DataEvent

DATA_LIFECYCLE: Lifecycle[DataState, DataEvent] = Lifecycle(
    initial=_D.FREE,
    entries={_DE.INTAKE: _D.FREE, _DE.INTAKE_FINISHED: _D.BOUND, _DE.FETCH: _D.LEASED},
    table={
        (_D.FREE, _DE.RESERVE): _D.RESERVED,
        (_D.RESERVED, _DE.RELEASE): _D.FREE,
        (_D.RESERVED, _DE.LEASE): _D.LEASED,
        (_D.LEASED, _DE.NEVER_DELIVERED): _D.FREE,
        (_D.LEASED, _DE.READ_BLANK): _D.FREE,
        (_D.LEASED, _DE.PROVEN): _D.BOUND,
        (_D.LEASED, _DE.QUARANTINE): _D.QUARANTINED,
        (_D.LEASED, _DE.CONSUME): _D.RETIRED,
        (_D.QUARANTINED, _DE.PROVEN): _D.BOUND,
        (_D.QUARANTINED, _DE.READ_BLANK): _D.FREE,
        (_D.QUARANTINED, _DE.CARD_GONE): _D.RETIRED,
        (_D.QUARANTINED, _DE.CONSUME): _D.RETIRED,
        (_D.BOUND, _DE.NETWORK_DELETED): _D.RETIRED,
        (_D.FREE, _DE.WITHDRAW): _D.RETIRED,
    },
    names={
        _D.FREE: Name("空闲", "Free"),
        _D.RESERVED: Name("已预留", "Reserved"),
        _D.LEASED: Name("写卡租用", "Leased"),
        _D.BOUND: Name("已绑定", "Bound"),
        _D.QUARANTINED: Name("隔离", "Quarantined"),
        _D.RETIRED: Name("退役", "Retired"),
    },
)
"""Every legal move of a unit of subscription data."""

_A, _AE = AucState, AucEvent

AUC_LIFECYCLE: Lifecycle[AucState, AucEvent] = Lifecycle(
    initial=_A.NONE,
    entries={_AE.CREATE: _A.NONE},
    table={
        (_A.NONE, _AE.SEND): _A.SENT,
        (_A.SENT, _AE.CONFIRM): _A.CONFIRMED,
        (_A.SENT, _AE.FAIL): _A.FAILED,
        (_A.FAILED, _AE.SEND): _A.SENT,
        (_A.FAILED, _AE.CONFIRM): _A.CONFIRMED,  # mended there, without being told again
        # Deletion is asked for whatever the network answered: a lost answer may hide a success.
        (_A.NONE, _AE.DELETE): _A.DELETED,  # of a card that is replaced before all its identities were told of
        (_A.SENT, _AE.DELETE): _A.DELETED,
        (_A.CONFIRMED, _AE.DELETE): _A.DELETED,
        (_A.FAILED, _AE.DELETE): _A.DELETED,
    },
    names={
        _A.NONE: Name("未发送", "Not sent"),
        _A.SENT: Name("已发送", "Sent"),
        _A.CONFIRMED: Name("已确认", "Confirmed"),
        _A.FAILED: Name("失败", "Failed"),
        _A.DELETED: Name("已删除", "Deleted"),
    },
)
"""What the network knows; a number is in use only when `confirmed`, or when completion was reported."""

_I, _IE = IdentityState, IdentityEvent

IDENTITY_LIFECYCLE: Lifecycle[IdentityState, IdentityEvent] = Lifecycle(
    initial=_I.NONE,
    entries={_IE.INTAKE: _I.NONE, _IE.INTAKE_FINISHED: _I.VERIFIED},
    table={
        (_I.NONE, _IE.LEASE): _I.LEASED,
        (_I.LEASED, _IE.TAKE_BACK): _I.NONE,
        (_I.LEASED, _IE.WRITE): _I.WRITTEN,
        (_I.WRITTEN, _IE.VERIFY): _I.VERIFIED,
    },
    names={
        _I.NONE: Name("无", "None"),
        _I.LEASED: Name("已租用", "Leased"),
        _I.WRITTEN: Name("已写入", "Written"),
        _I.VERIFIED: Name("已验证", "Verified"),
    },
)
"""Every legal move of an identity in a slot."""

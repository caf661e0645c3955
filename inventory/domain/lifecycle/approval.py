"""The life of an approval: what one person asks for and a second one answers, used once."""

from __future__ import annotations

from enum import StrEnum

from inventory.domain.lifecycle.machine import Lifecycle, Name


class ApprovalState(StrEnum):
    """How far a second person's word has come."""

    ASKED = "ASKED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    USED = "USED"
    EXPIRED = "EXPIRED"


class ApprovalEvent(StrEnum):
    """What can happen to an approval."""

    ASK = "ASK"
    GRANT = "GRANT"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"
    """The one who asked takes the question back."""
    USE = "USE"
    """The act is done, in the same transaction."""
    EXPIRE = "EXPIRE"


_S, _E = ApprovalState, ApprovalEvent

APPROVAL_LIFECYCLE: Lifecycle[ApprovalState, ApprovalEvent] = Lifecycle(
    initial=_S.ASKED,
    entries={_E.ASK: _S.ASKED},
    table={
        (_S.ASKED, _E.GRANT): _S.GRANTED,
        (_S.ASKED, _E.REFUSE): _S.REFUSED,
        (_S.ASKED, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.ASKED, _E.EXPIRE): _S.EXPIRED,
        (_S.GRANTED, _E.USE): _S.USED,
        (_S.GRANTED, _E.WITHDRAW): _S.WITHDRAWN,
        (_S.GRANTED, _E.EXPIRE): _S.EXPIRED,
    },
    names={
        _S.ASKED: Name("待授权", "Asked for"),
        _S.GRANTED: Name("已授权", "Granted"),
        _S.REFUSED: Name("已驳回", "Refused"),
        _S.WITHDRAWN: Name("已撤回", "Withdrawn"),
        _S.USED: Name("已使用", "Used"),
        _S.EXPIRED: Name("已过期", "Expired"),
    },
)
"""Every legal move of an approval."""

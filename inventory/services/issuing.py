"""Issue (发放): items go one level down, to a direct child, with a document (REQ-SIM-05, 06, REQ-NUM-05, 06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import LevelSkipped
from inventory.domain.kinds import kind_named
from inventory.domain.organisation import require_issue_step
from inventory.services.custody import Step, node_of_city, require_in_scope, take_step
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import in_normal_form
from inventory.store import movements
from inventory.store.selection import Selection


@dataclass(frozen=True, kw_only=True)
class IssueWish:
    """An issue: `giver` and `receiver` are codes of organisations, `receiver_name` the person who takes (领用人)."""

    resource: str
    giver: str
    receiver: str
    selection: Selection
    receiver_name: str | None = None
    reason: str | None = None
    on_the_way: bool = False
    """Whether the receiver signs for the items before they can be sold or moved on."""


async def issue(session: AsyncSession, caller: Caller, write: WriteKey, wish: IssueWish, *, now: datetime) -> Answer:
    """Move the items to the giver's direct child and answer with the document.

    Numbers are rated by the rule set in force, and each line keeps what it gave. All items move or none.

    Raises
    ------
    LevelSkipped
        The receiver is not the giver's direct child, or the kind does not go down so far.
    MovementRefused
        Items may not move; the first 100 are named.
    NotEnoughStock
        Fewer items of the sort may move than asked for.
    OrganisationUnknown
        The city has no such organisation.
    OutsideScope
        The giver is not in the caller's subtree.
    """

    async def work() -> dict[str, Any]:
        kind = kind_named(wish.resource)
        giver = await node_of_city(session, caller, wish.giver)
        receiver = await node_of_city(session, caller, wish.receiver)
        require_in_scope(caller, giver)
        try:
            require_issue_step(giver.path, receiver.path, kind.levels)
        except LevelSkipped:
            raise LevelSkipped(giver=giver.code, receiver=receiver.code) from None
        step = Step(
            kind=kind,
            giver=giver,
            receiver=receiver,
            selection=in_normal_form(kind, wish.selection),
            states=kind.movable_down,
            movement=movements.ISSUE,
            happened="issued",
            receiver_name=wish.receiver_name or receiver.name_zh,
            reason=wish.reason,
            on_the_way=wish.on_the_way,
        )
        return await take_step(session, caller, step, now=now)

    return await once(session, caller, write, work, now=now)

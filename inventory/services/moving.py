"""Issue (发放), recall (回收) and transfer (调拨): items go one step along the line of custody, with a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import LevelSkipped, NotSiblings
from inventory.domain.kinds import kind_named
from inventory.domain.organisation import Level, require_issue_step, require_recall_step, require_transfer_step
from inventory.services.custody import Step, node_of_city, require_in_scope, take_step
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import in_normal_form
from inventory.store import movements
from inventory.store.selection import Selection


class Verb(StrEnum):
    """The ways of custody."""

    ISSUE = "issue"
    """One level down (REQ-SIM-05, REQ-NUM-05); numbers are rated, and each line keeps what it gave (REQ-NUM-06)."""
    RECALL = "recall"
    """One level up; the state stays (REQ-SIM-09, REQ-NUM-07, 08)."""
    TRANSFER = "transfer"
    """Sideways, between children of one parent: a colleague's card, the next hall's stock."""


@dataclass(frozen=True)
class _Way:
    """What sets a verb apart: its document, its event, which step it may take, and which states go along."""

    movement: str
    happened: str
    require_step: Callable[[str, str, frozenset[Level]], None]
    up: bool = False


_WAYS = {
    Verb.ISSUE: _Way(movements.ISSUE, "issued", require_issue_step),
    Verb.RECALL: _Way(movements.RECALL, "recalled", require_recall_step, up=True),
    Verb.TRANSFER: _Way(movements.TRANSFER, "transferred", require_transfer_step),
}


@dataclass(frozen=True, kw_only=True)
class MoveWish:
    """A move from `giver` to `receiver`, codes of organisations.

    `person` is who takes the items (领用人), on a recall who hands them back (回退人); by default the organisation.
    """

    verb: Verb
    resource: str
    giver: str
    receiver: str
    selection: Selection
    person: str | None = None
    reason: str | None = None
    on_the_way: bool = False
    """Whether the receiver signs for the items before they can be sold or moved on."""


async def move(session: AsyncSession, caller: Caller, write: WriteKey, wish: MoveWish, *, now: datetime) -> Answer:
    """Move the items, all or none, and answer with the document.

    Raises
    ------
    LevelSkipped
        The receiver is not the giver's direct child (recall: parent), or the kind does not go down so far.
    NotSiblings
        On a transfer the two have not the same parent.
    MovementRefused
        Items may not move (in use, being written, on hold, elsewhere); the first 100 are named.
    NotEnoughStock
        Fewer items of the sort may move than asked for.
    OrganisationUnknown
        The city has no such organisation.
    OutsideScope
        The giver is not in the caller's subtree.
    """

    async def work() -> dict[str, Any]:
        kind, way = kind_named(wish.resource), _WAYS[wish.verb]
        giver = await node_of_city(session, caller, wish.giver)
        receiver = await node_of_city(session, caller, wish.receiver)
        require_in_scope(caller, giver)
        try:
            way.require_step(giver.path, receiver.path, kind.levels)
        except (LevelSkipped, NotSiblings) as refusal:
            raise type(refusal)(giver=giver.code, receiver=receiver.code) from None
        step = Step(
            kind=kind,
            giver=giver,
            receiver=receiver,
            selection=in_normal_form(kind, wish.selection),
            states=kind.movable_up if way.up else kind.movable_down,
            movement=way.movement,
            happened=way.happened,
            receiver_name=None if way.up else wish.person or receiver.name_zh,
            returner_name=wish.person or giver.name_zh if way.up else None,
            reason=wish.reason,
            on_the_way=wish.on_the_way,
        )
        return await take_step(session, caller, step, now=now)

    return await once(session, caller, write, work, now=now)

"""Issue (发放), recall (回收) and transfer (调拨): items go one step along the line of custody, with a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import business_day
from inventory.domain.errors import LevelSkipped, NotSiblings
from inventory.domain.kinds import kind_named
from inventory.domain.organisation import Level, require_issue_step, require_recall_step, require_transfer_step
from inventory.domain.policies import ALLOWED, REQUIRED, Policy
from inventory.domain.reasons import Purpose
from inventory.services import reasons
from inventory.services.custody import Step, node_of_city, require_in_scope, take_step
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import resolved
from inventory.store import movements, policies
from inventory.store.organisation import PSEUDO
from inventory.store.selection import Wished


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
    selection: Wished
    person: str | None = None
    reason: str | None = None
    on_the_way: bool = False
    """Whether the receiver signs for the items before they can be sold or moved on; a city may require it."""


async def move(session: AsyncSession, caller: Caller, write: WriteKey, wish: MoveWish, *, now: datetime) -> Answer:
    """Move the items, all or none, and answer with the document.

    Raises
    ------
    LevelSkipped
        The receiver is not the giver's direct child (recall: parent), or the kind does not go down so far; a policy of
        the city may let an issue pass over levels.
    NotSiblings
        On a transfer the two have not the same parent.
    BoxNotSealed
        A box is open, or inside another one.
    MovementRefused
        Items may not move (in use, being written, on hold, elsewhere); the first 100 are named.
    NotEnoughStock
        Fewer items of the sort may move than asked for.
    NothingOfLoad
        The giver holds nothing of the load.
    QuotaExceeded
        An issue is more than is left of what its receiver may be given.
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
        held = await policies.policies_of(session, caller.city_id)
        require_step = way.require_step
        if wish.verb is Verb.ISSUE and held[Policy.LEVEL_SKIPPING] == ALLOWED and receiver.level not in PSEUDO:
            require_step = partial(require_issue_step, skipping=True)
        try:
            require_step(giver.path, receiver.path, kind.levels)
        except (LevelSkipped, NotSiblings) as refusal:
            raise type(refusal)(giver=giver.code, receiver=receiver.code) from None
        why = None
        if (wish.reason or "").strip():
            why = await reasons.given(session, caller, wish.reason, Purpose(wish.verb.value))
        step = Step(
            kind=kind,
            giver=giver,
            receiver=receiver,
            selection=await resolved(session, kind, wish.selection, city_id=caller.city_id, holder_id=giver.id),
            states=kind.movable_up if way.up else kind.movable_down,
            movement=way.movement,
            happened=way.happened,
            receiver_name=None if way.up else wish.person or receiver.name_zh,
            returner_name=wish.person or giver.name_zh if way.up else None,
            reason=why and why.text,
            reason_code=why and why.code,
            owed_too=way.up,
            legal_too=way.up,
            good_on=None if way.up else business_day(now),
            on_the_way=wish.on_the_way or (not way.up and held[Policy.SIGNING] == REQUIRED),
        )
        return await take_step(session, caller, step, now=now)

    return await once(session, caller, write, work, now=now)

"""A customer's card that is reported lost (挂失), and the report taken back (解挂): S13 of the state table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import NotFound, StaleVersion
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import SIM_LIFECYCLE, SimEvent, SimState
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import item_name
from inventory.store import stock
from inventory.store.events import EventDraft, record

_NAMES = {SimEvent.REPORT_LOSS: "sim.loss_reported", SimEvent.WITHDRAW_LOSS: "sim.loss_withdrawn"}


@dataclass(frozen=True, kw_only=True)
class LossWish:
    """Which card, by ICCID or chip serial; who said so or how it was checked, and the caller's order, if any."""

    card: str
    reason: str | None = None
    order_ref: str | None = None


async def report_loss(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: LossWish, *, now: datetime
) -> Answer:
    """Report a card in use as lost, and answer with its state and version.

    Any hall of the city may: a customer goes to the next one. Number, data and what the network knows stay as they are;
    the acceptance system suspends the service by the event. The card may be replaced, and the report taken back.

    Raises
    ------
    IllegalTransition
        The card is not in use.
    InvalidIdentifier, NotFound
        The city has no such card.
    StaleVersion
        It was changed at this moment.
    """

    async def work() -> dict[str, Any]:
        return await _move(session, caller, wish, SimEvent.REPORT_LOSS, now=now)

    return await once(session, caller, write, work, now=now)


async def withdraw_loss(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: LossWish, *, now: datetime
) -> Answer:
    """Take the report back: the card is in use again; answers and raises as `report_loss` does."""

    async def work() -> dict[str, Any]:
        return await _move(session, caller, wish, SimEvent.WITHDRAW_LOSS, now=now)

    return await once(session, caller, write, work, now=now)


async def _move(
    session: AsyncSession, caller: Caller, wish: LossWish, event: SimEvent, *, now: datetime
) -> dict[str, Any]:
    name = item_name(SIM, wish.card)
    item = await stock.find_item(session, SIM, city_id=caller.city_id, name=name, lock=True)
    if item is None:
        raise NotFound(what=SIM.name, value=name)
    state = SIM_LIFECYCLE.advance(SimState(item.state), event)
    moved = await stock.move_state(
        session, SIM, city_id=caller.city_id, item_no=item.item_no, from_state=item.state, version=item.version,
        to_state=state, now=now, despite_order=True,  # a loss is found out about, and gives nothing up
    )  # fmt: skip
    if not moved:
        raise StaleVersion(item=name)
    told = EventDraft(
        name=_NAMES[event], kind=SIM.name, item_no=item.item_no, version=item.version + 1, from_state=item.state,
        to_state=state, reason=wish.reason, order_ref=wish.order_ref,
    )  # fmt: skip
    await record(session, [told], **acting(caller, now))
    return {"card": item.name, "from_state": item.state, "to_state": str(state), "version": item.version + 1}

"""Move a card or a data unit one step of its life, and give the event that tells of it: a job's work, and a kit's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import StaleVersion
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import DATA_LIFECYCLE, SIM_LIFECYCLE, DataEvent, DataState, SimEvent, SimState
from inventory.store import kits
from inventory.store.events import EventDraft
from inventory.store.kits import Card, DataUnit
from inventory.store.stock import move_state

_SIM_EVENT_NAMES = {
    SimEvent.HOLD: "sim.held",
    SimEvent.RELEASE: "sim.released",
    SimEvent.KEEP_FINISHED: "sim.released",
    SimEvent.START_WRITE: "sim.write_started",
    SimEvent.PROVEN: "sim.written",
    SimEvent.NOTHING_WRITTEN: "sim.nothing_written",
    SimEvent.NOTHING_WRITTEN_HOLD_GONE: "sim.nothing_written",
    SimEvent.SPOILED: "sim.damaged",
    SimEvent.OUTCOME_UNKNOWN: "sim.write_unknown",
}


async def step_card(
    session: AsyncSession, card: Card, event: SimEvent, data: dict[str, Any], *, now: datetime, **also: Any
) -> tuple[Card, EventDraft]:
    """Move the card by its life cycle with the columns in `also`; give it as it is now, and the event with `data`.

    A card under a legal hold is taken into no kit; what a card writer finds out about it is so all the same.

    Raises
    ------
    IllegalTransition, StaleVersion
        The card has moved on.
    """
    state = SIM_LIFECYCLE.advance(SimState(card.state), event)
    moved = await move_state(
        session, SIM, city_id=card.city_id, item_no=card.item_no, from_state=card.state, version=card.version,
        to_state=state, now=now, despite_order=event is not SimEvent.HOLD, **also,
    )  # fmt: skip
    if not moved:
        raise StaleVersion(item=card.iccid or card.serial)
    draft = EventDraft(
        name=_SIM_EVENT_NAMES[event], kind="sim", item_no=card.item_no, version=card.version + 1,
        from_state=card.state, to_state=state, data=data,
    )  # fmt: skip
    return replace(card, state=state, version=card.version + 1), draft


async def step_unit(
    session: AsyncSession, unit: DataUnit, event: DataEvent, data: dict[str, Any], *, now: datetime, **also: Any
) -> tuple[DataUnit, EventDraft]:
    """Move the data unit as `step_card` moves a card.

    Raises
    ------
    IllegalTransition, StaleVersion
        The unit has moved on.
    """
    state = DATA_LIFECYCLE.advance(DataState(unit.state), event)
    if not await kits.move_data(session, unit, state, now=now, **also):
        raise StaleVersion(item=f"data {unit.data_no}")
    draft = EventDraft(
        name=f"data.{state.lower()}", kind="data", item_no=unit.data_no, version=unit.version + 1,
        from_state=unit.state, to_state=state, data=data,
    )  # fmt: skip
    return replace(unit, state=state, version=unit.version + 1), draft

"""A card of which nobody knows what is on it, and that answers no reader: declared dead by two persons (S9b)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.profiles import Failure, Kind, Verdict
from inventory.domain.lifecycle import DATA_LIFECYCLE, DataEvent, DataState, WriteJobEvent
from inventory.services.card_ends import move_job, move_unit
from inventory.services.card_json import verdict_json
from inventory.store import cardjobs, kits


async def settle_dead(session: AsyncSession, *, city_id: int, item_no: int, now: datetime) -> None:
    """End the job that left the card unknown, as damaged, and retire the data: they may be on it, and go on no other.

    Raises
    ------
    StaleVersion
        Data or job have moved on.
    """
    job = await cardjobs.unknown_job_of(session, city_id=city_id, sim_item_no=item_no)
    if job is None:
        return
    unit = None if job.data_no is None else await kits.find_data(session, city_id=city_id, data_no=job.data_no)
    if unit is not None and (DataState(unit.state), DataEvent.CARD_GONE) in DATA_LIFECYCLE.table:
        await move_unit(session, job, unit, DataEvent.CARD_GONE, now=now)
    dead = Verdict(kind=Kind.DAMAGED, failure=Failure.DEAD, detail="two persons declared it dead")
    await move_job(session, job, WriteJobEvent.DAMAGED, now=now, verdict=verdict_json(dead), finished_at=now)

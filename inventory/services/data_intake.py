"""Intake of subscription data: the IMSIs that halls write (REQ-SIM-15), with ICCIDs for cards that have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from inventory.domain.lifecycle import DATA_LIFECYCLE, DataEvent
from inventory.domain.loading import ImsiRow
from inventory.services.card_intake import enter_names
from inventory.services.intake import Delivery, Intake, Taken, Tell, find_registered, in_slices
from inventory.store import card_intake, catalogue, staging, stock
from inventory.store.loads import FaultRow
from inventory.store.staging import DATA


class DataIntake(Intake[ImsiRow]):
    """Puts IMSIs, and the ICCIDs that come with them, into the city's pool of subscription data."""

    stage = DATA

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        self._hlrs: frozenset[str] | None = None

    @override
    async def staged(
        self, session: AsyncSession, rows: Sequence[ImsiRow]
    ) -> tuple[Iterator[Sequence[Any]], list[FaultRow]]:
        """Return the units; one of an HLR that the city does not have is a fault."""
        if self._hlrs is None:
            self._hlrs = await catalogue.open_hlrs(session, self.city_id)
        known = self._hlrs
        faults = [FaultRow(unit.row, "hlr", unit.hlr, "unknown_hlr") for unit in rows if unit.hlr not in known]
        return ((unit.row, "", unit.imsi, unit.iccid, unit.hlr) for unit in rows), faults

    @override
    async def find_taken(self, session: AsyncSession) -> None:
        """Note every IMSI and ICCID that exists already."""
        await find_registered(session, self)
        await staging.find_given_back(session, DATA)

    @override
    async def take(self, session: AsyncSession, count: int, tell: Tell) -> Taken:
        """Put the IMSIs into the pool, in their order.

        Raises
        ------
        Busy
            Another load has taken one of the IMSIs or ICCIDs just now.
        """
        await stock.lock_for_transaction(session, f"data_no/{self.city_id}")
        first = await card_intake.last_data_no(session, self.city_id) + 1
        await staging.number_items(session, DATA, self.ascent, count)

        async def put(places: range) -> None:
            await enter_names(session, self, places)
            await card_intake.enter_data(
                session,
                first=first,
                city_id=self.city_id,
                batch_id=self.delivery.batch_id,
                state=DATA_LIFECYCLE.enter(DataEvent.INTAKE),
                now=self.delivery.who["now"],
                places=places,
            )

        await in_slices(count, tell, put)
        figures = {"hlrs": await card_intake.count_by_hlr(session), "iccids": await card_intake.count_numbered(session)}
        return Taken(None, {name: found for name, found in figures.items() if found})

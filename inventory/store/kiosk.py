"""Sales at self-service machines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.identifiers import format_public_id
from inventory.domain.lifecycle import KIOSK_OPEN, KIOSK_UNFINISHED
from inventory.store.schema import KioskSale


@dataclass(frozen=True)
class Sale:
    """A sale at a machine as it is now; see `KioskSale` for the meaning of each field."""

    city_id: int
    hold_id: int
    station_id: int
    reader: str
    state: str
    org_id: int
    accepted: int | None
    real_name: dict[str, Any] | None
    cards: int
    movement: str | None
    movement_no: int
    insertion: int
    stop: str | None
    staff_no: str
    interface_no: str
    created_at: datetime
    moved_at: datetime
    shown_until: datetime | None

    @property
    def hold(self) -> str:
        """The public id of its hold."""
        return format_public_id("h", self.city_id, self.hold_id)

    @property
    def movement_name(self) -> str | None:
        """How the dispenser's last movement for it is known to the station."""
        return None if self.movement is None else f"{self.hold}.{self.movement_no}"


_COLUMNS = tuple(getattr(KioskSale, column.name) for column in fields(Sale))


async def add_sale(session: AsyncSession, **values: Any) -> None:
    """Enter a sale; the index on open ones refuses a second at the same machine."""
    await session.execute(insert(KioskSale).values(**values))


async def find_sale(session: AsyncSession, *, city_id: int, hold_id: int, lock: bool = False) -> Sale | None:
    """Return the sale of a hold, or None."""
    query = select(*_COLUMNS).where(KioskSale.city_id == city_id, KioskSale.hold_id == hold_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Sale(*row)


async def open_sales(session: AsyncSession, *, city_id: int, station_id: int) -> list[Sale]:
    """Return the sales under way at a station."""
    here = (KioskSale.city_id == city_id, KioskSale.station_id == station_id, KioskSale.state.in_(KIOSK_OPEN))
    return [Sale(*row) for row in await session.execute(select(*_COLUMNS).where(*here).order_by(KioskSale.hold_id))]


async def unfinished_sales(session: AsyncSession, *, city_id: int, orgs: Collection[int]) -> list[Sale]:
    """Return the sales of organisations that are under way, and those whose card the staff keeps."""
    theirs = (KioskSale.city_id == city_id, KioskSale.org_id.in_(orgs), KioskSale.state.in_(KIOSK_UNFINISHED))
    return [Sale(*row) for row in await session.execute(select(*_COLUMNS).where(*theirs).order_by(KioskSale.hold_id))]


async def shown_sale(
    session: AsyncSession, *, city_id: int, station_id: int, reader: str, now: datetime
) -> Sale | None:
    """Return the sale that the machine shows: the one under way, or one whose end is still to be read."""
    query = select(*_COLUMNS).where(
        KioskSale.city_id == city_id,
        KioskSale.station_id == station_id,
        KioskSale.reader == reader,
        or_(KioskSale.state.in_(KIOSK_OPEN), KioskSale.shown_until > now),
    )
    row = (await session.execute(query.order_by(KioskSale.created_at.desc()).limit(1))).one_or_none()
    return None if row is None else Sale(*row)


async def change_sale(session: AsyncSession, sale: Sale, **values: Any) -> bool:
    """Set columns by compare-and-set on state and movement; False means that it has moved on."""
    statement = (
        update(KioskSale)
        .where(
            KioskSale.city_id == sale.city_id,
            KioskSale.hold_id == sale.hold_id,
            KioskSale.state == sale.state,
            KioskSale.movement_no == sale.movement_no,
        )
        .values(**values)
        .returning(KioskSale.hold_id)
    )
    return (await session.execute(statement)).one_or_none() is not None

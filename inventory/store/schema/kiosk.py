"""Sales at self-service machines."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class KioskSale(Base):
    """The sale of a kit at a machine, and how far the machine is with it."""

    __tablename__ = "kiosk_sale"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "station_id"], ["station.city_id", "station.station_id"]),
        Index(
            "uq_kiosk_sale_open",
            "city_id",
            "station_id",
            "reader",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'serving', 'sold')"),
        ),
        Index(
            "ix_kiosk_sale_unfinished",
            "city_id",
            "org_id",
            postgresql_where=text("state IN ('waiting', 'serving', 'sold', 'taken_back')"),
        ),
        Index("ix_kiosk_sale_reader", "city_id", "station_id", "reader", "created_at"),
    )

    city_id: Mapped[CityKey]
    hold_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    station_id: Mapped[int]
    reader: Mapped[Code]
    state: Mapped[Code]
    """A `KioskState`."""
    org_id: Mapped[int]
    accepted: Mapped[int | None] = mapped_column(Integer)
    """The rule-set version of the quote that the customer accepted."""
    real_name: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The reference of the real-name check, as it is confirmed with (REQ-CMP-06)."""
    cards: Mapped[int] = mapped_column(Integer, server_default="0")
    """Cards fed for it, and writings that were tried again."""
    movement: Mapped[str | None] = mapped_column(CodeText)
    """What the dispenser was last asked for."""
    movement_no: Mapped[int] = mapped_column(Integer, server_default="0")
    """The number of that movement in this sale; the station says which one is over."""
    insertion: Mapped[int] = mapped_column(server_default="0")
    """The reader's insertion when a card was last fed: a later one is that card."""
    stop: Mapped[str | None] = mapped_column(CodeText)
    """A `KioskStop`."""
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    moved_at: Mapped[dt.datetime]
    shown_until: Mapped[dt.datetime | None]
    """Until when the machine shows how it ended."""

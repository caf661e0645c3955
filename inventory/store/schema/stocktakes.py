"""Stocktakes: what was scanned at a place, and what it told about the book."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText


class Stocktake(Base):
    """A count of one place, or of it and all below it (盘点单).

    `after_movement` is the last document of the city when the count was opened: what later ones moved is no difference.
    """

    __tablename__ = "stocktake"

    city_id: Mapped[CityKey]
    stocktake_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    resource: Mapped[Code]
    place_id: Mapped[int]
    with_below: Mapped[bool]
    sort: Mapped[str | None] = mapped_column(CodeText)
    """A card kind; null is every sort."""
    state: Mapped[Code]
    """A `StocktakeState`."""
    after_movement: Mapped[int]
    opened_by: Mapped[Code]
    interface_no: Mapped[Code]
    opened_at: Mapped[dt.datetime]
    counted_by: Mapped[str | None]
    """The person who signs for the count, as written."""
    closed_by: Mapped[str | None] = mapped_column(CodeText)
    closed_at: Mapped[dt.datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    ended_by: Mapped[str | None] = mapped_column(CodeText)
    """Who posted or cancelled it."""
    approver: Mapped[str | None] = mapped_column(CodeText)
    ended_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]


class StocktakeScan(Base):
    """Something scanned in a stocktake, once however often; `state`, `holder_id` and `in_transit` are the book then.

    `name` is the item's name in stock, or what was scanned where the city has no such item.
    """

    __tablename__ = "stocktake_scan"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "stocktake_id"], ["stocktake.city_id", "stocktake.stocktake_id"]),
        Index("ix_stocktake_scan_item", "city_id", "stocktake_id", "item_no"),
    )

    city_id: Mapped[CityKey]
    stocktake_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[CodeKey]
    item_no: Mapped[int | None]
    state: Mapped[str | None] = mapped_column(CodeText)
    holder_id: Mapped[int | None]
    in_transit: Mapped[bool]
    damaged: Mapped[bool]
    staff_no: Mapped[Code]
    at: Mapped[dt.datetime]


class StocktakeFinding(Base):
    """A difference of a closed stocktake: a `Finding`, with holder and last document of the item by the book.

    `settled_by` is the document that moved it when the stocktake was posted.
    """

    __tablename__ = "stocktake_finding"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "stocktake_id"], ["stocktake.city_id", "stocktake.stocktake_id"]),
    )

    city_id: Mapped[CityKey]
    stocktake_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    finding_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[Code]
    name: Mapped[Code]
    item_no: Mapped[int | None]
    state: Mapped[str | None] = mapped_column(CodeText)
    holder_id: Mapped[int | None]
    last_movement: Mapped[int | None]
    settled: Mapped[bool]
    settled_by: Mapped[int | None]

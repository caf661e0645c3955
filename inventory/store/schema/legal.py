"""Legal holds: orders of a court or an authority, and the items that each lies on."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKeyConstraint, Identity, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class LegalOrder(Base):
    """An order from outside to keep items as they are (司法/政企保留, REQ-LGL-01).

    What it lies on stands in its lines; an item under any order in force carries `legal_hold`. `review_on` only makes
    an event, at `reminded_at`; nothing but two persons lifts an order.
    """

    __tablename__ = "legal_order"

    city_id: Mapped[CityKey]
    order_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    resource: Mapped[Code]
    state: Mapped[Code]
    """A `LegalOrderState`."""
    reference: Mapped[str]
    """The authority's own number of the order; shown to who may read legal holds and to nobody else."""
    authority: Mapped[str]
    reason: Mapped[str]
    given_on: Mapped[dt.date]
    review_on: Mapped[dt.date | None]
    item_count: Mapped[int]
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    reminded_at: Mapped[dt.datetime | None]
    lifted_at: Mapped[dt.datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(CodeText)
    lifted_with: Mapped[str | None] = mapped_column(CodeText)
    """The second person."""
    lift_reason: Mapped[str | None]


class LegalOrderLine(Base):
    """Items `lo` to `hi`, both included, that an order lies on; they never change."""

    __tablename__ = "legal_order_line"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "order_id"], ["legal_order.city_id", "legal_order.order_id"]),
        Index("ix_legal_order_line_items", "city_id", "resource", "lo", "hi"),
    )

    city_id: Mapped[CityKey]
    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    resource: Mapped[Code]
    lo: Mapped[int]
    hi: Mapped[int]

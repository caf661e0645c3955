"""Recall orders: what a higher place wants back from everything below it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class RecallOrder(Base):
    """An order to hand everything of a sort below `below_id` back to `place_id` (回收令).

    What is owed carries the order's number in `recall_id`; who owes what is counted there, never stored. `asked` is how
    many items the order found, `came` how many of them have come back to its place.
    """

    __tablename__ = "recall_order"
    __table_args__ = (Index("ix_recall_order_open", "city_id", "order_id", postgresql_where=text("state = 'OPEN'")),)

    city_id: Mapped[CityKey]
    order_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    resource: Mapped[Code]
    place_id: Mapped[int]
    below_id: Mapped[int]
    sort: Mapped[str | None] = mapped_column(CodeText)
    """A card kind, or how numbers begin; null is every sort."""
    number_class: Mapped[int | None] = mapped_column(SmallInteger)
    state: Mapped[Code]
    """A `RecallOrderState`."""
    asked: Mapped[int]
    came: Mapped[int]
    reason: Mapped[str]
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None] = mapped_column(CodeText)
    close_reason: Mapped[str | None]

"""Boxes: what lies in one carton under one seal, as ranges of item numbers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKeyConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText


class Box(Base):
    """A box (箱) with its seal, perhaps inside another one. Where it is, its items tell."""

    __tablename__ = "box"
    __table_args__ = (
        UniqueConstraint("city_id", "code"),
        Index("ix_box_parent", "city_id", "parent_no", postgresql_where=text("parent_no IS NOT NULL")),
    )

    city_id: Mapped[CityKey]
    box_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    code: Mapped[Code]
    resource: Mapped[Code]
    state: Mapped[Code]
    """A `BoxState`."""
    seal: Mapped[str | None] = mapped_column(CodeText)
    parent_no: Mapped[int | None]
    item_count: Mapped[int]
    """Items in it and in the boxes in it, when it was sealed."""
    packed_by: Mapped[Code]
    packed_at: Mapped[dt.datetime]
    opened_by: Mapped[str | None] = mapped_column(CodeText)
    opened_at: Mapped[dt.datetime | None]
    open_reason: Mapped[str | None]


class BoxLine(Base):
    """A run of items in a box; no item is in two. The box of an item is the line with the largest `lo` up to it."""

    __tablename__ = "box_line"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "box_no"], ["box.city_id", "box.box_no"]),
        Index("ix_box_line_box", "city_id", "box_no"),
    )

    city_id: Mapped[CityKey]
    resource: Mapped[CodeKey]
    lo: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hi: Mapped[int]
    box_no: Mapped[int]

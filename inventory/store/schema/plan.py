"""Number segments: the national plan (reference) and what this operator owns."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Identity, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, Code, CodeKey, CodeText


class NumberPlanSource(Base):
    """Where rows of the national plan came from, and what could not be mapped on the way in."""

    __tablename__ = "number_plan_source"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[Code]
    version: Mapped[Code]
    dated: Mapped[dt.date]
    loaded_at: Mapped[dt.datetime]
    row_count: Mapped[int]
    repaired: Mapped[dict[str, int]] = mapped_column(JSONB)
    unmapped: Mapped[dict[str, int]] = mapped_column(JSONB)


class NumberPlan(Base):
    """One seven-digit prefix of the national numbering plan; the range holder, not the serving carrier."""

    __tablename__ = "number_plan"

    prefix: Mapped[CodeKey]
    province_id: Mapped[int | None] = mapped_column(Integer)
    city_id: Mapped[int | None] = mapped_column(Integer, index=True)
    province: Mapped[str]
    city: Mapped[str]
    zip_code: Mapped[Code]
    area_code: Mapped[Code]
    range_holder: Mapped[Code]
    kind: Mapped[Code]
    source_id: Mapped[int] = mapped_column(ForeignKey("number_plan_source.id"))


class SegmentGroup(Base):
    """A group of segments (号群)."""

    __tablename__ = "segment_group"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]


class Segment(Base):
    """A number segment (号段) that we own; a number finds its city, HLR and group through it (REQ-NUM-12).

    Its numbers have the `size` consecutive `item_no` from `first_item_no` on, in number order, those that are in stock;
    `size` is 0 where a kind is not allocated in blocks, and the numbers have item numbers of their own.
    """

    __tablename__ = "segment"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    prefix: Mapped[str] = mapped_column(CodeText, unique=True)
    size: Mapped[int]
    kind: Mapped[Code]
    city_id: Mapped[int] = mapped_column(Integer, index=True)
    carrier: Mapped[Code]
    hlr_code: Mapped[str] = mapped_column(CodeText, ForeignKey("hlr.code"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("segment_group.id"))
    first_item_no: Mapped[int]

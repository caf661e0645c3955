"""What each city decides about custody."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class CityPolicy(Base):
    """A decision of a city (`inventory.domain.policies`); the events tell what it was before."""

    __tablename__ = "city_policy"

    city_id: Mapped[CityKey]
    name: Mapped[str] = mapped_column(CodeText, primary_key=True)
    value: Mapped[Code]
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[Code]


class HoldTime(Base):
    """How long a city holds what has all the facts named (REQ-RSV-03); an empty fact, or class -1, is any.

    It stands in the place of the product's own rule for the same facts (`inventory.domain.holds.DEFAULT_HOLD_RULES`).
    """

    __tablename__ = "hold_time"

    city_id: Mapped[CityKey]
    kind: Mapped[str] = mapped_column(CodeText, primary_key=True)
    channel: Mapped[str] = mapped_column(CodeText, primary_key=True)
    flow: Mapped[str] = mapped_column(CodeText, primary_key=True)
    number_class: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seconds: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[Code]

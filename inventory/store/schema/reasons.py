"""Reasons as a code table (append, rename and close only, REQ-CFG-01)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText

EVERY_CITY = 0
"""The city of the reasons that come with the product: a row of a city's own stands in the place of its code."""


class ReasonRow(Base):
    """A reason of a city, with what it is for (`inventory.domain.reasons.Purpose`)."""

    __tablename__ = "reason"

    city_id: Mapped[CityKey]
    code: Mapped[str] = mapped_column(CodeText, primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    purposes: Mapped[list[str]] = mapped_column(JSONB)
    active: Mapped[bool] = mapped_column(server_default="true")
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[Code]

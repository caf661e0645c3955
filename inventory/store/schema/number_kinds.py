"""What each city calls the kinds of numbers, and which of them it takes in (REQ-CFG-01)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class NumberKindRow(Base):
    """A kind of numbers as a city has changed it (docs/adr/0035); without a row it is as the product has it."""

    __tablename__ = "number_kind"

    city_id: Mapped[CityKey]
    kind: Mapped[str] = mapped_column(CodeText, primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    intake: Mapped[bool]
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[Code]

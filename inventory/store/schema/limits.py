"""Limits that keepers set for places of their part: how low stock may run, and how much may be issued."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey


class StockThreshold(Base):
    """A place is low when its free items of a sort, with all below it, have come down to `minimum`.

    `resource` is a kind of stock, or `data` for the card data of an HLR, which only the city company has. `sort` is a
    card product or a number's class, `hlr` an HLR; empty is any. `low_since` is kept by whoever watches.
    """

    __tablename__ = "stock_threshold"
    __table_args__ = (
        Index("ix_stock_threshold_low", "city_id", "org_id", postgresql_where=text("low_since IS NOT NULL")),
    )

    city_id: Mapped[CityKey]
    org_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    resource: Mapped[CodeKey]
    sort: Mapped[CodeKey]
    hlr: Mapped[CodeKey]
    minimum: Mapped[int]
    low_since: Mapped[dt.datetime | None]
    staff_no: Mapped[Code]
    changed_at: Mapped[dt.datetime]


class IssueQuota(Base):
    """A place may be issued `most` items of a sort in a period; of the one that began on `begun`, `used` are gone.

    `resource` is a kind of stock, `sort` a card product or a number's class, empty is any; `period` is a `Period`.
    """

    __tablename__ = "issue_quota"

    city_id: Mapped[CityKey]
    org_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    resource: Mapped[CodeKey]
    sort: Mapped[CodeKey]
    period: Mapped[CodeKey]
    most: Mapped[int]
    used: Mapped[int]
    begun: Mapped[dt.date]
    staff_no: Mapped[Code]
    changed_at: Mapped[dt.datetime]

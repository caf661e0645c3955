"""Rents of SMS ports: the port itself is a number, one row per base."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKeyConstraint, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class PortRent(Base):
    """A port rented to a tenant (REQ-NUM-15); the one without `ended_at` is the port's present one.

    The tenant may send from the base and from the base with up to `extension_digits` more. `told` is the `Standing`
    that was told of the term. From `ended_at` the port cools until the day `cooled_on`; from `free_at` it is free.
    """

    __tablename__ = "port_rent"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "item_no"], ["number.city_id", "number.item_no"]),
        Index("uq_port_rent_present", "city_id", "item_no", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_port_rent_item", "city_id", "item_no", "rent_no"),
    )

    city_id: Mapped[CityKey]
    rent_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    item_no: Mapped[int]
    tenant_ref: Mapped[Code]
    """What the tenant is called by other systems: customer or contract."""
    tenant: Mapped[str]
    extension_digits: Mapped[int] = mapped_column(SmallInteger)
    begins_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    """The last day, in Asia/Shanghai."""
    told: Mapped[str | None] = mapped_column(CodeText)
    staff_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    cooled_on: Mapped[dt.date | None]
    free_at: Mapped[dt.datetime | None]

"""Rule sets and the fees of single numbers that a person changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code


class RuleSetRow(Base):
    """A version of the fee rules; once approved the document never changes.

    The document is what `inventory.domain.fees.RuleSet` reads: rules, modifiers, class terms, and the ordered list of
    outcomes that the one-byte codes on numbers and ledger lines point into.
    """

    __tablename__ = "rule_set"
    __table_args__ = (UniqueConstraint("scope", "version"),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    scope: Mapped[Code]
    """GB/T 2260 code of a city or province, or `default`."""
    version: Mapped[int] = mapped_column(Integer)
    status: Mapped[Code]
    valid_from: Mapped[dt.datetime]
    author: Mapped[Code]
    approver: Mapped[str | None]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)


class NumberFee(Base):
    """The terms of one number where a person changed them; all others follow from class and rule set."""

    __tablename__ = "number_fee"
    __table_args__ = (ForeignKeyConstraint(["city_id", "item_no"], ["number.city_id", "number.item_no"]),)

    city_id: Mapped[CityKey]
    item_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cls: Mapped[int] = mapped_column(Integer)
    rule_set_id: Mapped[int] = mapped_column(Integer, ForeignKey("rule_set.id"))
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    change_no: Mapped[int]


class FeeChange(Base):
    """One change of a number's fee, with both values (REQ-FEE-02, 03)."""

    __tablename__ = "fee_change"
    __table_args__ = (ForeignKeyConstraint(["city_id", "item_no"], ["number.city_id", "number.item_no"]),)

    city_id: Mapped[CityKey]
    change_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    item_no: Mapped[int]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    staff_no: Mapped[Code]
    approver: Mapped[str | None]
    interface_no: Mapped[Code]
    reason: Mapped[str]
    at: Mapped[dt.datetime]

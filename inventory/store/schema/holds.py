"""Promises: holds (kits) and the answers already given to a caller's keys."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Integer, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText


class HoldRow(Base):
    """A hold: who holds what, for what price, until when. Its items carry `hold_id` and `hold_until` too.

    `job_id` is the card-writing job under way; while it is set the hold neither expires nor is released (REQ-RSV-15).
    The quote is the whole answer given to the caller, with the rule-set version that made it. A hold with an
    `old_sim_item_no` is a service order on a number in use: it locks the number and that card, which the kit's card is
    to replace, and both go on working until it is confirmed (REQ-LCK-01).

    One with an `original_hold_id` was given when that one's sale was rolled back (N9). While the network has an
    identity on one of the `rolled_back_cards`, which were sold with the number before, it neither expires nor is
    released.
    """

    __tablename__ = "hold"
    __table_args__ = (
        Index("ix_hold_due", "city_id", "expires_at", postgresql_where=text("state IN ('ACTIVE', 'BOOKED')")),
        Index("ix_hold_order", "city_id", "order_ref", postgresql_where=text("order_ref IS NOT NULL")),
        Index(
            "ix_hold_rolled_back",
            "city_id",
            "hold_id",
            postgresql_where=text("rolled_back_cards IS NOT NULL AND state IN ('ACTIVE', 'BOOKED')"),
        ),
    )

    city_id: Mapped[CityKey]
    hold_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    state: Mapped[Code]
    interface_no: Mapped[Code]
    staff_no: Mapped[Code]
    org_id: Mapped[int]
    business: Mapped[Code]
    order_ref: Mapped[str | None] = mapped_column(CodeText)
    customer_ref: Mapped[str | None]
    number_item_no: Mapped[int | None]
    sim_item_no: Mapped[int | None]
    sim_wish: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    data_no: Mapped[int | None]
    old_sim_item_no: Mapped[int | None]
    replace_reason: Mapped[str | None] = mapped_column(CodeText)
    """A `ReplaceReason`."""
    quote: Mapped[dict[str, Any]] = mapped_column(JSONB)
    expires_at: Mapped[dt.datetime]
    first_seconds: Mapped[int] = mapped_column(Integer)
    extensions: Mapped[int] = mapped_column(SmallInteger)
    job_id: Mapped[int | None]
    created_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    close_reason: Mapped[str | None]
    original_hold_id: Mapped[int | None]
    rolled_back_cards: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))


class Idempotency(Base):
    """The first success of a caller's `Idempotency-Key`; refusals are not stored."""

    __tablename__ = "idempotency"

    city_id: Mapped[CityKey]
    interface_no: Mapped[CodeKey]
    key: Mapped[CodeKey]
    operation: Mapped[Code]
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Enough to give the first answer again, without secrets: a hold's key is derived anew."""
    created_at: Mapped[dt.datetime]

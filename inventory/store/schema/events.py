"""What happened: events in the transaction of the change, sealed into a hash chain per city afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText, Xid8


class Event(Base):
    """One change (REQ-NUM-11): what, from, to, who, through which interface, when, why, for which order.

    `version` is the item's own sequence; gaps in it would show a lost event. `data` never holds a secret (REQ-SEC-03).
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_item", "city_id", "kind", "item_no", "event_no"),
        Index("ix_event_xid", "city_id", "xid", "event_no"),
        # What was done for the reasons of the code table, to be counted.
        Index("ix_event_reason", "city_id", "at", postgresql_where=text("reason_code IS NOT NULL")),
    )

    city_id: Mapped[CityKey]
    event_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    at: Mapped[dt.datetime]
    name: Mapped[Code]
    kind: Mapped[Code]
    """`number`, `sim`, `hold`, `movement`, `load`, `data`, `job`, `station` …"""
    item_no: Mapped[int]
    """Number of the thing within its kind: item, hold, movement, batch, job."""
    version: Mapped[int | None]
    from_state: Mapped[str | None] = mapped_column(CodeText)
    to_state: Mapped[str | None] = mapped_column(CodeText)
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    reason: Mapped[str | None]
    reason_code: Mapped[str | None] = mapped_column(CodeText)
    """The reason of the code table; of an act on many items the event of its document alone has it."""
    order_ref: Mapped[str | None] = mapped_column(CodeText)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class SealedEvent(Base):
    """The gap-free position of an event in its city's chain."""

    __tablename__ = "sealed_event"
    __table_args__ = (UniqueConstraint("city_id", "event_no"),)

    city_id: Mapped[CityKey]
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_no: Mapped[int]


class SealBlock(Base):
    """A block of the chain: SHA-256 over the previous block's hash and the canonical form of its events."""

    __tablename__ = "seal_block"

    city_id: Mapped[CityKey]
    block_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_position: Mapped[int]
    last_position: Mapped[int]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[dt.datetime]


class AuditRun(Base):
    """The last audits: when, whether all was right, and what was not."""

    __tablename__ = "audit_run"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[dt.datetime]
    ok: Mapped[bool]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

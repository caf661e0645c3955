"""The ledger: loads and movements as documents with range lines, append-only."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class LoadBatch(Base):
    """One load: the source, its digest, what was taken and what refused."""

    __tablename__ = "load_batch"
    __table_args__ = (
        Index(
            "uq_load_batch_digest",
            "city_id",
            "resource",
            "sha256",
            unique=True,
            postgresql_where=text("state = 'COMMITTED'"),
        ),
    )

    city_id: Mapped[CityKey]
    batch_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    resource: Mapped[Code]
    source: Mapped[str]
    """File name, or the range that was asked for."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[Code]
    """A `LoadState`."""
    vendor: Mapped[str | None]
    rows: Mapped[int]
    accepted: Mapped[int]
    rejected: Mapped[int]
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class LoadFault(Base):
    """One refused row of a load: where and why. The value is left out where it could be a secret.

    `line` is the row as it stands in the file, empty where that is not kept: no row of a vendor's file is.
    """

    __tablename__ = "load_fault"
    __table_args__ = (ForeignKeyConstraint(["city_id", "batch_id"], ["load_batch.city_id", "load_batch.batch_id"]),)

    city_id: Mapped[CityKey]
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fault_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row: Mapped[int]
    column: Mapped[str]
    value: Mapped[str]
    code: Mapped[Code]
    line: Mapped[str] = mapped_column(server_default="")


class Movement(Base):
    """A document: intake, issue, recall, transfer, scrap. Custody of its lines went from one holder to another.

    `from_holder` is null on intake. `receiver` (领用人) and `returner` (回退人) are people's names as written.
    A receipt (`RECEIPT`) and a return of what was refused (`RETURN`) name the document they answer as their parent.
    What goes to another city has a document in each, which name each other (`other_city`, `other_id`).
    """

    __tablename__ = "movement"
    __table_args__ = (
        Index(
            "ix_movement_open",
            "city_id",
            "movement_id",
            postgresql_where=text("state IN ('IN_TRANSIT', 'PARTLY_ANSWERED')"),
        ),
        # Documents are written in the order of time, so one page of this index stands for thousands of them.
        Index("ix_movement_created", "created_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
        Index("ix_movement_parent", "city_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_movement_batch", "city_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        # The documents of one place, newest first: what it gave, and what it was given.
        Index("ix_movement_giver", "city_id", "from_holder", "movement_id"),
        Index("ix_movement_receiver", "city_id", "to_holder", "movement_id"),
    )

    city_id: Mapped[CityKey]
    movement_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[Code]
    resource: Mapped[Code]
    state: Mapped[Code]
    """A `DeliveryState`: how far the receiver has answered."""
    parent_id: Mapped[int | None]
    other_city: Mapped[int | None] = mapped_column(Integer)
    other_id: Mapped[int | None]
    from_holder: Mapped[int | None]
    to_holder: Mapped[int]
    item_count: Mapped[int]
    accepted_count: Mapped[int] = mapped_column(server_default="0")
    refused_count: Mapped[int] = mapped_column(server_default="0")
    receiver: Mapped[str | None]
    returner: Mapped[str | None]
    reason: Mapped[str | None]
    reason_code: Mapped[str | None] = mapped_column(CodeText)
    batch_id: Mapped[int | None]
    rule_set_id: Mapped[int | None] = mapped_column(Integer)
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]


class MovementLine(Base):
    """A run of items of one movement, cut so that it lies inside one block of 10^(level+1) (docs/ledger.md).

    An item's moves are found with one equality probe per level on (`level`, `item_no` // 10^(level+1)), in the index
    alone: the lines of one block are strewn over the whole table.
    `outcomes` holds one byte per item of a number line: the index into the rule set's outcomes, from which class,
    rule and terms follow (REQ-FEE-01, REQ-NUM-06).
    """

    __tablename__ = "movement_line"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "movement_id"], ["movement.city_id", "movement.movement_id"]),
        Index(
            "ix_movement_line_life",
            "city_id",
            "resource",
            "level",
            "block",
            postgresql_include=["lo", "hi", "movement_id"],
        ),
    )

    city_id: Mapped[CityKey]
    movement_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    resource: Mapped[str] = mapped_column(CodeText)
    level: Mapped[int] = mapped_column(SmallInteger)
    block: Mapped[int]
    lo: Mapped[int]
    hi: Mapped[int]
    outcomes: Mapped[bytes | None] = mapped_column(LargeBinary)

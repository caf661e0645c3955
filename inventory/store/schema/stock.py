"""Stock tables: one per kind, one shape; and the registry of what is unique across cities."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText, Small


class StockItem:
    """What every stock item has: one state, one holder, perhaps a way it is on, a pool it is sold from, a hold on it.

    `version` counts state transitions only and numbers the item's own events; custody moves leave it alone.
    """

    city_id: Mapped[CityKey]
    item_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[Code]
    version: Mapped[int] = mapped_column(Integer)
    holder_id: Mapped[int]
    transit_id: Mapped[int | None]
    pool: Mapped[str | None] = mapped_column(CodeText)
    hold_id: Mapped[int | None]
    hold_until: Mapped[dt.datetime | None]
    batch_id: Mapped[int]
    updated_at: Mapped[dt.datetime]


class Number(StockItem, Base):
    """A number (号码). `tail`, `mask` and `rev` serve the pattern search (docs/search.md).

    `tail` is the last four digits, `mask` has bit d set when digit d occurs, `rev` is the number read backwards.
    """

    __tablename__ = "number"
    __table_args__ = (
        UniqueConstraint("city_id", "number"),
        Index(
            "ix_number_free",
            "city_id",
            "holder_id",
            "tail",
            "item_no",
            postgresql_where=text("state = 'UNUSED'"),
        ),
        Index("ix_number_tail", "city_id", "tail", "item_no", postgresql_where=text("state = 'UNUSED'")),
        Index("ix_number_rev", "city_id", "rev", postgresql_where=text("state = 'UNUSED'")),
        Index("ix_number_hold", "city_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
    )

    number: Mapped[Code]
    kind: Mapped[Code]
    hlr_code: Mapped[str | None] = mapped_column(CodeText)
    cls: Mapped[Small]
    outcome: Mapped[Small]
    """Index into the rule set's outcomes: which rule gave the class."""
    rule_set_id: Mapped[int] = mapped_column(Integer, ForeignKey("rule_set.id"))
    tail: Mapped[Small]
    mask: Mapped[Small]
    rev: Mapped[int]


class Sim(StockItem, Base):
    """A SIM card, blank or finished. `iccid` is the one read from the card once it has been read."""

    __tablename__ = "sim"
    __table_args__ = (
        UniqueConstraint("city_id", "iccid"),
        UniqueConstraint("city_id", "serial"),
        Index(
            "ix_sim_free", "city_id", "holder_id", "kind_code", "item_no", postgresql_where=text("state = 'AVAILABLE'")
        ),
        Index("ix_sim_hold", "city_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
    )

    iccid: Mapped[str | None] = mapped_column(CodeText)
    serial: Mapped[str | None] = mapped_column(CodeText)
    kind_code: Mapped[str] = mapped_column(CodeText, ForeignKey("card_kind.code"))
    hlr_code: Mapped[str | None] = mapped_column(CodeText)
    """The HLR of a finished card's identity; null on a blank."""
    generation: Mapped[int] = mapped_column(SmallInteger)
    adm_refused: Mapped[bool] = mapped_column(server_default="false")
    """Tombstone: this card refused its ADM key once; no further try is ever sent."""


class Identifier(Base):
    """What may exist once across all cities: ICCID, chip serial, IMSI; and the city that has it."""

    __tablename__ = "identifier"

    kind: Mapped[CodeKey]
    value: Mapped[CodeKey]
    city_id: Mapped[int] = mapped_column(Integer)

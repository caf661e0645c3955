"""Stock tables: one per kind, one shape; and the registry of what is unique across cities."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText, Small


class StockItem:
    """What every stock item has: one state, one holder, perhaps a way it is on, a pool it is sold from, a hold on it.

    `recall_id` is the recall order under which it is owed: until it is handed over it is neither sold nor given on.
    `legal_hold` says that an order from outside lies on it (`LegalOrder`): it is neither sold nor given up.
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
    recall_id: Mapped[int | None]
    legal_hold: Mapped[bool] = mapped_column(server_default="false")
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
        Index("ix_number_recall", "city_id", "recall_id", postgresql_where=text("recall_id IS NOT NULL")),
        Index("ix_number_legal", "city_id", "item_no", postgresql_where=text("legal_hold")),
        Index("ix_number_completing", "city_id", "item_no", postgresql_where=text("state = 'COMPLETING'")),
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
        Index("ix_sim_recall", "city_id", "recall_id", postgresql_where=text("recall_id IS NOT NULL")),
        Index("ix_sim_legal", "city_id", "item_no", postgresql_where=text("legal_hold")),
        Index(
            "ix_sim_gone",
            "city_id",
            "item_no",
            postgresql_where=text(
                "state IN ('REPLACED', 'RETIRED', 'SCRAPPED', 'WRITTEN_OFF', 'RETURNED_TO_VENDOR', 'VOIDED')"
            ),
        ),
        Index(
            "ix_sim_second_number",
            "city_id",
            "second_number_item_no",
            postgresql_where=text("second_number_item_no IS NOT NULL"),
        ),
    )

    iccid: Mapped[str | None] = mapped_column(CodeText)
    serial: Mapped[str | None] = mapped_column(CodeText)
    kind_code: Mapped[str] = mapped_column(CodeText, ForeignKey("card_kind.code"))
    hlr_code: Mapped[str | None] = mapped_column(CodeText)
    """The HLR of a finished card's identity; null on a blank."""
    face_value: Mapped[int | None]
    """In fen, of a prepaid card (REQ-SIM-16)."""
    expires_on: Mapped[dt.date | None]
    """The last day, in Asia/Shanghai, on which the card may be issued or sold."""
    area: Mapped[str | None] = mapped_column(CodeText)
    """The leading digits of the GB/T 2260 code of where it may be sold."""
    generation: Mapped[int] = mapped_column(SmallInteger)
    adm_refused: Mapped[bool] = mapped_column(server_default="false")
    """Tombstone: this card refused its ADM key once; no further try is ever sent."""
    adm_sent: Mapped[bool] = mapped_column(server_default="false")
    """Its ADM key was handed out to a station, and nobody knows yet what came of it: the next try needs a person."""
    second_number_item_no: Mapped[int | None]
    """The number that the card serves beside that of its identities (docs/adr/0038)."""


class Identifier(Base):
    """What may exist once across all cities: ICCID, chip serial, IMSI; and the city that has it."""

    __tablename__ = "identifier"

    kind: Mapped[CodeKey]
    value: Mapped[CodeKey]
    city_id: Mapped[int] = mapped_column(Integer)

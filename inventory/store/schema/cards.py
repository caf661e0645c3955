"""What is on and about cards: identities, secrets (sealed), and the pool of data that halls write."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText


class SimIdentity(Base):
    """One identity of a card: slot and application, the IMSI there, and what the network knows of it (REQ-AUC-01)."""

    __tablename__ = "sim_identity"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "item_no"], ["sim.city_id", "sim.item_no"]),
        UniqueConstraint("city_id", "imsi"),
    )

    city_id: Mapped[CityKey]
    item_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    application: Mapped[Code]
    imsi: Mapped[Code]
    hlr_code: Mapped[str] = mapped_column(CodeText, ForeignKey("hlr.code"))
    state: Mapped[Code]
    auc: Mapped[Code]
    number_item_no: Mapped[int | None]


class CardSecret(Base):
    """The secrets of one card and generation.

    `ki` and `opc` stay as the vendor delivered them, encrypted under `transport_key_index`; the codes are AES-256-GCM
    envelopes of the vault.
    """

    __tablename__ = "card_secret"
    __table_args__ = (ForeignKeyConstraint(["city_id", "item_no"], ["sim.city_id", "sim.item_no"]),)

    city_id: Mapped[CityKey]
    item_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    transport_key_index: Mapped[str] = mapped_column(CodeText, ForeignKey("transport_key.index"))
    ki: Mapped[bytes] = mapped_column(LargeBinary)
    opc: Mapped[bytes] = mapped_column(LargeBinary)
    adm1: Mapped[bytes] = mapped_column(LargeBinary)
    pin1: Mapped[bytes | None] = mapped_column(LargeBinary)
    puk1: Mapped[bytes | None] = mapped_column(LargeBinary)
    pin2: Mapped[bytes | None] = mapped_column(LargeBinary)
    puk2: Mapped[bytes | None] = mapped_column(LargeBinary)


class TransportKey(Base):
    """A vendor's transport key, wrapped by the vault; `kcv` is the first three bytes of its encryption of zeros."""

    __tablename__ = "transport_key"

    index: Mapped[CodeKey]
    algorithm: Mapped[Code]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    kcv: Mapped[bytes] = mapped_column(LargeBinary)


class SubscriptionData(Base):
    """One unit of what a hall writes: an IMSI of an HLR, and where it is in its life."""

    __tablename__ = "subscription_data"
    __table_args__ = (
        UniqueConstraint("city_id", "imsi"),
        Index("ix_subscription_data_free", "city_id", "hlr_code", "data_no", postgresql_where=text("state = 'FREE'")),
        Index("ix_subscription_data_hold", "city_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
    )

    city_id: Mapped[CityKey]
    data_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hlr_code: Mapped[str] = mapped_column(CodeText, ForeignKey("hlr.code"))
    imsi: Mapped[Code]
    state: Mapped[Code]
    version: Mapped[int] = mapped_column(Integer)
    hold_id: Mapped[int | None]
    sim_item_no: Mapped[int | None]
    batch_id: Mapped[int]
    updated_at: Mapped[dt.datetime]

"""What is on and about cards: identities, secrets (sealed), and the pool of data that halls write."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    false,
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
        # The identities of an export in the order of stock, and how the network answered without a look at the rows.
        Index(
            "ix_sim_identity_told",
            "city_id",
            "export_id",
            "item_no",
            postgresql_where=text("export_id IS NOT NULL"),
            postgresql_include=["auc"],
        ),
        Index(
            "ix_sim_identity_number", "city_id", "number_item_no", postgresql_where=text("number_item_no IS NOT NULL")
        ),
        Index(
            "ix_sim_identity_gone",
            "city_id",
            "deletion_id",
            "item_no",
            postgresql_where=text("deletion_id IS NOT NULL"),
            postgresql_include=["auc"],
        ),
        Index(
            "ix_sim_identity_to_delete",
            "city_id",
            "item_no",
            postgresql_where=text("to_delete"),
            postgresql_include=["deletion_id"],
        ),
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
    sqn: Mapped[int | None]
    """The card's sequence number as it reported it when it was proven."""
    export_id: Mapped[int | None]
    """The export that told the network of it last."""
    deletion_id: Mapped[int | None]
    """The file that told the network to delete it."""
    to_delete: Mapped[bool] = mapped_column(server_default=false())
    """Its card was replaced, so it counts as deleted; the network has not yet said that it has it no longer."""


class AucExport(Base):
    """A file that tells the network of identities; which ones, these say themselves. No key is kept with it."""

    __tablename__ = "auc_export"

    city_id: Mapped[CityKey]
    export_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    form: Mapped[Code]
    transport_key_index: Mapped[str] = mapped_column(CodeText, ForeignKey("transport_key.index"))
    hlr_code: Mapped[str | None] = mapped_column(CodeText, ForeignKey("hlr.code"))
    item_count: Mapped[int]
    staff_no: Mapped[Code]
    approver: Mapped[Code]
    created_at: Mapped[dt.datetime]


class AucDeletion(Base):
    """A file that tells the network to delete identities; which ones, these say themselves."""

    __tablename__ = "auc_deletion"

    city_id: Mapped[CityKey]
    deletion_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    form: Mapped[Code]
    hlr_code: Mapped[str | None] = mapped_column(CodeText, ForeignKey("hlr.code"))
    item_count: Mapped[int]
    staff_no: Mapped[Code]
    created_at: Mapped[dt.datetime]


class CardSecret(Base):
    """The secrets of one card and generation.

    `ki` and `opc`, and the keys of a card's secure channel where it has one (`scp_enc`, `scp_mac`), stay as the vendor
    delivered them, encrypted under `transport_key_index`; the codes are AES-256-GCM envelopes of the vault, bound to
    the load and the row that brought them, or, without these, to the card's item number (docs/adr/0020). Those of a
    card that came from another city stay bound to what they were bound to there.
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
    scp_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    scp_mac: Mapped[bytes | None] = mapped_column(LargeBinary)
    batch_id: Mapped[int | None]
    row: Mapped[int | None]
    bound_to: Mapped[str | None] = mapped_column(CodeText)


class TransportKey(Base):
    """A transport key, wrapped by the vault; `kcv` is the first three bytes of its encryption of zeros.

    Card keys come in under one whose `purpose` is `vendor`, and go out under one whose purpose is `network`.
    """

    __tablename__ = "transport_key"

    index: Mapped[CodeKey]
    algorithm: Mapped[Code]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    kcv: Mapped[bytes] = mapped_column(LargeBinary)
    purpose: Mapped[Code] = mapped_column(server_default="vendor")


class SubscriptionData(Base):
    """One unit of what a hall writes: an IMSI of an HLR, and where it is in its life.

    `iccid` is the number for a card that has none; read back from a card it is that card's, and no longer the unit's.
    """

    __tablename__ = "subscription_data"
    __table_args__ = (
        UniqueConstraint("city_id", "imsi"),
        Index("ix_subscription_data_free", "city_id", "hlr_code", "data_no", postgresql_where=text("state = 'FREE'")),
        Index(
            "ix_subscription_data_plain",
            "city_id",
            "hlr_code",
            "data_no",
            postgresql_where=text("state = 'FREE' AND iccid IS NULL"),
        ),
        Index(
            "ix_subscription_data_numbered",
            "city_id",
            "hlr_code",
            "data_no",
            postgresql_where=text("state = 'FREE' AND iccid IS NOT NULL"),
        ),
        Index(
            "uq_subscription_data_iccid", "city_id", "iccid", unique=True, postgresql_where=text("iccid IS NOT NULL")
        ),
        Index(
            "ix_subscription_data_quarantined",
            "city_id",
            "sim_item_no",
            postgresql_where=text("state = 'QUARANTINED'"),
        ),
        Index("ix_subscription_data_hold", "city_id", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
    )

    city_id: Mapped[CityKey]
    data_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hlr_code: Mapped[str] = mapped_column(CodeText, ForeignKey("hlr.code"))
    imsi: Mapped[Code]
    iccid: Mapped[str | None] = mapped_column(CodeText)
    state: Mapped[Code]
    version: Mapped[int] = mapped_column(Integer)
    hold_id: Mapped[int | None]
    sim_item_no: Mapped[int | None]
    batch_id: Mapped[int | None]
    """The load that brought it; None of issue data that an operator's own system gave for one card (docs/adr/0030)."""
    updated_at: Mapped[dt.datetime]


class CardIssue(Base):
    """What passed between us and an operator's card-data system about the card of one write job (docs/adr/0030).

    `due_at` is when the system is called next, None while there is nothing to say to it: to ask for issue data while
    `transaction` is None, else to report what the card said. `parts` is what goes to the card, an envelope of the vault
    until the job has ended. `read_iccid` is what the card bore when it was read afterwards, empty if nothing.
    """

    __tablename__ = "card_issue"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "job_id"], ["write_job.city_id", "write_job.job_id"]),
        Index("ix_card_issue_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_card_issue_card", "city_id", "sim_item_no"),
    )

    city_id: Mapped[CityKey]
    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sim_item_no: Mapped[int]
    request: Mapped[Code]
    serial: Mapped[Code]
    product: Mapped[Code]
    number: Mapped[str] = mapped_column(CodeText)
    hlr_code: Mapped[str] = mapped_column(CodeText, ForeignKey("hlr.code"))
    asked_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None]
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    transaction: Mapped[str | None]
    iccid: Mapped[str | None] = mapped_column(CodeText)
    imsi: Mapped[str | None] = mapped_column(CodeText)
    parts: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered_at: Mapped[dt.datetime | None]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    sw: Mapped[int | None] = mapped_column(Integer)
    read_iccid: Mapped[str | None] = mapped_column(CodeText)
    accepted: Mapped[bool | None]
    reason: Mapped[str | None]

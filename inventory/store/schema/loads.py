"""What a load works with: the uploaded file in sealed parts, how far it is, and what is remembered of lists."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Boolean, ForeignKeyConstraint, Identity, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey


class Upload(Base):
    """A file on its way to us, or here whole; `received` of its `size` bytes have come.

    `said_sha256` is the digest that its sender announced, `sha256` the one that we found once all of it was here.
    """

    __tablename__ = "upload"
    __table_args__ = (Index("ix_upload_updated_at", "updated_at"),)

    city_id: Mapped[CityKey]
    upload_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    size: Mapped[int]
    received: Mapped[int]
    said_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class UploadPart(Base):
    """A piece of an upload from byte `start` on, in an envelope of the vault: vendors' files hold codes in clear."""

    __tablename__ = "upload_part"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "upload_id"], ["upload.city_id", "upload.upload_id"], ondelete="CASCADE"),
    )

    city_id: Mapped[CityKey]
    upload_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class LoadRun(Base):
    """How a load is to be run (`terms`), from which upload, and how far it is; what it answered, once it has ended.

    In each phase (`reading`, `checking`, `taking`) `done` of `total` bytes or rows are through since `phase_began`.
    The upload goes when it is no longer needed; the run stays.
    """

    __tablename__ = "load_run"
    __table_args__ = (ForeignKeyConstraint(["city_id", "batch_id"], ["load_batch.city_id", "load_batch.batch_id"]),)

    city_id: Mapped[CityKey]
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    upload_id: Mapped[int]
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    phase: Mapped[Code]
    done: Mapped[int]
    total: Mapped[int]
    phase_began: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    cancelled: Mapped[bool] = mapped_column(Boolean)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class ListMapping(Base):
    """Where the columns of a vendor's lists were the last time someone said so (`iccid=2,serial=卡片编号`)."""

    __tablename__ = "list_mapping"

    city_id: Mapped[CityKey]
    vendor: Mapped[CodeKey]
    kind: Mapped[CodeKey]
    columns: Mapped[str]
    updated_at: Mapped[dt.datetime]

"""Acts for two persons: what was asked for, and the answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeText


class Approval(Base):
    """A second person's word on one act (`inventory.domain.approvals.Demand`), used once; `state` is its life cycle's.

    `wish` and `summary` never hold a secret.
    """

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_open", "city_id", "expires_at", postgresql_where=text("state IN ('ASKED', 'GRANTED')")),
        Index("ix_approval_asked_by", "city_id", "asked_by", "approval_id"),
    )

    city_id: Mapped[CityKey]
    approval_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    act: Mapped[Code]
    permission: Mapped[Code]
    place_id: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    wish: Mapped[dict[str, Any]] = mapped_column(JSONB)
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[Code]
    asked_by: Mapped[Code]
    asked_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    answered_by: Mapped[str | None] = mapped_column(CodeText)
    answered_at: Mapped[dt.datetime | None]
    answer_reason: Mapped[str | None]
    used_at: Mapped[dt.datetime | None]

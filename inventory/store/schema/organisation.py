"""Who can hold stock, and the code tables of cards and HLRs (append and disable only, REQ-CFG-01)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, Code, CodeKey, CodeText, Small


class Organisation(Base):
    """A node of a city's custody tree: city, district, point or clerk; or a pseudo-holder: *customer*, *ended*.

    `path` is the chain of ids from the city down, such as `1/4/9` (`inventory.domain.organisation`), so that a subtree
    is a prefix.
    """

    __tablename__ = "organisation"
    __table_args__ = (Index(None, "path", postgresql_ops={"path": "text_pattern_ops"}),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    city_id: Mapped[int] = mapped_column(Integer, index=True)
    level: Mapped[Code]
    code: Mapped[str] = mapped_column(CodeText, unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    path: Mapped[Code]
    active: Mapped[bool] = mapped_column(server_default="true")
    leaving_at: Mapped[dt.datetime | None]
    """Since when the account of a clerk who left waits to be closed."""


class Hlr(Base):
    """A home location register: the tie between a number's segment and the IMSIs that may serve it."""

    __tablename__ = "hlr"

    code: Mapped[CodeKey]
    city_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    smsc: Mapped[Code]
    """Address of the short message centre, international digits with `+`."""
    active: Mapped[bool] = mapped_column(server_default="true")


class CardKind(Base):
    """A card product as bought: which profile writes it, what it can do, what it costs.

    `network` holds what is the same on every card of the product (PLMN lists, SPN, MNC length …), in the form that
    `cardwriter.profiles` reads. `algorithm` is how its cards authenticate, as `cardwriter.crypto.algorithms` reads it:
    {"name": "milenage"} with `r`, `c`, `res_bits` of an operator, or {"name": "tuak"} with its lengths.
    """

    __tablename__ = "card_kind"

    code: Mapped[CodeKey]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    profile: Mapped[Code]
    capacity_kb: Mapped[int] = mapped_column(Integer)
    capabilities: Mapped[list[str]] = mapped_column(JSONB)
    network: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fee_fen: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")
    algorithm: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("""'{"name": "milenage"}'"""))
    max_numbers: Mapped[Small] = mapped_column(server_default="1")
    """How many numbers one of its cards may serve: 1, or 2 of a card with a main and a second one (一卡双号)."""

"""Callers: interfaces (接口编号), staff, keys, sessions, working hours, and what was refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Identity, Integer, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText


class Interface(Base):
    """Where requests come from; every caller has one number (REQ-IF-01). Deleting is disabling (REQ-IF-09)."""

    __tablename__ = "interface"

    no: Mapped[CodeKey]
    kind: Mapped[Code]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    city_id: Mapped[int] = mapped_column(Integer)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    pools: Mapped[list[str]] = mapped_column(ARRAY(CodeText))
    """The sale pools this interface may take from."""
    built_in: Mapped[bool] = mapped_column(server_default="false")
    active: Mapped[bool] = mapped_column(server_default="true")
    replaced_by: Mapped[str | None] = mapped_column(CodeText, ForeignKey("interface.no"))
    created_at: Mapped[dt.datetime]


class Staff(Base):
    """A person or system with a staff id (工号); `org_id` is the node whose subtree it sees."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    staff_no: Mapped[str] = mapped_column(CodeText, unique=True)
    name: Mapped[str]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[Code]
    password_hash: Mapped[str | None]
    language: Mapped[Code]
    active: Mapped[bool] = mapped_column(server_default="true")


class InterfaceStaff(Base):
    """A staff id works only through the interfaces it is bound to (REQ-IF-03)."""

    __tablename__ = "interface_staff"

    interface_no: Mapped[str] = mapped_column(CodeText, ForeignKey("interface.no"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)


class ApiKey(Base):
    """A random key bound to one interface and one staff id; only its SHA-256 is kept."""

    __tablename__ = "api_key"

    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    prefix: Mapped[Code]
    interface_no: Mapped[str] = mapped_column(CodeText, ForeignKey("interface.no"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class SignInSession(Base):
    """A signed-in person; the cookie is random, its SHA-256 is the key, revoking is one update."""

    __tablename__ = "sign_in_session"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    interface_no: Mapped[str] = mapped_column(CodeText, ForeignKey("interface.no"))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    role: Mapped[str | None] = mapped_column(CodeText)
    """What the session may do where that is less than its owner may."""


class WorkingWindow(Base):
    """When an interface, or a role in a city, may write (REQ-IF-06); without any window it is always open."""

    __tablename__ = "working_window"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer, index=True)
    interface_no: Mapped[str | None] = mapped_column(CodeText, ForeignKey("interface.no"))
    role: Mapped[str | None] = mapped_column(CodeText)
    weekdays: Mapped[int] = mapped_column(SmallInteger)
    """Bit 0 is Monday."""
    opens: Mapped[dt.time]
    closes: Mapped[dt.time]
    on_holidays: Mapped[bool]
    reading_outside: Mapped[bool]


class CityHoliday(Base):
    """A holiday of a city, in Asia/Shanghai days (REQ-IF-06); one that is past stays."""

    __tablename__ = "city_holiday"

    city_id: Mapped[CityKey]
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    name: Mapped[str]
    added_by: Mapped[Code]
    added_at: Mapped[dt.datetime]


class Holiday(Base):
    """A public holiday of every city, in Asia/Shanghai days."""

    __tablename__ = "holiday"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    name: Mapped[str]


class EnrolCode(Base):
    """A one-time code with which a hall PC becomes a station of `org_id`; only its SHA-256 is kept."""

    __tablename__ = "enrol_code"

    code_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    created_by: Mapped[Code]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    station_id: Mapped[int | None]


class SecurityEvent(Base):
    """A refused caller: unknown interface, wrong secret, outside the hours, without permission (REQ-IF-04, 08)."""

    __tablename__ = "security_event"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    code: Mapped[Code]
    interface_no: Mapped[str | None]
    staff_no: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)

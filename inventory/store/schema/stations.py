"""Hall PCs, what is in their readers, and the jobs that write cards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText

_UNSETTLED = "state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')"


class Station(Base):
    """A hall PC with its own credential, of which only the SHA-256 is kept.

    `link_id` is drawn anew by every connection: of two processes that think they hold the link, the one
    named here does.
    """

    __tablename__ = "station"

    city_id: Mapped[CityKey]
    station_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    credential_sha256: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    enrolled_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    online_since: Mapped[dt.datetime | None]
    last_seen_at: Mapped[dt.datetime | None]
    link_id: Mapped[str | None] = mapped_column(CodeText)


class StationReader(Base):
    """A reader of a station and the card in it, as last seen; `facts` is what the identify script found.

    `script_id` is the identify script that is under way there, so that a card is not asked twice.
    """

    __tablename__ = "station_reader"
    __table_args__ = (ForeignKeyConstraint(["city_id", "station_id"], ["station.city_id", "station.station_id"]),)

    city_id: Mapped[CityKey]
    station_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[CodeKey]
    state: Mapped[Code]
    insertion: Mapped[int]
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sim_item_no: Mapped[int | None]
    script_id: Mapped[str | None] = mapped_column(CodeText)
    seen_at: Mapped[dt.datetime]


class WriteJob(Base):
    """The writing of one card for one kit, from identify to verdict (REQ-HW-04). Scripts and keys are not stored."""

    __tablename__ = "write_job"
    __table_args__ = (
        Index(
            "uq_write_job_open",
            "city_id",
            "hold_id",
            unique=True,
            postgresql_where=text(_UNSETTLED),
        ),
        Index("ix_write_job_station", "city_id", "station_id", postgresql_where=text(_UNSETTLED)),
        Index("ix_write_job_sim", "city_id", "sim_item_no", postgresql_where=text(_UNSETTLED)),
    )

    city_id: Mapped[CityKey]
    job_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    hold_id: Mapped[int]
    station_id: Mapped[int]
    reader: Mapped[Code]
    sim_item_no: Mapped[int]
    data_no: Mapped[int]
    state: Mapped[Code]
    script_id: Mapped[str | None] = mapped_column(CodeText)
    """The script that was last handed out; a report of another one is stale."""
    rand: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The challenge of the proof; the answer to it is judged and never stored."""
    delivered_at: Mapped[dt.datetime | None]
    write_until: Mapped[dt.datetime | None]
    """Until when a station may still begin the write script; None once it is known to be over."""
    steps_total: Mapped[int | None] = mapped_column(Integer)
    """Steps of the script that was last handed out."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The card as identified before writing."""
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What the card is to hold, without any key or code: what it is judged against, whatever changes meanwhile."""
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class WriteStep(Base):
    """One command of a job as the station reported it: name, status word, time. No data."""

    __tablename__ = "write_step"
    __table_args__ = (ForeignKeyConstraint(["city_id", "job_id"], ["write_job.city_id", "write_job.job_id"]),)

    city_id: Mapped[CityKey]
    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Thousand times the script's place among the job's scripts, plus the command's place in the script."""
    script: Mapped[Code]
    """`identify`, `write` or `verify`."""
    name: Mapped[Code]
    sw: Mapped[Code]
    at: Mapped[dt.datetime]

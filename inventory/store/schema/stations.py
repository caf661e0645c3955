"""Hall PCs, what is in their readers, and the jobs that write cards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Identity, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.store.schema.base import Base, CityKey, Code, CodeKey, CodeText

_UNSETTLED = "state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')"
SPOILED = "(state = 'damaged' OR verdict ->> 'failure' = 'adm_refused')"
"""Jobs whose card is for the vendor's account: spoiled by writing, or refusing its own key (REQ-SIM-12)."""


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

    `script_id` is the identify script that is under way there, so that a card is not asked twice. `bulk_job_id` is the
    job that a bulk order gave this insertion, `bulk_refusal` why it gave it none: an insertion is tried once.
    `label` is what people call the reader, `seat` the browser it is bound to, by whom and since when. `dispenser` is
    how a reader that moves its cards stands, None of others. `kiosk_kind` is the card product that it sells
    to customers by itself, None while it is no self-service machine.
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
    bulk_job_id: Mapped[int | None]
    bulk_refusal: Mapped[str | None] = mapped_column(CodeText)
    label: Mapped[str | None]
    seat: Mapped[str | None] = mapped_column(CodeText)
    seat_staff: Mapped[str | None] = mapped_column(CodeText)
    seat_at: Mapped[dt.datetime | None]
    dispenser: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    kiosk_kind: Mapped[str | None] = mapped_column(CodeText)
    seen_at: Mapped[dt.datetime]


class WriteJob(Base):
    """The writing of one card for one kit, from identify to verdict (REQ-HW-04). Scripts and keys are not stored."""

    __tablename__ = "write_job"
    __table_args__ = (
        Index(
            "uq_write_job_of_kit",
            "city_id",
            "hold_id",
            unique=True,
            postgresql_where=text(f"{_UNSETTLED} AND NOT left_kit"),
        ),
        Index("ix_write_job_station", "city_id", "station_id", postgresql_where=text(_UNSETTLED)),
        Index("ix_write_job_sim", "city_id", "sim_item_no", postgresql_where=text(_UNSETTLED)),
        Index("ix_write_job_bulk", "city_id", "bulk_no", postgresql_where=text("bulk_no IS NOT NULL")),
        Index("ix_write_job_spoiled", "city_id", "finished_at", postgresql_where=text(SPOILED)),
    )

    city_id: Mapped[CityKey]
    job_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    hold_id: Mapped[int]
    station_id: Mapped[int]
    reader: Mapped[Code]
    sim_item_no: Mapped[int]
    data_no: Mapped[int | None]
    """None until an operator's own system has given data for the card."""
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
    left_kit: Mapped[bool] = mapped_column(server_default="false")
    """The kit took another card, or ended, before it was known how this one had ended (REQ-RSV-16)."""
    bulk_no: Mapped[int | None]
    """The bulk order that the card is written for."""
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    created_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class BulkOrder(Base):
    """So many blanks of a kind to be finished with data of an HLR at one station (批量写卡)."""

    __tablename__ = "bulk_order"
    __table_args__ = (
        ForeignKeyConstraint(["city_id", "station_id"], ["station.city_id", "station.station_id"]),
        Index(
            "uq_bulk_order_of_station",
            "city_id",
            "station_id",
            unique=True,
            postgresql_where=text("state IN ('RUNNING', 'PAUSED')"),
        ),
    )

    city_id: Mapped[CityKey]
    bulk_no: Mapped[int] = mapped_column(Identity(), primary_key=True)
    station_id: Mapped[int]
    org_id: Mapped[int]
    """The place of whoever ordered: cards that lie there are taken too."""
    kind_code: Mapped[str] = mapped_column(CodeText, ForeignKey("card_kind.code"))
    hlr_code: Mapped[str] = mapped_column(CodeText, ForeignKey("hlr.code"))
    wanted: Mapped[int] = mapped_column(Integer)
    state: Mapped[Code]
    """A `BulkOrderState`."""
    staff_no: Mapped[Code]
    interface_no: Mapped[Code]
    opened_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


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

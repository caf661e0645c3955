"""Uploaded files: a head, and its parts in the order of their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Exists, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from inventory.domain.lifecycle import LOAD_OPEN
from inventory.store.schema import LoadBatch, LoadRun, Upload, UploadPart


@dataclass(frozen=True)
class StoredUpload:
    """An upload as it stands: see `Upload` for the meaning of each field."""

    city_id: int
    upload_id: int
    name: str
    size: int
    received: int
    said_sha256: bytes | None
    sha256: bytes | None
    updated_at: datetime


async def add_upload(
    session: AsyncSession,
    *,
    city_id: int,
    name: str,
    size: int,
    said_sha256: bytes | None,
    staff_no: str,
    interface_no: str,
    now: datetime,
) -> int:
    """Write the head of an upload of which nothing is here yet and return its number."""
    values = {"city_id": city_id, "name": name, "size": size, "said_sha256": said_sha256, "received": 0}
    who = {"staff_no": staff_no, "interface_no": interface_no, "created_at": now, "updated_at": now}
    made = await session.execute(insert(Upload).values(**values, **who).returning(Upload.upload_id))
    return made.scalar_one()


async def find_upload(
    session: AsyncSession, *, city_id: int, upload_id: int, lock: bool = False
) -> StoredUpload | None:
    """Return an upload of the city, or None; `lock` keeps others from adding to it until the end."""
    columns = (getattr(Upload, name) for name in StoredUpload.__dataclass_fields__)
    query = select(*columns).where(Upload.city_id == city_id, Upload.upload_id == upload_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else StoredUpload(*row)


async def add_part(session: AsyncSession, *, city_id: int, upload_id: int, start: int, sealed: bytes) -> None:
    """Keep the envelope of the bytes from `start` on."""
    await session.execute(insert(UploadPart).values(city_id=city_id, upload_id=upload_id, start=start, sealed=sealed))


async def move_on(
    session: AsyncSession, *, city_id: int, upload_id: int, received: int, sha256: bytes | None, now: datetime
) -> None:
    """Say how much of the upload is here, and its digest once that is all of it."""
    await session.execute(
        update(Upload)
        .where(Upload.city_id == city_id, Upload.upload_id == upload_id)
        .values(received=received, sha256=sha256, updated_at=now)
    )


async def drop_parts(session: AsyncSession, *, city_id: int, upload_id: int) -> None:
    """Forget what has come of an upload."""
    await session.execute(delete(UploadPart).where(UploadPart.city_id == city_id, UploadPart.upload_id == upload_id))


async def drop_upload(session: AsyncSession, *, city_id: int, upload_id: int) -> bool:
    """Remove an upload with its parts unless a load still needs it; False if it stays or there is none."""
    gone = await session.execute(
        delete(Upload)
        .where(Upload.city_id == city_id, Upload.upload_id == upload_id, ~_needed())
        .returning(Upload.upload_id)
    )
    return gone.one_or_none() is not None


async def drop_old(session: AsyncSession, *, before: datetime) -> int:
    """Remove the uploads that nobody has touched since and no load needs; return how many they were."""
    gone = await session.execute(
        delete(Upload).where(Upload.updated_at < before, ~_needed()).returning(Upload.upload_id)
    )
    return len(gone.all())


def part_at(session: Session, *, city_id: int, upload_id: int, place: int) -> tuple[int, bytes] | None:
    """Return the part that holds the byte at `place` as its start and envelope, or None; in `AsyncSession.run_sync`."""
    row = session.execute(
        select(UploadPart.start, UploadPart.sealed)
        .where(UploadPart.city_id == city_id, UploadPart.upload_id == upload_id, UploadPart.start <= place)
        .order_by(UploadPart.start.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.start, row.sealed)


def _needed() -> Exists:
    """Say whether a load that is still to be run reads the upload."""
    return exists().where(
        LoadRun.city_id == Upload.city_id,
        LoadRun.upload_id == Upload.upload_id,
        LoadBatch.city_id == LoadRun.city_id,
        LoadBatch.batch_id == LoadRun.batch_id,
        LoadBatch.state.in_(sorted(LOAD_OPEN)),
    )

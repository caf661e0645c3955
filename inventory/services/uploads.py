"""Files on their way to us: sent in pieces, taken up again where they broke off, kept in sealed parts.

The shape is that of resumable uploads (IETF draft-ietf-httpbis-resumable-upload, tus): make one, append at an offset,
ask where it stands, delete it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound, UploadDamaged, UploadOffset
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.loading.packing import BLOCK, LARGEST
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.services.stored_file import FIELD, PART, TABLE, place_of, stored_file
from inventory.store import uploads
from inventory.store.uploads import StoredUpload
from inventory.vault.envelope import Vault

KEPT = timedelta(hours=24)
"""How long an upload lies that nobody touches and no load needs."""
LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class UploadWish:
    """A file to send: its name, its size in bytes, and its SHA-256 if the sender knows it."""

    name: str
    size: int
    sha256: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Bytes of an upload from `offset` on."""

    offset: int
    content: bytes = field(repr=False)


async def begin_upload(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: UploadWish, *, now: datetime
) -> Answer:
    """Begin an upload and answer with it as it stands: nothing is here yet.

    Raises
    ------
    InvalidField
        Name or size cannot be.
    """
    if not 0 < wish.size <= LARGEST:
        raise InvalidField(field="size", value=wish.size, reason=f"1 to {LARGEST} bytes; send larger files in parts")
    if not 0 < len(wish.name) <= LONGEST_NAME or not wish.name.isprintable():
        reason = f"1 to {LONGEST_NAME} printable characters"
        raise InvalidField(field="name", value=wish.name[:LONGEST_NAME], reason=reason)

    async def work() -> dict[str, Any]:
        upload_id = await _add(session, caller, wish, now=now)
        return upload_as_json(await _one(session, caller, upload_id))

    return await once(session, caller, write, work, now=now)


async def append(
    session: AsyncSession, caller: Caller, public_id: str, piece: Piece, *, vault: Vault, now: datetime
) -> StoredUpload:
    """Add a piece to an upload and return it as it stands; a piece that is here already changes nothing.

    Raises
    ------
    InvalidField
        The piece is empty or reaches beyond the upload's end.
    InvalidIdentifier, NotFound
        As for `read_upload`.
    UploadDamaged
        All of it is here and has not the announced digest, or a part of it can no longer be read; it must be sent
        again from its beginning.
    UploadOffset
        The upload goes on at another place.
    """
    upload_id = _parsed(caller, public_id)
    async with session.begin():
        upload = await _one(session, caller, upload_id, lock=True)
        end = piece.offset + len(piece.content)
        if not piece.content or end > upload.size:
            left = upload.size - upload.received
            reason = f"1 to {left} bytes are left to be sent" if left else "all of the file is here already"
            raise InvalidField(field="body", value=len(piece.content), reason=reason)
        if end <= upload.received:
            return upload
        if piece.offset != upload.received:
            raise UploadOffset(offset=upload.received, sent=piece.offset)
        upload = await _write(session, upload, piece.content, vault=vault, now=now)
        damaged = upload.received < end
    if damaged:
        raise UploadDamaged(name=upload.name)
    return upload


async def read_upload(session: AsyncSession, caller: Caller, *, public_id: str) -> StoredUpload:
    """Return an upload of the caller's city.

    Raises
    ------
    InvalidIdentifier
        The id is not an upload's.
    NotFound
        The city has none with it: it was deleted, loaded, or lay too long.
    """
    async with session.begin():
        return await upload_of(session, caller, public_id)


async def upload_of(session: AsyncSession, caller: Caller, public_id: str) -> StoredUpload:
    """Return what `read_upload` does, in the open transaction, and raise as it."""
    return await _one(session, caller, _parsed(caller, public_id))


async def delete_upload(session: AsyncSession, caller: Caller, *, public_id: str) -> None:
    """Forget an upload, if a load does not need it still; one that is gone already is no fault.

    Raises
    ------
    InvalidIdentifier
        The id is not an upload's.
    """
    wanted = parse_public_id(public_id, "u")
    if wanted.city_id == caller.city_id:
        async with session.begin():
            await uploads.drop_upload(session, city_id=caller.city_id, upload_id=wanted.serial)


async def sweep_uploads(session: AsyncSession, *, now: datetime) -> int:
    """Remove uploads that lie too long and return how many they were."""
    async with session.begin():
        return await uploads.drop_old(session, before=now - KEPT)


async def keep_whole(
    session: AsyncSession, caller: Caller, name: str, content: bytes, *, vault: Vault, now: datetime
) -> StoredUpload:
    """Keep a small file that came whole as an upload, in the open transaction, and return it.

    Raises
    ------
    InvalidField
        It is empty.
    """
    if not content:
        raise InvalidField(field="file", value=name, reason="the file is empty; send one that holds something")
    upload_id = await _add(session, caller, UploadWish(name=name, size=len(content)), now=now)
    return await _write(session, await _one(session, caller, upload_id), content, vault=vault, now=now)


def upload_as_json(upload: StoredUpload) -> dict[str, Any]:
    """Return an upload as the API tells it; `sha256` is there once all of it is."""
    return {
        "id": format_public_id("u", upload.city_id, upload.upload_id),
        "name": upload.name,
        "size": upload.size,
        "offset": upload.received,
        "sha256": None if upload.sha256 is None else upload.sha256.hex(),
    }


def _parsed(caller: Caller, public_id: str) -> int:
    wanted = parse_public_id(public_id, "u")
    if wanted.city_id != caller.city_id:
        raise NotFound(what="upload", value=public_id)
    return wanted.serial


async def _add(session: AsyncSession, caller: Caller, wish: UploadWish, *, now: datetime) -> int:
    who = acting(caller, now)
    return await uploads.add_upload(session, name=wish.name, size=wish.size, said_sha256=wish.sha256, **who)


async def _one(session: AsyncSession, caller: Caller, upload_id: int, *, lock: bool = False) -> StoredUpload:
    upload = await uploads.find_upload(session, city_id=caller.city_id, upload_id=upload_id, lock=lock)
    if upload is None:
        raise NotFound(what="upload", value=format_public_id("u", caller.city_id, upload_id))
    return upload


async def _write(
    session: AsyncSession, upload: StoredUpload, content: bytes, *, vault: Vault, now: datetime
) -> StoredUpload:
    """Keep the content in sealed parts; with the last byte find the digest, and forget all if it is wrong or none."""
    key = {"city_id": upload.city_id, "upload_id": upload.upload_id}
    for begin in range(0, len(content), PART):
        start = upload.received + begin
        sealed = vault.seal(content[begin : begin + PART], table=TABLE, row=place_of(upload, start), field=FIELD)
        await uploads.add_part(session, **key, start=start, sealed=sealed)
    received, sha256 = upload.received + len(content), None
    if received == upload.size:
        sha256 = await session.run_sync(lambda sync: _digest(stored_file(sync, vault, upload)))
        if sha256 is None or upload.said_sha256 not in {None, sha256}:
            await uploads.drop_parts(session, **key)
            received, sha256 = 0, None
    await uploads.move_on(session, **key, received=received, sha256=sha256, now=now)
    return replace(upload, received=received, sha256=sha256, updated_at=now)


def _digest(file: BinaryIO) -> bytes | None:
    """Return the digest of what is kept, None where a part of it can no longer be read."""
    digest = hashlib.sha256()
    try:
        while block := file.read(BLOCK):
            digest.update(block)
    except UploadDamaged:
        return None
    return digest.digest()

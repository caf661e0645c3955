"""An upload as a file that can be read and sought, its parts opened one at a time."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import structlog
from sqlalchemy.orm import Session
from typing_extensions import override

from inventory.domain.errors import UploadDamaged
from inventory.store import uploads
from inventory.store.uploads import StoredUpload
from inventory.vault.envelope import EnvelopeBroken, Vault

PART = 1024 * 1024
"""Bytes of a part at most; one is in memory at a time."""
TABLE, FIELD = "upload_part", "sealed"
_log = structlog.get_logger(__name__)


def place_of(upload: StoredUpload, start: int) -> str:
    """Name the part that begins at byte `start`, for its envelope."""
    return place_of_part(upload.city_id, upload.upload_id, start)


def place_of_part(city_id: int, upload_id: int, start: int) -> str:
    """Name a part by the columns of its row."""
    return f"{city_id}/{upload_id}/{start}"


class StoredFile(io.RawIOBase):
    """A whole upload, read inside `AsyncSession.run_sync`: each read may ask the database for the next part."""

    def __init__(self, session: Session, vault: Vault, upload: StoredUpload) -> None:
        self._session = session
        self._vault = vault
        self._upload = upload
        self._place = 0
        self._start, self._part = 0, b""

    @override
    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    @override
    def seekable(self) -> bool:
        """Say that reading may go on anywhere."""
        return True

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte and return its place."""
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._upload.size}
        self._place = max(0, bases[whence] + offset)
        return self._place

    @override
    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    @override
    def readinto(self, buffer: Any) -> int:
        """Read what the present part still has, as far as there is room; 0 at the end.

        Raises
        ------
        UploadDamaged
            A part is missing, was altered in the database, or its key is not kept here; the log says which.
        """
        try:
            if not self._start <= self._place < self._start + len(self._part) and not self._turn():
                return 0
        except EnvelopeBroken as broken:
            _log.warning("upload_broken", why=str(broken))
            raise UploadDamaged(name=self._upload.name) from None
        begin = self._place - self._start
        data = self._part[begin : begin + len(buffer)]
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _turn(self) -> bool:
        """Open the part that holds the next byte; False at the end."""
        upload = self._upload
        if self._place >= upload.size:
            return False
        found = uploads.part_at(self._session, city_id=upload.city_id, upload_id=upload.upload_id, place=self._place)
        missing = EnvelopeBroken(f"{TABLE} of {place_of(upload, self._place)} is missing")
        if found is None:
            raise missing
        self._start, sealed = found
        row = place_of(upload, self._start)
        self._part = self._vault.open(sealed, table=TABLE, row=row, field=FIELD).reveal()
        if self._place >= self._start + len(self._part):
            raise missing
        return True


def stored_file(session: Session, vault: Vault, upload: StoredUpload) -> BinaryIO:
    """Return the upload as a buffered file."""
    return io.BufferedReader(StoredFile(session, vault, upload), PART)

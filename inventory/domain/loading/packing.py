"""Packed files: gzip, and zip with one file inside; never more out of them than a bound, so that a bomb stays small."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import struct
import zipfile
import zlib
from typing import IO, Any, BinaryIO, Final

from typing_extensions import override

from inventory.domain.errors import InvalidField
from inventory.domain.loading.faults import shown

BLOCK: Final = 1024 * 1024
"""Bytes that are read of a file at once."""
LARGEST: Final = 2 * 1024**3
"""Bytes that a file may hold, unpacked: more than ten million cards of a vendor."""
LARGEST_WORKBOOK: Final = 256 * 1024 * 1024
"""Bytes that a workbook may unfold to: its readers have it in memory whole."""
MOST_CELLS: Final = 20_000_000
"""Places that a sheet may span, from its first corner to its last filled cell: readers keep room for each of them."""

_GZIP: Final = b"\x1f\x8b"
"""RFC 1952 clause 2.3.1."""
ZIP: Final = b"PK\x03\x04"
"""APPNOTE.TXT 6.3.10 clause 4.3.7."""
_OFFICE_PART: Final = "[Content_Types].xml"
"""What every file of an office program has inside (ECMA-376 part 2 clause 10.1.2)."""
_PLACE: Final = re.compile(rb"""\br=["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
"""The place of a cell, such as BC12 (ECMA-376 part 1 clause 18.3.1.4)."""
_BROKEN: Final = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the readers of both forms raise for a file that is cut off, spoilt, encrypted or of an unknown method."""


class Unpacked(io.RawIOBase):
    """What a file holds, packed or not, read once from its beginning: a refusal where it is broken or too large."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, name: str, largest: int) -> None:
        self._stream = stream
        self._name = name
        self._left = self._largest = largest

    @override
    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        """Read the next bytes into the buffer and return how many; 0 at the end.

        Raises
        ------
        InvalidField
            The file is broken, or holds more than it may.
        """
        try:
            data = self._stream.read(min(len(buffer), self._left + 1))
        except _BROKEN:
            raise _broken() from None
        if len(data) > self._left:
            raise _refusal(self._name, f"it unfolds to more than {self._largest} bytes; send it in parts")
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


def unpacked(file: BinaryIO, *, largest: int = LARGEST) -> BinaryIO:
    """Return what a gzip or zip file holds as a stream; other content, and that of a spreadsheet, as it is.

    `file` can be sought. No more than a buffer of it is in memory at once. Reading goes the ways of `Unpacked`.

    Raises
    ------
    InvalidField
        It is broken, or holds not exactly one file.
    """
    head = _head(file)
    try:
        if head.startswith(_GZIP):
            return _stream(gzip.GzipFile(fileobj=file), "gzip file", largest)
        if not head.startswith(ZIP):
            return _stream(file, "file", largest)
        archive = zipfile.ZipFile(file)
        if _OFFICE_PART in archive.namelist():
            file.seek(0)
            return _stream(file, "workbook", largest)
        inside = [part for part in archive.infolist() if not part.is_dir()]
        if len(inside) != 1:
            raise _refusal("zip file", f"it holds {len(inside)} files; send one")
        return _stream(archive.open(inside[0]), inside[0].filename, largest)
    except _BROKEN:
        raise _broken() from None


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(len(ZIP))
    file.seek(0)
    return head


def _stream(stream: IO[bytes] | gzip.GzipFile, name: str, largest: int) -> BinaryIO:
    return io.BufferedReader(Unpacked(stream, name, largest), BLOCK)


def is_workbook(content: bytes) -> bool:
    """Tell whether the content is an office program's file, such as an XLSX workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _OFFICE_PART in archive.namelist()
    except _BROKEN:
        return False


def require_bounded_workbook(content: bytes, *, largest: int = LARGEST_WORKBOOK, most_cells: int = MOST_CELLS) -> None:
    """Refuse a workbook that would take too much room to read, before anything reads it.

    Raises
    ------
    InvalidField
        It unfolds to more than `largest` bytes, a sheet spans more than `most_cells`, or it is broken.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            left = largest
            for part in archive.infolist():
                with archive.open(part) as stream:
                    data = _bounded(stream, part.filename, left)
                left -= len(data)
                if _span(data) > most_cells:
                    raise _refusal(part.filename, f"the sheet spans more than {most_cells} cells")
    except _BROKEN:
        raise _refusal("workbook", "it cannot be read; save it again, without a password") from None


def _bounded(stream: IO[bytes] | gzip.GzipFile, name: str, largest: int) -> bytes:
    data = stream.read(largest + 1)
    if len(data) > largest:
        raise _refusal(name, f"it unfolds to more than {largest} bytes; send it in parts")
    return data


def _span(data: bytes) -> int:
    """Give how many cells lie between a sheet's corner and its farthest row and column."""
    width = height = 0
    for column, row in set(_PLACE.findall(data)):
        number = 0
        for letter in column.upper():
            number = number * 26 + letter - ord("A") + 1
        width, height = max(width, number), max(height, int(row))
    return width * height


def _broken() -> InvalidField:
    return _refusal("packed file", "it cannot be unpacked; pack it again, without a password")


def _refusal(name: str, reason: str) -> InvalidField:
    return InvalidField(field="file", value=shown(name), reason=reason)

"""Packed files: gzip, and zip with one file inside; never more out of them than a bound, so that a bomb stays small."""

from __future__ import annotations

import gzip
import lzma
import re
import struct
import zipfile
import zlib
from io import BytesIO
from typing import IO, Final

from inventory.domain.errors import InvalidField
from inventory.domain.loading.faults import shown

LARGEST: Final = 256 * 1024 * 1024
"""Bytes that a packed file may unfold to: five million rows of a list."""
MOST_CELLS: Final = 20_000_000
"""Places that a sheet may span, from its first corner to its last filled cell: readers keep room for each of them."""

_GZIP: Final = b"\x1f\x8b"
"""RFC 1952 clause 2.3.1."""
_ZIP: Final = b"PK\x03\x04"
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


def unpacked(content: bytes, *, largest: int = LARGEST) -> bytes:
    """Return what a gzip or zip file holds; other content, and that of a spreadsheet, as it is.

    Raises
    ------
    InvalidField
        It is broken, holds not exactly one file, or unfolds to more than `largest` bytes.
    """
    try:
        if content.startswith(_GZIP):
            with gzip.GzipFile(fileobj=BytesIO(content)) as stream:
                return _bounded(stream, "gzip file", largest)
        if not content.startswith(_ZIP):
            return content
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if _OFFICE_PART in archive.namelist():
                return content
            inside = [part for part in archive.infolist() if not part.is_dir()]
            if len(inside) != 1:
                raise _refusal("zip file", f"it holds {len(inside)} files; send one")
            with archive.open(inside[0]) as stream:
                return _bounded(stream, inside[0].filename, largest)
    except _BROKEN:
        raise _refusal("packed file", "it cannot be unpacked; pack it again, without a password") from None


def is_workbook(content: bytes) -> bool:
    """Tell whether the content is an office program's file, such as an XLSX workbook."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return _OFFICE_PART in archive.namelist()
    except _BROKEN:
        return False


def require_bounded_workbook(content: bytes, *, largest: int = LARGEST, most_cells: int = MOST_CELLS) -> None:
    """Refuse a workbook that would take too much room to read, before anything reads it.

    Raises
    ------
    InvalidField
        It unfolds to more than `largest` bytes, a sheet spans more than `most_cells`, or it is broken.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
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


def _refusal(name: str, reason: str) -> InvalidField:
    return InvalidField(field="file", value=shown(name), reason=reason)

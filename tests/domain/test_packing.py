"""Packed files, and those that would unfold without end."""

from __future__ import annotations

import gzip
import zipfile
from io import BytesIO

import pytest

from inventory.domain.errors import InvalidField
from inventory.domain.loading.packing import is_workbook, require_bounded_workbook
from inventory.domain.loading.packing import unpacked as unpacked_stream

TEXT = b"ICCID\n89860012345678901231\n"


def unpacked(content: bytes, **bounds: int) -> bytes:
    return unpacked_stream(BytesIO(content), **bounds).read()


def zipped(**parts: bytes) -> bytes:
    """Give a zip file; `__` in a name stands for a stroke."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


def workbook(sheet: bytes) -> bytes:
    return zipped(**{"[Content_Types].xml": b"<Types/>", "xl__worksheets__sheet1.xml": sheet})


@pytest.mark.parametrize(
    "content",
    [TEXT, gzip.compress(TEXT), zipped(cards=TEXT), zipped(folder__=b"", folder__cards=TEXT)],
    ids=["plain", "gzip", "zip", "zip with a folder"],
)
def test_a_file_is_unpacked(content: bytes) -> None:
    assert unpacked(content) == TEXT


def test_a_workbook_stays_packed() -> None:
    content = workbook(b"")
    assert unpacked(content) == content
    assert is_workbook(content)
    assert not is_workbook(TEXT)
    assert not is_workbook(zipped(cards=TEXT))


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(bomb=content)], ids=["gzip", "zip"])
def test_a_bomb_is_refused_by_its_size(pack: object) -> None:
    assert callable(pack)
    content = pack(bytes(1_000_001))
    assert len(content) < 10_000
    with pytest.raises(InvalidField, match="more than 1000000 bytes"):
        unpacked(content, largest=1_000_000)
    assert len(unpacked(content, largest=1_000_001)) == 1_000_001


@pytest.mark.parametrize("count", [0, 2])
def test_a_zip_holds_exactly_one_file(count: int) -> None:
    content = zipped(folder__=b"", **{f"part{number}": TEXT for number in range(count)})
    with pytest.raises(InvalidField, match=f"{count} files"):
        unpacked(content)


def encrypted() -> bytes:
    """Give a zip file that says it is encrypted: bit 0 of the flags in both of its headers."""
    content = bytearray(zipped(cards=TEXT))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(TEXT)[:-9], gzip.compress(TEXT)[:12] + b"\xff" * 20, zipped(cards=TEXT)[:30], encrypted()],
    ids=["cut gzip", "spoilt gzip", "cut zip", "encrypted zip"],
)
def test_a_broken_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidField, match="cannot be unpacked"):
        unpacked(content)


def test_a_workbook_of_usual_size_is_let_through() -> None:
    require_bounded_workbook(workbook(b'<row r="1"><c r="A1"/><c r="AB12"/></row>'), most_cells=28 * 12)


def test_a_workbook_that_would_take_too_much_room_is_refused() -> None:
    with pytest.raises(InvalidField, match="spans more than"):
        require_bounded_workbook(workbook(b'<c r="A1"/><c r="XFD1048576"/>'))
    with pytest.raises(InvalidField, match="more than"):
        require_bounded_workbook(workbook(bytes(100_000)), largest=50_000)
    with pytest.raises(InvalidField, match="cannot be read"):
        require_bounded_workbook(workbook(b"")[:40])

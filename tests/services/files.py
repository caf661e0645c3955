"""Files as vendors and the network department deliver them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from xml.sax.saxutils import escape

ADM1 = "0123456789ABCDEF"
TRANSPORT_KEY = "11"


def iccid(serial: int) -> str:
    """Give an ICCID of the test range."""
    return f"89860012{serial:012d}"


def imsi(serial: int) -> str:
    """Give an IMSI of a lab range."""
    return f"46000{serial:010d}"


def vendor_file(serials: Sequence[int], *, quantity: int | None = None, columns: str = "", key: str = "11") -> bytes:
    """Give an output file with one preset-key blank for each serial."""
    head = [
        "*HEADER DESCRIPTION",
        "Customer: Lijiang",
        f"Quantity: {len(serials) if quantity is None else quantity}",
        "Type: 4G blank",
        "Profile: P1",
        "Batch: B20261101",
        f"Transport_key: {key}",
        "*INPUT VARIABLES",
        "var_In:",
        "*OUTPUT VARIABLES",
        f"var_Out: {columns or 'ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC'}",
    ]
    lines = [
        f"{iccid(serial)} {serial:020X} 1234 {serial:08d} {ADM1} {serial:032X} {serial + 1:032X}" for serial in serials
    ]
    return "\n".join([*head, *lines, ""]).encode()


def imsi_pool(serials: Sequence[int], hlr: str = "LJ1") -> bytes:
    """Give a pool file with one IMSI of the HLR for each serial."""
    return "\n".join(["imsi,hlr", *(f"{imsi(serial)},{hlr}" for serial in serials), ""]).encode()


def numbered_pool(serials: Sequence[int], hlr: str = "LJ1") -> bytes:
    """Give a pool file with one IMSI of the HLR and one ICCID for each serial."""
    return "\n".join(["imsi,iccid,hlr", *(f"{imsi(no)},{iccid(no)},{hlr}" for no in serials), ""]).encode()


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_PART = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(*sheets: Sequence[Sequence[str | float]]) -> bytes:
    """Give an XLSX workbook (ECMA-376 part 1 clause 18) with these sheets of texts and numbers."""
    places = range(1, len(sheets) + 1)
    named = "".join(f'<sheet name="S{no}" sheetId="{no}" r:id="r{no}"/>' for no in places)
    related = "".join(
        f'<Relationship Id="r{no}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{no}.xml"/>' for no in places
    )
    typed = "".join(
        f'<Override PartName="/xl/worksheets/sheet{no}.xml" ContentType="{_PART}.worksheet+xml"/>' for no in places
    )
    book = f'<Override PartName="/xl/workbook.xml" ContentType="{_PART}.sheet.main+xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{book}{typed}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r0" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        **{f"xl/worksheets/sheet{no}.xml": _sheet(rows) for no, rows in zip(places, sheets, strict=True)},
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def _sheet(rows: Sequence[Sequence[str | float]]) -> str:
    lines = (
        f'<row r="{no}">{"".join(_cell(f"{chr(65 + at)}{no}", value) for at, value in enumerate(row))}</row>'
        for no, row in enumerate(rows, start=1)
    )
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(place: str, value: str | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else ""
    return f'<c r="{place}"><v>{value!r}</v></c>'

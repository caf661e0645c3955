"""Workbooks of lists, without a database."""

from __future__ import annotations

import zipfile
from io import BytesIO

from inventory.services.workbooks import as_list, as_workbook

_TEXT_FORMAT = 'numFmtId="49"'
"""ECMA-376 part 1 clause 18.8.30: the number format "@"."""


def test_what_is_written_into_a_workbook_is_read_from_it_as_it_was() -> None:
    rows = [["卡号", "备注"], ["89860012345678901234", "=1+1"], ["", "001E5"], ["0888", "https://a.example"]]
    assert as_list(as_workbook(rows)).decode("utf-8-sig").splitlines() == ["\t".join(row) for row in rows]


def test_what_is_typed_into_such_a_workbook_stays_text() -> None:
    with zipfile.ZipFile(BytesIO(as_workbook([["卡号"]]))) as book:
        sheet, styles = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/styles.xml").decode()
    assert '<col min="1" max="16384"' in sheet
    assert _TEXT_FORMAT in styles

"""Lists out of workbooks and back: the one sheet that holds something becomes a list of text, parted by tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Final

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from inventory.domain.errors import InvalidField
from inventory.domain.loading.packing import is_workbook, require_bounded_workbook

_MOST_COLUMNS: Final = 16_384
"""Columns of a sheet (ECMA-376: Excel's limit)."""
_WIDTH: Final = 24
"""Characters: an ICCID and its margin."""
_AS_TEXT: Final = {"num_format": 49}
"""The format "@" (ECMA-376 part 1 clause 18.8.30): what is typed to mend a cell stays text, with every digit."""


def as_list(content: bytes) -> bytes:
    """Return a workbook as tab-separated UTF-8 text, row by row, and other content as it is.

    A cell that holds a number is written in scientific notation, which no list takes for an identifier: a spreadsheet
    keeps 15 digits of it, and no leading zero (architecture: identifiers are text).

    Raises
    ------
    InvalidField
        The workbook is broken or too large, or more than one of its sheets holds something.
    """
    if not is_workbook(content):
        return content
    require_bounded_workbook(content)
    try:
        with CalamineWorkbook.from_filelike(BytesIO(content)) as workbook:
            sheets = [workbook.get_sheet_by_index(place) for place in range(len(workbook.sheet_names))]
            filled = [sheet for sheet in sheets if sheet.start is not None]
            if len(filled) > 1:
                names = ", ".join(sheet.name for sheet in filled)
                raise _refusal(f"sheets {names} hold something; leave one of them")
            rows = [row for sheet in filled for row in sheet.to_python(skip_empty_area=False)]
    except CalamineError:
        raise _refusal("the workbook cannot be read; save it again, or export it as CSV") from None
    text = StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", errors="replace")


def as_workbook(rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook of one sheet with these rows, every cell of it text, from which `as_list` reads them again."""
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        text = book.add_format(_AS_TEXT)
        sheet = book.add_worksheet()
        sheet.set_column(0, _MOST_COLUMNS - 1, _WIDTH, text)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell:
                    sheet.write_string(row, column, cell, text)
    return content.getvalue()


def _written(cell: object) -> str:
    """Write a cell as text that stays on its line."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return f"{cell:.14E}"
    return " ".join(str(cell).replace("\x00", "").split())


def _refusal(reason: str) -> InvalidField:
    return InvalidField(field="file", value="xlsx", reason=reason)

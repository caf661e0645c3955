"""Lists out of workbooks: the one sheet that holds something becomes a list of text, parted by tabs."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

from python_calamine import CalamineError, CalamineWorkbook

from inventory.domain.errors import InvalidField
from inventory.domain.loading.packing import is_workbook, require_bounded_workbook


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


def _written(cell: object) -> str:
    """Write a cell as text that stays on its line."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return f"{cell:.14E}"
    return " ".join(str(cell).replace("\x00", "").split())


def _refusal(reason: str) -> InvalidField:
    return InvalidField(field="file", value="xlsx", reason=reason)

"""From a list's columns and rows to a file for a spreadsheet: CSV or XLSX, of any size in little memory.

Identifiers stay text. In XLSX they are text cells. A CSV has no cell types: Excel would turn `89860…` into 8.986E+19
and drop the zero of `0888…`, so what it would spoil is led by a tab, which Excel shows as nothing and our own readers
of lists skip. A text that a spreadsheet would run as a formula is led by an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Final, assert_never

import xlsxwriter
from anyio import to_thread

from inventory.domain.calendar import SHANGHAI
from inventory.spooling import require_room, scratch_folder

Cell = str | int | bool | datetime | None
Row = Sequence[Cell]

BOM: Final = "\ufeff"
"""Without it Excel reads a UTF-8 file as GBK."""
MOST_ROWS: Final = 1_048_576
"""Rows of one sheet (ECMA-376: Excel's limit); a longer list goes on in the next sheet, under the same heads."""
_PIECE = 64 * 1024
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that a spreadsheet takes for a formula (CWE-1236); one in Chinese takes wide signs for it, too."""
_SPOILT = re.compile(r"[0-9]{12,}|0[0-9]+|[0-9]+[Ee][0-9]+", re.ASCII)
"""What Excel takes for a number and would not write again as it was."""
_WIDTH = 22
"""Characters: an ICCID and its margin."""


class Form(StrEnum):
    """The forms that a list can be had in."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """The form's name in HTTP."""
        match self:
            case Form.CSV:
                return "text/csv; charset=utf-8"
            case Form.XLSX:
                return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            case _:
                assert_never(self)


def sheet(form: Form, columns: Sequence[str], batches: AsyncIterator[Iterable[Row]]) -> AsyncGenerator[bytes, None]:
    """Give the file piece by piece; no piece, not even an empty one, comes before the first rows or their refusal."""
    return _csv(columns, batches) if form is Form.CSV else _xlsx(columns, batches)


async def _csv(columns: Sequence[str], batches: AsyncIterator[Iterable[Row]]) -> AsyncGenerator[bytes, None]:
    head = True
    async for rows in batches:
        yield _csv_lines([columns, *rows] if head else rows, bom=head)
        head = False
    if head:
        yield _csv_lines([columns], bom=True)


def _csv_lines(rows: Iterable[Row], *, bom: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_csv_cell(cell) for cell in row] for row in rows)
    return ((BOM if bom else "") + text.getvalue()).encode()


def _csv_cell(cell: Cell) -> str | int:
    value = _plain(cell)
    if isinstance(value, int):
        return value
    if value.startswith(_RUN):
        return "'" + value
    return "\t" + value if _SPOILT.fullmatch(value) else value


def _plain(cell: Cell) -> str | int:
    """Give what a cell shows: times as in the halls, with their offset."""
    match cell:
        case None:
            return ""
        case bool():
            return int(cell)
        case datetime():
            return cell.astimezone(SHANGHAI).isoformat(timespec="seconds")
        case _:
            return cell


async def _xlsx(columns: Sequence[str], batches: AsyncIterator[Iterable[Row]]) -> AsyncGenerator[bytes, None]:
    """Write the workbook to a file without a name, then give that; a workbook's parts are only known at its end.

    Until then the pieces are empty: they say that the list is being read, for minutes if it is long.
    """
    with TemporaryFile() as file:
        with scratch_folder() as folder:
            book = _Workbook(file, folder, columns)
            try:
                async for rows in batches:
                    await to_thread.run_sync(book.add, rows)
                    yield b""
                await to_thread.run_sync(book.close)
            finally:
                await to_thread.run_sync(book.drop)
        while piece := await to_thread.run_sync(file.read, _PIECE):
            yield piece


class _Workbook:
    """A workbook being written row after row; rows that are written are on disk, in files in the folder.

    A thread that nobody waits for any more may still be writing: hence the lock.
    """

    def __init__(self, file: IO[bytes], folder: Path, columns: Sequence[str]) -> None:
        self._file = file
        self._columns = columns
        self._lock = Lock()
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(folder)})
        self._bold = self._book.add_format({"bold": True})
        self._next_sheet()

    def _next_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._columns) - 1, _WIDTH)
        for place, name in enumerate(self._columns):
            self._sheet.write_string(0, place, name, self._bold)
        self._row = 1

    def add(self, rows: Iterable[Row]) -> None:
        """Write rows behind those that are there."""
        with self._lock:
            require_room(self._file)
            for row in rows:
                self._write(row)

    def _write(self, row: Row) -> None:
        if self._row == MOST_ROWS:
            self._next_sheet()
        for place, cell in enumerate(row):
            value = _plain(cell)
            if isinstance(value, int):
                self._sheet.write_number(self._row, place, value)
            elif value:
                self._sheet.write_string(self._row, place, value)
        self._row += 1

    def close(self) -> None:
        """End the workbook and go to the beginning of its file."""
        with self._lock:
            self._book.close()
            self._file.seek(0)

    def drop(self) -> None:
        """Let go of the files in the folder, finished or not."""
        with self._lock:
            for one in self._book.worksheets():
                with suppress(OSError):
                    one.row_data_fh.close()

"""Lists of cards or numbers as offices keep them: delimited text in any usual form (REQ-SIM-02, REQ-NUM-02)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Final

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import parse_chip_serial, parse_iccid
from inventory.domain.loading.faults import BadValueError, FaultCode, RowFault, Seen, refuse_spreadsheet_number, shown
from inventory.domain.loading.list_form import (
    BLANKS,
    IDENTIFIERS,
    ListSort,
    any_number,
    find_form,
    looks_secret,
    split_row,
)

_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class ListRow:
    """One good row: its line in the file, from 1, and the normal form of each value that is read and not empty."""

    row: int
    values: Mapping[str, str]


def _code(text: str) -> str:
    if _CODE.fullmatch(text) is None:
        raise BadValueError(FaultCode.MALFORMED, "1 to 40 letters, digits, dots, - or _ are needed")
    return text


_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "iccid": lambda text: parse_iccid(text).iccid,
    "serial": lambda text: parse_chip_serial(text, field="serial"),
    "number": any_number,
    "card_kind": _code,
    "hlr": _code,
}


_NORMAL: Final[Mapping[str, re.Pattern[str]]] = {
    "iccid": re.compile("89[0-9A-F]{16,17}[0-9A-E]"),
    "serial": re.compile("[0-9A-F]{20}|[0-9A-F]{16}"),
    "number": re.compile("1[3-9][0-9]{9}"),
}
"""The form in which an identifier needs no reader: nearly every one is in it, and matching it is much faster."""


class ListFile:
    """A list, read from its text: `form` is what was found of it, `faults` what makes it unreadable.

    `said` gives columns by place (from 1) or by their name in the header; it is stronger than the guess.
    """

    def __init__(self, text: str, sort: ListSort, said: Mapping[str, str] | None = None) -> None:
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._sort = sort
        self.form, self.faults = find_form(self._lines, sort, said or {})

    def rows(self) -> Iterator[ListRow | RowFault]:
        """Read the list: good rows and every fault, in the file's order; only its faults where it is unreadable.

        An identifier that an earlier row has is a fault too (REQ-SIM-04, REQ-NUM-04).
        """
        yield from self.faults
        if self.faults:
            return
        seen = Seen()
        filled = ((row, line) for row, line in enumerate(self._lines, start=1) if line.strip())
        for row, line in islice(filled, 0 if self.form.header is None else 1, None):
            yield from self._row(row, line, seen)

    def line_of(self, row: int) -> str:
        """Give a row as it stands in the file, for the person who mends it.

        Only columns that are read are told, and nothing that may be a key: a secret never leaves the file.
        """
        line = self._lines[row - 1] if 0 < row <= len(self._lines) else ""
        if self.faults or looks_secret(line):
            return ""
        if "" not in self.form.columns:
            return line.rstrip()
        try:
            values = split_row(line, self.form.delimiter)
        except BadValueError:
            return ""
        if len(values) != self.form.width:
            return ""
        return joined(
            [value if name else "" for name, value in zip(self.form.columns, values, strict=True)], self.form.delimiter
        )

    def _row(self, row: int, line: str, seen: Seen) -> Iterator[ListRow | RowFault]:
        try:
            texts = split_row(line, self.form.delimiter)
        except BadValueError as error:
            yield RowFault(row, "", "", error.code, error.reason)
            return
        if len(texts) != self.form.width:
            reason = f"{self.form.width} values are needed, not {len(texts)}"
            yield RowFault(row, "", "", FaultCode.COLUMN_COUNT, reason)
            return
        values: dict[str, str] = {}
        faults: list[RowFault] = []
        for column, text in zip(self.form.columns, texts, strict=True):
            normal = _NORMAL.get(column)
            if normal is not None and normal.fullmatch(text):
                values[column] = text
            elif column and text:
                try:
                    refuse_spreadsheet_number(text)
                    values[column] = _READERS[column](text)
                except InvalidIdentifier as error:
                    faults.append(_fault(row, column, text, FaultCode.MALFORMED, str(error.params["reason"])))
                except BadValueError as error:
                    faults.append(_fault(row, column, text, error.code, error.reason))
        named = [name for name in IDENTIFIERS[self._sort] if name in values]
        faults += filter(None, (seen.again(row, name, values[name]) for name in named))
        if not named and not faults:
            needed = IDENTIFIERS[self._sort]
            faults.append(RowFault(row, needed[0], "", FaultCode.MISSING, f"{' or '.join(needed)} is needed"))
        if faults:
            yield from faults
        else:
            yield ListRow(row, values)


def joined(values: list[str], delimiter: str) -> str:
    """Write values as one line of a list; between blanks a dash keeps the place of an empty one."""
    if delimiter == BLANKS:
        return delimiter.join(value or "-" for value in values)
    line = StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(values)
    return line.getvalue()


def _fault(row: int, column: str, text: str, code: FaultCode, reason: str) -> RowFault:
    return RowFault(row, column, "" if looks_secret(text) else shown(text), code, reason)

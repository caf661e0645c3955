"""Lists of cards or numbers as offices keep them: delimited text in any usual form (REQ-SIM-02, REQ-NUM-02)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from itertools import chain, islice
from typing import Final

from inventory.domain.boxes import parse_box_code
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import parse_chip_serial, parse_iccid, parse_imsi
from inventory.domain.loading.faults import (
    BadRow,
    BadValueError,
    FaultCode,
    RowFault,
    refuse_spreadsheet_number,
    shown,
)
from inventory.domain.loading.list_form import (
    BLANKS,
    IDENTIFIERS,
    SAMPLE,
    ListSort,
    any_number,
    find_form,
    looks_secret,
    split_row,
)
from inventory.domain.loading.prepaid import area, expires_on, face_value

_MOST_LOOKED_AT: Final = 10_000
"""Lines that are read to find the form: a file may begin with any number of blank ones."""
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class ListRow:
    """One good row: its line in the file, from 1, and the normal form of each value that is read and not empty.

    `line` is its own text, as far as that may be kept.
    """

    row: int
    values: Mapping[str, str]
    line: str = ""


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
    "imsi": parse_imsi,
    "face_value": face_value,
    "expires_on": expires_on,
    "area": area,
    "box": parse_box_code,
}


_NORMAL: Final[Mapping[str, re.Pattern[str]]] = {
    "iccid": re.compile("89[0-9A-F]{16,17}[0-9A-E]"),
    "serial": re.compile("[0-9A-F]{20}|[0-9A-F]{16}"),
    "number": re.compile("1[3-9][0-9]{9}"),
}
"""The form in which an identifier needs no reader: nearly every one is in it, and matching it is much faster."""


class ListFile:
    """A list, read once from its lines: `form` is what was found of it, `faults` what makes it unreadable.

    `said` gives columns by place (from 1) or by their name in the header; it is stronger than the guess.
    """

    def __init__(self, lines: Iterable[str], sort: ListSort, said: Mapping[str, str] | None = None) -> None:
        source = (line.removesuffix("\n") for line in lines)
        head = list(_first_lines(source))
        self._lines = chain(head, source)
        self._sort = sort
        self.form, self.faults = find_form(head, sort, said or {})

    def rows(self) -> Iterator[ListRow | RowFault | BadRow]:
        """Read the list: good rows and every fault, in the file's order; only its faults where it is unreadable."""
        yield from self.faults
        if self.faults:
            return
        filled = ((row, line) for row, line in enumerate(self._lines, start=1) if line.strip())
        for row, line in islice(filled, 0 if self.form.header is None else 1, None):
            yield from self._row(row, line)

    def _told(self, line: str) -> str:
        """Give a row as it stands in the file, for the person who mends it.

        Only columns that are read are told, and nothing that may be a key: a secret never leaves the file. Nor does an
        IMSI as a whole (REQ-SEC-03), and a row without its IMSI would be another card: such rows are told by number.
        """
        if looks_secret(line) or "imsi" in self.form.columns:
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

    def _row(self, row: int, line: str) -> Iterator[ListRow | RowFault | BadRow]:
        told = self._told(line)
        try:
            texts = split_row(line, self.form.delimiter)
        except BadValueError as error:
            yield RowFault(row, "", "", error.code, error.reason, told)
            return
        if len(texts) != self.form.width:
            reason = f"{self.form.width} values are needed, not {len(texts)}"
            yield RowFault(row, "", "", FaultCode.COLUMN_COUNT, reason, told)
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
        named = {name: values[name] for name in IDENTIFIERS[self._sort] if name in values}
        if not named and not faults:
            needed = IDENTIFIERS[self._sort]
            faults.append(RowFault(row, needed[0], "", FaultCode.MISSING, f"{' or '.join(needed)} is needed"))
        if faults:
            yield from (replace(fault, line=told) for fault in faults)
            yield BadRow(row, named, told, values.get("box"))
        else:
            yield ListRow(row, values, told)


def _first_lines(lines: Iterator[str]) -> Iterator[str]:
    """Give the lines from which the form is found: so many that hold something, and blank ones among them."""
    filled = 0
    for line in islice(lines, _MOST_LOOKED_AT):
        yield line
        filled += bool(line.strip())
        if filled == SAMPLE:
            return


def joined(values: list[str], delimiter: str) -> str:
    """Write values as one line of a list; between blanks a dash keeps the place of an empty one."""
    if delimiter == BLANKS:
        return delimiter.join(value or "-" for value in values)
    line = StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(values)
    return line.getvalue()


def _fault(row: int, column: str, text: str, code: FaultCode, reason: str) -> RowFault:
    return RowFault(row, column, "" if looks_secret(text) else shown(text), code, reason)

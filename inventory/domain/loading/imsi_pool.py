"""A pool of subscription data for halls to write: CSV with the columns `imsi` and `hlr`, in any order.

A pool for blanks that have a chip serial only has the column `iccid` too: the number that each of them gets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import Iccid, Imsi, parse_iccid, parse_imsi
from inventory.domain.loading.faults import (
    BadRow,
    BadValueError,
    FaultCode,
    RowFault,
    refuse_spreadsheet_number,
    shown,
)
from inventory.domain.loading.list_form import split_row

_COLUMNS: Final = ("imsi", "hlr")
_ALSO: Final = ("iccid",)
_HLR: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_BYTE_ORDER_MARK: Final = "\ufeff"
_NAMES: Final[Mapping[str, Callable[[str], str]]] = {"imsi": parse_imsi, "iccid": lambda text: parse_iccid(text).iccid}
"""The columns that name a unit, with how each is read."""


@dataclass(frozen=True)
class ImsiRow:
    """One unit of the pool; `row` is the line in the file, from 1, `iccid` the number for a card that has none."""

    row: int
    imsi: Imsi
    hlr: str
    iccid: Iccid | None = None


def read_imsi_pool(lines: Iterable[str]) -> Iterator[ImsiRow | RowFault | BadRow]:
    """Read a pool file line by line; yields its good rows and every fault, in order, and the names of a bad row.

    The first line names the columns. Without those that every pool has nothing else is read.
    """
    numbered = enumerate(lines, start=1)
    _, first = next(numbered, (1, ""))
    names = first.split(",") if first.strip() else []
    header = [name.strip(f'{_BYTE_ORDER_MARK} "\r\n').lower() for name in names]
    faults = list(_header_faults(header))
    yield from faults
    if faults:
        return
    for row, line in numbered:
        if line.strip():
            try:
                fields = split_row(line, ",")  # a quote ends on its line: a stray one swallows no row
            except BadValueError as error:
                yield RowFault(row, "", "", error.code, error.reason)
            else:
                yield from _row(row, header, fields)


def _header_faults(header: list[str]) -> Iterator[RowFault]:
    for name in (*_COLUMNS, *_ALSO):
        if header.count(name) > 1:
            yield RowFault(1, name, "", FaultCode.DUPLICATE_COLUMN, "the column stands there twice")
        elif name in _COLUMNS and name not in header:
            yield RowFault(1, name, "", FaultCode.MISSING, "the first line must name this column")
    for name in header:
        if name not in (*_COLUMNS, *_ALSO):
            reason = f"only {', '.join((*_COLUMNS, *_ALSO))} are read here; take the column out"
            yield RowFault(1, shown(name), "", FaultCode.UNKNOWN_COLUMN, reason)


def _row(row: int, header: list[str], fields: list[str]) -> Iterator[ImsiRow | RowFault | BadRow]:
    if len(fields) != len(header):
        yield RowFault(row, "", "", FaultCode.COLUMN_COUNT, f"{len(header)} values are needed, not {len(fields)}")
        return
    values = dict(zip(header, (field.strip() for field in fields), strict=True))
    faults: list[RowFault] = []
    names: dict[str, str] = {}
    for name, parse in _NAMES.items():
        if name not in values:
            continue
        try:
            refuse_spreadsheet_number(values[name])
            names[name] = parse(values[name])
        except InvalidIdentifier as error:
            faults.append(RowFault(row, name, shown(values[name]), FaultCode.MALFORMED, str(error.params["reason"])))
        except BadValueError as error:
            faults.append(RowFault(row, name, shown(values[name]), error.code, error.reason))
    if _HLR.fullmatch(values["hlr"]) is None:
        reason = "1 to 32 letters, digits, dots, - or _ are needed"
        faults.append(RowFault(row, "hlr", shown(values["hlr"]), FaultCode.MALFORMED, reason))
    if not faults:
        iccid = names.get("iccid")
        yield ImsiRow(row, Imsi(names["imsi"]), values["hlr"], None if iccid is None else Iccid(iccid))
        return
    yield from faults
    if names:
        yield BadRow(row, names)

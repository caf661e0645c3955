"""A pool of subscription data for halls to write: CSV with the columns `imsi` and `hlr`, in any order."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import Imsi, parse_imsi
from inventory.domain.loading.faults import (
    BadValueError,
    FaultCode,
    RowFault,
    Seen,
    refuse_spreadsheet_number,
    shown,
)

_COLUMNS: Final = ("imsi", "hlr")
_HLR: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True)
class ImsiRow:
    """One unit of the pool; `row` is the line in the file, from 1."""

    row: int
    imsi: Imsi
    hlr: str


def read_imsi_pool(lines: Iterable[str]) -> Iterator[ImsiRow | RowFault]:
    """Read a pool file line by line; yields its good rows and every fault, in order.

    The first line names the columns. Without both of them nothing else is read.
    """
    reader = csv.reader(lines)
    try:
        header = [name.strip(f"{_BYTE_ORDER_MARK} ").lower() for name in next(reader, [])]
        faults = list(_header_faults(header))
        yield from faults
        if faults:
            return
        seen = Seen()
        for fields in reader:
            if fields:
                yield from _row(reader.line_num, header, fields, seen)
    except csv.Error as error:
        yield RowFault(reader.line_num, "", "", FaultCode.MALFORMED, f"not CSV: {error}")


def _header_faults(header: list[str]) -> Iterator[RowFault]:
    for name in _COLUMNS:
        if name not in header:
            yield RowFault(1, name, "", FaultCode.MISSING, "the first line must name this column")
        elif header.count(name) > 1:
            yield RowFault(1, name, "", FaultCode.DUPLICATE_COLUMN, "the column stands there twice")
    for name in header:
        if name not in _COLUMNS:
            reason = f"only {' and '.join(_COLUMNS)} are read here; take the column out"
            yield RowFault(1, shown(name), "", FaultCode.UNKNOWN_COLUMN, reason)


def _row(row: int, header: list[str], fields: list[str], seen: Seen) -> Iterator[ImsiRow | RowFault]:
    if len(fields) != len(header):
        yield RowFault(row, "", "", FaultCode.COLUMN_COUNT, f"{len(header)} values are needed, not {len(fields)}")
        return
    values = dict(zip(header, (field.strip() for field in fields), strict=True))
    faults: list[RowFault] = []
    imsi = Imsi("")
    try:
        refuse_spreadsheet_number(values["imsi"])
        imsi = parse_imsi(values["imsi"])
    except InvalidIdentifier as error:
        faults.append(RowFault(row, "imsi", shown(values["imsi"]), FaultCode.MALFORMED, str(error.params["reason"])))
    except BadValueError as error:
        faults.append(RowFault(row, "imsi", shown(values["imsi"]), error.code, error.reason))
    else:
        again = seen.again(row, "imsi", imsi)
        faults += [again] if again else []
    if _HLR.fullmatch(values["hlr"]) is None:
        reason = "1 to 32 letters, digits, dots, - or _ are needed"
        faults.append(RowFault(row, "hlr", shown(values["hlr"]), FaultCode.MALFORMED, reason))
    if faults:
        yield from faults
    else:
        yield ImsiRow(row, imsi, values["hlr"])

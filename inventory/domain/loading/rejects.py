"""The bad rows of a list, given back in its own form with the reasons beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from inventory.domain.loading.faults import BadValueError
from inventory.domain.loading.list_form import split_row

REASON: Final = "reason"
"""The name of the column that is added; no list reads it, so a mended file is loaded as it is."""


@dataclass(frozen=True)
class Reject:
    """One fault of a row; `line` is the row's own text, empty where it is not kept."""

    row: int
    column: str
    value: str
    code: str
    line: str


def reject_text(delimiter: str, header: str | None, rejects: Iterable[Reject]) -> str:
    """Write the rows, given in the file's order, one a line, with a last column such as `iccid:malformed`.

    Several reasons stand apart by a slash, so that they are one value in a list of any delimiter.
    """
    return "".join(f"{line}{delimiter}{reasons}\r\n" for line, reasons in _told(header, rejects))


def reject_rows(delimiter: str, header: str | None, width: int, rejects: Iterable[Reject]) -> Iterator[list[str]]:
    """Give what `reject_text` writes value by value, for a sheet: each row is filled up to the list's width first."""
    for line, reasons in _told(header, rejects):
        try:
            values = split_row(line, delimiter) if line else []
        except BadValueError:
            values = [line]
        yield [*values, *[""] * (width - len(values)), reasons]


def _told(header: str | None, rejects: Iterable[Reject]) -> Iterator[tuple[str, str]]:
    """Give each line of the list that comes back, and what stands behind it."""
    if header is not None:
        yield header, REASON
    for _, faults in groupby(rejects, key=lambda reject: reject.row):
        same = list(faults)
        yield same[0].line, "/".join(f"{fault.column or fault.row}:{fault.code}" for fault in same)

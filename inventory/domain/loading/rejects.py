"""The bad rows of a list, given back in its own form with the reasons beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

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
    lines = [] if header is None else [f"{header}{delimiter}{REASON}"]
    for _, faults in groupby(rejects, key=lambda reject: reject.row):
        same = list(faults)
        reasons = "/".join(f"{fault.column or fault.row}:{fault.code}" for fault in same)
        lines.append(f"{same[0].line}{delimiter}{reasons}")
    return "".join(f"{line}\r\n" for line in lines)

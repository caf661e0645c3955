"""What comes out of a delivered file: its good rows, and its faults in the form that a load keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from inventory.domain.errors import InvalidField
from inventory.domain.loading import CardRow, ImsiRow, RowFault, VendorFile
from inventory.services.intake import shown
from inventory.store.loads import FaultRow

Row = TypeVar("Row", CardRow, ImsiRow)


def as_text(content: bytes) -> str:
    """Give the text of a file; a byte order mark is dropped."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidField(field="file", value="", reason="it is not UTF-8 text") from None


def sorted_out(rows: Iterable[Row | RowFault], kind: type[Row]) -> tuple[list[Row], list[FaultRow]]:
    """Part the good rows from the faults; an IMSI among the values of faults is masked."""
    good: list[Row] = []
    faults: list[FaultRow] = []
    for row in rows:
        if isinstance(row, kind):
            good.append(row)
        elif isinstance(row, RowFault):
            faults.append(FaultRow(row.row, row.column, shown(row.column, row.value), row.code.value))
    if not good and not faults:
        faults.append(FaultRow(0, "", "", "empty"))
    return good, faults


def unfit_columns(file: VendorFile) -> list[FaultRow]:
    """Name columns that make the file another than one of blanks with their keys inside."""
    secret = {"ki", "opc", "adm1"}
    missing = sorted(secret - set(file.columns)) if secret & set(file.columns) else []
    faults = [FaultRow(0, column, "", "missing") for column in missing]
    if "imsi" in file.columns:
        faults.append(FaultRow(0, "imsi", "", "finished_cards"))
    return faults

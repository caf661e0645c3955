"""What comes out of a delivered file: its good rows, and its faults in the form that a load keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Generic, TypeVar

from inventory.domain.errors import InvalidField
from inventory.domain.loading import (
    CardRow,
    CardSecrets,
    ImsiRow,
    ListFile,
    ListRow,
    ListSort,
    RowFault,
    VendorFile,
    decoded,
    read_imsi_pool,
)
from inventory.domain.loading.faults import BadValueError
from inventory.services.intake import shown
from inventory.services.number_intake import NumberRow
from inventory.store.loads import FaultRow

Row = TypeVar("Row", CardRow, ImsiRow, NumberRow)
_Read = TypeVar("_Read", CardRow, ImsiRow, ListRow)


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[Row]):
    """A file as read: its good rows and all its faults.

    `columns` are those found in a list ("" for one that is not read), `figures` what is kept with the load to write its
    bad rows back; `line_of` gives a row's own text, empty where it could hold a secret.
    """

    rows: Sequence[Row]
    faults: Sequence[FaultRow]
    columns: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    line_of: Callable[[int], str] = field(default=lambda _row: "")


@dataclass(frozen=True, kw_only=True)
class CardReading(Reading[CardRow]):
    """A file of cards: their product, None where neither file nor caller tells it, and their transport key."""

    card_kind: str | None
    transport_key: str = "0"


def read_vendor_file(content: bytes, card_kind: str | None) -> CardReading:
    """Read a vendor's output file.

    Raises
    ------
    InvalidField
        It is not UTF-8 text.
    """
    file = VendorFile(StringIO(_as_text(content)))
    cards, faults = _sorted_out(file.rows(), CardRow)
    faults += _unfit_columns(file)
    return CardReading(rows=cards, faults=faults, card_kind=card_kind, transport_key=file.header.transport_key)


def read_pool(content: bytes) -> Reading[ImsiRow]:
    """Read a pool of subscription data.

    Raises
    ------
    InvalidField
        It is not UTF-8 text.
    """
    units, faults = _sorted_out(read_imsi_pool(StringIO(_as_text(content))), ImsiRow)
    return Reading(rows=units, faults=faults)


def read_card_list(content: bytes, said: Mapping[str, str], card_kind: str | None) -> CardReading:
    """Read a list of blanks; their product is the caller's, else that of the first row, and no row may have another."""
    listed = _read_list(content, ListSort.CARDS, said)
    product = card_kind or next((row.values["card_kind"] for row in listed.rows if "card_kind" in row.values), None)
    others = {row.row: found for row in listed.rows if (found := row.values.get("card_kind", product)) != product}
    faults = [FaultRow(row, "card_kind", found or "", "other_card_kind") for row, found in others.items()]
    cards = [
        CardRow(row.row, row.values.get("iccid"), row.values.get("serial"), None, None, CardSecrets(), ())
        for row in listed.rows
        if row.row not in others
    ]
    return CardReading(
        rows=cards,
        faults=[*listed.faults, *faults],
        columns=listed.columns,
        figures=listed.figures,
        line_of=listed.line_of,
        card_kind=product,
    )


def read_number_list(content: bytes, said: Mapping[str, str]) -> Reading[NumberRow]:
    """Read a list of numbers of any kind."""
    listed = _read_list(content, ListSort.NUMBERS, said)
    return Reading(
        rows=[NumberRow(row.row, row.values["number"], row.values.get("hlr")) for row in listed.rows],
        faults=listed.faults,
        columns=listed.columns,
        figures=listed.figures,
        line_of=listed.line_of,
    )


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """A list as read, before its rows are cards or numbers."""

    rows: list[ListRow] = field(default_factory=list)
    faults: list[FaultRow]
    columns: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    line_of: Callable[[int], str] = field(default=lambda _row: "")


def _read_list(content: bytes, sort: ListSort, said: Mapping[str, str]) -> _Listed:
    try:
        text, encoding = decoded(content)
    except BadValueError as error:
        return _Listed(faults=[FaultRow(0, "", "", error.code.value)])
    file = ListFile(text, sort, said)
    rows, faults = _sorted_out(file.rows(), ListRow)
    form = file.form
    kept = {"encoding": encoding, "delimiter": form.delimiter, "header": None if file.faults else form.header}
    figures = {"list": {**kept, "columns": form.columns}}
    return _Listed(rows=rows, faults=faults, columns=form.columns, figures=figures, line_of=file.line_of)


def _as_text(content: bytes) -> str:
    """Give the text of a file; a byte order mark is dropped."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidField(field="file", value="", reason="it is not UTF-8 text") from None


def _sorted_out(rows: Iterable[_Read | RowFault], kind: type[_Read]) -> tuple[list[_Read], list[FaultRow]]:
    """Part the good rows from the faults; an IMSI among the values of faults is masked."""
    good: list[_Read] = []
    faults: list[FaultRow] = []
    for row in rows:
        if isinstance(row, kind):
            good.append(row)
        elif isinstance(row, RowFault):
            faults.append(FaultRow(row.row, row.column, shown(row.column, row.value), row.code.value))
    if not good and not faults:
        faults.append(FaultRow(0, "", "", "empty"))
    return good, faults


def _unfit_columns(file: VendorFile) -> list[FaultRow]:
    """Name columns that make the file another than one of blanks with their keys inside."""
    secret = {"ki", "opc", "adm1"}
    missing = sorted(secret - set(file.columns)) if secret & set(file.columns) else []
    faults = [FaultRow(0, column, "", "missing") for column in missing]
    if "imsi" in file.columns:
        faults.append(FaultRow(0, "imsi", "", "finished_cards"))
    return faults

"""What comes out of a delivered file, row by row: good rows, faults as a load keeps them, and the names of bad rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

from inventory.domain.loading import (
    BadRow,
    BadValueError,
    CardRow,
    CardSecrets,
    FaultCode,
    ImsiRow,
    ListFile,
    ListRow,
    ListSort,
    Prepaid,
    RowFault,
    VendorFile,
    encoding_of,
    lines_of,
    parse_columns,
    read_imsi_pool,
    unpacked,
)
from inventory.domain.loading.packing import LARGEST_WORKBOOK, ZIP
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.workbooks import as_list
from inventory.store.loads import IMSI, FaultRow


@dataclass(frozen=True)
class NumberRow:
    """A number of a list; `hlr` is what the list says of it, None if nothing."""

    row: int
    number: str
    hlr: str | None
    line: str = ""


GoodRow = CardRow | ImsiRow | NumberRow
Item = GoodRow | FaultRow | BadRow
"""What a file gives: a row that can be read, a fault, or the names of a row with faults."""


@dataclass(kw_only=True)
class Reading:
    """A file as far as its first rows tell: `items` reads it to its end, once.

    `declared` is how many rows the file says it has, where it says so and they may be taken as they are read.
    `columns` are those found in a list ("" for one that is not read), `figures` what is kept with the load to write its
    bad rows back; `card_kind` is the product that the caller names, or the rows read until now, `transport_key` the one
    of the cards' keys.
    """

    items: Iterator[Item]
    declared: int | None = None
    columns: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    card_kind: str | None = None
    transport_key: str = "0"


def read_file(file: BinaryIO, terms: LoadTerms) -> Reading:
    """Read a file that can be sought, packed or not, of whatever kind the terms say.

    Raises
    ------
    InvalidField
        It cannot be unpacked, or what is said about its columns cannot be read; also later, from its items.
    """
    said = parse_columns(terms.columns)
    try:
        text = _text(file, sheets=terms.kind in {FileKind.CARD_LIST, FileKind.NUMBER_LIST})
    except BadValueError as error:
        return Reading(items=iter([FaultRow(0, "", "", error.code.value)]), card_kind=terms.card_kind)
    match terms.kind:
        case FileKind.SIM_VENDOR:
            return _vendor_file(text.lines, terms)
        case FileKind.IMSI_POOL:
            return Reading(items=_told(read_imsi_pool(text.lines)))
        case FileKind.CARD_LIST:
            return _card_list(ListFile(text.lines, ListSort.CARDS, said), text, terms)
        case FileKind.NUMBER_LIST:
            return _number_list(ListFile(text.lines, ListSort.NUMBERS, said), text)


def masked(kind: str, value: str) -> str:
    """Return what a fault list may show of a value: of an IMSI its network and last two digits (REQ-SEC-03)."""
    return f"{value[:6]}*******{value[-2:]}" if kind == IMSI else value


class _Text(NamedTuple):
    """The lines of a file, the encoding that they came in, and whether they are those of a workbook's sheet."""

    encoding: str
    lines: Iterator[str]
    workbook: bool


def _text(file: BinaryIO, *, sheets: bool) -> _Text:
    """Read a file as text; a workbook becomes a list of text where `sheets` may come."""
    opened: Callable[[], BinaryIO] = partial(unpacked, file)
    workbook = sheets and opened().read(len(ZIP)) == ZIP
    if workbook:
        opened = partial(BytesIO, as_list(opened().read(LARGEST_WORKBOOK + 1)))
    encoding = encoding_of(opened)
    return _Text(encoding, lines_of(opened(), encoding), workbook)


def _vendor_file(lines: Iterator[str], terms: LoadTerms) -> Reading:
    file = VendorFile(lines)

    def items() -> Iterator[Item]:
        for item in _told(file.rows()):
            yield replace(item, hlr=terms.hlr) if isinstance(item, CardRow) and item.imsi else item
        yield from _unfit_columns(file, terms)

    # Boxes, and the IMSIs behind the first, are looked over as a whole.
    declared = None if file.faults or file.boxed or file.several else file.header.quantity
    header = file.header
    return Reading(items=items(), declared=declared, card_kind=terms.card_kind, transport_key=header.transport_key)


def _card_list(file: ListFile, text: _Text, terms: LoadTerms) -> Reading:
    """Read a list of cards; their product is the caller's, else that of the first row, and no row may have another.

    A row with an IMSI is a finished card (号段卡) of the HLR that stands beside it, or that the caller names.
    """

    def items() -> Iterator[Item]:
        for row in file.rows():
            if not isinstance(row, ListRow):
                yield _fault(row) if isinstance(row, RowFault) else row
                continue
            names = {name: row.values[name] for name in ("iccid", "serial", "imsi") if name in row.values}
            hlr = row.values.get("hlr", terms.hlr) if "imsi" in names else None
            product = row.values.get("card_kind", reading.card_kind)
            reading.card_kind = reading.card_kind or product
            if product != reading.card_kind:
                yield FaultRow(row.row, "card_kind", product or "", "other_card_kind", row.line)
                yield BadRow(row.row, names, row.line, row.values.get("box"))
            elif "imsi" in names and hlr is None:
                yield FaultRow(row.row, "hlr", "", FaultCode.FINISHED_CARDS.value)
                yield BadRow(row.row, names, box=row.values.get("box"))
            else:
                yield CardRow(
                    row.row,
                    names.get("iccid"),
                    names.get("serial"),
                    names.get("imsi"),
                    None,
                    CardSecrets(),
                    (),
                    row.line,
                    hlr,
                    Prepaid.of(row.values),
                    row.values.get("box"),
                )

    form = file.form
    reading = Reading(items=items(), columns=form.columns, figures=_form(file, text), card_kind=terms.card_kind)
    return reading


def _number_list(file: ListFile, text: _Text) -> Reading:
    def items() -> Iterator[Item]:
        for row in file.rows():
            if isinstance(row, ListRow):
                yield NumberRow(row.row, row.values["number"], row.values.get("hlr"), row.line)
            else:
                yield _fault(row) if isinstance(row, RowFault) else row

    return Reading(items=items(), columns=file.form.columns, figures=_form(file, text))


def _form(file: ListFile, text: _Text) -> dict[str, Any]:
    """Give what is kept of a list's form, to write its bad rows back."""
    header = None if file.faults else file.form.header
    form = {"delimiter": file.form.delimiter, "header": header, "columns": file.form.columns}
    return {"list": {"encoding": text.encoding, "workbook": text.workbook, **form}}


def _told(rows: Iterable[CardRow | ImsiRow | RowFault | BadRow]) -> Iterator[Item]:
    return (_fault(row) if isinstance(row, RowFault) else row for row in rows)


def _fault(fault: RowFault) -> FaultRow:
    """Give a fault as a load keeps it."""
    return FaultRow(fault.row, fault.column, masked(fault.column, fault.value), fault.code.value, fault.line)


def _unfit_columns(file: VendorFile, terms: LoadTerms) -> list[FaultRow]:
    """Name what a file of cards lacks: keys come all or not at all, and an IMSI has an HLR."""
    secret = {"ki", "opc", "adm1"}
    missing = sorted(secret - set(file.columns)) if {*secret, "scp_enc", "scp_mac"} & set(file.columns) else []
    faults = [FaultRow(0, column, "", "missing") for column in missing]
    if "imsi" in file.columns and terms.hlr is None:
        faults.append(FaultRow(0, "imsi", "", FaultCode.FINISHED_CARDS.value))
    return faults

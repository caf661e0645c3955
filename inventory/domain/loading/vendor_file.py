"""The classic output file of a card vendor: header, input variables, then one line per card.

```
*HEADER DESCRIPTION
Customer: ...
Quantity: 10000
Transport_key: 11
*INPUT VARIABLES
var_In:
*OUTPUT VARIABLES
var_Out: ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC
89860012345678901238 00112233445566778899 1234 ...
```

Vendors differ: names in any case, an ICCID plain, padded with F or nibble-swapped, codes as digits or as hex of their
ASCII bytes. Keys stay as delivered, encrypted under the transport key that the header names (0: in clear).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import NumberKind, parse_chip_serial, parse_iccid, parse_imsi, parse_number
from inventory.domain.loading.faults import BadValueError, FaultCode, RowFault, Seen, refuse_spreadsheet_number, shown

_CODE_BYTES: Final = 8
"""A PIN, PUK or ADM is eight bytes on the card, padded with FF (ETSI TS 102 221 clause 9.5.1)."""
_HEX_CODE: Final = re.compile(r"(?:[0-9A-F]{2}){8}", re.ASCII | re.IGNORECASE)
_HEX_KEY: Final = re.compile(r"(?:[0-9A-F]{32}){1,2}|[0-9A-F]{48}", re.ASCII | re.IGNORECASE)
"""16 bytes, 32, or 24 where the key was wrapped."""
_ALIASES: Final[Mapping[str, str]] = {
    "ICCID": "iccid",
    "SER_NB": "serial",
    "SERNB": "serial",
    "SERIAL": "serial",
    "CHIP_SERIAL": "serial",
    "CARDSN": "serial",
    "EMPTY_CARD_ID": "serial",
    "IMSI": "imsi",
    "MSISDN": "msisdn",
    "PIN1": "pin1",
    "PUK1": "puk1",
    "PIN2": "pin2",
    "PUK2": "puk2",
    "ADM": "adm1",
    "ADM1": "adm1",
    "KI": "ki",
    "EKI": "ki",
    "OPC": "opc",
    "EOPC": "opc",
}
_UNIQUE: Final = ("iccid", "serial", "imsi")
_SECRET: Final = ("pin1", "puk1", "pin2", "puk2", "adm1", "ki", "opc")


@dataclass(frozen=True)
class VendorHeader:
    """What the header says; `quantity` is None where it says nothing usable, `more` holds what has no field here."""

    customer: str
    quantity: int | None
    card_type: str
    profile: str
    batch: str
    transport_key: str
    more: Mapping[str, str]


@dataclass(frozen=True)
class CardSecrets:
    """The secrets of one card; nothing of them is in its repr.

    Codes are digits as text; `adm1` is the eight bytes sent to the card; `ki` and `opc` are as delivered, encrypted
    under the header's transport key. None: the file has no such column.
    """

    pin1: str | None = field(repr=False, default=None)
    puk1: str | None = field(repr=False, default=None)
    pin2: str | None = field(repr=False, default=None)
    puk2: str | None = field(repr=False, default=None)
    adm1: bytes | None = field(repr=False, default=None)
    ki: bytes | None = field(repr=False, default=None)
    opc: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True)
class CardRow:
    """One card of the file; `row` is its line, from 1; `warnings` are oddities of its ICCID that refuse nothing."""

    row: int
    iccid: str | None
    serial: str | None
    imsi: str | None
    msisdn: str | None
    secrets: CardSecrets
    warnings: tuple[str, ...]


def _hex_digits(text: str) -> str:
    """Give the digits of a code that is written as the hex of its eight padded ASCII bytes."""
    return bytes.fromhex(text).rstrip(b"\xff").decode("ascii", errors="replace")


def _code(shortest: int) -> Callable[[str], str]:
    """Make a reader of a PIN (4 to 8 digits) or PUK (8 digits), plain or as hex of the padded bytes."""

    def read(text: str) -> str:
        digits = _hex_digits(text) if _HEX_CODE.fullmatch(text) else text
        if re.fullmatch(rf"[0-9]{{{shortest},8}}", digits) is None:
            raise BadValueError(FaultCode.MALFORMED, f"{shortest} to 8 digits are needed, plain or as 16 hex digits")
        return digits

    return read


def _adm(text: str) -> bytes:
    """Read an ADM: 16 hex digits are the bytes themselves, 4 to 8 digits are ASCII padded with FF."""
    if _HEX_CODE.fullmatch(text):
        return bytes.fromhex(text)
    if re.fullmatch(r"[0-9]{4,8}", text):
        return text.encode("ascii").ljust(_CODE_BYTES, b"\xff")
    raise BadValueError(FaultCode.MALFORMED, "16 hex digits or 4 to 8 digits are needed")


def _key(text: str) -> bytes:
    if _HEX_KEY.fullmatch(text) is None:
        raise BadValueError(FaultCode.MALFORMED, "32, 48 or 64 hex digits are needed")
    return bytes.fromhex(text)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "iccid": parse_iccid,
    "serial": parse_chip_serial,
    "imsi": parse_imsi,
    "msisdn": lambda text: parse_number(text, NumberKind.MOBILE),
    "pin1": _code(4),
    "puk1": _code(8),
    "pin2": _code(4),
    "puk2": _code(8),
    "adm1": _adm,
    "ki": _key,
    "opc": _key,
}


_HEX: Final = "[0-9A-Fa-f]"
_NORMAL: Final[Mapping[str, str]] = {
    "": r"\S+",
    "iccid": "(?P<iccid>89[0-9A-F]{16,17}[0-9A-E])",
    "serial": "(?P<serial>[0-9A-F]{20}|[0-9A-F]{16})",
    "imsi": "(?P<imsi>(?:460|001)[0-9]{12})",
    "msisdn": "(?P<msisdn>1[3-9][0-9]{9})",
    "pin1": "(?P<pin1>[0-9]{4,8})",
    "puk1": "(?P<puk1>[0-9]{8})",
    "pin2": "(?P<pin2>[0-9]{4,8})",
    "puk2": "(?P<puk2>[0-9]{8})",
    "adm1": f"(?P<adm1>{_HEX}{{16}})",
    "ki": f"(?P<ki>{_HEX}{{32}})",
    "opc": f"(?P<opc>{_HEX}{{32}})",
}
"""The form in which a value needs no reader. Nearly every row is in it whole, and one match takes it: several times
faster than value by value."""
_BYTES: Final = ("adm1", "ki", "opc")


class VendorFile:
    """A vendor's output file, read once from its lines.

    The header is read at once: `header`, `columns` (in the file's order; "" for one that is not read), `ignored` (the
    names of those) and `faults` (of the header). `rows` reads the cards.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = enumerate(lines, start=1)
        self.faults: list[RowFault] = []
        self.columns: tuple[str, ...] = ()
        self.ignored: tuple[str, ...] = ()
        self._byte_columns: tuple[str, ...] = ()
        self.header = self._read_header()

    def _read_header(self) -> VendorHeader:
        values: dict[str, str] = {}
        for row, line in self._lines:
            name, colon, value = line.strip().partition(":")
            key = name.strip().lower()
            if key == "var_out" and colon:
                self._read_columns(row, value)
                break
            if colon and not name.startswith("*"):
                values.setdefault(key, value.strip())
        else:
            self._fault(0, "var_Out", FaultCode.MISSING, "the line that names the columns is missing")
        quantity = values.pop("quantity", "")
        if not quantity.isascii() or not quantity.isdecimal():
            self._fault(0, "Quantity", FaultCode.MALFORMED, "a whole number is needed", shown(quantity))
        return VendorHeader(
            customer=values.pop("customer", ""),
            quantity=int(quantity) if quantity.isascii() and quantity.isdecimal() else None,
            card_type=values.pop("type", ""),
            profile=values.pop("profile", ""),
            batch=values.pop("batch", ""),
            transport_key=values.pop("transport_key", "0"),
            more=values,
        )

    def _read_columns(self, row: int, text: str) -> None:
        names = [name.strip() for name in text.split("/")]
        self.columns = tuple(_ALIASES.get(name.upper(), "") for name in names)
        self._byte_columns = tuple(name for name in _BYTES if name in self.columns)
        self.ignored = tuple(name for name, column in zip(names, self.columns, strict=True) if not column)
        for column in dict.fromkeys(filter(None, self.columns)):
            if self.columns.count(column) > 1:
                self._fault(row, column, FaultCode.DUPLICATE_COLUMN, "the column stands there twice")
        if not {"iccid", "serial"} & set(self.columns):
            self._fault(row, "var_Out", FaultCode.MISSING, "ICCID or Ser_nb is needed")

    def _fault(self, row: int, column: str, code: FaultCode, reason: str, value: str = "") -> None:
        self.faults.append(RowFault(row, column, value, code, reason))

    def rows(self) -> Iterator[CardRow | RowFault]:
        """Read the cards: yields the faults of the header first, then good rows and faults in the file's order.

        A row with a fault yields all its faults and no card; identifiers that stand in the file twice and a quantity
        that differs from the declared one are faults too. With a fault in the columns no card is read.
        """
        yield from self.faults
        if any(fault.column != "Quantity" for fault in self.faults):
            return
        normal = re.compile(r"\s+".join(_NORMAL[column] for column in self.columns))
        seen = Seen()
        count = 0
        for row, text in self._lines:
            line = text.strip()
            if not line or line.startswith("*"):
                continue
            count += 1
            found = normal.fullmatch(line)
            if found is None:
                yield from self._odd_row(row, line.split(), seen)
                continue
            values: dict[str, Any] = found.groupdict()
            for column in self._byte_columns:
                values[column] = bytes.fromhex(values[column])
            yield from _finish(row, values, (), [], seen)
        if self.header.quantity not in {None, count}:
            reason = f"the header declares {self.header.quantity} cards, the file holds {count}"
            yield RowFault(0, "Quantity", str(self.header.quantity), FaultCode.QUANTITY, reason)

    def _told(self, text: str) -> str:
        """Give what a list of faults may show of a bad identifier: in a file with codes, columns may have shifted."""
        if set(_SECRET).isdisjoint(self.columns):
            return shown(text)
        return f"{text[: len(text) // 10][:2]}… ({len(text)} characters)"

    def _odd_row(self, row: int, texts: list[str], seen: Seen) -> Iterator[CardRow | RowFault]:
        """Read a row value by value: something in it is not in its normal form, or wrong."""
        if len(texts) != len(self.columns):
            reason = f"{len(self.columns)} values are needed, not {len(texts)}"
            yield RowFault(row, "", "", FaultCode.COLUMN_COUNT, reason)
            return
        values: dict[str, Any] = {}
        faults: list[RowFault] = []
        warnings: tuple[str, ...] = ()
        for column, text in zip(self.columns, texts, strict=True):
            try:
                if column:
                    refuse_spreadsheet_number(text)
                    values[column] = _READERS[column](text)
            except InvalidIdentifier as error:
                faults.append(RowFault(row, column, self._told(text), FaultCode.MALFORMED, str(error.params["reason"])))
            except BadValueError as error:
                told = "" if column in _SECRET else self._told(text)
                faults.append(RowFault(row, column, told, error.code, error.reason))
        if "iccid" in values:
            values["iccid"], warnings = values["iccid"]
        yield from _finish(row, values, warnings, faults, seen)


def _finish(
    row: int, values: dict[str, Any], warnings: tuple[str, ...], faults: list[RowFault], seen: Seen
) -> Iterator[CardRow | RowFault]:
    """Give the card, or its faults, once its values are read."""
    faults += filter(None, (seen.again(row, name, values[name]) for name in _UNIQUE if name in values))
    if faults:
        yield from faults
        return
    iccid, serial, imsi, msisdn = (values.pop(name, None) for name in ("iccid", "serial", "imsi", "msisdn"))
    yield CardRow(row, iccid, serial, imsi, msisdn, CardSecrets(**values), warnings)

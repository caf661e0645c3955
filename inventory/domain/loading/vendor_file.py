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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from inventory.domain.boxes import parse_box_code
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import NumberKind, parse_chip_serial, parse_iccid, parse_imsi, parse_number
from inventory.domain.loading.faults import BadRow, BadValueError, FaultCode, RowFault, refuse_spreadsheet_number, shown
from inventory.domain.loading.prepaid import NOT_PREPAID, Prepaid

_CODE_BYTES: Final = 8
"""A PIN, PUK or ADM is eight bytes on the card, padded with FF (ETSI TS 102 221 clause 9.5.1)."""
_QUANTITY: Final = re.compile("[0-9]{1,9}", re.ASCII)
_HEX_CODE: Final = re.compile(r"(?:[0-9A-F]{2}){8}", re.ASCII | re.IGNORECASE)
_HEX_KEY: Final = re.compile(r"(?:[0-9A-F]{32}){1,2}|[0-9A-F]{48}", re.ASCII | re.IGNORECASE)
"""16 bytes, 32 (of TUAK), or 24 where the key was wrapped."""
_HEX_CHANNEL_KEY: Final = re.compile(r"(?:[0-9A-F]{32}){1,2}", re.ASCII | re.IGNORECASE)
"""AES of 16 or 32 bytes."""
_ALIASES: Final[Mapping[str, str]] = {
    "ICCID": "iccid",
    "SER_NB": "serial",
    "SERNB": "serial",
    "SERIAL": "serial",
    "CHIP_SERIAL": "serial",
    "CARDSN": "serial",
    "EMPTY_CARD_ID": "serial",
    "IMSI": "imsi",
    "IMSI1": "imsi",
    "IMSI_1": "imsi",
    **{f"IMSI{mark}{no}": f"imsi{no}" for no in range(2, 9) for mark in ("", "_")},
    "MSISDN": "msisdn",
    "BOX": "box",
    "BOX_NO": "box",
    "BOX_NB": "box",
    "BOXNO": "box",
    "CARTON": "box",
    "CARTON_NO": "box",
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
    "TOPC": "opc",
    "ETOPC": "opc",
    **{f"{start}SCP03_{key}": f"scp_{key.lower()}" for start in ("", "E") for key in ("ENC", "MAC")},
}
_FURTHER: Final = tuple(f"imsi{no}" for no in range(2, 9))
"""Columns of a card with several IMSIs, behind the first."""
_NAMES: Final = ("iccid", "serial", "imsi")
_CHANNEL: Final = ("scp_enc", "scp_mac")
_SECRET: Final = ("pin1", "puk1", "pin2", "puk2", "adm1", "ki", "opc", *_CHANNEL)


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


@dataclass(
    slots=True
)  # not frozen, as the card is not: a load makes millions, and frozen ones cost three times as much
class CardSecrets:
    """The secrets of one card; nothing of them is in its repr.

    Codes are digits as text; `adm1` is the eight bytes sent to the card; `ki` and `opc` (or TOPc) are as delivered,
    encrypted under the header's transport key, as are `scp_enc` and `scp_mac`, the keys of a secure channel. None: the
    file has no such column.
    """

    pin1: str | None = field(repr=False, default=None)
    puk1: str | None = field(repr=False, default=None)
    pin2: str | None = field(repr=False, default=None)
    puk2: str | None = field(repr=False, default=None)
    adm1: bytes | None = field(repr=False, default=None)
    ki: bytes | None = field(repr=False, default=None)
    opc: bytes | None = field(repr=False, default=None)
    scp_enc: bytes | None = field(repr=False, default=None)
    scp_mac: bytes | None = field(repr=False, default=None)


@dataclass(slots=True)
class CardRow:
    """One card of the file; `row` is its line, from 1; `warnings` are oddities of its ICCID that refuse nothing.

    `line` is the row's own text where that may be kept: never of a vendor's file. `hlr` is the one of the IMSI on a
    finished card (号段卡), `box` the code of the box that the card lies in. A card may have `further_imsis`.
    """

    row: int
    iccid: str | None
    serial: str | None
    imsi: str | None
    msisdn: str | None
    secrets: CardSecrets
    warnings: tuple[str, ...]
    line: str = ""
    hlr: str | None = None
    prepaid: Prepaid = NOT_PREPAID
    box: str | None = None
    further_imsis: tuple[str, ...] = ()


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


def _channel_key(text: str) -> bytes:
    if _HEX_CHANNEL_KEY.fullmatch(text) is None:
        raise BadValueError(FaultCode.MALFORMED, "32 or 64 hex digits are needed")
    return bytes.fromhex(text)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "iccid": parse_iccid,
    "serial": parse_chip_serial,
    **dict.fromkeys(("imsi", *_FURTHER), parse_imsi),
    "msisdn": lambda text: parse_number(text, NumberKind.MOBILE),
    "box": parse_box_code,
    "pin1": _code(4),
    "puk1": _code(8),
    "pin2": _code(4),
    "puk2": _code(8),
    "adm1": _adm,
    "ki": _key,
    "opc": _key,
    **dict.fromkeys(_CHANNEL, _channel_key),
}


_HEX: Final = "[0-9A-Fa-f]"
_NORMAL: Final[Mapping[str, str]] = {
    "": r"\S+",
    "iccid": "(?P<iccid>89[0-9A-F]{16,17}[0-9A-E])",
    "serial": "(?P<serial>[0-9A-F]{20}|[0-9A-F]{16})",
    **{name: f"(?P<{name}>(?:460|001)[0-9]{{12}})" for name in ("imsi", *_FURTHER)},
    "msisdn": "(?P<msisdn>1[3-9][0-9]{9})",
    "box": "(?P<box>[A-Z0-9][A-Z0-9_.-]{0,31})",
    "pin1": "(?P<pin1>[0-9]{4,8})",
    "puk1": "(?P<puk1>[0-9]{8})",
    "pin2": "(?P<pin2>[0-9]{4,8})",
    "puk2": "(?P<puk2>[0-9]{8})",
    "adm1": f"(?P<adm1>{_HEX}{{16}})",
    "ki": f"(?P<ki>(?:{_HEX}{{32}}){{1,2}})",
    **{name: f"(?P<{name}>(?:{_HEX}{{32}}){{1,2}})" for name in ("opc", *_CHANNEL)},
}
"""The form in which a value needs no reader. Nearly every row is in it whole, and one match takes it: several times
faster than value by value."""
_BYTES: Final = ("adm1", "ki", "opc", *_CHANNEL)


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
        self._further: tuple[str, ...] = ()
        self.header = self._read_header()

    @property
    def boxed(self) -> bool:
        """Whether the file says in which box each card lies."""
        return "box" in self.columns

    @property
    def several(self) -> bool:
        """Whether its cards may have more than one IMSI."""
        return bool(self._further)

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
            quantity=int(quantity) if _QUANTITY.fullmatch(quantity) else None,
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
        self._further = tuple(name for name in _FURTHER if name in self.columns)
        self.ignored = tuple(name for name, column in zip(names, self.columns, strict=True) if not column)
        for column in dict.fromkeys(filter(None, self.columns)):
            if self.columns.count(column) > 1:
                self._fault(row, column, FaultCode.DUPLICATE_COLUMN, "the column stands there twice")
        if not {"iccid", "serial"} & set(self.columns):
            self._fault(row, "var_Out", FaultCode.MISSING, "ICCID or Ser_nb is needed")
        for column in set(_CHANNEL) - set(self.columns) if set(_CHANNEL) & set(self.columns) else ():
            self._fault(row, column, FaultCode.MISSING, "both keys of the secure channel are needed")
        if self._further and "imsi" not in self.columns:
            self._fault(row, "imsi", FaultCode.MISSING, "the first IMSI is needed beside further ones")

    def _fault(self, row: int, column: str, code: FaultCode, reason: str, value: str = "") -> None:
        self.faults.append(RowFault(row, column, value, code, reason))

    def rows(self) -> Iterator[CardRow | RowFault | BadRow]:
        """Read the cards: yields the faults of the header first, then good rows and faults in the file's order.

        A row with a fault yields all its faults, and its names instead of a card; a quantity that differs from the
        declared one is a fault too. With a fault in the columns no card is read.
        """
        yield from self.faults
        if any(fault.column != "Quantity" for fault in self.faults):
            return
        normal = re.compile(r"\s+".join(_NORMAL[column] for column in self.columns))
        count = 0
        for row, text in self._lines:
            line = text.strip()
            if not line or line.startswith("*"):
                continue
            count += 1
            found = normal.fullmatch(line)
            if found is None or (self._further and _repeated(found.group("imsi", *self._further))):
                yield from self._odd_row(row, line.split())
                continue
            values: dict[str, Any] = found.groupdict()
            for column in self._byte_columns:
                values[column] = bytes.fromhex(values[column])
            yield _card(row, values, (), self._further)
        if self.header.quantity not in {None, count}:
            reason = f"the header declares {self.header.quantity} cards, the file holds {count}"
            yield RowFault(0, "Quantity", str(self.header.quantity), FaultCode.QUANTITY, reason)

    def _told(self, text: str) -> str:
        """Give what a list of faults may show of a bad identifier: in a file with codes, columns may have shifted."""
        if set(_SECRET).isdisjoint(self.columns):
            return shown(text)
        return f"{text[: len(text) // 10][:2]}… ({len(text)} characters)"

    def _odd_row(self, row: int, texts: list[str]) -> Iterator[CardRow | RowFault | BadRow]:
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
        for imsi in _repeated([values[name] for name in ("imsi", *self._further) if name in values]):
            reason = "the card has this IMSI twice"
            faults.append(RowFault(row, "imsi", self._told(imsi), FaultCode.DUPLICATE_IN_FILE, reason))
        if not faults:
            yield _card(row, values, warnings, self._further)
            return
        yield from faults
        yield BadRow(row, {name: values[name] for name in _NAMES if values.get(name)}, box=values.get("box"))


def _repeated(values: Sequence[str]) -> list[str]:
    """Give the values that stand there more than once."""
    return (
        [] if len(set(values)) == len(values) else [value for value in dict.fromkeys(values) if values.count(value) > 1]
    )


def _card(row: int, values: dict[str, Any], warnings: tuple[str, ...], further: tuple[str, ...]) -> CardRow:
    """Give the card once its values are read; what is no column of its own is a secret."""
    take = values.pop
    iccid, serial, imsi = take("iccid", None), take("serial", None), take("imsi", None)
    msisdn, box, more = take("msisdn", None), take("box", None), tuple(map(take, further))
    secrets = CardSecrets(**values)
    return CardRow(row, iccid, serial, imsi, msisdn, secrets, warnings, box=box, further_imsis=more)

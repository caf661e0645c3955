"""A vendor's file of invented cards with planted faults: what is wrong, where, and how it must be reported."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from inventory.cli.demo.vendor import TRANSPORT_KEY_INDEX

_HEAD: Final = (
    "*HEADER DESCRIPTION",
    "Quantity: {rows}",
    f"Transport_key: {TRANSPORT_KEY_INDEX}",
    "*OUTPUT VARIABLES",
    "var_Out: ICCID/Ser_nb/PIN1/PUK1/PIN2/PUK2/ADM1/KI/OPC",
)
_COLUMNS: Final = ("iccid", "serial", "pin1", "puk1", "pin2", "puk2", "adm1", "ki", "opc")
_OF_STOCK, _OF_OTHERS = 7 * 10**11, 8 * 10**11
"""Numbers of cards that are in stock before, and of those that another city has."""


class Fault(NamedTuple):
    """What must be reported of a row."""

    row: int
    column: str
    code: str


class _Kind(NamedTuple):
    column: str
    code: str
    value: str


_KINDS: Final = (
    _Kind("iccid", "malformed", "8986"),
    _Kind("iccid", "spreadsheet_number", "8.98600E+19"),
    _Kind("iccid", "duplicate_in_file", ""),
    _Kind("iccid", "duplicate_in_stock", ""),
    _Kind("iccid", "duplicate_elsewhere", ""),
    _Kind("serial", "malformed", "77"),
    _Kind("serial", "spreadsheet_number", "1.23E+19"),
    _Kind("serial", "duplicate_in_file", ""),
    _Kind("serial", "duplicate_in_stock", ""),
    _Kind("serial", "duplicate_elsewhere", ""),
    _Kind("pin1", "malformed", "12"),
    _Kind("puk1", "malformed", "1234"),
    _Kind("pin2", "malformed", "12345678901"),
    _Kind("puk2", "malformed", "x"),
    _Kind("adm1", "malformed", "0123456789ABCDE"),
    _Kind("ki", "malformed", "00" * 15),
    _Kind("ki", "spreadsheet_number", "1.2E+31"),
    _Kind("opc", "malformed", "g" * 32),
    _Kind("", "column_count", "too few"),
    _Kind("", "column_count", "too many"),
)
KINDS: Final = len(_KINDS)


def iccid(number: int) -> str:
    """Give the ICCID of an invented card."""
    return f"898600A3{number:012d}"


def serial(number: int) -> str:
    """Give its chip serial."""
    return f"{number:020d}"


@dataclass(frozen=True)
class FaultyFile:
    """A file of `rows` cards of which `faults` have one fault each, of every kind as many."""

    rows: int
    faults: int
    seed: int = 1

    def planted(self) -> dict[int, _Kind]:
        """Give the number of each bad card, from 1, with its fault; none is the first, and no two are neighbours."""
        chance = random.Random(self.seed)  # noqa: S311 - where faults stand is no secret
        places = chance.sample(range(2, self.rows + 1, 2), self.faults)
        return {place: _KINDS[turn % KINDS] for turn, place in enumerate(places)}

    def expected(self) -> set[Fault]:
        """Give what must be reported."""
        return {Fault(place + len(_HEAD), kind.column, kind.code) for place, kind in self.planted().items()}

    def in_stock_before(self) -> list[int]:
        """Give the cards that must be in stock before."""
        return [_OF_STOCK + place for place, kind in self.planted().items() if kind.code == "duplicate_in_stock"]

    def elsewhere_before(self) -> list[tuple[str, str]]:
        """Give the names (kind, value) that another city must have before."""
        return [
            (kind.column, (iccid if kind.column == "iccid" else serial)(_OF_OTHERS + place))
            for place, kind in self.planted().items()
            if kind.code == "duplicate_elsewhere"
        ]

    def write(self, path: Path) -> None:
        """Write the file."""
        with path.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        planted = self.planted()
        yield from (line.format(rows=self.rows) for line in _HEAD)
        for number in range(1, self.rows + 1):
            kind = planted.get(number)
            yield " ".join(_card(number) if kind is None else _spoilt(number, kind))


def delivery(numbers: list[int]) -> bytes:
    """Give a good file of these cards."""
    cards = (" ".join(_card(number)) for number in numbers)
    return "\n".join((*(line.format(rows=len(numbers)) for line in _HEAD), *cards, "")).encode()


def _card(number: int) -> list[str]:
    codes = ("1234", "12345678", "5678", "87654321", "0123456789ABCDEF")
    return [iccid(number), serial(number), *codes, f"{number:032X}", f"{number + 1:032X}"]


def _spoilt(number: int, kind: _Kind) -> list[str]:
    values = _card(number)
    if kind.code == "column_count":
        return [*values, "x"] if kind.value == "too many" else values[:-1]
    name = iccid if kind.column == "iccid" else serial
    others = {
        "duplicate_in_file": number - 1,
        "duplicate_in_stock": _OF_STOCK + number,
        "duplicate_elsewhere": _OF_OTHERS + number,
    }
    place = _COLUMNS.index(kind.column)
    values[place] = name(others[kind.code]) if kind.code in others else kind.value
    return values

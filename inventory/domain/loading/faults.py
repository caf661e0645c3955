"""What can be wrong with a row, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_SPREADSHEET: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_LONGEST_SHOWN: Final = 40


class FaultCode(StrEnum):
    """The kinds of fault; the catalogue has the sentence for each."""

    MISSING = "missing"
    MALFORMED = "malformed"
    SPREADSHEET_NUMBER = "spreadsheet_number"
    """A spreadsheet wrote the identifier as a number (8.986E+19): its last digits are lost."""
    COLUMN_COUNT = "column_count"
    UNKNOWN_COLUMN = "unknown_column"
    DUPLICATE_COLUMN = "duplicate_column"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    QUANTITY = "quantity"
    """The file declares another quantity than it holds."""
    NOT_TEXT = "not_text"
    """Neither UTF-8 nor GB18030."""
    SECRET_COLUMN = "secret_column"  # noqa: S105 - a code
    """A list has a column of keys or codes; those come in a vendor's file only."""
    FINISHED_CARDS = "finished_cards"
    """A card has its IMSI already, and nothing says of which HLR it is."""


@dataclass(frozen=True)
class RowFault:
    """One fault: `row` is the line in the file, from 1; `value` is empty where it could be a secret.

    `line` is the row's own text for the person who mends it, empty where that may not be kept.
    """

    row: int
    column: str
    value: str
    code: FaultCode
    reason: str
    line: str = ""


@dataclass(frozen=True)
class BadRow:
    """What could be read of a row with faults: its names by column, for it too may have what another one has.

    `box` is the box that it would have lain in, which is not whole without it.
    """

    row: int
    names: Mapping[str, str] = field(repr=False)
    line: str = ""
    box: str | None = None


class BadValueError(Exception):
    """A value that a reader cannot take; becomes a `RowFault` where row and column are known."""

    def __init__(self, code: FaultCode, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def refuse_spreadsheet_number(text: str) -> None:
    """Let pass what a spreadsheet has not turned into a number.

    Raises
    ------
    BadValueError
        The text is in scientific notation.
    """
    if _SPREADSHEET.fullmatch(text):
        reason = "a spreadsheet has cut the digits off; export the column as text"
        raise BadValueError(FaultCode.SPREADSHEET_NUMBER, reason)


def shown(text: str) -> str:
    """Shorten a value for a list of faults."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"

"""Bytes to text: what people send is UTF-8, or GB18030 where an office program of the mainland wrote it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from inventory.domain.errors import InvalidField
from inventory.domain.loading.faults import BadValueError, FaultCode
from inventory.domain.loading.packing import BLOCK

LONGEST_LINE: Final = 64 * 1024
"""Characters of a line; more is no list, and would have to lie in memory whole."""
_ENCODINGS: Final = ("utf-8", "gb18030")
_MARKED: Final = "utf-8-sig"


def encoding_of(opened: Callable[[], BinaryIO]) -> str:
    """Return the encoding of a file that is text: UTF-8, with or without byte order mark, or GB18030 (GB 18030-2022).

    `opened` gives the file from its beginning; it is read through once for each encoding that is tried.

    Raises
    ------
    BadValueError
        It is neither: `not_text`.
    """
    marked = opened().read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    for encoding in (_MARKED,) if marked else _ENCODINGS:
        if _fits(opened(), encoding):
            return encoding
    raise BadValueError(FaultCode.NOT_TEXT, "save it as text in UTF-8 or GB18030")


def lines_of(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Give the lines of a text one by one, whatever ends them, each with its line end but perhaps the last.

    Raises
    ------
    InvalidField
        A line is longer than any list's.
    """
    text = io.TextIOWrapper(stream, encoding)
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise InvalidField(field="file", value="", reason=f"a line has more than {LONGEST_LINE} characters")
        yield line


def _fits(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := stream.read(BLOCK):
            if b"\x00" in block:
                return False
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True

"""Bytes to text: what people send is UTF-8, or GB18030 where an office program of the mainland wrote it."""

from __future__ import annotations

from typing import Final, NamedTuple

from inventory.domain.loading.faults import BadValueError, FaultCode

_ENCODINGS: Final = ("utf-8", "gb18030")
_MARKED: Final = "utf-8-sig"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Decoded(NamedTuple):
    """A file's text without byte order mark, and the name of the encoding that writes it back as it was."""

    text: str
    encoding: str


def decoded(content: bytes) -> Decoded:
    """Read a text file in UTF-8, with or without byte order mark, or in GB18030 (GB 18030-2022).

    Raises
    ------
    BadValueError
        It is neither: `not_text`.
    """
    for encoding in (_MARKED,) if content.startswith(_BYTE_ORDER_MARK) else _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return Decoded(text, encoding)
    raise BadValueError(FaultCode.NOT_TEXT, "save it as text in UTF-8 or GB18030")

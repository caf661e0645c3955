"""Nibble-swapped BCD, the digit packing of nearly every identity file (TS 31.102 §4.2.2, TS 102 221 §13.2)."""

from __future__ import annotations

FILLER = "F"
_HEX = frozenset("0123456789ABCDEF")


class CodecError(ValueError):
    """A value cannot be coded for its file, or the file's bytes are not a value; the message never holds the value."""


def pack(nibbles: str) -> bytes:
    """Return two hex nibbles a byte, first nibble low, an odd last one filled with F.

    Raises
    ------
    CodecError
        A character is not an upper-case hex digit.
    """
    if not _HEX.issuperset(nibbles):
        raise CodecError("only the nibbles 0-9 and A-F can be packed")
    even = nibbles + FILLER * (len(nibbles) % 2)
    return bytes.fromhex("".join(even[i + 1] + even[i] for i in range(0, len(even), 2)))


def unpack(packed: bytes) -> str:
    """Return the nibbles in reading order, fillers included, in upper case."""
    text = packed.hex().upper()
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2))


def pad(content: bytes, size: int) -> bytes:
    """Return the content filled with FF to `size` bytes, the unused byte of every file (TS 102 221 §8.1).

    Raises
    ------
    CodecError
        The content is longer than the file.
    """
    if len(content) > size:
        raise CodecError(f"{len(content)} bytes do not fit a file of {size}")
    return content + b"\xff" * (size - len(content))


def is_blank(content: bytes) -> bool:
    """Whether a file was never written: empty, all FF, or all 00 (both occur on blank cards)."""
    return set(content) in (set(), {0xFF}, {0x00})


def digits(text: str, shortest: int, longest: int) -> str:
    """Return the text if it is ASCII decimal digits of an allowed length.

    Raises
    ------
    CodecError
        Another character, or too short or too long.
    """
    if not (text.isascii() and text.isdigit() and shortest <= len(text) <= longest):
        raise CodecError(f"expected {shortest} to {longest} decimal digits")
    return text

"""BER-TLV as smart cards use it: tags of one or two bytes, definite lengths (TS 101 220 §7.1, ISO/IEC 8825-1)."""

from __future__ import annotations

from typing import NamedTuple

from cardwriter.usim.bcd import CodecError

_LONG_TAG = 0x1F
_SHORT_LENGTH = 0x80
_LONGEST = 0xFFFF
_ONE_BYTE = _PADDING = 0xFF


class Tlv(NamedTuple):
    """One data object; a constructed value is parsed again by its reader."""

    tag: int
    value: bytes


def encode(tag: int, value: bytes) -> bytes:
    """Return the data object with the shortest length (up to 65,535 bytes).

    Raises
    ------
    CodecError
        The value is longer.
    """
    size = len(value)
    if size < _SHORT_LENGTH:
        length = bytes([size])
    elif size <= _LONGEST:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([_SHORT_LENGTH | len(octets)]) + octets
    else:
        raise CodecError("a data object holds at most 65,535 bytes")
    return tag.to_bytes(2 if tag > _ONE_BYTE else 1, "big") + length + value


def parse(content: bytes) -> tuple[Tlv, ...]:
    """Return the data objects of a file or answer in order; FF padding ends them.

    Raises
    ------
    CodecError
        An object is cut off or its length is indefinite.
    """
    objects: list[Tlv] = []
    rest = content
    while rest and rest[0] != _PADDING:
        tag, rest = _take(rest, 2 if rest[0] & _LONG_TAG == _LONG_TAG else 1)
        length, rest = _take(rest, 1)
        if length[0] >= _SHORT_LENGTH:
            octets = length[0] & ~_SHORT_LENGTH
            if octets not in (1, 2):
                raise CodecError("a data object has an unusable length")
            length, rest = _take(rest, octets)
        value, rest = _take(rest, int.from_bytes(length, "big"))
        objects.append(Tlv(int.from_bytes(tag, "big"), value))
    return tuple(objects)


def _take(content: bytes, size: int) -> tuple[bytes, bytes]:
    if len(content) < size:
        raise CodecError("a data object is cut off")
    return content[:size], content[size:]


def first(objects: tuple[Tlv, ...], tag: int) -> bytes | None:
    """Return the value of the first object with this tag, or None."""
    return next((found.value for found in objects if found.tag == tag), None)

"""What conceals a 5G subscriber: EF.SUCI_Calc_Info and EF.Routing_Indicator (TS 31.102 §4.4.11)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from cardwriter.usim import tlv
from cardwriter.usim.bcd import FILLER, CodecError, digits, is_blank, pack, pad, unpack

ROUTING_INDICATOR_SIZE = 4
UAC_AIC_SIZE = 4
_ROUTING_LONGEST = 4
_SCHEMES, _KEYS, _KEY_ID, _PUBLIC_KEY = 0xA0, 0xA1, 0x80, 0x81
_PAIR = 2
_LARGEST_ID = 255


class Scheme(enum.IntEnum):
    """Protection schemes (TS 33.501 annex C.3.1)."""

    NULL = 0
    PROFILE_A = 1
    """X25519."""
    PROFILE_B = 2
    """P-256."""


@dataclass(frozen=True)
class HomeKey:
    """A public key of the home network: its identifier in the UDM and its bytes; nothing of it is secret."""

    identifier: int
    public_key: bytes


@dataclass(frozen=True)
class SuciInfo:
    """EF.SUCI_Calc_Info: schemes, best first, each with the index of its key in `keys` from 1, 0 for none."""

    schemes: tuple[tuple[Scheme, int], ...]
    keys: tuple[HomeKey, ...] = ()


def encode_suci(info: SuciInfo, size: int) -> bytes:
    """Return EF.SUCI_Calc_Info (TS 31.102 §4.4.11.8).

    Raises
    ------
    CodecError
        A scheme names a key that is not there, or the lists do not fit.
    """
    if any(
        not 0 <= index <= len(info.keys) or (scheme is Scheme.NULL) is not (index == 0)
        for scheme, index in info.schemes
    ):
        raise CodecError("a protection scheme names no key of the list")
    if any(not 0 <= key.identifier <= _LARGEST_ID for key in info.keys):
        raise CodecError("a key identifier is 0 to 255")
    schemes = b"".join(bytes([scheme, index]) for scheme, index in info.schemes)
    keys = b"".join(
        tlv.encode(_KEY_ID, bytes([key.identifier])) + tlv.encode(_PUBLIC_KEY, key.public_key) for key in info.keys
    )
    return pad(tlv.encode(_SCHEMES, schemes) + tlv.encode(_KEYS, keys), size)


def decode_suci(content: bytes) -> SuciInfo | None:
    """Return schemes and keys, or None of a blank file.

    Raises
    ------
    CodecError
        The lists are broken or name an unknown scheme.
    """
    if is_blank(content):
        return None
    lists = tlv.parse(content)
    schemes, keys = tlv.first(lists, _SCHEMES) or b"", tlv.parse(tlv.first(lists, _KEYS) or b"")
    try:
        pairs = tuple((Scheme(schemes[i]), schemes[i + 1]) for i in range(0, len(schemes), _PAIR))
        found = tuple(
            HomeKey(identifier.value[0], key.value) for identifier, key in zip(keys[::2], keys[1::2], strict=True)
        )
    except (IndexError, ValueError):
        raise CodecError("EF.SUCI_Calc_Info is broken") from None
    return SuciInfo(pairs, found)


def encode_routing_indicator(indicator: str) -> bytes:
    """Return EF.Routing_Indicator: up to four digits, unused ones F, two reserved bytes (TS 31.102 §4.4.11.11).

    Raises
    ------
    CodecError
        Not one to four digits.
    """
    return pack(digits(indicator, 1, _ROUTING_LONGEST).ljust(_ROUTING_LONGEST, FILLER)) + b"\x00\x00"


def decode_routing_indicator(content: bytes) -> str:
    """Return the digits, none of a blank file.

    Raises
    ------
    CodecError
        The file holds something else.
    """
    if is_blank(content):
        return ""
    found = unpack(content[:2]).rstrip(FILLER)
    if not found.isdecimal():
        raise CodecError("EF.Routing_Indicator holds no digits")
    return found

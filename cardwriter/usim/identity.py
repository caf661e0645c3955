"""Who the card is: EF.ICCID, EF.IMSI, EF.ACC and EF.AD."""

from __future__ import annotations

from dataclasses import dataclass

from cardwriter.usim.bcd import FILLER, CodecError, digits, is_blank, pack, unpack

ICCID_SIZE = 10
"""TS 102 221 §13.2."""
IMSI_SIZE = 9
"""TS 31.102 §4.2.2."""
_ICCID_CHARACTERS = 20
_UNFILLED_ISSUERS = ("8986",)
"""Chinese issuers use all 20 characters, the last may be any hex letter, so an F there is not a filler."""
_IMSI_SHORTEST, _IMSI_LONGEST = 6, 15
_ODD, _EVEN = "9", "1"
"""First nibble of a mobile identity: type IMSI (001) with the odd-length bit (TS 24.008 §10.5.1.4)."""
_MNC_LENGTHS = (2, 3)
_AD_SIZE = 4


def encode_iccid(iccid: str) -> bytes:
    """Return EF.ICCID (10 bytes) of a card number of 19 or 20 characters, hex letters allowed (ITU-T E.118).

    Raises
    ------
    CodecError
        Wrong length or character; 19 characters from an issuer that uses 20; 20 ending in F from one that uses 19.
    """
    full = iccid.startswith(_UNFILLED_ISSUERS)
    if len(iccid) not in ((_ICCID_CHARACTERS,) if full else (_ICCID_CHARACTERS - 1, _ICCID_CHARACTERS)):
        raise CodecError(f"an ICCID of this issuer cannot have {len(iccid)} characters")
    if len(iccid) == _ICCID_CHARACTERS and iccid.endswith(FILLER) and not full:
        raise CodecError("a trailing F is the filler of a 19-digit ICCID, leave it out")
    return pack(iccid)


def decode_iccid(content: bytes) -> str:
    """Return the card number, or an empty string for a card that has none yet.

    One trailing filler F is dropped for issuers with 19 digits; Chinese numbers (8986…) keep all 20 characters.

    Raises
    ------
    CodecError
        The content is not 10 bytes.
    """
    if len(content) != ICCID_SIZE:
        raise CodecError(f"EF.ICCID has {ICCID_SIZE} bytes, not {len(content)}")
    if is_blank(content):
        return ""
    nibbles = unpack(content)
    return nibbles if nibbles.startswith(_UNFILLED_ISSUERS) else nibbles.removesuffix(FILLER)


def whole_iccid(iccid: str) -> str:
    """Return a card number as its issuer writes it, with the last F that stock keeps no number with."""
    return iccid.ljust(_ICCID_CHARACTERS, FILLER) if iccid.startswith(_UNFILLED_ISSUERS) else iccid


def luhn_digit(number: str) -> str:
    """Return the check digit for decimal digits without one (ITU-T E.118, ISO/IEC 7812-1 annex B).

    Advice only for Chinese 20-character numbers, few of which keep it.

    Raises
    ------
    CodecError
        The number is not decimal digits.
    """
    total = 0
    for place, digit in enumerate(reversed(digits(number, 1, _ICCID_CHARACTERS))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def encode_imsi(imsi: str) -> bytes:
    """Return EF.IMSI: length, parity nibble and swapped digits, filled with FF to 9 bytes (TS 31.102 §4.2.2).

    Raises
    ------
    CodecError
        Not 6 to 15 decimal digits (TS 23.003 §2.2).
    """
    parity = _ODD if len(digits(imsi, _IMSI_SHORTEST, _IMSI_LONGEST)) % 2 else _EVEN
    body = pack(parity + imsi)
    return (bytes([len(body)]) + body).ljust(IMSI_SIZE, b"\xff")


def decode_imsi(content: bytes) -> str:
    """Return the IMSI, or an empty string if the file is blank.

    Raises
    ------
    CodecError
        Length byte, parity nibble, digits or padding contradict each other.
    """
    if is_blank(content):
        return ""
    imsi = unpack(content[1 : 1 + content[0]])[1:].removesuffix(FILLER)
    if not imsi.isdecimal() or encode_imsi(imsi) != content:
        raise CodecError("EF.IMSI holds neither an IMSI nor blanks")
    return imsi


def encode_acc(imsi: str) -> bytes:
    """Return EF.ACC (2 bytes): the access class is the last digit of the IMSI (TS 31.102 §4.2.15, TS 22.011 §4.2).

    Raises
    ------
    CodecError
        The IMSI is malformed.
    """
    return (1 << int(digits(imsi, _IMSI_SHORTEST, _IMSI_LONGEST)[-1])).to_bytes(2, "big")


@dataclass(frozen=True)
class Ad:
    """EF.AD (TS 31.102 §4.2.18): UE operation mode (00 normal) and how many digits of the IMSI are the MNC."""

    mnc_length: int
    mode: int = 0x00


def encode_ad(ad: Ad) -> bytes:
    """Return the first four bytes of EF.AD; a longer file keeps its further bytes.

    Raises
    ------
    CodecError
        The MNC length is neither 2 nor 3.
    """
    if ad.mnc_length not in _MNC_LENGTHS:
        raise CodecError("an MNC has 2 or 3 digits")
    return bytes([ad.mode, 0x00, 0x00, ad.mnc_length])


def decode_ad(content: bytes) -> Ad:
    """Return mode and MNC length.

    Raises
    ------
    CodecError
        Fewer than four bytes, or an MNC length other than 2 or 3.
    """
    if len(content) < _AD_SIZE or (content[3] & 0x0F) not in _MNC_LENGTHS:
        raise CodecError("EF.AD does not say whether the MNC has 2 or 3 digits")
    return Ad(mnc_length=content[3] & 0x0F, mode=content[0])

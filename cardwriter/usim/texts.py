"""What the phone shows or dials: EF.SPN, EF.SMSP and EF.MSISDN."""

from __future__ import annotations

from dataclasses import dataclass

from cardwriter.usim.bcd import FILLER, CodecError, digits, is_blank, pack, pad, unpack

SPN_SIZE = 17
"""TS 31.102 §4.2.12."""
_NAME_SIZE = SPN_SIZE - 1
_UCS2 = 0x80
"""Coding of an alpha field in UCS-2 (TS 102 221 annex A)."""
_BEYOND_UCS2 = 0x10000
_GSM7_AS_ASCII = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#%&'()*+,-./:;<=>?",
)
"""Characters that the GSM 7-bit default alphabet codes as ASCII does (TS 23.038 §6.2.1)."""

_SMSP_SIZE = 28
_SMSP_INDICATORS = 0xE1
"""Present, inverted: service centre, protocol id, coding scheme, validity; no destination (TS 31.102 §4.2.27)."""
_SC_SIZE = 12
_SC_OFFSET = 13
_INTERNATIONAL = 0x91
"""International number, ISDN/telephone plan (TS 24.008 §10.5.4.7)."""
_MSISDN_SIZE = 14
_MSISDN_NUMBER_SIZE = 10
_E164_SHORTEST, _E164_LONGEST = 5, 15


@dataclass(frozen=True)
class Spn:
    """EF.SPN: name, whether the home network's name is shown too, whether the name is hidden elsewhere."""

    name: str
    show_plmn: bool = True
    hide_abroad: bool = False


def encode_spn(spn: Spn) -> bytes:
    """Return EF.SPN (17 bytes): the name in GSM 7-bit, or in UCS-2 if it needs it.

    Raises
    ------
    CodecError
        The name is longer than 16 GSM or 7 UCS-2 characters, or holds one that no phone can show.
    """
    if not all(character.isprintable() and ord(character) < _BEYOND_UCS2 for character in spn.name):
        raise CodecError("a service provider name is printable characters of UCS-2")
    display = (0x01 if spn.show_plmn else 0) | (0x02 if spn.hide_abroad else 0)
    if _GSM7_AS_ASCII.issuperset(spn.name):
        name = spn.name.encode("ascii")
    else:
        name = bytes([_UCS2]) + spn.name.encode("utf-16-be")
    return bytes([display]) + pad(name, _NAME_SIZE)


def decode_spn(content: bytes) -> Spn:
    """Return the name and its display conditions.

    Raises
    ------
    CodecError
        Not 17 bytes, or the name is in a coding that this product does not write.
    """
    if len(content) != SPN_SIZE:
        raise CodecError(f"EF.SPN has {SPN_SIZE} bytes, not {len(content)}")
    display, alpha = content[0], content[1:]
    try:
        if alpha[0] == _UCS2:
            # An FF FF pair is the unused end; U+FFFF is no character, so no name holds one.
            pairs = [alpha[i : i + 2] for i in range(1, _NAME_SIZE - 1, 2)]
            name = b"".join(pair for pair in pairs if pair != b"\xff\xff").decode("utf-16-be")
        else:
            name = alpha.rstrip(b"\xff").decode("ascii")
    except UnicodeDecodeError:
        raise CodecError("EF.SPN is neither GSM 7-bit nor UCS-2") from None
    if alpha[0] != _UCS2 and not _GSM7_AS_ASCII.issuperset(name):
        raise CodecError("EF.SPN holds a GSM 7-bit character that this product does not write")
    return Spn(name, show_plmn=bool(display & 0x01), hide_abroad=bool(display & 0x02))


def _encode_number(number: str, size: int) -> bytes:
    """Length (type byte and digits), type international, swapped digits, filled to `size` bytes plus the length."""
    packed = pack(digits(number, _E164_SHORTEST, _E164_LONGEST))
    return pad(bytes([1 + len(packed), _INTERNATIONAL]) + packed, size)


def _decode_number(content: bytes) -> str:
    """Return the digits of an international number, or an empty string if the block is blank."""
    if is_blank(content):
        return ""
    length = content[0]
    number = unpack(content[2 : 1 + length]).removesuffix(FILLER)
    if length >= len(content) or content[1] != _INTERNATIONAL or not number.isdecimal():
        raise CodecError("not an international number")
    return number


_VALIDITY = ((143, 5, 0, 5), (167, 30, 143, 720), (196, 1440, 166, 0), (255, 10080, 192, 0))
"""TP-VP relative format (TS 23.040 §9.2.3.12.1): up to octet, minutes a step, octet of step 0, minutes at step 0."""


def validity_octet(minutes: int) -> int:
    """Return the relative validity period of a short message as its octet (TS 23.040 §9.2.3.12.1).

    Raises
    ------
    CodecError
        The period is not one that an octet can say.
    """
    low = 0
    for last, step, zero, base in _VALIDITY:
        steps, rest = divmod(minutes - base, step)
        if rest == 0 and low <= zero + steps <= last:
            return zero + steps
        low = last + 1
    raise CodecError(f"no validity octet says {minutes} minutes")


def validity_minutes(octet: int) -> int:
    """Return the validity period in minutes."""
    _, step, zero, base = next(row for row in _VALIDITY if octet <= row[0])
    return base + (octet - zero) * step


@dataclass(frozen=True)
class Smsp:
    """EF.SMSP: the service centre as international digits without "+", and the validity in minutes (3 days)."""

    service_centre: str
    validity: int = 3 * 24 * 60


def encode_smsp(smsp: Smsp, record_length: int) -> bytes:
    """Return one record of EF.SMSP without a name (TS 31.102 §4.2.27).

    Raises
    ------
    CodecError
        The number is malformed, the validity cannot be said, or the record is shorter than 28 bytes.
    """
    if record_length < _SMSP_SIZE:
        raise CodecError(f"a record of EF.SMSP has at least {_SMSP_SIZE} bytes")
    centre = _encode_number(smsp.service_centre, _SC_SIZE)
    fixed = bytes([_SMSP_INDICATORS]) + b"\xff" * _SC_SIZE + centre
    return b"\xff" * (record_length - _SMSP_SIZE) + fixed + bytes([0x00, 0x00, validity_octet(smsp.validity)])


def decode_smsp(record: bytes) -> Smsp | None:
    """Return the service centre and validity, or None if the record is blank.

    Raises
    ------
    CodecError
        The record is too short, lacks the centre or the validity, or its number is malformed.
    """
    if is_blank(record):
        return None
    fixed = record[-_SMSP_SIZE:]
    # Indicator bits are 0 for "present": bit 2 the service centre, bit 5 the validity (TS 31.102 §4.2.27).
    if len(fixed) < _SMSP_SIZE or fixed[0] & 0b0001_0010:
        raise CodecError("EF.SMSP has no service centre or no validity")
    return Smsp(_decode_number(fixed[_SC_OFFSET : _SC_OFFSET + _SC_SIZE]), validity_minutes(fixed[-1]))


def encode_msisdn(msisdn: str, record_length: int) -> bytes:
    """Return one record of EF.MSISDN without a name; the number is the last 14 bytes (TS 31.102 §4.2.26).

    `msisdn` is international digits without "+", empty for a record without a number.

    Raises
    ------
    CodecError
        The number is malformed, or the record is shorter than 14 bytes.
    """
    if record_length < _MSISDN_SIZE:
        raise CodecError(f"a record of EF.MSISDN has at least {_MSISDN_SIZE} bytes")
    return (_encode_number(msisdn, _MSISDN_SIZE) if msisdn else b"").rjust(record_length, b"\xff")


def decode_msisdn(record: bytes) -> str:
    """Return the number as international digits, or an empty string if the record is blank.

    Raises
    ------
    CodecError
        The record is too short or its number malformed.
    """
    if len(record) < _MSISDN_SIZE:
        raise CodecError(f"a record of EF.MSISDN has at least {_MSISDN_SIZE} bytes")
    return _decode_number(record[-_MSISDN_SIZE:][: 2 + _MSISDN_NUMBER_SIZE])

"""What a phone shows and obeys besides the SPN: network names, groups, languages, emergency numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cardwriter.usim import tlv
from cardwriter.usim.bcd import FILLER, CodecError, digits, is_blank, pack, pad, unpack
from cardwriter.usim.network import PLMN_SIZE, decode_plmn, encode_plmn

OPL_SIZE = 8
"""TS 31.102 §4.2.59."""
_FULL_NAME, _SHORT_NAME = 0x43, 0x45
_UCS2_NAME = 0x90
"""Extension bit, UCS-2, no country initials, no spare bits (TS 24.008 §10.5.3.5a)."""
_BEYOND_UCS2 = 0x10000
_LANGUAGE_LETTERS = 2
_ECC_NUMBER_SIZE = 3
_ECC_SHORTEST, _ECC_LONGEST = 1, 6
_ECC_SMALLEST = _ECC_NUMBER_SIZE + 1
_LAST_LAC = 0xFFFE
_LAST_RECORD = 254
_ALL_SERVICES = 0x1F


@dataclass(frozen=True)
class NetworkName:
    """A record of EF.PNN: the full name of a network, and a short one where it has one."""

    full: str
    short: str = ""


def encode_pnn(name: NetworkName, record_length: int) -> bytes:
    """Return one record of EF.PNN, names in UCS-2 (TS 31.102 §4.2.58, TS 24.008 §10.5.3.5a).

    Raises
    ------
    CodecError
        The names do not fit.
    """
    record = tlv.encode(_FULL_NAME, _name(name.full))
    if name.short:
        record += tlv.encode(_SHORT_NAME, _name(name.short))
    return pad(record, record_length)


def decode_pnn(record: bytes) -> NetworkName | None:
    """Return the names, or None of a blank record.

    Raises
    ------
    CodecError
        A name is in another coding than UCS-2.
    """
    if is_blank(record):
        return None
    objects = tlv.parse(record)
    return NetworkName(_text(tlv.first(objects, _FULL_NAME)), _text(tlv.first(objects, _SHORT_NAME)))


def _name(text: str) -> bytes:
    if not all(character.isprintable() and ord(character) < _BEYOND_UCS2 for character in text):
        raise CodecError("a network name is printable characters of UCS-2")
    return bytes([_UCS2_NAME]) + text.encode("utf-16-be")


def _text(value: bytes | None) -> str:
    if not value:
        return ""
    try:
        if value[0] == _UCS2_NAME:
            return value[1:].decode("utf-16-be")
    except UnicodeDecodeError:
        pass
    raise CodecError("EF.PNN holds a name that is not UCS-2")


@dataclass(frozen=True)
class NameRule:
    """A record of EF.OPL: in which network (and areas, all by default) which record of EF.PNN is shown, from 1."""

    plmn: str
    name: int
    first_area: int = 0
    last_area: int = _LAST_LAC


def encode_opl(rule: NameRule) -> bytes:
    """Return one record of EF.OPL (TS 31.102 §4.2.59).

    Raises
    ------
    CodecError
        The PLMN is malformed, or an area or the record number is out of range.
    """
    if not 0 <= rule.first_area <= rule.last_area <= _LAST_LAC or not 1 <= rule.name <= _LAST_RECORD:
        raise CodecError("a name rule has areas from 0000 to FFFE and a record number from 1 to 254")
    areas = rule.first_area.to_bytes(2, "big") + rule.last_area.to_bytes(2, "big")
    return encode_plmn(rule.plmn) + areas + bytes([rule.name])


def decode_opl(record: bytes) -> NameRule | None:
    """Return the rule, or None of a blank record.

    Raises
    ------
    CodecError
        Not 8 bytes, or the PLMN is not digits.
    """
    if is_blank(record):
        return None
    if len(record) != OPL_SIZE:
        raise CodecError(f"a record of EF.OPL has {OPL_SIZE} bytes")
    first, last = record[PLMN_SIZE : PLMN_SIZE + 2], record[PLMN_SIZE + 2 : OPL_SIZE - 1]
    return NameRule(
        decode_plmn(record[:PLMN_SIZE]), record[-1], int.from_bytes(first, "big"), int.from_bytes(last, "big")
    )


def encode_languages(languages: Sequence[str], size: int) -> bytes:
    """Return EF.LI or EF.PL: languages of two letters, best first (TS 31.102 §4.2.1, TS 102 221 §13.3).

    Raises
    ------
    CodecError
        A language is not two lower-case letters, or the list does not fit.
    """
    for language in languages:
        if len(language) != _LANGUAGE_LETTERS or not (language.isascii() and language.isalpha() and language.islower()):
            raise CodecError("a language is two lower-case letters (ISO 639-1)")
    return pad("".join(languages).encode(), size)


def decode_languages(content: bytes) -> tuple[str, ...]:
    """Return the languages of EF.LI or EF.PL, best first.

    Raises
    ------
    CodecError
        An entry is not ASCII.
    """
    pairs = [content[i : i + _LANGUAGE_LETTERS] for i in range(0, len(content), _LANGUAGE_LETTERS)]
    try:
        return tuple(pair.decode("ascii") for pair in pairs if not is_blank(pair))
    except UnicodeDecodeError:
        raise CodecError("a language is not ASCII") from None


@dataclass(frozen=True)
class EmergencyNumber:
    """A record of EF.ECC: digits, and the bits of its service; 0 leaves it to the network.

    01 police, 02 ambulance, 04 fire, 08 coast guard, 10 mountain rescue (TS 24.008 §10.5.4.33).
    """

    number: str
    service: int = 0


def encode_ecc(emergency: EmergencyNumber, record_length: int) -> bytes:
    """Return one record of EF.ECC without a name (TS 31.102 §4.2.21).

    Raises
    ------
    CodecError
        Not one to six digits, an unknown service, or the record is too short.
    """
    if emergency.service & ~_ALL_SERVICES:
        raise CodecError("an emergency service is a sum of 01, 02, 04, 08 and 10")
    if record_length < _ECC_SMALLEST:
        raise CodecError(f"a record of EF.ECC has at least {_ECC_SMALLEST} bytes")
    number = pad(pack(digits(emergency.number, _ECC_SHORTEST, _ECC_LONGEST)), _ECC_NUMBER_SIZE)
    return pad(number, record_length - 1) + bytes([emergency.service])


def decode_ecc(record: bytes) -> EmergencyNumber | None:
    """Return the emergency number, or None of a blank record.

    Raises
    ------
    CodecError
        The number is not digits.
    """
    if is_blank(record):
        return None
    number = unpack(record[:_ECC_NUMBER_SIZE]).rstrip(FILLER)
    if not number.isdecimal():
        raise CodecError("an emergency number is not digits")
    return EmergencyNumber(number, record[-1])

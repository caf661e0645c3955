"""Identifiers are text. Each parser takes what a person, file or scanner gives and returns the one normal form.

A value that is not text is refused: a spreadsheet's number has already lost its leading zeros or its last digits.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple, NewType

from inventory.domain.errors import InvalidIdentifier

Iccid = NewType("Iccid", str)
Imsi = NewType("Imsi", str)
ChipSerial = NewType("ChipSerial", str)
Number = NewType("Number", str)

LUHN_ISSUERS: frozenset[str] = frozenset()
"""ICCID prefixes whose last character is known to be the Luhn digit of E.118. Empty by default: Chinese numbers of 20
characters often are not, so the check is advice and an issuer is named by configuration."""

CHINA_MCC = "460"
TEST_MCC = "001"

_ICCID = re.compile(r"89[0-9A-F]{17,18}")
_SWAPPED = re.compile(r"98[0-9A-F]{18}")
_SEPARATORS = str.maketrans("", "", " -\t")
_ICCID_LENGTH = 20
_PUBLIC_ID = re.compile(r"([a-z]{1,3})-([1-9]\d{5})-([1-9]\d{0,18})", re.ASCII)


def _text(field: str, value: object) -> str:
    """Give the value as trimmed text without separators, or refuse what is not text."""
    if not isinstance(value, str):
        raise InvalidIdentifier(field=field, value=value, reason="send it as text, not as a number")
    return value.strip().translate(_SEPARATORS)


def luhn_digit(digits: str) -> str:
    """Give the check digit of a string of decimal digits (ITU-T E.118 clause 4.1, ISO/IEC 7812-1 annex B)."""
    doubled = (2 * int(digit) for digit in digits[::-2])
    total = sum(sum(divmod(twice, 10)) for twice in doubled) + sum(int(digit) for digit in digits[-2::-2])
    return str(-total % 10)


class ParsedIccid(NamedTuple):
    """A normal ICCID and what is odd about it: warnings never refuse a card."""

    iccid: Iccid
    warnings: tuple[str, ...]


def swap_nibbles(text: str) -> str:
    """Exchange the characters of each pair, as ICCID and IMSI files on a card hold them (ETSI TS 102 221 clause 13.2).

    `text` has an even length.
    """
    return "".join(text[index + 1] + text[index] for index in range(0, len(text), 2))


def parse_iccid(value: object, *, field: str = "iccid", luhn_issuers: frozenset[str] = LUHN_ISSUERS) -> ParsedIccid:
    """Read an ICCID of 19 or 20 characters; upper case, hex letters kept, text only.

    The nibble-swapped form of a card or vendor file (prefix 98) is turned round. A final F in place 20 is dropped: on
    the card it is the same nibble as the filler after 19 digits, so both spellings name one card. A wrong Luhn digit is
    a warning (`luhn`), and only for `luhn_issuers`; reading the swapped form warns too (`swapped`).

    Raises
    ------
    InvalidIdentifier
        It is not text, has a wrong length or alphabet, or begins neither with 89 nor, swapped, with 98.
    """
    text = _text(field, value).upper()
    warnings: list[str] = []
    if _SWAPPED.fullmatch(text):
        text = swap_nibbles(text)
        warnings.append("swapped")
    if _ICCID.fullmatch(text) is None:
        raise InvalidIdentifier(field=field, value=value, reason="19 or 20 characters 0-9 A-F that begin with 89")
    if len(text) == _ICCID_LENGTH and text.endswith("F"):
        text = text[:-1]
    if text.startswith(tuple(luhn_issuers)) and not (text.isdecimal() and luhn_digit(text[:-1]) == text[-1]):
        warnings.append("luhn")
    return ParsedIccid(Iccid(text), tuple(warnings))


def parse_imsi(value: object, *, field: str = "imsi") -> Imsi:
    """Read an IMSI of 15 digits of China (460) or of the test network (001; 3GPP TS 23.003 clause 2.2).

    Raises
    ------
    InvalidIdentifier
        It is not text, not 15 digits, or of another country.
    """
    text = _text(field, value)
    if re.fullmatch(rf"(?:{CHINA_MCC}|{TEST_MCC})[0-9]{{12}}", text) is None:
        raise InvalidIdentifier(field=field, value=value, reason="15 digits that begin with 460, or 001 for tests")
    return Imsi(text)


def parse_chip_serial(value: object, *, field: str = "chip_serial") -> ChipSerial:
    """Read the serial of a blank card (空卡序列号): 16 characters on the older generation, 20 on the newer one.

    Raises
    ------
    InvalidIdentifier
        It is not text, or not 16 or 20 characters 0-9 A-F.
    """
    text = _text(field, value).upper()
    if re.fullmatch(r"[0-9A-F]{16}|[0-9A-F]{20}", text) is None:
        raise InvalidIdentifier(field=field, value=value, reason="16 or 20 characters 0-9 A-F")
    return ChipSerial(text)


class NumberKind(StrEnum):
    """The kinds of number, each with its own form (REQ-NUM-01)."""

    MOBILE = "mobile"
    IOT = "iot"
    FIXED = "fixed"
    SMS_PORT = "sms_port"
    ACCESS_CODE = "access_code"


class NumberForm(NamedTuple):
    """How numbers of a kind look and whether fee rules speak about them (REQ-NUM-16)."""

    zh: str
    en: str
    pattern: re.Pattern[str]
    advice: str
    fee_rules: bool


NUMBER_FORMS: dict[NumberKind, NumberForm] = {
    NumberKind.MOBILE: NumberForm(
        "移动用户号码", "Mobile number", re.compile(r"1[3-9][0-9]{9}"), "11 digits that begin with 13 to 19", True
    ),
    NumberKind.IOT: NumberForm(
        "物联网号码",
        "IoT number",
        re.compile(r"1064[6-9][0-9]{8}|14[014]0[0-9]{9}"),
        "13 digits that begin with 10646 to 10649 or 1400, 1410, 1440",
        False,
    ),
    NumberKind.FIXED: NumberForm(
        "固定电话号码",
        "Fixed-line number",
        # 010 and 02x take eight digits, the other areas seven or eight.
        re.compile(r"0(?:10|2[0-9])[2-8][0-9]{7}|0[3-9][0-9]{2}[2-8][0-9]{6,7}"),
        "area code (0 and 2 or 3 digits), then 7 or 8 digits",
        True,
    ),
    NumberKind.SMS_PORT: NumberForm(
        "短信端口号", "SMS port number", re.compile(r"106[235-9][0-9]{1,16}"), "106 and up to 17 more digits", False
    ),
    NumberKind.ACCESS_CODE: NumberForm(
        "接入号",
        "Access code",
        re.compile(r"1[0-9]{2,4}|95[0-9]{3,6}|96[0-9]{3,6}"),
        "3 to 5 digits from 1, or 5 to 8 digits from 95 or 96",
        False,
    ),
}
"""The form of each kind. Which prefixes are in service is the number plan's business, data and not code
(REQ-NUM-13)."""


def parse_number(value: object, kind: NumberKind = NumberKind.MOBILE, *, field: str = "number") -> Number:
    """Read a number of a kind; a leading +86 or 0086 is dropped.

    Raises
    ------
    InvalidIdentifier
        It is not text or does not have the form of the kind.
    """
    text = _text(field, value)
    for prefix in ("+86", "0086"):
        if text.startswith(prefix):
            text = text.removeprefix(prefix)
            # Abroad the trunk 0 of a fixed line is left out.
            text = f"0{text}" if kind is NumberKind.FIXED else text
            break
    form = NUMBER_FORMS[kind]
    if form.pattern.fullmatch(text) is None:
        raise InvalidIdentifier(field=field, value=value, reason=form.advice)
    return Number(text)


def parse_any_number(value: object, *, field: str = "number") -> Number:
    """Read a number of whichever kind it has the form of.

    Raises
    ------
    InvalidIdentifier
        It is not text or has the form of none; it is then told what a mobile number looks like.
    """
    text = _text(field, value)
    fitting = (kind for kind, form in NUMBER_FORMS.items() if form.pattern.fullmatch(text))
    return parse_number(text, next(fitting, NumberKind.MOBILE), field=field)


def local_part(number: str) -> str:
    """Give a fixed-line number without its area code; the digits that fee rules for fixed lines read.

    `number` is one that `parse_number` gave for `NumberKind.FIXED`.
    """
    return number[3:] if number.startswith(("010", "02")) else number[4:]


class PublicId(NamedTuple):
    """The parts of an id that people and other systems see: it carries its city (GB/T 2260 code)."""

    prefix: str
    city_id: int
    serial: int


def format_public_id(prefix: str, city_id: int, serial: int) -> str:
    """Write a public id such as `h-530700-1234`."""
    return f"{prefix}-{city_id}-{serial}"


def parse_public_id(value: object, prefix: str, *, field: str = "id") -> PublicId:
    """Read a public id that must have this prefix.

    Raises
    ------
    InvalidIdentifier
        It is not text, not of this form or has another prefix.
    """
    found = _PUBLIC_ID.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] != prefix:
        raise InvalidIdentifier(field=field, value=value, reason=f"it looks like {prefix}-530700-1234")
    return PublicId(prefix, int(found[2]), int(found[3]))

"""Where the card is at home: PLMN lists and the location files that go back to their defaults."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from cardwriter.usim.bcd import FILLER, CodecError, digits, pack, pad, unpack

PLMN_SIZE = 3
PLMN_ACT_SIZE = 5
_MCC_DIGITS = 3
_PLMN_SHORTEST, _PLMN_LONGEST = 5, 6
_UNUSED_PLMN = b"\xff" * PLMN_SIZE
_HPPLMN_UNIT_MINUTES = 6
_HPPLMN_LONGEST_MINUTES = 8 * 60
_NOT_UPDATED = b"\x01"
"""Update status "not updated" (TS 31.102 §4.2.17)."""
_NO_LAC = b"\x00\x00"
_NO_TAC = b"\x00" * 3
_NO_TMSI = b"\xff" * 4

KEYS_RESET = b"\x07" + b"\xff" * 32
"""EF.Keys and EF.KeysPS without a valid key set (TS 31.102 §4.2.3, §4.2.4)."""
START_HFN_RESET = bytes.fromhex("f00000f00000")
"""EF.START-HFN of a card that no network knows yet (TS 31.102 §4.2.51)."""
THRESHOLD_RESET = b"\xff" * 3
"""EF.THRESHOLD, no limit of its own (TS 31.102 §4.2.52)."""


def encode_plmn(plmn: str) -> bytes:
    """Return MCC and MNC ("46000" or "310410") as 3 bytes (TS 24.008 §10.5.1.3).

    Raises
    ------
    CodecError
        Not 5 or 6 decimal digits.
    """
    mcc, mnc = digits(plmn, _PLMN_SHORTEST, _PLMN_LONGEST)[:_MCC_DIGITS], plmn[_MCC_DIGITS:]
    third = mnc[2:] or FILLER
    return pack(mcc + third + mnc[:2])


def decode_plmn(content: bytes) -> str:
    """Return MCC and MNC as 5 or 6 digits, or an empty string for an unused item.

    Raises
    ------
    CodecError
        Not 3 bytes, or not digits.
    """
    if content == _UNUSED_PLMN:
        return ""
    nibbles = unpack(content)
    plmn = nibbles[:3] + nibbles[4:] + nibbles[3:4].removesuffix(FILLER)
    if len(content) != PLMN_SIZE or not plmn.isdecimal():
        raise CodecError("a PLMN is 3 bytes of digits")
    return plmn


class Act(enum.IntFlag):
    """Access technology bits of a PLMNwAcT item (TS 31.102 §4.2.5)."""

    UTRAN = 0x8000
    E_UTRAN = 0x4000
    """Both WB-S1 and NB-S1."""
    NG_RAN = 0x0800
    GSM = 0x0080


@dataclass(frozen=True)
class PlmnAct:
    """One item of EF.HPLMNwAcT, EF.OPLMNwAcT or EF.PLMNwAcT; earlier items have priority."""

    plmn: str
    act: Act


def encode_plmn_acts(items: Sequence[PlmnAct], size: int) -> bytes:
    """Return a whole PLMNwAcT file of `size` bytes, unused items `FFFFFF 0000` (TS 31.102 §4.2.5).

    Raises
    ------
    CodecError
        The items do not fit, or a PLMN is malformed.
    """
    content = b"".join(encode_plmn(item.plmn) + item.act.to_bytes(2, "big") for item in items)
    unused, rest = divmod(size - len(content), PLMN_ACT_SIZE)
    if unused < 0:
        raise CodecError(f"{len(items)} networks do not fit a file of {size} bytes")
    return content + (_UNUSED_PLMN + b"\x00\x00") * unused + b"\xff" * rest


def decode_plmn_acts(content: bytes) -> tuple[PlmnAct, ...]:
    """Return the used items of a PLMNwAcT file in order.

    Raises
    ------
    CodecError
        An item is not digits.
    """
    items = (content[i : i + PLMN_ACT_SIZE] for i in range(0, len(content) - PLMN_ACT_SIZE + 1, PLMN_ACT_SIZE))
    decoded = ((decode_plmn(item[:PLMN_SIZE]), item[PLMN_SIZE:]) for item in items)
    return tuple(PlmnAct(plmn, Act(int.from_bytes(act, "big"))) for plmn, act in decoded if plmn)


def encode_plmns(plmns: Sequence[str], size: int) -> bytes:
    """Return a whole EF.EHPLMN or EF.FPLMN of `size` bytes (TS 31.102 §4.2.84, §4.2.16); no PLMN resets it to FF.

    Raises
    ------
    CodecError
        The list does not fit, or a PLMN is malformed.
    """
    return pad(b"".join(encode_plmn(plmn) for plmn in plmns), size)


def decode_plmns(content: bytes) -> tuple[str, ...]:
    """Return the used items of EF.EHPLMN or EF.FPLMN in order.

    Raises
    ------
    CodecError
        An item is not digits.
    """
    items = (content[i : i + PLMN_SIZE] for i in range(0, len(content) - PLMN_SIZE + 1, PLMN_SIZE))
    return tuple(plmn for plmn in map(decode_plmn, items) if plmn)


def encode_hpplmn(minutes: int) -> bytes:
    """Return EF.HPPLMN, the search period for the home network in units of 6 minutes (TS 31.102 §4.2.6).

    0 means "never search", a frequent cause of a phone that does not come home.

    Raises
    ------
    CodecError
        Not a multiple of 6 minutes up to 8 hours (TS 22.011 §3.2.2.5).
    """
    if minutes % _HPPLMN_UNIT_MINUTES or not 0 <= minutes <= _HPPLMN_LONGEST_MINUTES:
        raise CodecError("the search period is a multiple of 6 minutes, at most 8 hours")
    return bytes([minutes // _HPPLMN_UNIT_MINUTES])


def decode_hpplmn(content: bytes) -> int:
    """Return the search period in minutes.

    Raises
    ------
    CodecError
        The file is empty.
    """
    if not content:
        raise CodecError("EF.HPPLMN is empty")
    return content[0] * _HPPLMN_UNIT_MINUTES


def reset_loci(plmn: str) -> bytes:
    """Return EF.LOCI with no TMSI, the home network without an area, not updated (TS 31.102 §4.2.17).

    Raises
    ------
    CodecError
        The PLMN is malformed.
    """
    return _NO_TMSI + encode_plmn(plmn) + _NO_LAC + b"\xff" + _NOT_UPDATED


def reset_psloci(plmn: str) -> bytes:
    """Return EF.PSLOCI with no P-TMSI and signature, not updated (TS 31.102 §4.2.23).

    Raises
    ------
    CodecError
        The PLMN is malformed.
    """
    return _NO_TMSI + b"\xff" * 3 + encode_plmn(plmn) + _NO_LAC + b"\xff" + _NOT_UPDATED


def reset_epsloci(plmn: str) -> bytes:
    """Return EF.EPSLOCI with no GUTI, the home network without a tracking area, not updated (TS 31.102 §4.2.91).

    Raises
    ------
    CodecError
        The PLMN is malformed.
    """
    return b"\xff" * 12 + encode_plmn(plmn) + _NO_LAC + _NOT_UPDATED


def reset_5gs_loci(plmn: str) -> bytes:
    """Return EF.5GS3GPPLOCI or EF.5GSN3GPPLOCI with no 5G-GUTI, not updated (TS 31.102 §4.4.11.2, §4.4.11.3).

    Raises
    ------
    CodecError
        The PLMN is malformed.
    """
    return b"\xff" * 13 + encode_plmn(plmn) + _NO_TAC + _NOT_UPDATED

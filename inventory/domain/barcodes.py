"""Code 128 (ISO/IEC 15417): from a text to the widths of its bars and spaces, as short as the standard's rules make it.

The barcode of slips and labels: every scanner reads it, it holds letters and digits, and of digits two in one sign.
"""

from __future__ import annotations

import re
from typing import Final

_TABLE = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122
123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323
131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131
213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122
141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112
124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141
411131 211412 211214 211232
"""
_WIDTHS = _TABLE.split()
"""Bar, space, bar, space, bar, space of the values 0 to 105 (table 1)."""
_STOP = "2331112"
_TO_C, _TO_B, _START_B, _START_C = 99, 100, 104, 105
_MODULUS = 103
_QUIET = 10
"""Modules left white on both sides (clause 4.6.4)."""
_LONG_AT_AN_END, _LONG_WITHIN = 4, 6
"""So many digits are shorter in set C, at an end of the text and within it (annex E)."""
_PIECES = re.compile(r"[0-9]+|[^0-9]+")
PRINTABLE: Final = re.compile(r"[ -~]{1,80}")
"""What set B has, and as much of it as a scanner takes in."""


def code128(text: str) -> tuple[int, ...]:
    """Give the widths of bars and spaces in modules, a bar first; the quiet zone is not among them.

    `text` is 1 to 80 printable ASCII characters.
    """
    if PRINTABLE.fullmatch(text) is None:
        message = "1 to 80 printable ASCII characters"
        raise ValueError(message)
    values = _values(text)
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % _MODULUS
    signs = [*(_WIDTHS[value] for value in (*values, check)), _STOP]
    return tuple(int(width) for sign in signs for width in sign)


def bars(text: str) -> tuple[int, list[tuple[int, int]]]:
    """Give the whole width in modules, quiet zones too, and of each bar its place and width."""
    place, found = _QUIET, []
    for index, width in enumerate(code128(text)):
        if index % 2 == 0:
            found.append((place, width))
        place += width
    return place + _QUIET, found


def _values(text: str) -> list[int]:
    """Give the values of the start sign, the text and the changes of set."""
    values: list[int] = []
    in_c = False
    for part, pairs in _parts(text):
        if not values:
            values.append(_START_C if pairs else _START_B)
        elif pairs != in_c:
            values.append(_TO_C if pairs else _TO_B)
        in_c = pairs
        if pairs:
            values += [int(part[at : at + 2]) for at in range(0, len(part), 2)]
        else:
            values += [ord(sign) - ord(" ") for sign in part]
    return values


def _parts(text: str) -> list[tuple[str, bool]]:
    """Cut the text into parts, each with whether it is written in pairs of digits (set C)."""
    parts: list[tuple[str, bool]] = []
    for piece in _PIECES.finditer(text):
        run = piece[0]
        at_an_end = piece.start() == 0 or piece.end() == len(text)
        if not run.isdigit() or len(run) < (_LONG_AT_AN_END if at_an_end else _LONG_WITHIN):
            parts.append((run, False))
        elif len(run) % 2 == 0:
            parts.append((run, True))
        elif piece.start() == 0:  # an odd digit stands where the other set is anyway, or at the end
            parts += [(run[:-1], True), (run[-1], False)]
        else:
            parts += [(run[0], False), (run[1:], True)]
    return parts

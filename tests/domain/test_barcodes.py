"""Code 128, read back by a reader of its own that knows only the standard's table of widths."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.domain import barcodes
from inventory.domain.barcodes import bars, code128

SIGN, MODULES = 6, 11
START_B, START_C, TO_C, TO_B = 104, 105, 99, 100


def read(widths: tuple[int, ...]) -> str:
    """Read the bars as a scanner does: sign by sign, the check sign last."""
    assert widths[-7:] == (2, 3, 3, 1, 1, 1, 2)
    signs = ["".join(map(str, widths[at : at + SIGN])) for at in range(0, len(widths) - 7, SIGN)]
    start, *values, check = [barcodes._WIDTHS.index(sign) for sign in signs]
    assert check == (start + sum(place * value for place, value in enumerate(values, start=1))) % 103
    text, pairs = "", {START_B: False, START_C: True}[start]
    for value in values:
        if value == (TO_B if pairs else TO_C):
            pairs = not pairs
        else:
            text += f"{value:02d}" if pairs else chr(value + 32)
    return text


def test_table_is_that_of_the_standard() -> None:
    """ISO/IEC 15417 clause 4.3: eleven modules, an even number of them black, no two signs alike."""
    assert len(set(barcodes._WIDTHS)) == 106
    for sign in barcodes._WIDTHS:
        assert sum(map(int, sign)) == MODULES
        assert sum(map(int, sign[::2])) % 2 == 0


def test_known_sign_sequence() -> None:
    """Start B, A, I, M, to C, 12, 34; worked out by hand."""
    assert barcodes._values("AIM1234") == [104, 33, 41, 45, 99, 12, 34]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80))
@example("m-530700-12")
@example("89860012345678901238")
@example("8986001234567890123")
@example("898600A3253099000031")
@example("1")
def test_every_text_is_read_back(text: str) -> None:
    assert read(code128(text)) == text


@pytest.mark.parametrize(("text", "signs"), [("89860012345678901238", 10), ("8986001234567890123", 11), ("AB12", 4)])
def test_digits_take_half_a_sign_each_where_that_is_shorter(text: str, signs: int) -> None:
    assert len(code128(text)) == (signs + 2) * SIGN + 7


@pytest.mark.parametrize("text", ["", "丽江", "a\n", "x" * 81])
def test_text_that_a_barcode_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        code128(text)


def test_bars_keep_their_distance_from_the_edges() -> None:
    width, found = bars("A")
    assert found[0] == (10, 2)
    assert found[-1][0] + found[-1][1] == width - 10

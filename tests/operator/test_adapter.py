"""What an adapter may give: an operator's own is not ours, and what it makes is kept."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.operator.adapter import Issue, OperatorBroken, OperatorUnavailable, Receipt

GOOD: dict[str, Any] = {
    "transaction": "T-1", "iccid": "89860026000000000001", "imsi": "460001234567890", "parts": (b"1", b"2"),
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"transaction": "T\0"},
        {"transaction": ""},
        {"transaction": None},
        {"transaction": "T" * 65},
        {"iccid": 8986},
        {"imsi": "46000\n"},
        {"parts": ()},
        {"parts": ("text",)},
        {"parts": (b"",)},
    ],
    ids=str,
)
def test_issue_that_could_not_be_kept_or_reported_is_refused(wrong: dict[str, Any]) -> None:
    """Kept, it would fail each time that the card's answer is told, and the card would stay unknown."""
    assert Issue(**GOOD).parts == (b"1", b"2")
    with pytest.raises(OperatorBroken):
        Issue(**GOOD | wrong)


@pytest.mark.parametrize("said", [("yes", None), (None, None), (False, 7)])
def test_receipt_that_says_neither_yes_nor_no_is_refused(said: tuple[Any, Any]) -> None:
    with pytest.raises(OperatorBroken):
        Receipt(*said)


def test_words_of_a_system_stand_on_one_line_of_bounded_length() -> None:
    assert Receipt(accepted=False, reason="no\0\nsuch card").reason == "no  such card"
    assert str(OperatorUnavailable("later\r\n" + "!" * 500)) == "later  " + "!" * 193
    assert len(Receipt(accepted=False, reason="x" * 999).reason or "") == 200

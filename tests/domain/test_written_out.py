"""Stock that is written by hand."""

from __future__ import annotations

import pytest

from inventory.domain.errors import InvalidField
from inventory.domain.identifiers import luhn_digit
from inventory.domain.loading.written_out import MOST, written_out


def test_rows_of_a_list_stand_as_they_were_written() -> None:
    assert written_out("89860012345678901231, 0001\n\n13888040001\n") == "89860012345678901231, 0001\n13888040001\n"


@pytest.mark.parametrize("dash", ["-", " - ", "–", "~"])
def test_a_range_is_every_item_between_its_ends(dash: str) -> None:
    """REQ-SIM-02, REQ-NUM-02: a range."""
    assert written_out(f"13888040009{dash}13888040011") == "13888040009\n13888040010\n13888040011\n"


def test_a_range_of_one_is_that_one() -> None:
    assert written_out("10086-10086") == "10086\n"


@pytest.mark.parametrize("number", ["0888-5123456", "010-65123456", " 0888 - 5123456"])
def test_a_fixed_line_with_its_area_code_is_no_range(number: str) -> None:
    """It is written so everywhere, and a file may have it so."""
    assert written_out(f"{number}\n") == f"{number}\n"


CHECKED = [body + luhn_digit(body) for body in (f"898600123456789{n:04d}" for n in range(98, 103))]


def test_check_digits_of_iccids_follow_and_are_not_counted() -> None:
    assert written_out(f"{CHECKED[0]}-{CHECKED[-1]}", check_digit=True).split() == CHECKED


def test_last_digits_that_are_right_by_chance_are_counted_where_that_is_said() -> None:
    first, last = int(CHECKED[0]), int(CHECKED[-1])
    assert written_out(f"{first}-{last}", check_digit=False).split() == [str(n) for n in range(first, last + 1)]


def test_range_that_may_be_read_in_two_ways_is_refused_until_it_is_said() -> None:
    with pytest.raises(InvalidField, match="check digit"):
        written_out(f"{CHECKED[0]}-{CHECKED[-1]}")
    assert written_out(f"{CHECKED[0]}-{CHECKED[0]}") == f"{CHECKED[0]}\n"


def test_iccids_without_check_digits_are_counted_to_their_last_digit() -> None:
    body = "8986001234567890001"
    wrong = str((int(luhn_digit(body)) + 1) % 10)
    first = int(body + wrong)
    assert written_out(f"{first}-{first + 12}", check_digit=True).split() == [str(first + n) for n in range(13)]


def test_letters_stand_before_what_is_counted() -> None:
    assert written_out("00ab0009-00AB0010") == "00AB0009\n00AB0010\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one item"),
        ("\n \n", "at least one item"),
        ("13888040011-13888040009", "first comes before"),
        ("1388804000-13888040009", "same length"),
        ("0000000A-0000000F", "differ in digits"),
        ("13888000000-13888999999", "at most"),
        ("\n".join(["13888000000-13888059999"] * 2), "at most"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidField, match=reason):
        written_out(text)


def test_as_many_as_may_be_are_written_out() -> None:
    assert written_out("13888000000-13888099999").count("\n") == MOST

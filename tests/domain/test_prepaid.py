from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from inventory.domain.calendar import business_day
from inventory.domain.loading import BadValueError, Prepaid, covers
from inventory.domain.loading.prepaid import area, expires_on, face_value


def test_a_card_says_what_a_list_says_of_it() -> None:
    """REQ-SIM-16: face value, expiry and area."""
    said = {"face_value": face_value("50"), "expires_on": expires_on("2027/06/30"), "area": area("530000")}
    assert Prepaid.of(said) == Prepaid(5000, date(2027, 6, 30), "53")
    assert Prepaid.of({}) == Prepaid()


@pytest.mark.parametrize("text", ["2027-06-30", "2027/06/30", "2027.06.30", "20270630"])
def test_a_day_is_read_in_any_usual_form(text: str) -> None:
    assert expires_on(text) == "2027-06-30"


@pytest.mark.parametrize("text", ["2027-06/30", "30.06.2027", "2027-02-30", "2027-13-01", "0000-01-01", "soon"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(BadValueError):
        expires_on(text)


@pytest.mark.parametrize("text", ["0", "-5", "5.001", "fifty"])
def test_a_face_value_is_an_amount_above_zero(text: str) -> None:
    with pytest.raises(BadValueError):
        face_value(text)


@pytest.mark.parametrize(("text", "digits"), [("53", "53"), ("500000", "50"), ("110100", "1101"), ("530702", "530702")])
def test_the_closing_zeros_of_an_area_count_for_nothing(text: str, digits: str) -> None:
    assert area(text) == digits


@pytest.mark.parametrize("text", ["5", "0", "053", "云南", "5307001"])
def test_what_is_no_code_of_an_area_is_refused(text: str) -> None:
    with pytest.raises(BadValueError):
        area(text)


def test_a_card_of_a_province_is_for_each_of_its_cities() -> None:
    assert covers(Prepaid(area="53"), 530700)
    assert not covers(Prepaid(area="53"), 510700)
    assert covers(Prepaid(), 510700)


def test_the_day_of_business_begins_at_midnight_in_shanghai() -> None:
    assert business_day(datetime(2026, 11, 22, 15, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert business_day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)

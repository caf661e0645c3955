from __future__ import annotations

from datetime import UTC, date, datetime

from inventory.domain.calendar import begin_of, business_day


def test_a_business_day_begins_at_16_hours_utc() -> None:
    assert business_day(datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == date(2026, 11, 21)
    assert business_day(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == date(2026, 11, 22)


def test_a_day_begins_when_it_is_that_day() -> None:
    assert begin_of(date(2026, 11, 22)) == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)

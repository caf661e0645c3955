from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.access.hours import Window, WorkingHours
from inventory.domain.calendar import SHANGHAI
from inventory.domain.errors import InvalidField

WEEK = 0b0011111
OFFICE = Window(weekdays=WEEK, opens=time(9), closes=time(18))
MONDAY = date(2026, 11, 2)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def test_without_windows_it_is_always_open() -> None:
    assert WorkingHours().is_open(at(3))


@pytest.mark.parametrize(("hour", "expected"), [(8, False), (9, True), (17, True), (18, False)])
def test_window_holds_its_opening_and_not_its_closing(hour: int, *, expected: bool) -> None:
    """REQ-IF-06: hours in Asia/Shanghai."""
    assert WorkingHours((OFFICE,)).is_open(at(hour)) is expected


def test_weekday_without_a_window_is_closed() -> None:
    """REQ-IF-06: weekdays."""
    assert not WorkingHours((OFFICE,)).is_open(at(10, day=MONDAY + timedelta(days=5)))


@pytest.mark.parametrize("on_holidays", [True, False])
def test_holiday_closes_windows_that_do_not_open_on_holidays(*, on_holidays: bool) -> None:
    """REQ-IF-06: holidays."""
    window = Window(weekdays=WEEK, opens=time(9), closes=time(18), on_holidays=on_holidays)
    assert WorkingHours((window,), holidays=frozenset({MONDAY})).is_open(at(10)) is on_holidays


def test_interface_and_role_must_both_be_open() -> None:
    """REQ-IF-06: windows per interface and per role."""
    afternoon = Window(weekdays=WEEK, opens=time(13), closes=time(20))
    hours = WorkingHours((OFFICE,), (afternoon,))
    assert [hours.is_open(at(hour)) for hour in (10, 14, 19)] == [False, True, False]


def test_window_until_midnight_ends_with_the_day() -> None:
    late = WorkingHours((Window(weekdays=WEEK, opens=time(9), closes=time(0)),))
    assert (late.is_open(at(23, 59)), late.is_open(at(0, 0, MONDAY + timedelta(days=1)))) == (True, False)


def test_begun_work_may_be_finished_for_a_while_after_closing() -> None:
    """REQ-IF-11: a set time after the hours, past midnight too."""
    late = WorkingHours((Window(weekdays=WEEK, opens=time(9), closes=time(23, 50)),))
    next_day = MONDAY + timedelta(days=1)
    half_an_hour = timedelta(minutes=30)
    assert late.is_open(at(0, 19, next_day), finishing=half_an_hour)
    assert not late.is_open(at(0, 20, next_day), finishing=half_an_hour)
    assert not late.is_open(at(8, 59, next_day), finishing=half_an_hour)


def test_next_opening_skips_weekend_and_holidays() -> None:
    friday, tuesday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=8)
    hours = WorkingHours((OFFICE,), holidays=frozenset({MONDAY + timedelta(days=7)}))
    assert hours.next_opening(at(18, day=friday)) == (at(9, day=tuesday), at(18, day=tuesday))


def test_hours_that_never_meet_have_no_next_opening() -> None:
    night = Window(weekdays=WEEK, opens=time(18), closes=time(20))
    assert WorkingHours((OFFICE,), (night,)).next_opening(at(10)) is None


@pytest.mark.parametrize(
    "window",
    [
        Window(weekdays=0, opens=time(9), closes=time(18)),
        Window(weekdays=128, opens=time(9), closes=time(18)),
        Window(weekdays=1, opens=time(9), closes=time(9)),
    ],
)
def test_window_that_never_opens_is_refused(window: Window) -> None:
    with pytest.raises(InvalidField):
        window.check()


windows = st.builds(
    Window,
    weekdays=st.integers(1, 127),
    opens=st.times().map(lambda found: found.replace(microsecond=0)),
    closes=st.just(time(0)) | st.times(time(23)),
    on_holidays=st.booleans(),
)


moments = st.timedeltas(timedelta(), timedelta(days=365)).map(lambda since: at(0) + since)


@given(st.lists(windows, max_size=3), st.lists(windows, max_size=3), moments)
def test_next_opening_is_open_and_nothing_opens_before_it(
    interface: list[Window], role: list[Window], now: datetime
) -> None:
    hours = WorkingHours(tuple(interface), tuple(role))
    found = hours.next_opening(now)
    if found is None:
        assert not hours.is_open(now)
        return
    opens, closes = found
    assert hours.is_open(max(opens, now))
    assert closes > now
    assert hours.is_open(now) is (opens <= now)

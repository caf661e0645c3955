"""Days of business: China has one time zone, and had its last summer time in 1991, so no time zone data are needed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def business_day(now: datetime) -> date:
    """Return the day that it is in Asia/Shanghai."""
    return now.astimezone(SHANGHAI).date()


def begin_of(day: date) -> datetime:
    """Return the moment at which a day begins in Asia/Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)

"""When a caller may work: windows of its interface and of its role, in Asia/Shanghai, with public holidays (REQ-IF-06).

An interface or role without windows is always open. Where both have windows, both must be open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from inventory.domain.calendar import SHANGHAI, begin_of, business_day
from inventory.domain.errors import InvalidField

_LOOK_AHEAD_DAYS = 60
_MIDNIGHT = time(0)

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Hours on some weekdays: bit 0 of `weekdays` is Monday; `closes` at 00:00 means the end of the day."""

    weekdays: int
    opens: time
    closes: time
    on_holidays: bool = False
    reading_outside: bool = True

    def on(self, day: date, holidays: frozenset[date]) -> Interval | None:
        """Return the open time on the day, or None if the window does not open on it."""
        if not self.weekdays >> day.weekday() & 1 or (day in holidays and not self.on_holidays):
            return None
        end_day = day + timedelta(days=1) if self.closes == _MIDNIGHT else day
        return datetime.combine(day, self.opens, SHANGHAI), datetime.combine(end_day, self.closes, SHANGHAI)

    def check(self) -> None:
        """Let pass a window that opens at all and closes after it opens.

        Raises
        ------
        InvalidField
            No weekday, an unknown weekday, or it closes before it opens: cut a night shift at midnight in two. Or a
            time says that it is of elsewhere: the clock of the halls alone counts.
        """
        for field, moment in (("opens", self.opens), ("closes", self.closes)):
            if moment.tzinfo is not None:
                reason = "a time of the halls, without an offset or with +08:00"
                raise InvalidField(field=field, value=moment.isoformat(), reason=reason)
        if not 0 < self.weekdays < 1 << 7:
            raise InvalidField(field="weekdays", value=self.weekdays, reason="1 to 127, bit 0 is Monday")
        if self.closes != _MIDNIGHT and self.closes <= self.opens:
            raise InvalidField(field="closes", value=self.closes.isoformat(), reason="later than opens, or 00:00")


@dataclass(frozen=True)
class WorkingHours:
    """The windows of a caller's interface and of its role, and the public holidays."""

    interface: tuple[Window, ...] = ()
    role: tuple[Window, ...] = ()
    holidays: frozenset[date] = frozenset()

    def is_open(self, now: datetime, *, finishing: timedelta = timedelta()) -> bool:
        """Whether work may be done at `now`, or begun work be finished until `finishing` after closing (REQ-IF-11)."""
        today = business_day(now)
        days = (today - timedelta(days=1), today)  # the time for finishing may pass midnight
        return any(opens <= now < closes + finishing for day in days for opens, closes in self._intervals(day))

    def may_read(self, now: datetime) -> bool:
        """Whether reading is allowed at `now`: always, unless a window says that outside it nothing is."""
        return all(window.reading_outside for window in (*self.interface, *self.role)) or self.is_open(now)

    def next_opening(self, now: datetime) -> Interval | None:
        """Return the next time in which work may be done, or None if there is none for two months."""
        today = business_day(now)
        days = (today + timedelta(days=ahead) for ahead in range(_LOOK_AHEAD_DAYS))
        return next((found for day in days for found in self._intervals(day) if found[1] > now), None)

    def _intervals(self, day: date) -> Iterator[Interval]:
        """Give the times of the day, in order, at which interface and role are both open."""
        for opens, closes in self._of(self.interface, day):
            for role_opens, role_closes in self._of(self.role, day):
                start, end = max(opens, role_opens), min(closes, role_closes)
                if start < end:
                    yield start, end

    def _of(self, windows: tuple[Window, ...], day: date) -> list[Interval]:
        if not windows:
            start = begin_of(day)
            return [(start, start + timedelta(days=1))]
        return sorted(found for window in windows if (found := window.on(day, self.holidays)) is not None)

"""When a campaign starts by itself: once, or again and again on days that a rule gives.

Dates and times are those of a wall clock in the schedule's zone. A day is found first, by the calendar
alone; then its time becomes an instant, on whatever that zone's clock does that day. So a campaign for nine
o'clock starts at nine in summer and in winter. A local time that the clock skips is the first instant after
the gap; one that it shows twice is the first of the two.

Days recur as in RFC 5545: every n-th period counted from the one that ``start`` lies in, weeks beginning on
Monday; ``start`` itself counts only if it is such a day; a month without the day asked for has no start.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from heliograph.rules import zones

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LAST = -1  # as a day of a month, or as the place of a weekday in it
FIRST_YEAR, LAST_YEAR = 2000, 2999

_DAYS = 7
_MONTHS = 12


class Recurrence(Protocol):
    """A calendar cut into periods (days, weeks, months, years), of which every ``every``-th has starts."""

    @property
    def every(self) -> int:
        """How many periods from one to the next."""
        ...

    def period(self, day: date) -> int:
        """The number of the period that ``day`` lies in."""
        ...

    def days(self, period: int) -> list[date]:
        """The days of that period on which there is a start, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Daily:
    """Every n days."""

    every: int

    def period(self, day: date) -> int:
        """The day's number."""
        return day.toordinal()

    def days(self, period: int) -> list[date]:
        """That day."""
        return [date.fromordinal(period)]


@dataclass(frozen=True, slots=True)
class Weekly:
    """On some weekdays (Monday is 0, in order) of every n-th week."""

    every: int
    weekdays: tuple[int, ...]

    def period(self, day: date) -> int:
        """The week's number; the first day of the calendar was a Monday."""
        return (day.toordinal() - 1) // _DAYS

    def days(self, period: int) -> list[date]:
        """Its days, Monday first."""
        return [date.fromordinal(period * _DAYS + 1 + weekday) for weekday in self.weekdays]


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A date in a month: 1 to 31, or :data:`LAST`."""

    number: int

    def of(self, year: int, month: int) -> date | None:
        """That day of a month; None when the month is too short."""
        length = calendar.monthrange(year, month)[1]
        number = length if self.number == LAST else self.number
        return date(year, month, number) if number <= length else None


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """The first to fourth of a weekday in a month (Monday is 0), or the :data:`LAST`."""

    nth: int
    weekday: int

    def of(self, year: int, month: int) -> date | None:
        """That day of a month. Every month has one."""
        first_weekday, length = calendar.monthrange(year, month)
        first = 1 + (self.weekday - first_weekday) % _DAYS
        if self.nth == LAST:
            return date(year, month, first + (length - first) // _DAYS * _DAYS)
        return date(year, month, first + (self.nth - 1) * _DAYS)


@dataclass(frozen=True, slots=True)
class Monthly:
    """On one day of every n-th month."""

    every: int
    day: MonthDay | NthWeekday

    def period(self, day: date) -> int:
        """The month's number, counted from year 0."""
        return day.year * _MONTHS + day.month - 1

    def days(self, period: int) -> list[date]:
        """Its one day, or none."""
        found = self.day.of(period // _MONTHS, period % _MONTHS + 1)
        return [] if found is None else [found]


@dataclass(frozen=True, slots=True)
class Yearly:
    """On one day of one month (January is 1) of every n-th year."""

    every: int
    month: int
    day: MonthDay | NthWeekday

    def period(self, day: date) -> int:
        """The year."""
        return day.year

    def days(self, period: int) -> list[date]:
        """Its one day, or none (29 February)."""
        found = self.day.of(period, self.month)
        return [] if found is None else [found]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule, read and checked.

    ``start`` and ``end`` are what a wall clock in ``zone`` shows, so they have no zone of their own. No start
    is at or after ``end``. ``recurrence`` None: once. ``precedence``: the times of day of start and end are
    the hours in which texts may leave, in place of the campaign's calling hours. ``late``: how long after
    its time a start may still happen.
    """

    start: datetime
    end: datetime | None
    zone: str
    recurrence: Recurrence | None
    precedence: bool
    late: timedelta


@dataclass(frozen=True, slots=True)
class Due:
    """What a start that has come due amounts to at the moment it is looked at.

    ``at``: the latest start that has come due. ``missed``: how many before it were never looked at.
    ``too_late``: ``at`` is longer ago than the schedule allows. ``next_at``: the start after this moment.
    """

    at: datetime
    missed: int
    too_late: bool
    next_at: datetime | None


def next_after(schedule: Schedule, after: datetime) -> datetime | None:
    """The first start later than ``after``, in UTC; None when none is left."""
    return next(_starts(schedule, after), None)


def ends_at(schedule: Schedule) -> datetime | None:
    """The instant from which the campaign does not run any more, in UTC; None when it has no end."""
    clock = zones.clock(schedule.zone)
    return None if schedule.end is None or clock is None else zones.instant(clock, schedule.end)


def due(schedule: Schedule, since: datetime, now: datetime) -> Due:
    """What to do about the start at ``since``, which is not later than ``now``.

    After a long silence only the latest start counts: whoever missed three is not texted three times.
    """
    at, missed = since, 0
    for each in _starts(schedule, since):
        if each > now:
            return Due(at, missed, now - at > schedule.late, each)
        at, missed = each, missed + 1
    return Due(at, missed, now - at > schedule.late, None)


def window(schedule: Schedule) -> dict[str, object] | None:
    """The calling hours that the schedule puts in place of the campaign's, in the vendor's shape; None: it does not.

    From the start's time of day to the end's, on every day. A window that ends before it starts runs past midnight.
    """
    if not schedule.precedence or schedule.end is None:
        return None
    hours = {"start": f"{schedule.start:%H:%M}", "end": f"{schedule.end:%H:%M}"}
    return {"frequency": "DAILY", "timezone": schedule.zone, "days": [hours]}


def wall(moment: datetime, zone: str) -> str:
    """``moment`` as a wall clock in ``zone`` shows it, for a sentence."""
    clock = zones.clock(zone)
    return f"{moment.astimezone(clock or UTC):%Y-%m-%d %H:%M:%S} ({zone if clock else 'UTC'})"


def _starts(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Every start later than ``after``, in order, each instant once."""
    clock, end = zones.clock(schedule.zone), ends_at(schedule)
    if clock is None:
        return
    time = schedule.start.time()
    # From the day before: at a jump across midnight, yesterday's time may come today.
    since = after.astimezone(clock).date() - timedelta(days=1)
    latest = after
    for day in _days(schedule.recurrence, schedule.start.date(), since):
        at = zones.instant(clock, datetime.combine(day, time))
        if end is not None and at >= end:
            return
        if at > latest:
            latest = at
            yield at


def _days(recurrence: Recurrence | None, start: date, since: date) -> Iterator[date]:
    """The days with a start from ``since`` on, in order, none before ``start``."""
    if recurrence is None:
        yield start
        return
    since = max(start, since)
    first = recurrence.period(start)
    now = recurrence.period(since)
    last = recurrence.period(date(LAST_YEAR, _MONTHS, 31))
    for period in range(now - (now - first) % recurrence.every, last + 1, recurrence.every):
        yield from (day for day in recurrence.days(period) if day >= since)

"""What a report is: its days, its columns, its lines; and when one is mailed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from heliograph.errors import Invalid
from heliograph.rules import place, schedule, zones

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_DAYS = 400
MOST_RECIPIENTS = 20

Format = Literal["csv", "xlsx", "pdf"]
Often = Literal["day", "week", "month"]
FORMATS: dict[str, str] = {"pdf": "PDF", "xlsx": "Excel (XLSX)", "csv": "CSV"}
OFTEN: dict[str, str] = {"day": "Every day", "week": "Every week", "month": "Every month"}
SPANS: dict[str, str] = {
    "today": "Today so far",
    "yesterday": "Yesterday",
    "last 7 days": "The 7 days before",
    "last week": "The week before, Monday to Sunday",
    "last 30 days": "The 30 days before",
    "this month": "This month so far",
    "last month": "The month before",
}
LAST_DAY = schedule.LAST
LATEST_MONTH_DAY = 28

Cell = str | int | date | None
Kind = Literal["text", "day", "time", "number"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what stands above it, and what its cells are. ``time``: moments in UTC, without a zone."""

    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A report, to be shown or written to a file. ``note``: what whoever reads the numbers has to know."""

    title: str
    about: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """When a report is mailed: at a time of every day, of one weekday (Monday is 0), or of one day of the month."""

    often: Often
    weekday: int
    month_day: int
    at: time
    zone: str

    @property
    def words(self) -> str:
        """As a sentence says it."""
        when = "every day"
        if self.often == "week":
            when = f"every {_WEEKDAYS[self.weekday]}"
        elif self.often == "month":
            day = "the last day" if self.month_day == LAST_DAY else f"day {self.month_day}"
            when = f"on {day} of the month"
        return f"{when} at {self.at:%H:%M} ({self.zone})"


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS = dict(enumerate(_WEEKDAYS))


def next_time(times: Times, after: datetime) -> datetime:
    """The first instant (UTC) later than ``after`` at which the report is due."""
    recurrence: schedule.Recurrence = schedule.Daily(1)
    if times.often == "week":
        recurrence = schedule.Weekly(1, (times.weekday,))
    elif times.often == "month":
        recurrence = schedule.Monthly(1, schedule.MonthDay(times.month_day))
    clock = zones.clock(times.zone) or UTC
    start = datetime.combine(after.astimezone(clock).date() - timedelta(days=1), times.at)
    plan = schedule.Schedule(start, None, times.zone, recurrence, precedence=False, late=timedelta(0))
    found = schedule.next_after(plan, after)
    if found is None:
        raise Invalid(f"{times.words} does not come any more", field="at")
    return found


def days(span: str, today: date) -> tuple[date, date]:
    """The first and the last day of a span of :data:`SPANS`. Raises Invalid."""
    if span not in _DAYS:
        raise Invalid(f"span is {span[:40]!r}; it takes one of: {', '.join(SPANS)}", field="span")
    return _DAYS[span](today)


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _last_week(today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday() + 7)
    return monday, monday + timedelta(days=6)


_DAYS: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda today: (today, today),
    "yesterday": lambda today: (today - timedelta(days=1), today - timedelta(days=1)),
    "last 7 days": lambda today: (today - timedelta(days=7), today - timedelta(days=1)),
    "last week": _last_week,
    "last 30 days": lambda today: (today - timedelta(days=30), today - timedelta(days=1)),
    "this month": lambda today: (today.replace(day=1), today),
    "last month": _last_month,
}


# ---------------------------------------------------------------- countries

_KAZAKH = ("+76", "+77")  # the only part of a shared code, beside North America's, that few digits tell apart


def country(start: str) -> str:
    """The ISO 3166 code of numbers that begin so (``+`` and 3 digits; 4 of North America's); empty for no country's.

    Numbers of a code that several share count for the largest of them: those of Jersey for GB.
    """
    if start.startswith(_KAZAKH):
        return "KZ"
    found = place.of(start).regions
    return found[0] if found else ""


def country_name(code: str) -> str:
    """What the country with this code is called; the code itself where nobody says."""
    return _names().get(code, code)


@cache
def _names() -> dict[str, str]:
    lines = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8").splitlines()
    named = dict(line.split("\t")[:2] for line in lines if line and not line.startswith("#"))
    return named | {"XK": "Kosovo", "GB": "United Kingdom", "": "No country (satellite, international)"}

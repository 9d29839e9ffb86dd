"""Calling hours as people read them: ``Monday to Friday 09:00 to 18:00``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliograph.rules.hours import CallingHours

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEK = tuple(range(7))
_AN_HOUR = 60


def clock(minute: int) -> str:
    """``09:05`` for a minute of the day."""
    return f"{minute // _AN_HOUR:02}:{minute % _AN_HOUR:02}"


def told(hours: CallingHours) -> tuple[str, ...]:
    """A line for all days that have the same windows."""
    of_day = {day: tuple(sorted((one.start, one.end) for one in hours.windows if one.day == day)) for day in _WEEK}
    groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for day in _WEEK:
        if of_day[day]:
            groups.setdefault(of_day[day], []).append(day)
    return tuple(f"{_days(days)} {_windows(windows)}" for windows, days in groups.items())


def _days(days: list[int]) -> str:
    if len(days) == len(_WEEK):
        return "Every day"
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):  # noqa: PLR2004  # two are named both
        return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    return ", ".join(DAYS[day] for day in days)


def _windows(windows: tuple[tuple[int, int], ...]) -> str:
    return " and ".join(_window(start, end) for start, end in windows)


def _window(start: int, end: int) -> str:
    if start == end:
        return "around the clock" if start == 0 else f"from {clock(start)} for 24 hours"
    return f"{clock(start)} to {clock(end)}" + (" the next day" if 0 < end < start else "")

"""The hours in which a campaign may text, in the wall time of whoever is texted.

The vendor writes them as ``{frequency, timezone, days: [{day, start, end}]}`` and shows only WEEKLY in
its samples. The reading taken here: the shape is the same for WEEKLY, DAILY and CUSTOM, several windows a
day are allowed, and in DAILY an entry without a day counts for every day.

A window is half-open: at its start texts may leave, at its end they may not. One whose end is not after
its start runs past midnight and belongs to the day it starts on; equal times are the whole 24 hours.

Clocks jump. No local time is ever built here: an instant is read as the wall clock shows it, so an hour
that the clock skips never comes, and an hour that it shows twice counts twice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import zones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

zone = zones.zone  # whether a name is a zone is asked wherever hours are

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_WINDOWS = 168  # one for each hour of the week

_DAY = 24 * 60
_WEEK = 7 * _DAY
_LONGEST_WORD = 64  # longer is no day and no time, and is cut when it is shown
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*(?:([AP])\.?M\.?)?")

# Every window comes round each week, unless the clock skips it: a spring night, or a whole day where a
# country crossed the date line. Five weeks outlast both.
_HORIZON_DAYS = 35


class Frequency(StrEnum):
    """The vendor's words for how the windows repeat."""

    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to ``end`` (minutes of the day, 0-1439) on ``day`` (Monday is 0)."""

    day: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CallingHours:
    """When texts may leave, and the zone for those who have none of their own.

    ``starts`` and ``ends`` are the same windows as joined spans on one line of minutes. The line holds the
    week before, the week (0-10079, Monday first) and the week after, so that whatever crosses Sunday night
    is one span and every minute of the week has an edge behind and before it.
    """

    frequency: Frequency
    zone: str
    windows: tuple[Window, ...]
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    ends: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spans: list[list[int]] = []
        for start, end in sorted(_on_the_line(self.windows)):
            if spans and start <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], end)
            else:
                spans.append([start, end])
        object.__setattr__(self, "starts", tuple(start for start, _ in spans))
        object.__setattr__(self, "ends", tuple(end for _, end in spans))

    def at(self, minute: int) -> tuple[bool, int | None]:
        """Whether ``minute`` of the week is inside a window, and the later minute at which that changes.

        The second is None when it never changes: windows around the clock, or none at all.
        """
        behind = bisect_right(self.starts, minute) - 1
        if behind >= 0 and minute < self.ends[behind]:
            return True, None if len(self.starts) == 1 else self.ends[behind]
        return False, self.starts[behind + 1] if self.starts else None


def parse(raw: object, *, field: str = "dialingStrategy.callingHours") -> CallingHours:
    """The calling hours that the vendor's JSON ``raw`` describes.

    Words are taken in any case; times as ``9:00 AM``, ``09:00AM`` or ``18:00`` (``24:00`` as an end).
    Raises :class:`Invalid` with the path below ``field``, the value found and what is accepted.
    """
    hours = _mapping(raw, field, "an object with frequency, timezone and days")
    frequency = _frequency(hours.get("frequency"), f"{field}.frequency")
    found = zone(hours.get("timezone"))
    if found is None:
        accepted = "a tz-database name such as Asia/Kolkata, America/New_York or UTC"
        raise _invalid(f"{field}.timezone", hours.get("timezone"), accepted)
    windows: dict[Window, None] = {}  # a set that keeps the order
    for number, entry in enumerate(_entries(hours.get("days"), f"{field}.days")):
        windows.update(dict.fromkeys(_windows(entry, frequency, f"{field}.days[{number}]")))
    return CallingHours(frequency, found, tuple(windows))


def is_open(hours: CallingHours, zone_name: str, now: datetime) -> bool:
    """Whether texts may leave at ``now`` to someone in ``zone_name``. An unknown zone is never open."""
    clock = zones.clock(zone_name)
    if clock is None:
        return False
    return hours.at(_minute_of_week(_utc(now).astimezone(clock)))[0]


def next_open(hours: CallingHours, zone_name: str, now: datetime) -> datetime | None:
    """The first instant from ``now`` on (``now`` itself when open) at which texts may leave, in UTC.

    None when there is none: an unknown zone, or no window.
    """
    clock = zones.clock(zone_name)
    return None if clock is None else _first(hours, clock, _utc(now), open_=True)


def closes_at(hours: CallingHours, zone_name: str, now: datetime) -> datetime | None:
    """The first instant after ``now`` at which texts may no longer leave, in UTC.

    When closed at ``now`` it is the end of the next window. None when it never opens, or never closes.
    """
    clock = zones.clock(zone_name)
    opened = None if clock is None else _first(hours, clock, _utc(now), open_=True)
    return None if clock is None or opened is None else _first(hours, clock, opened, open_=False)


# ---------------------------------------------------------------- instants


def _first(hours: CallingHours, clock: ZoneInfo, since: datetime, *, open_: bool) -> datetime | None:
    """The first instant from ``since`` on that is open (or closed)."""
    for begin, until in zones.steady(clock, since, _HORIZON_DAYS):
        local = begin.astimezone(clock)
        minute = _minute_of_week(local)
        state, edge = hours.at(minute)
        if state is open_:
            return begin
        if edge is None:
            return None
        into = timedelta(seconds=local.second, microseconds=local.microsecond)
        change = begin + timedelta(minutes=edge - minute) - into
        if change < until:
            return change
    return None


def _minute_of_week(local: datetime) -> int:
    return local.weekday() * _DAY + local.hour * 60 + local.minute


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError(f"{now!r} has no time zone: an instant is needed")
    return now.astimezone(UTC)


# ---------------------------------------------------------------- reading


def _on_the_line(windows: tuple[Window, ...]) -> Iterator[tuple[int, int]]:
    for window in windows:
        start = window.day * _DAY + window.start
        end = window.day * _DAY + window.end
        if window.end <= window.start:
            end += _DAY
        for week in (-_WEEK, 0, _WEEK):
            yield start + week, end + week


def _frequency(value: object, path: str) -> Frequency:
    word = _word(value)
    if word not in Frequency.__members__:
        raise _invalid(path, value, "WEEKLY, DAILY or CUSTOM")
    return Frequency[word]


def _entries(value: object, path: str) -> list[object]:
    if not isinstance(value, list) or value == []:
        accepted = 'a list of at least one window such as {"day": "MO", "start": "9:00 AM", "end": "6:00 PM"}'
        raise _invalid(path, cast("object", value), accepted)
    entries = cast("list[object]", value)
    if len(entries) > MOST_WINDOWS:
        raise Invalid(f"{path} has {len(entries)} windows; accepted: up to {MOST_WINDOWS}", field=path)
    return entries


def _windows(entry: object, frequency: Frequency, path: str) -> Iterator[Window]:
    fields = _mapping(entry, path, "an object with day, start and end")
    day = fields.get("day")
    if day is None and frequency is Frequency.DAILY:
        days = range(7)
    elif _word(day) in DAYS:
        days = (DAYS.index(_word(day)),)
    else:
        either = ", or none for every day" if frequency is Frequency.DAILY else ""
        raise _invalid(f"{path}.day", day, f"one of {', '.join(DAYS)}{either}")
    start = _time(fields.get("start"))
    end = _time(fields.get("end"), as_end=True)
    if start is None:
        raise _invalid(f"{path}.start", fields.get("start"), "a time such as 9:00 AM or 09:00")
    if end is None:
        raise _invalid(f"{path}.end", fields.get("end"), "a time such as 6:00 PM or 18:00")
    return (Window(each, start, end) for each in days)


def _time(value: object, *, as_end: bool = False) -> int | None:
    """The minute of the day that ``value`` names; 24:00, as an end, is the midnight to come."""
    # JavaScript writes a narrow no-break space before AM; \s knows it.
    found = _TIME.fullmatch(_word(value))
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2]), found[3]
    if half is not None:
        if not 1 <= hour <= 12:  # noqa: PLR2004  # the hours on a clock's face
            return None
        hour = hour % 12 + (12 if half == "P" else 0)
    elif as_end and (hour, minute) == (24, 0):
        return 0
    return hour * 60 + minute if hour * 60 < _DAY and minute < 60 else None  # noqa: PLR2004  # minutes in an hour


def _word(value: object) -> str:
    """``value`` in capitals, or an empty text when it is no short text."""
    return value.strip().upper() if isinstance(value, str) and len(value) <= _LONGEST_WORD else ""


def _mapping(value: object, path: str, accepted: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _invalid(path, value, accepted)
    return cast("Mapping[str, object]", value)


def _invalid(path: str, value: object, accepted: str) -> Invalid:
    return Invalid(f"{path} is {_shown(value)}; accepted: {accepted}", field=path)


def _shown(value: object) -> str:
    """``value`` for a sentence: never long, whatever was sent."""
    text = "an object"
    if value is None:
        text = "missing"
    elif isinstance(value, str):
        text = repr(value if len(value) <= _LONGEST_WORD else value[:_LONGEST_WORD] + "…")
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, int):
        text = str(value) if value.bit_length() <= _LONGEST_WORD else "a very large number"
    elif isinstance(value, float):
        text = str(value)
    elif isinstance(value, list):
        text = "a list" if value else "an empty list"
    return text

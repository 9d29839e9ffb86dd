"""Reading the body of a schedule call: the vendor's Daily and Weekly, and what its screens offer besides.

The vendor's: ``startDateTime``, ``endDateTime`` and ``recurrenceObject`` with ``recurType`` and
``dailyDetails`` {onceEveryNdays} or ``weeklyDetails`` {onceEveryNweeks, whichDays}; its table has the weekly
keys in ``dailyDetails``, so either holder is read. Ours: no ``recurrenceObject`` (once), no ``endDateTime``,
Monthly and Yearly, ``timezone``, ``recurrencePrecedence`` and ``misfire``.

Every reader raises :class:`~heliograph.errors.Invalid` with the field, its value and what it takes.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import schedule as schedules
from heliograph.rules import zones
from heliograph.rules.schedule import LAST, WEEKDAYS, Daily, MonthDay, Monthly, NthWeekday, Schedule, Weekly, Yearly

if TYPE_CHECKING:
    from heliograph.rules.body import Body
    from heliograph.rules.schedule import Recurrence

LATE_MINUTES = 60  # how late a start may be unless the schedule says otherwise
MOST_LATE_MINUTES = 7 * 24 * 60
MOST_EVERY = 1000

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})")
_NUMBER = re.compile(r"[0-9]{1,6}")
_LONGEST_WORD = 16


def parse(body: object, zone: str) -> Schedule:
    """The schedule that ``body`` (any JSON value) asks for; ``zone`` counts when it names none of its own."""
    sent = reading.mapping(body, "")
    reading.storable(body)
    start = _moment(sent.get("startDateTime"), "startDateTime")
    end = None if sent.get("endDateTime") in (None, "") else _moment(sent.get("endDateTime"), "endDateTime")
    if end is not None and end <= start:
        text = f"endDateTime is {end}, which is not later than startDateTime {start}. It takes a time after the start"
        raise Invalid(text, field="endDateTime")
    raw = sent.get("recurrenceObject")
    recurrence = None if raw is None else _recurrence(reading.mapping(raw, "recurrenceObject"))
    return Schedule(
        start=start,
        end=end,
        zone=zone if sent.get("timezone") in (None, "") else _zone(sent.get("timezone")),
        recurrence=recurrence,
        precedence=_precedence(sent.get("recurrencePrecedence"), recurrence, end),
        late=_late(sent.get("misfire")),
    )


def first_start(schedule: Schedule, now: datetime) -> datetime:
    """The first start later than ``now``. Raises :class:`Invalid` when the schedule is over or never has one."""
    over = schedules.ends_at(schedule)
    if over is not None and over <= now:
        text = f"endDateTime is {schedule.end}, which has passed. It takes a time later than now, {_now(schedule, now)}"
        raise Invalid(text, field="endDateTime")
    found = schedules.next_after(schedule, now)
    if found is None and schedule.recurrence is None:
        text = f"startDateTime is {schedule.start}, which has passed. It takes a time later than now, "
        raise Invalid(text + _now(schedule, now), field="startDateTime")
    if found is None:
        text = f"recurrenceObject gives no day between now, {_now(schedule, now)}, and endDateTime {schedule.end}. "
        raise Invalid(text + "It takes a recurrence with at least one start to come", field="recurrenceObject")
    return found


def _now(schedule: Schedule, now: datetime) -> str:
    return schedules.wall(now, schedule.zone)


def _moment(raw: object, field: str) -> datetime:
    """A date and time as a wall clock shows it; days and hours may lack their leading nought."""
    found = _TIME.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found is not None:
        year, month, day, hour, minute, second = (int(part) for part in found.groups())
        try:
            moment = datetime.combine(date(year, month, day), time(hour, minute, second))
        except ValueError:
            moment = None
        if moment is not None and schedules.FIRST_YEAR <= year <= schedules.LAST_YEAR:
            return moment
    accepted = f"a date and time of the years {schedules.FIRST_YEAR} to {schedules.LAST_YEAR} as YYYY-MM-DD HH:mm:ss"
    raise Invalid(f"{field} is {reading.shown(raw)}. It takes {accepted}", field=field)


def _zone(raw: object) -> str:
    found = zones.zone(raw)
    if found is None:
        text = f"timezone is {reading.shown(raw)}. It takes a tz-database name such as Asia/Kolkata or UTC"
        raise Invalid(text, field="timezone")
    return found


def _recurrence(sent: Body) -> Recurrence:
    kind = sent.get("recurType")
    match _word(kind):
        case "daily":
            details = _details(sent, "dailyDetails")
            return Daily(_every(details, "onceEveryNdays", "dailyDetails"))
        case "weekly":
            holder = "weeklyDetails" if sent.get("weeklyDetails") is not None else "dailyDetails"
            details = _details(sent, holder)
            return Weekly(_every(details, "onceEveryNweeks", holder), _weekdays(details.get("whichDays"), holder))
        case "monthly":
            details = _details(sent, "monthlyDetails")
            return Monthly(_every(details, "onceEveryNmonths", "monthlyDetails"), _day(details, "monthlyDetails"))
        case "yearly":
            details = _details(sent, "yearlyDetails")
            every = _every(details, "onceEveryNyears", "yearlyDetails")
            return Yearly(every, _month(details.get("month")), _day(details, "yearlyDetails"))
        case _:
            field = "recurrenceObject.recurType"
            raise Invalid(f"{field} is {reading.shown(kind)}. It takes Daily, Weekly, Monthly or Yearly", field=field)


def _details(sent: Body, holder: str) -> Body:
    return reading.mapping(sent.get(holder), f"recurrenceObject.{holder}")


def _every(details: Body, key: str, holder: str) -> int:
    """How many periods apart; 1 when nothing is said."""
    raw = details.get(key)
    if raw is None or raw == "":
        return 1
    return _number(raw, f"recurrenceObject.{holder}.{key}", 1, MOST_EVERY)


def _weekdays(raw: object, holder: str) -> tuple[int, ...]:
    field = f"recurrenceObject.{holder}.whichDays"
    days = cast("list[object]", raw) if isinstance(raw, list) else []
    if not days:
        text = f"{field} is {'an empty list' if raw == [] else reading.shown(cast('object', raw))}"
        raise Invalid(f"{text}. It takes a list of some of {', '.join(WEEKDAYS)}", field=field)
    return tuple(sorted({_weekday(each, field) for each in days}))


def _weekday(raw: object, field: str) -> int:
    for number, name in enumerate(WEEKDAYS):
        if _word(raw) == name.lower():
            return number
    raise Invalid(f"{field} has {reading.shown(raw)}. It takes {', '.join(WEEKDAYS)}", field=field)


def _day(details: Body, holder: str) -> MonthDay | NthWeekday:
    """``dayOfMonth`` (1 to 31, or last), or ``weekOfMonth`` (1 to 4, or last) with ``dayOfWeek``."""
    path = f"recurrenceObject.{holder}"
    date_, week, weekday = (details.get(key) for key in ("dayOfMonth", "weekOfMonth", "dayOfWeek"))
    if (date_ is None) == (week is None and weekday is None):
        found = "nothing of it" if date_ is None else "both"
        text = f"{path} has {found}. It takes either dayOfMonth (1 to 31, or last), or weekOfMonth (1 to 4, or last) "
        raise Invalid(text + "together with dayOfWeek (Mon to Sun)", field=path)
    if date_ is not None:
        return MonthDay(_number(date_, f"{path}.dayOfMonth", 1, 31, or_last=True))
    nth = _number(week, f"{path}.weekOfMonth", 1, 4, or_last=True)
    return NthWeekday(nth, _weekday(weekday, f"{path}.dayOfWeek"))


def _month(raw: object) -> int:
    """1 to 12, or the first three letters of its English name."""
    for number, name in enumerate(_MONTHS, 1):
        if _word(raw) == name.lower():
            return number
    return _number(raw, "recurrenceObject.yearlyDetails.month", 1, 12, else_="Jan to Dec")


def _precedence(raw: object, recurrence: Recurrence | None, end: datetime | None) -> bool:
    field = "recurrencePrecedence"
    wanted = raw is not None and reading.flag(raw, field)
    if wanted and (recurrence is None or end is None):
        text = "takes true only with a recurrenceObject and an endDateTime: texts then leave between the start's and"
        raise Invalid(f"{field} is true. It {text} the end's times of day, whatever the calling hours", field=field)
    return wanted


def _late(raw: object) -> timedelta:
    """``misfire.sendIfLateBy``: the minutes that a start may be late by and still happen."""
    minutes = None if raw is None else reading.mapping(raw, "misfire").get("sendIfLateBy")
    if minutes is None:
        return timedelta(minutes=LATE_MINUTES)
    return timedelta(minutes=_number(minutes, "misfire.sendIfLateBy", 0, MOST_LATE_MINUTES))


def _number(raw: object, field: str, least: int, most: int, *, or_last: bool = False, else_: str = "") -> int:
    """A whole number, also written as a text, within both ends."""
    if or_last and _word(raw) == "last":
        return LAST
    found = int(raw) if isinstance(raw, str) and _NUMBER.fullmatch(raw) else raw
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool) and least <= found <= most:
        return found
    other = "last" if or_last else else_
    accepted = f"a whole number from {least} to {most}" + (f", or {other}" if other else "")
    raise Invalid(f"{field} is {reading.shown(raw)}. It takes {accepted}", field=field)


def _word(raw: object) -> str:
    """``raw`` in small letters, or nothing when it is no short text."""
    return raw.strip().lower() if isinstance(raw, str) and len(raw) <= _LONGEST_WORD else ""

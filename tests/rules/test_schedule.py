"""When a campaign starts by itself: held against an independent reckoning over ten years, and by hand on odd days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest
from dateutil import rrule, tz
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.rules import schedule as schedules
from heliograph.rules import schedule_body
from heliograph.rules.schedule import LAST, Daily, MonthDay, Monthly, NthWeekday, Schedule, Weekly, Yearly

if TYPE_CHECKING:
    from heliograph.rules.schedule import Recurrence

# North and south, whole and half hours, gaps at two and at midnight, none at all.
ZONES = (
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "UTC",
)
YEARS = 10
FREQUENCIES: dict[type, Any] = {Daily: rrule.DAILY, Weekly: rrule.WEEKLY, Monthly: rrule.MONTHLY, Yearly: rrule.YEARLY}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    """What a wall clock shows: a time without a zone."""
    return datetime.fromisoformat(text)


def scheduled(start: str, recurrence: Recurrence | None, zone: str, end: str | None = None) -> Schedule:
    late = timedelta(hours=1)
    return Schedule(wall(start), None if end is None else wall(end), zone, recurrence, precedence=False, late=late)


def starts(schedule: Schedule, since: datetime, until: datetime) -> list[datetime]:
    """Every start in the time between, one asked for after the other."""
    found: list[datetime] = []
    moment = schedules.next_after(schedule, since)
    while moment is not None and moment < until:
        found.append(moment)
        moment = schedules.next_after(schedule, moment)
    return found


# ---------------------------------------------------------------- the oracle: dateutil's rrule and dateutil's zones
# It knows no jump of a clock after 2037, where the tables of a zone file end and its rule begins: so ten years from
# any day tested must end by then.


def oracle(schedule: Schedule, since: datetime, until: datetime) -> list[datetime]:
    """The same by dateutil: the calendar by RFC 5545, the clock by feeling for the end of a gap, a minute at a time."""
    zone = tz.gettz(schedule.zone)
    assert zone is not None
    last = until.replace(tzinfo=None) + timedelta(days=2)
    found: dict[datetime, None] = {}
    for local in takewhile(lambda each: each < last, _by_rrule(schedule, last)):
        moment = _instant(local, zone)
        if schedule.end is not None and moment >= _instant(schedule.end, zone):
            break
        if since < moment < until:
            found[moment] = None
    return list(found)


def _by_rrule(schedule: Schedule, until: datetime) -> list[datetime]:
    rule = schedule.recurrence
    assert rule is not None
    parts: dict[str, Any] = {}
    if isinstance(rule, Weekly):
        parts["byweekday"] = rule.weekdays
    if isinstance(rule, Yearly):
        parts["bymonth"] = rule.month
    if isinstance(rule, (Monthly, Yearly)):
        if isinstance(rule.day, MonthDay):
            parts["bymonthday"] = rule.day.number
        else:
            parts["byweekday"] = rrule.weekday(rule.day.weekday)(rule.day.nth)
    return list(
        rrule.rrule(FREQUENCIES[type(rule)], schedule.start, interval=rule.every, until=until, wkst=rrule.MO, **parts)
    )


def _instant(local: datetime, zone: Any) -> datetime:
    while not tz.datetime_exists(local, zone):
        local = local.replace(second=0) + timedelta(minutes=1)
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


EVERY = st.integers(1, 14)
DAYS = st.one_of(
    st.builds(MonthDay, st.sampled_from([*range(1, 32), LAST])),
    st.builds(NthWeekday, st.sampled_from([1, 2, 3, 4, LAST]), st.integers(0, 6)),
)
RECURRENCES = st.one_of(
    st.builds(Daily, st.integers(1, 400)),
    st.builds(Weekly, EVERY, st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))),
    st.builds(Monthly, EVERY, DAYS),
    st.builds(Yearly, st.integers(1, 4), st.integers(1, 12), DAYS),
)
# Often in the hours in which clocks jump.
TIMES = st.one_of(st.builds(time, st.integers(0, 3), st.integers(0, 59)), st.times(timezones=st.none()))


@settings(max_examples=60, deadline=None)
@given(
    day=st.dates(date(2023, 1, 1), date(2026, 10, 31)),
    clock=TIMES.map(lambda found: found.replace(microsecond=0)),
    zone=st.sampled_from(ZONES),
    recurrence=RECURRENCES,
    lasts=st.one_of(st.none(), st.integers(1, 4000)),
    later=st.integers(-40, 400),
)
def test_over_ten_years_starts_are_those_of_an_independent_reckoning(
    day: date, clock: time, zone: str, recurrence: Recurrence, lasts: int | None, later: int
) -> None:
    start = datetime.combine(day, clock)
    end = None if lasts is None else start + timedelta(days=lasts)
    schedule = Schedule(start, end, zone, recurrence, precedence=False, late=timedelta(0))
    since = start.replace(tzinfo=UTC) + timedelta(days=later)
    until = since.replace(year=since.year + YEARS, day=1)
    assert starts(schedule, since, until) == oracle(schedule, since, until)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["00:00:00", "00:30:15", "01:59:59", "02:00:00", "02:30:00", "03:00:00"])
def test_daily_starts_around_every_jump_of_the_clock_for_ten_years(zone: str, clock: str) -> None:
    schedule = scheduled(f"2026-01-01 {clock}", Daily(1), zone)
    found = starts(schedule, at("2026-01-01T00:00"), at("2036-01-01T00:00"))
    assert found == oracle(schedule, at("2026-01-01T00:00"), at("2036-01-01T00:00"))
    assert len({moment.astimezone(tz.gettz(zone)).date() for moment in found}) == len(found)


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        # 8 March 2026: New York goes from 2:00 to 3:00, at 7:00 UTC.
        ("America/New_York", "2026-03-07 02:30:00", ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"]),
        # 1 November 2026: it shows 1:30 twice; the first counts.
        ("America/New_York", "2026-10-31 01:30:00", ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"]),
        # 29 March 2026: London goes from 1:00 to 2:00. Nine o'clock stays nine o'clock.
        ("Europe/London", "2026-03-28 09:00:00", ["2026-03-28T09:00", "2026-03-29T08:00", "2026-03-30T08:00"]),
        # 6 September 2026: Santiago skips midnight, so that day begins at 1:00, 4:00 UTC.
        ("America/Santiago", "2026-09-05 00:00:00", ["2026-09-05T04:00", "2026-09-06T04:00", "2026-09-07T03:00"]),
        # 4 October 2026: Lord Howe goes from 2:00 to 2:30.
        ("Australia/Lord_Howe", "2026-10-03 02:15:00", ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"]),
        # Apia had no 30 December 2011: its start falls on the first instant of the 31st.
        ("Pacific/Apia", "2011-12-29 08:00:00", ["2011-12-29T18:00", "2011-12-30T10:00", "2011-12-30T18:00"]),
    ],
)
def test_a_time_of_day_is_kept_when_the_clock_jumps(zone: str, start: str, expected: list[str]) -> None:
    schedule = scheduled(start, Daily(1), zone)
    assert starts(schedule, at("2000-01-01T00:00"), at(expected[-1]) + timedelta(seconds=1)) == [*map(at, expected)]


def first_days(recurrence: Recurrence, start: str, count: int) -> list[str]:
    schedule = scheduled(f"{start} 12:00:00", recurrence, "UTC")
    found: list[str] = []
    moment: datetime | None = at("2000-01-01T00:00")
    while len(found) < count and (moment := schedules.next_after(schedule, moment)) is not None:
        found.append(f"{moment:%Y-%m-%d}")
    return found


def test_days_by_the_calendar() -> None:
    assert first_days(Monthly(1, MonthDay(31)), "2026-01-15", 4) == [
        "2026-01-31",
        "2026-03-31",  # short months have no 31st
        "2026-05-31",
        "2026-07-31",
    ]
    assert first_days(Monthly(1, MonthDay(LAST)), "2028-01-31", 3) == ["2028-01-31", "2028-02-29", "2028-03-31"]
    assert first_days(Monthly(2, NthWeekday(4, 4)), "2026-01-24", 2) == ["2026-03-27", "2026-05-22"]
    assert first_days(Monthly(1, NthWeekday(LAST, 0)), "2026-01-01", 2) == ["2026-01-26", "2026-02-23"]
    assert first_days(Yearly(1, 2, MonthDay(29)), "2026-01-01", 2) == ["2028-02-29", "2032-02-29"]
    assert first_days(Yearly(1, 11, NthWeekday(4, 3)), "2026-01-01", 2) == ["2026-11-26", "2027-11-25"]
    # The week of the start is the first, from Monday to Sunday; the start itself counts only if its day is asked for.
    assert first_days(Weekly(2, (0, 6)), "2026-01-07", 3) == ["2026-01-11", "2026-01-19", "2026-01-25"]
    assert first_days(Daily(2), "2026-01-01", 3) == ["2026-01-01", "2026-01-03", "2026-01-05"]


def test_a_day_that_never_comes_is_found_out() -> None:
    schedule = scheduled("2027-02-01 12:00:00", Yearly(2, 2, MonthDay(29)), "UTC")  # odd years have no 29 February
    assert schedules.next_after(schedule, at("2026-01-01T00:00")) is None
    assert schedules.next_after(scheduled("2027-02-01 12:00:00", None, "Mars/Olympus"), at("2026-01-01T00:00")) is None


def test_no_start_is_at_the_end_or_after_it() -> None:
    schedule = scheduled("2026-01-01 18:29:00", Daily(2), "Asia/Kolkata", end="2026-01-05 18:29:00")
    assert starts(schedule, at("2025-01-01T00:00"), at("2027-01-01T00:00")) == [
        at("2026-01-01T12:59"),
        at("2026-01-03T12:59"),
    ]
    assert schedules.ends_at(schedule) == at("2026-01-05T12:59")


def test_once_is_once() -> None:
    schedule = scheduled("2026-01-01 09:00:00", None, "Asia/Kolkata")
    assert starts(schedule, at("2020-01-01T00:00"), at("2036-01-01T00:00")) == [at("2026-01-01T03:30")]


def test_after_a_long_silence_only_the_latest_start_counts() -> None:
    schedule = scheduled("2026-01-01 09:00:00", Daily(1), "UTC")
    since = at("2026-01-01T09:00")
    assert schedules.due(schedule, since, since) == schedules.Due(since, 0, False, at("2026-01-02T09:00"))
    assert schedules.due(schedule, since, at("2026-01-04T10:00")) == schedules.Due(
        at("2026-01-04T09:00"), 3, False, at("2026-01-05T09:00")
    )
    assert schedules.due(schedule, since, at("2026-01-04T10:00:01")).too_late
    once = scheduled("2026-01-01 09:00:00", None, "UTC")
    assert schedules.due(once, since, at("2026-01-01T10:01")) == schedules.Due(since, 0, True, None)


def test_a_recurrence_may_put_its_own_hours_in_place_of_the_campaigns() -> None:
    body = {
        "startDateTime": "2026-01-01 18:30:00",
        "endDateTime": "2026-01-31 20:15:00",
        "recurrenceObject": {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 1}},
    }
    assert schedules.window(schedule_body.parse(body, "Asia/Kolkata")) is None
    assert schedules.window(schedule_body.parse(body | {"recurrencePrecedence": True}, "Asia/Kolkata")) == {
        "frequency": "DAILY",
        "timezone": "Asia/Kolkata",
        "days": [{"start": "18:30", "end": "20:15"}],
    }

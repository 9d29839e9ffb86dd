"""Calling hours: who may be texted when, on any night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.rules import hours
from heliograph.rules.hours import CallingHours, Frequency, Window

ENTRY: dict[str, Any] = {"start": "9:00 AM", "end": "6:00 PM"}
NINE_TO_SIX: dict[str, Any] = {"frequency": "DAILY", "timezone": "Asia/Kolkata", "days": [ENTRY]}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekly(*days: dict[str, str], zone: str = "UTC") -> CallingHours:
    return hours.parse({"frequency": "WEEKLY", "timezone": zone, "days": list(days)})


def test_an_unknown_zone_never_opens() -> None:
    read = hours.parse(NINE_TO_SIX)
    now = at("2026-11-23T06:00")
    assert not hours.is_open(read, "Mars/Olympus", now)
    assert hours.next_open(read, "Mars/Olympus", now) is None
    assert hours.closes_at(read, "Mars/Olympus", now) is None


def test_an_instant_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        hours.is_open(hours.parse(NINE_TO_SIX), "UTC", datetime(2026, 11, 23, 6))  # noqa: DTZ001  # the mistake shown


# ---------------------------------------------------------------- who may be texted when

INDIA, AMERICA, AUSTRALIA = "Asia/Kolkata", "America/New_York", "Australia/Sydney"

# 9-18 every day. UTC, who is open at that instant, and when the next texts may leave to each of the three.
TABLE = [
    # New York on winter time (-5), Sydney on summer time (+11), India always +5:30.
    ("2026-11-24T03:29:59.999999", {AUSTRALIA}, ("2026-11-24T03:30", "2026-11-24T14:00", None)),
    ("2026-11-24T03:30:00", {INDIA, AUSTRALIA}, (None, "2026-11-24T14:00", None)),
    ("2026-11-24T06:59:59", {INDIA, AUSTRALIA}, (None, "2026-11-24T14:00", None)),
    ("2026-11-24T07:00:00", {INDIA}, (None, "2026-11-24T14:00", "2026-11-24T22:00")),
    ("2026-11-24T12:29:59", {INDIA}, (None, "2026-11-24T14:00", "2026-11-24T22:00")),
    ("2026-11-24T12:30:00", set[str](), ("2026-11-25T03:30", "2026-11-24T14:00", "2026-11-24T22:00")),
    ("2026-11-24T14:00:00", {AMERICA}, ("2026-11-25T03:30", None, "2026-11-24T22:00")),
    ("2026-11-24T22:00:00", {AMERICA, AUSTRALIA}, ("2026-11-25T03:30", None, None)),
    ("2026-11-24T23:00:00", {AUSTRALIA}, ("2026-11-25T03:30", "2026-11-25T14:00", None)),
    # The night New York springs forward (8 March, 07:00 UTC): its morning comes an hour sooner in UTC.
    ("2026-03-07T13:59:59", set[str](), ("2026-03-08T03:30", "2026-03-07T14:00", "2026-03-07T22:00")),
    ("2026-03-08T06:59:59", {INDIA, AUSTRALIA}, (None, "2026-03-08T13:00", None)),
    ("2026-03-08T13:00:00", {AMERICA}, ("2026-03-09T03:30", None, "2026-03-08T22:00")),
    ("2026-03-08T22:00:00", {AUSTRALIA}, ("2026-03-09T03:30", "2026-03-09T13:00", None)),
    # The night Sydney falls back (5 April, 3:00 becomes 2:00 at 16:00 UTC on the 4th).
    ("2026-04-03T22:00:00", {AUSTRALIA}, ("2026-04-04T03:30", "2026-04-04T13:00", None)),
    ("2026-04-04T15:59:59", {AMERICA}, ("2026-04-05T03:30", None, "2026-04-04T23:00")),
    ("2026-04-04T22:00:00", set[str](), ("2026-04-05T03:30", "2026-04-05T13:00", "2026-04-04T23:00")),
    ("2026-04-04T23:00:00", {AUSTRALIA}, ("2026-04-05T03:30", "2026-04-05T13:00", None)),
    # The night Sydney springs forward (4 October, at 16:00 UTC on the 3rd).
    ("2026-10-02T23:00:00", {AUSTRALIA}, ("2026-10-03T03:30", "2026-10-03T13:00", None)),
    ("2026-10-03T21:59:59", {AMERICA}, ("2026-10-04T03:30", None, "2026-10-03T22:00")),
    ("2026-10-03T22:00:00", {AUSTRALIA}, ("2026-10-04T03:30", "2026-10-04T13:00", None)),
    # The night New York falls back (1 November, 06:00 UTC).
    ("2026-10-31T13:00:00", {AMERICA}, ("2026-11-01T03:30", None, "2026-10-31T22:00")),
    ("2026-11-01T13:00:00", set[str](), ("2026-11-02T03:30", "2026-11-01T14:00", "2026-11-01T22:00")),
    ("2026-11-01T14:00:00", {AMERICA}, ("2026-11-02T03:30", None, "2026-11-01T22:00")),
]


@pytest.mark.parametrize(("now", "who", "opens"), TABLE)
def test_each_in_their_own_working_day(now: str, who: set[str], opens: tuple[str | None, ...]) -> None:
    read = hours.parse(NINE_TO_SIX)
    for zone, opening in zip((INDIA, AMERICA, AUSTRALIA), opens, strict=True):
        assert hours.is_open(read, zone, at(now)) is (zone in who)
        assert hours.next_open(read, zone, at(now)) == at(opening or now)


def test_old_and_new_names_of_a_zone_are_one_clock() -> None:
    read = hours.parse(NINE_TO_SIX)
    assert hours.is_open(read, "Asia/Calcutta", at("2026-11-24T03:30"))
    assert not hours.is_open(read, "Asia/Calcutta", at("2026-11-24T12:30"))


# ---------------------------------------------------------------- the shapes of windows


def test_a_window_past_midnight_belongs_to_the_day_it_starts_on() -> None:
    friday = weekly({"day": "FR", "start": "9:00 PM", "end": "2:00 AM"})
    assert not hours.is_open(friday, "UTC", at("2026-11-27T01:59"))  # Friday morning
    assert hours.is_open(friday, "UTC", at("2026-11-27T21:00"))
    assert hours.is_open(friday, "UTC", at("2026-11-28T01:59:59"))  # Saturday morning
    assert not hours.is_open(friday, "UTC", at("2026-11-28T02:00"))
    assert hours.closes_at(friday, "UTC", at("2026-11-27T21:00")) == at("2026-11-28T02:00")


def test_sunday_night_runs_into_monday() -> None:
    sunday = weekly({"day": "SU", "start": "22:00", "end": "03:00"})
    assert hours.is_open(sunday, "UTC", at("2026-11-30T00:00"))  # Monday
    assert hours.closes_at(sunday, "UTC", at("2026-11-29T23:00")) == at("2026-11-30T03:00")
    assert hours.next_open(sunday, "UTC", at("2026-11-30T03:00")) == at("2026-12-06T22:00")


def test_equal_times_are_the_whole_day() -> None:
    monday = weekly({"day": "MO", "start": "6:00 AM", "end": "6:00 AM"})
    assert hours.next_open(monday, "UTC", at("2026-11-23T05:00")) == at("2026-11-23T06:00")
    assert hours.closes_at(monday, "UTC", at("2026-11-23T05:00")) == at("2026-11-24T06:00")


def test_around_the_clock_never_closes() -> None:
    always = hours.parse(NINE_TO_SIX | {"days": [{"start": "9:00 AM", "end": "9:00 AM"}]})
    assert hours.next_open(always, "Europe/London", at("2026-03-29T01:00")) == at("2026-03-29T01:00")
    assert hours.closes_at(always, "Europe/London", at("2026-03-29T01:00")) is None


def test_windows_that_touch_or_overlap_are_one() -> None:
    read = weekly(
        {"day": "MO", "start": "9:00", "end": "12:00"},
        {"day": "MO", "start": "12:00", "end": "15:00"},
        {"day": "MO", "start": "14:00", "end": "16:00"},
        {"day": "MO", "start": "18:00", "end": "19:00"},
    )
    assert hours.closes_at(read, "UTC", at("2026-11-23T09:30")) == at("2026-11-23T16:00")
    assert hours.next_open(read, "UTC", at("2026-11-23T16:00")) == at("2026-11-23T18:00")


def test_no_window_never_opens() -> None:
    never = CallingHours(Frequency.WEEKLY, "UTC", ())
    assert hours.next_open(never, "UTC", at("2026-11-23T00:00")) is None
    assert hours.closes_at(never, "UTC", at("2026-11-23T00:00")) is None


# ---------------------------------------------------------------- nights on which the clock jumps


@pytest.mark.parametrize(
    ("window", "opens", "closes"),
    [  # New York, 8 March 2026: 1:59 is followed by 3:00, at 07:00 UTC
        (("2:30", "4:00"), "2026-03-08T07:00", "2026-03-08T08:00"),  # begins in the gap
        (("1:30", "2:30"), "2026-03-08T06:30", "2026-03-08T07:00"),  # ends in the gap
        (("2:15", "2:45"), "2026-03-09T06:15", "2026-03-09T06:45"),  # lies in the gap: comes the next day
        (("2:00", "3:00"), "2026-03-09T06:00", "2026-03-09T07:00"),  # is the gap
        (("1:00", "3:30"), "2026-03-08T06:00", "2026-03-08T07:30"),  # around the gap: an hour shorter
    ],
)
def test_an_hour_that_the_clock_skips_never_comes(window: tuple[str, str], opens: str, closes: str) -> None:
    read = hours.parse(NINE_TO_SIX | {"days": [{"start": window[0], "end": window[1]}]})
    assert hours.next_open(read, AMERICA, at("2026-03-08T05:30")) == at(opens)
    assert hours.closes_at(read, AMERICA, at("2026-03-08T05:30")) == at(closes)


def test_an_hour_that_the_clock_shows_twice_counts_twice() -> None:
    read = hours.parse(NINE_TO_SIX | {"days": [{"start": "1:15", "end": "1:45"}]})
    # New York, 1 November 2026: 1:59 is followed by 1:00, at 06:00 UTC
    assert hours.next_open(read, AMERICA, at("2026-11-01T04:00")) == at("2026-11-01T05:15")
    assert hours.closes_at(read, AMERICA, at("2026-11-01T05:15")) == at("2026-11-01T05:45")
    assert hours.next_open(read, AMERICA, at("2026-11-01T05:45")) == at("2026-11-01T06:15")
    assert hours.closes_at(read, AMERICA, at("2026-11-01T06:15")) == at("2026-11-01T06:45")
    assert hours.next_open(read, AMERICA, at("2026-11-01T06:45")) == at("2026-11-02T06:15")


def test_a_clock_set_back_may_open_or_close_by_itself() -> None:
    until_two = hours.parse(NINE_TO_SIX | {"days": [{"start": "23:00", "end": "1:30"}]})
    # open until 1:30 (05:30 UTC); set back to 1:00 at 06:00 UTC it is open again
    assert hours.next_open(until_two, AMERICA, at("2026-11-01T05:30")) == at("2026-11-01T06:00")
    from_half_past = hours.parse(NINE_TO_SIX | {"days": [{"start": "1:30", "end": "4:00"}]})
    assert hours.closes_at(from_half_past, AMERICA, at("2026-11-01T05:30")) == at("2026-11-01T06:00")


def test_a_day_that_a_country_skipped_is_waited_over() -> None:
    friday = weekly({"day": "FR", "start": "9:00", "end": "18:00"})
    # Apia had no 30 December 2011: Thursday was followed by Saturday
    assert hours.next_open(friday, "Pacific/Apia", at("2011-12-30T05:00")) == at("2012-01-05T19:00")


# Zone, the instant its clock jumps, and its offset in minutes before and after: facts, not computed here.
JUMPS = [
    ("America/New_York", "2026-03-08T07:00", -300, -240),
    ("America/New_York", "2026-11-01T06:00", -240, -300),
    ("Europe/London", "2026-03-29T01:00", 0, 60),
    ("Europe/London", "2026-10-25T01:00", 60, 0),
    ("Australia/Sydney", "2026-04-04T16:00", 660, 600),
    ("Australia/Sydney", "2026-10-03T16:00", 600, 660),
    ("Australia/Lord_Howe", "2026-04-04T15:00", 660, 630),
    ("Australia/Lord_Howe", "2026-10-03T15:30", 630, 660),
    ("America/Santiago", "2026-04-05T03:00", -180, -240),
    ("America/Santiago", "2026-09-06T04:00", -240, -180),
    ("Pacific/Chatham", "2026-04-04T14:00", 825, 765),
    ("Pacific/Chatham", "2026-09-26T14:00", 765, 825),
    ("America/St_Johns", "2026-03-08T05:30", -210, -150),
    ("America/St_Johns", "2026-11-01T04:30", -150, -210),
    ("Africa/Casablanca", "2026-02-15T02:00", 60, 0),
    ("Africa/Casablanca", "2026-03-22T02:00", 0, 60),
    ("Asia/Kolkata", "2026-03-29T01:00", 330, 330),
]
WINDOWS = [
    [("9:00", "18:00")],
    [("21:00", "2:00")],
    [("2:15", "2:45")],
    [("1:30", "2:30"), ("23:10", "0:20")],
    [("0:00", "1:00"), ("2:30", "3:30"), ("23:30", "23:50")],
    [("3:00", "2:00")],
]


def shown(minute: int, jump: int, before: int, after: int) -> datetime:
    """What the wall clock shows at this minute of UTC."""
    return datetime(1970, 1, 1) + timedelta(minutes=minute + (after if minute >= jump else before))  # noqa: DTZ001  # a wall clock's


def covers(windows: list[Window], wall: datetime) -> bool:
    """Whether a window that starts on the wall's day, or on the day before, holds this minute."""
    for back in (0, 1):
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
        for window in windows:
            if window.day == midnight.weekday():
                start = midnight + timedelta(minutes=window.start)
                end = midnight + timedelta(minutes=window.end, days=int(window.end <= window.start))
                if start <= wall < end:
                    return True
    return False


@pytest.mark.parametrize(("zone", "jump", "before", "after"), JUMPS)
def test_walking_minute_by_minute_over_the_jump_agrees(zone: str, jump: str, before: int, after: int) -> None:
    middle = int(at(jump).timestamp()) // 60
    first, last = middle - 30 * 60, middle + 54 * 60
    walls = [shown(minute, middle, before, after) for minute in range(first, last)]
    for windows in WINDOWS:
        read = hours.parse(NINE_TO_SIX | {"days": [{"start": start, "end": end} for start, end in windows]})
        opened = [covers(list(read.windows), wall) for wall in walls]
        upcoming = closing = None
        for minute in reversed(range(first, last)):
            state = opened[minute - first]
            if state:
                upcoming = minute
            if minute + 1 < last and state and not opened[minute + 1 - first]:
                closing = minute + 1
            now = datetime.fromtimestamp(minute * 60, UTC)
            assert hours.is_open(read, zone, now) is state, (now, windows)
            if minute >= last - 30 * 60 or minute % 7:
                continue  # the walk may not have seen the next window; a seventh of the minutes is plenty
            assert upcoming is not None
            assert closing is not None
            assert hours.next_open(read, zone, now) == datetime.fromtimestamp(upcoming * 60, UTC), (now, windows)
            assert hours.closes_at(read, zone, now) == datetime.fromtimestamp(closing * 60, UTC), (now, windows)


MINUTES = st.integers(0, 1439)
WEEKS = st.lists(st.builds(Window, st.integers(0, 6), MINUTES, MINUTES), min_size=1, max_size=4)
AROUND = st.sampled_from(JUMPS)
SECONDS = st.integers(-3 * 86400, 3 * 86400)


@settings(max_examples=60, deadline=None)
@given(WEEKS, AROUND, SECONDS)
def test_any_week_in_any_zone_agrees_with_a_walk(
    windows: list[Window], around: tuple[str, str, int, int], seconds: int
) -> None:
    zone, jump, before, after = around
    now = at(jump) + timedelta(seconds=seconds)
    read = CallingHours(Frequency.CUSTOM, zone, tuple(windows))
    middle = int(at(jump).timestamp()) // 60

    def walk(begin: datetime, *, until: bool) -> datetime | None:
        minute = int(begin.timestamp()) // 60
        for step in range(9 * 1440):
            if covers(windows, shown(minute + step, middle, before, after)) is until:
                return max(begin, datetime.fromtimestamp((minute + step) * 60, UTC))
        return None

    opens = walk(now, until=True)
    assert hours.next_open(read, zone, now) == opens
    assert hours.is_open(read, zone, now) is (opens == now)
    if opens is not None:
        assert hours.closes_at(read, zone, now) == walk(opens, until=False)

"""Reading the body of a schedule call: the vendor's as printed, ours, and what is refused by which words."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules import schedule_body
from heliograph.rules.schedule import LAST, Daily, MonthDay, Monthly, NthWeekday, Weekly, Yearly

ZONE = "Asia/Kolkata"
BODY: dict[str, Any] = {
    "startDateTime": "2026-01-01 18:29:00",
    "endDateTime": "2026-01-31 18:29:00",
    "recurrenceObject": {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 2}},
}
WEEKLY = {"onceEveryNweeks": 1, "whichDays": ["Mon", "Wed"]}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def recurring(kind: str, **details: object) -> dict[str, Any]:
    return BODY | {"recurrenceObject": {"recurType": kind} | details}


def test_the_vendors_daily_body() -> None:
    read = schedule_body.parse(BODY, ZONE)
    assert (read.start, read.end, read.zone) == (wall("2026-01-01 18:29:00"), wall("2026-01-31 18:29:00"), ZONE)
    assert (read.recurrence, read.precedence, read.late) == (Daily(2), False, timedelta(hours=1))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (recurring("Weekly", weeklyDetails=WEEKLY), Weekly(1, (0, 2))),
        (recurring("Weekly", dailyDetails=WEEKLY), Weekly(1, (0, 2))),  # as the vendor's table has it
        (recurring("weekly", weeklyDetails={"whichDays": ["sun", "MON", "Mon"]}), Weekly(1, (0, 6))),
        (recurring("Daily", dailyDetails={"onceEveryNdays": "3"}), Daily(3)),
        (recurring("Daily", dailyDetails={"onceEveryNdays": 3.0}), Daily(3)),
        (recurring("Monthly", monthlyDetails={"dayOfMonth": 31}), Monthly(1, MonthDay(31))),
        (
            recurring("Monthly", monthlyDetails={"onceEveryNmonths": 2, "dayOfMonth": "last"}),
            Monthly(2, MonthDay(LAST)),
        ),
        (recurring("Monthly", monthlyDetails={"weekOfMonth": 2, "dayOfWeek": "Tue"}), Monthly(1, NthWeekday(2, 1))),
        (
            recurring("Yearly", yearlyDetails={"month": 2, "weekOfMonth": "last", "dayOfWeek": "Fri"}),
            Yearly(1, 2, NthWeekday(LAST, 4)),
        ),
        (
            recurring("Yearly", yearlyDetails={"onceEveryNyears": 4, "month": "Feb", "dayOfMonth": 29}),
            Yearly(4, 2, MonthDay(29)),
        ),
        (BODY | {"recurrenceObject": None}, None),
    ],
)
def test_recurrences(body: dict[str, Any], expected: object) -> None:
    assert schedule_body.parse(body, ZONE).recurrence == expected


def test_a_day_without_its_nought_is_read() -> None:
    read = schedule_body.parse(BODY | {"startDateTime": "2026-01-1 9:05:00"}, ZONE)
    assert read.start == wall("2026-01-01 09:05:00")


def test_what_is_ours() -> None:
    body = BODY | {"timezone": "europe/london", "recurrencePrecedence": True, "misfire": {"sendIfLateBy": 5}}
    read = schedule_body.parse(body, ZONE)
    assert (read.zone, read.precedence, read.late) == ("Europe/London", True, timedelta(minutes=5))
    for absent in ({"endDateTime": None}, {"endDateTime": ""}):
        assert schedule_body.parse(BODY | absent, ZONE).end is None


R = "recurrenceObject."


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        ([], None, "The body is a list"),
        ({}, "startDateTime", "missing or null"),
        (BODY | {"startDateTime": "01/02/2026 9:00"}, "startDateTime", "YYYY-MM-DD HH:mm:ss"),
        (BODY | {"startDateTime": "2026-02-30 09:00:00"}, "startDateTime", "'2026-02-30 09:00:00'"),
        (BODY | {"startDateTime": "0026-02-03 09:00:00"}, "startDateTime", "years 2000 to 2999"),
        (BODY | {"startDateTime": 20260101}, "startDateTime", "20260101"),
        (BODY | {"endDateTime": "2026-01-01 18:29:00"}, "endDateTime", "not later than startDateTime"),
        (BODY | {"endDateTime": "soon"}, "endDateTime", "'soon'"),
        (BODY | {"recurrenceObject": "Daily"}, "recurrenceObject", "'Daily'"),
        (BODY | {"recurrenceObject": {}}, R + "recurType", "missing or null"),
        (recurring("Hourly"), R + "recurType", "Daily, Weekly, Monthly or Yearly"),
        (recurring("Daily"), R + "dailyDetails", "missing or null"),
        (recurring("Daily", dailyDetails={"onceEveryNdays": 0}), R + "dailyDetails.onceEveryNdays", "1 to"),
        (recurring("Daily", dailyDetails={"onceEveryNdays": True}), R + "dailyDetails.onceEveryNdays", "true"),
        (recurring("Weekly", weeklyDetails={}), R + "weeklyDetails.whichDays", "Mon, Tue"),
        (recurring("Weekly", weeklyDetails={"whichDays": []}), R + "weeklyDetails.whichDays", "empty list"),
        (recurring("Weekly", weeklyDetails={"whichDays": ["MO"]}), R + "weeklyDetails.whichDays", "'MO'"),
        (recurring("Monthly", monthlyDetails={}), R + "monthlyDetails", "either dayOfMonth"),
        (recurring("Monthly", monthlyDetails={"dayOfMonth": 1, "weekOfMonth": 1}), R + "monthlyDetails", "both"),
        (recurring("Monthly", monthlyDetails={"dayOfMonth": 32}), R + "monthlyDetails.dayOfMonth", "or last"),
        (recurring("Monthly", monthlyDetails={"weekOfMonth": 5, "dayOfWeek": "Mon"}),
         R + "monthlyDetails.weekOfMonth", "1 to 4, or last"),
        (recurring("Monthly", monthlyDetails={"weekOfMonth": 1}), R + "monthlyDetails.dayOfWeek", "Mon"),
        (recurring("Yearly", yearlyDetails={"month": 13, "dayOfMonth": 1}), R + "yearlyDetails.month", "Jan"),
        (BODY | {"timezone": "Mars"}, "timezone", "tz-database name"),
        (BODY | {"recurrencePrecedence": "yes"}, "recurrencePrecedence", "true or false"),
        (BODY | {"recurrencePrecedence": True, "endDateTime": None}, "recurrencePrecedence", "only with"),
        (BODY | {"recurrencePrecedence": True, "recurrenceObject": None}, "recurrencePrecedence", "only with"),
        (BODY | {"misfire": {"sendIfLateBy": -1}}, "misfire.sendIfLateBy", "0 to 10080"),
        (BODY | {"misfire": 60}, "misfire", "JSON object"),
        (BODY | {"note": "\0"}, None, "NUL"),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(body: object, field: str | None, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        schedule_body.parse(body, ZONE)
    assert text in caught.value.message
    assert field is None or caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"startDateTime": "2025-01-01 09:00:00", "endDateTime": "2026-01-01 05:30:00"}, "endDateTime", "has passed"),
        (
            {"startDateTime": "2026-01-01 05:30:00", "endDateTime": None, "recurrenceObject": None},
            "startDateTime",
            "later than now, 2026-01-01 05:30:00 (Asia/Kolkata)",
        ),
        (
            {"recurrenceObject": {"recurType": "Monthly", "monthlyDetails": {"dayOfMonth": 31}},
             "endDateTime": "2026-01-31 18:00:00"},
            "recurrenceObject",
            "gives no day between",
        ),
    ],
)  # fmt: skip
def test_a_schedule_needs_a_start_to_come(changes: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        schedule_body.first_start(schedule_body.parse(BODY | changes, ZONE), NOW)
    assert caught.value.field == field
    assert text in caught.value.message


def test_a_recurrence_may_have_begun_before_now() -> None:
    read = schedule_body.parse(BODY | {"startDateTime": "2025-12-30 18:29:00"}, ZONE)
    assert schedule_body.first_start(read, NOW) == datetime(2026, 1, 1, 12, 59, tzinfo=UTC)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
DETAILS = ("dailyDetails", "weeklyDetails", "monthlyDetails", "yearlyDetails")
KEYS = ("onceEveryNdays", "onceEveryNweeks", "whichDays", "dayOfMonth", "weekOfMonth", "dayOfWeek", "month")


@settings(max_examples=60)
@given(
    kind=st.sampled_from(["Daily", "Weekly", "Monthly", "Yearly"]),
    details=st.dictionaries(st.sampled_from(KEYS), JSON),
    others=st.dictionaries(st.sampled_from(["endDateTime", "misfire", "timezone", "recurrencePrecedence"]), JSON),
)
def test_anything_is_read_or_refused(kind: str, details: dict[str, Any], others: dict[str, Any]) -> None:
    body = recurring(kind, **dict.fromkeys(DETAILS, details)) | others
    with suppress(Invalid):
        assert schedule_body.first_start(schedule_body.parse(body, ZONE), NOW) > NOW

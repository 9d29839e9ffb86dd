"""Days that a mailed report is about, when it is due, and the country of a number."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from heliograph.errors import Invalid
from heliograph.rules import report
from heliograph.rules.report import Times

TODAY = date(2026, 3, 4)  # a Wednesday


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("today", "2026-03-04", "2026-03-04"),
        ("yesterday", "2026-03-03", "2026-03-03"),
        ("last 7 days", "2026-02-25", "2026-03-03"),
        ("last week", "2026-02-23", "2026-03-01"),
        ("last 30 days", "2026-02-02", "2026-03-03"),
        ("this month", "2026-03-01", "2026-03-04"),
        ("last month", "2026-02-01", "2026-02-28"),
    ],
)
def test_days_are_seen_from_the_day_of_the_letter(span: str, first: str, last: str) -> None:
    assert report.days(span, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


def test_every_span_has_days_and_another_is_told() -> None:
    for span in report.SPANS:
        first, last = report.days(span, TODAY)
        assert first <= last <= TODAY
    with pytest.raises(Invalid, match=r"'ever'.*yesterday"):
        report.days("ever", TODAY)


@pytest.mark.parametrize(
    ("times", "after", "due"),
    [
        # Europe/London goes an hour forward on 29 March 2026 at 01:00: eight o'clock stays eight o'clock.
        (Times("day", 0, 1, time(8), "Europe/London"), "2026-03-28T08:00", "2026-03-29T07:00"),
        (Times("day", 0, 1, time(1, 30), "Europe/London"), "2026-03-28T02:00", "2026-03-29T01:00"),
        (Times("day", 0, 1, time(8), "Europe/London"), "2026-03-28T07:59", "2026-03-28T08:00"),
        (Times("week", 0, 1, time(8), "UTC"), "2026-03-02T08:00", "2026-03-09T08:00"),
        (Times("month", 0, 28, time(8), "UTC"), "2026-02-27T08:00", "2026-02-28T08:00"),
        (Times("month", 0, report.LAST_DAY, time(23), "Asia/Tokyo"), "2026-02-28T14:00", "2026-03-31T14:00"),
    ],
)
def test_it_is_due_by_the_clocks_of_its_zone(times: Times, after: str, due: str) -> None:
    found = report.next_time(times, datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_numbers_have_countries_and_countries_have_names() -> None:
    starts = {"+1212": "US", "+1416": "CA", "+1876": "JM", "+447": "GB", "+770": "KZ", "+791": "RU", "+383": "XK"}
    assert {start: report.country(start) for start in starts} == starts
    assert report.country("+881") == ""
    assert report.country_name("XK") == "Kosovo"
    assert report.country_name("JM") == "Jamaica"

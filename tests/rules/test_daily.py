"""A sender's day: whose midnight counts, and what fits into what is left of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.rules import daily

ZONES = ("UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland", "America/Havana", "Africa/Cairo")


def test_a_day_is_that_of_the_sender_not_ours() -> None:
    now = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    assert daily.day_of(now, "America/Los_Angeles") == date(2026, 3, 1)
    assert daily.next_day(now, "America/Los_Angeles") == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert daily.day_of(now, "Asia/Kolkata") == date(2026, 3, 2)
    assert daily.next_day(now, "Asia/Kolkata") == datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def test_where_midnight_is_skipped_the_day_begins_after_the_gap() -> None:
    # Cuba's clocks go from 00:00 to 01:00.
    now = datetime(2026, 3, 8, 4, 0, tzinfo=UTC)
    begins = daily.next_day(now, "America/Havana")
    assert begins == datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert begins.astimezone(ZoneInfo("America/Havana")).hour == 1


@given(st.integers(0, 5 * 365 * 86_400), st.sampled_from(ZONES))
def test_the_next_day_is_the_first_instant_of_another_date(seconds: int, zone: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    begins = daily.next_day(now, zone)
    assert now < begins <= now + timedelta(hours=25)
    assert daily.day_of(begins, zone) == daily.day_of(now, zone) + timedelta(days=1)
    assert daily.day_of(begins - timedelta(seconds=1), zone) == daily.day_of(now, zone)


@pytest.mark.parametrize(
    ("limit", "used", "parts", "room"),
    [
        (None, 10**6, 3, None),
        (10, 0, 1, 10),
        (10, 7, 3, 3),
        (10, 8, 3, 0),  # texts go in their order, so 2 stay unused
        (10, 10, 1, 0),
        (10, 12, 1, 0),  # the limit was lowered
        (2, 0, 3, 3),  # it would never leave otherwise
        (2, 1, 3, 0),
    ],
)
def test_what_fits_into_the_rest_of_a_day(limit: int | None, used: int, parts: int, room: int | None) -> None:
    assert daily.room(limit, used, parts) == room

"""When clocks jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from heliograph.rules import zones


@pytest.mark.parametrize(
    ("name", "jump"),
    [
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("Asia/Pyongyang", datetime(2015, 8, 14, 15, tzinfo=UTC)),
    ],
)
def test_a_jump_ends_one_stretch_and_begins_the_next(name: str, jump: datetime) -> None:
    clock = zones.clock(name)
    assert clock is not None
    since = jump - timedelta(hours=40, seconds=7)
    stretches = list(zones.steady(clock, since, 5))
    assert stretches[0][0] == since
    assert all(end == begin for (_, end), (begin, _) in pairwise(stretches))
    assert jump in [begin for begin, _ in stretches]
    for begin, until in stretches:
        last = until - timedelta(microseconds=1)
        assert begin.astimezone(clock).utcoffset() == last.astimezone(clock).utcoffset()


def test_a_zone_that_never_jumps_breaks_only_at_midnight() -> None:
    clock = zones.clock("Asia/Kolkata")
    assert clock is not None
    stretches = list(zones.steady(clock, datetime(2026, 11, 23, 5, tzinfo=UTC), 2))
    assert [until for _, until in stretches] == [datetime(2026, 11, day, tzinfo=UTC) for day in (24, 25)]

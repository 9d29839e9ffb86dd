"""A run over time, as it is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from heliograph.store import progress
from heliograph.web import chart


def test_times_below_a_chart_are_the_clocks_with_the_date_where_a_day_begins() -> None:
    begins = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)

    def words(*minutes: int, seconds: int = 60) -> list[str]:
        slots = [progress.Slot(begins + timedelta(minutes=n), seconds, 1, 0, 0, 0) for n in minutes]
        found = chart.draw(slots, 1)
        assert found is not None
        return [tick.word for tick in found.ticks]

    assert words(1, 20) == ["Mon 2 Mar 23:30", "23:40", "23:51"]
    assert words(1, 58) == ["Mon 2 Mar 23:30", "23:59", "Tue 3 Mar 00:29"]
    assert words(0, 1, seconds=10)[0] == "Mon 2 Mar 23:29:50"
    assert words(0, 2 * 1440, seconds=86400) == ["Sun 1 Mar", "Tue 3 Mar", "Thu 5 Mar"]

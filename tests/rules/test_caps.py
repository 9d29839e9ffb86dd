"""Which cap is full for somebody, and when they may be texted again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from heliograph.rules import caps
from heliograph.rules.caps import Cap

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def ago(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=each) for each in days]


def test_a_cap_with_room_is_not_full() -> None:
    assert caps.full([Cap(2, 7)], ago(1, 8), NOW) is None
    assert caps.full([Cap(2, 7)], ago(1, 7), NOW) is None, "a text counts for less than its days"
    assert caps.full([], ago(1, 1), NOW) is None


def test_there_is_room_again_when_enough_texts_count_no_more() -> None:
    found = caps.full([Cap(2, 7)], ago(5, 1), NOW)
    assert found is not None
    assert found.again_at == NOW + timedelta(days=2)
    assert found.told("UTC") == "it was texted 2 times in 7 days, and may be again from 2026-03-04 06:00 UTC"
    more = caps.full([Cap(2, 7)], ago(6, 5, 1), NOW)  # of a cap that was made smaller
    assert more is not None
    assert (more.texts, more.again_at) == (3, NOW + timedelta(days=2))


def test_of_several_the_one_that_has_room_last_is_told() -> None:
    found = caps.full([Cap(1, 1), Cap(2, 30)], ago(0.5, 20), NOW)
    assert found is not None
    assert found.cap == Cap(2, 30)
    once = caps.full([Cap(1, 1), Cap(3, 30)], ago(0.5, 20), NOW)
    assert once is not None
    assert (
        once.told("Asia/Kolkata") == "it was texted once in a day, and may be again from 2026-03-02 23:30 Asia/Kolkata"
    )

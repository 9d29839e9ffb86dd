"""A sender's rate: never more than it says, hardly less."""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.errors import Invalid
from heliograph.rules.pace import Pace

RATES = st.one_of(st.integers(1, 300), st.sampled_from([0.1, 0.5, 1.25, 3.75, 7.5, 99.9]), st.floats(0.05, 50))
ASKS = st.lists(
    st.tuples(
        st.one_of(st.just(0.0), st.floats(0, 0.003), st.floats(0, 0.5), st.sampled_from([0.25, 0.5, 1.0, 2.0, 30.0])),
        st.one_of(st.integers(1, 3), st.integers(1, 60)),
        st.booleans(),
    ),
    max_size=150,
)


@settings(max_examples=60, deadline=None)
@given(RATES, ASKS, st.sampled_from([0.0, 17.3, 1e6 + 0.1]))
def test_no_second_holds_more_than_the_rate(rate: float, asks: list[tuple[float, int, bool]], now: float) -> None:
    """Each ask comes some time after the one before, for some parts, and either waits its turn or gives up."""
    pace = Pace(rate)
    limit = math.ceil(rate - 1e-9)
    span = max(1.0, limit / rate)
    taken: list[tuple[float, int]] = []
    for gap, parts, patient in asks:
        now += gap
        wait = pace.take(now, parts)
        if wait > 0 and patient:
            now += wait
            assert pace.take(now, parts) == 0.0  # it said when
            wait = 0.0
        if wait == 0.0:
            taken.append((now, parts))

    window: deque[tuple[float, int]] = deque()
    for at, parts in taken:
        while window and window[0][0] + span <= at:
            window.popleft()
        window.append((at, parts))
        inside = sum(each for _, each in window)
        assert inside <= limit or len(window) == 1  # a text of more parts than the limit, alone
    for (at, parts), (after, _) in pairwise(taken):
        if parts > limit:
            assert after - at >= parts / rate - 1e-6


@pytest.mark.parametrize("rate", [1, 4, 10, 75, 1000])
@pytest.mark.parametrize("batch", [1, 2, 5, 500])
def test_the_whole_rate_is_used_by_who_asks_all_the_time(rate: int, batch: int) -> None:
    """A lane takes up to ``batch`` texts as there is room, sleeps as told, and wakes a little late."""
    pace = Pace(rate)
    chance = Random(7)
    now, end, sent = 1000.0, 1000.0 + 60.0, 0
    while now < end:
        room = min(batch, max(1, pace.room(now)))
        wait = pace.take(now, room)
        if wait == 0.0:
            sent += room
            now += 0.0001
        else:
            now += wait + chance.uniform(0, 0.003)
    assert 0.99 * rate * 60 <= sent <= rate * 61


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.25, 3.75, 12.5, 99.9])
def test_a_rate_with_a_fraction_is_used_up_too(rate: float) -> None:
    pace = Pace(rate)
    now, sent = 0.0, 0
    while now < 600:
        wait = pace.take(now, 1)
        sent += wait == 0.0
        now += wait
    assert 0.99 * rate * 600 <= sent <= rate * 600 + math.ceil(rate)


def test_texts_of_one_to_three_parts_fill_the_second() -> None:
    pace = Pace(100)
    chance = Random(11)
    now, sent = 0.0, 0
    while now < 60:
        parts = chance.randint(1, 3)
        while (wait := pace.take(now, parts)) > 0:
            now += wait
        sent += parts
        now += 0.0005
    assert 0.99 * 100 * 60 <= sent <= 100 * 61


def test_a_second_is_half_open() -> None:
    pace = Pace(2)
    assert pace.take(0.0, 2) == 0.0
    assert pace.take(0.999, 1) == pytest.approx(0.001)
    assert pace.take(1.0, 2) == 0.0


def test_the_wait_is_only_for_as_much_as_is_asked() -> None:
    pace = Pace(10)
    assert pace.take(0.0, 4) == 0.0
    assert pace.take(0.5, 6) == 0.0
    assert pace.take(0.6, 4) == pytest.approx(0.4)
    assert pace.take(0.6, 5) == pytest.approx(0.9)
    assert pace.room(0.6) == 0
    assert pace.room(1.0) == 4
    assert pace.room(1.5) == 10


def test_below_one_a_second_each_part_waits_its_time() -> None:
    pace = Pace(0.1)
    assert pace.take(5.0, 1) == 0.0
    assert pace.take(5.0, 1) == pytest.approx(10.0)
    assert pace.take(14.9, 1) == pytest.approx(0.1)
    assert pace.take(15.0, 1) == 0.0


def test_a_text_of_more_parts_than_a_second_allows_goes_alone_and_is_paid_for() -> None:
    pace = Pace(4)
    assert pace.take(0.0, 1) == 0.0
    assert pace.take(0.2, 10) == pytest.approx(0.8)
    assert pace.take(1.0, 10) == 0.0
    assert pace.room(2.0) == 0
    assert pace.take(2.0, 1) == pytest.approx(1.5)
    assert pace.take(3.5, 4) == 0.0


def test_a_new_rate_counts_what_was_taken_under_the_old() -> None:
    pace = Pace(100)
    assert pace.take(0.0, 60) == 0.0
    pace.set_rate(10)
    assert pace.rate == 10
    assert pace.room(0.5) == 0
    assert pace.take(0.5, 1) == pytest.approx(0.5)
    pace.set_rate(70)
    assert pace.room(0.5) == 10
    pace.set_rate(0.5)
    assert pace.take(0.5, 1) == pytest.approx(1.5)


def test_no_rate_is_no_limit_until_there_is_one() -> None:
    pace = Pace(None)
    assert pace.take(0.0, 10**6) == 0.0
    assert pace.room(0.0) > 10**9
    pace.set_rate(5)
    assert pace.take(0.5, 1) == pytest.approx(0.5)


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    pace = Pace(1)
    assert pace.take(10.0, 1) == 0.0
    assert pace.take(3.0, 1) == pytest.approx(1.0)


def test_what_is_remembered_stays_small() -> None:
    pace = Pace(50_000)
    for step in range(50_000):
        pace.take(step / 50_000, 1)
    assert len(pace._taken) <= 1001


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_is_above_zero(rate: float) -> None:
    with pytest.raises(Invalid, match="accepted: a number above 0"):
        Pace(rate)
    with pytest.raises(Invalid, match="accepted: a number above 0"):
        Pace(1).set_rate(rate)


def test_asking_how_long_takes_nothing() -> None:
    pace = Pace(3)
    assert pace.wait(0.0, 3) == 0.0
    assert pace.take(0.0, 2) == 0.0
    assert pace.wait(0.4, 2) == pytest.approx(0.6)
    assert pace.wait(0.4, 1) == 0.0
    assert pace.room(0.4) == 1


def test_no_parts_may_always_leave() -> None:
    pace = Pace(1)
    assert pace.take(0.0, 9) == 0.0
    assert pace.wait(0.0, 0) == 0.0
    assert pace.take(5.0, 0) == 0.0
    assert pace.take(9.0, 1) == 0.0
    with pytest.raises(ValueError, match="no number of parts"):
        pace.take(11.0, -1)


def test_taking_after_a_slow_write_keeps_the_second_on_the_line() -> None:
    """Ask, write for up to 80 ms, take: the parts are counted where they were written."""
    pace = Pace(50)
    chance = Random(5)
    now = 0.0
    written: list[float] = []
    while now < 20:
        room = min(pace.room(now), 20)
        if room == 0:
            now += pace.wait(now, 1)
            continue
        for _ in range(room):
            now += chance.uniform(0, 0.004)
            written.append(now)
        assert pace.take(now, room) == 0.0
    for index, first in enumerate(written):
        assert sum(1 for each in written[index : index + 60] if each < first + 1.0) <= 50


def test_how_long_a_part_counts_is_the_span_of_the_law() -> None:
    assert (Pace(40).limit, Pace(40).counts_for()) == (40, 1.0)
    assert (Pace(0.2).limit, Pace(0.2).counts_for()) == (1, 5.0)
    assert (Pace(1.25).limit, Pace(1.25).counts_for()) == (2, 1.6)
    assert Pace(2).counts_for(10) == 5.0, "a text of more parts than the limit"
    assert Pace(None).counts_for(10) == 0.0

"""A carrier's limit is learned from what it turns away: found soon, used almost whole, left behind when lifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heliograph.rules.throttle import LEAST, Throttle
from tests.rules.limiters import Bucket, Window, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.limiters import Limiter

LIMITERS: dict[str, Callable[[float], Limiter]] = {
    "a bucket of a second": Bucket,
    "a bucket of a tenth of a second": lambda rate: Bucket(rate, 0.1),
    "a bucket of five seconds": lambda rate: Bucket(rate, 5),
    "a second of the clock": Window,
}


@pytest.mark.parametrize("limiter", LIMITERS)
@pytest.mark.parametrize(("own", "hidden"), [(None, 50), (500, 100), (80, 10), (100, 90), (20, 4)])
def test_a_hidden_limit_is_used_to_95_percent_within_30_seconds(own: float | None, hidden: int, limiter: str) -> None:
    said = ask(own, LIMITERS[limiter](hidden), 60)
    assert said.goodput(30, 60) >= 0.95 * hidden * (0.98 if hidden < 20 else 1), (
        "a few parts a second are counted whole"
    )
    assert said.turned_away(30, 60) <= max(0.1 * hidden, 1), "and hardly anybody has to be sent again"


@pytest.mark.parametrize("limiter", LIMITERS)
@pytest.mark.parametrize(("before", "after"), [(50, 200), (200, 20), (10, None)])
def test_a_limit_that_moves_is_followed_within_30_seconds(before: float, after: float | None, limiter: str) -> None:
    said = ask(300, LIMITERS[limiter](before), 90, moves={40.0: after})
    assert said.goodput(30, 40) >= (0.95 if before >= 20 else 0.9) * before
    assert said.goodput(70, 90) >= 0.95 * (after or 300)


def test_without_a_rate_of_its_own_a_sender_finds_a_high_limit_too() -> None:
    said = ask(None, Bucket(1000), 40)
    assert said.goodput(20, 40) >= 0.95 * 1000
    assert said.turned_away(20, 40) <= 100


def test_texts_of_several_parts_are_no_matter() -> None:
    said = ask(200, Bucket(60), 60, parts=(1, 3))
    assert said.goodput(30, 60) >= 0.95 * 60


def test_slow_answers_are_no_matter() -> None:
    said = ask(200, Bucket(40), 60, answers=(0.4, 0.9))
    assert said.goodput(30, 60) >= 0.95 * 40
    assert said.turned_away(30, 60) <= 8


def test_the_first_wave_is_cut_off_at_once() -> None:
    """An unlimited lane meets ten parts a second: what it has asked in a few moments is all that is turned away."""
    said = ask(None, Bucket(10), 30)
    assert sum(parts for _, parts in said.away) < 2_500
    assert said.turned_away(3, 30) < 4


def test_a_carrier_that_takes_everything_is_never_asked_less() -> None:
    throttle = Throttle(None)
    for step in range(1000):
        throttle.sent(step * 0.1, 500)
        assert not throttle.look(step * 0.1)
    assert throttle.rate is None
    assert throttle.learned is None
    assert throttle.wait(100.0) == 0.0


def test_one_text_in_a_thousand_is_no_limit() -> None:
    """A queue that is full for a moment somewhere in a network: hardly a reason to go slower."""
    throttle = Throttle(100)
    for second in range(30):
        throttle.sent(second + 0.0, 100)
        if second % 10 == 0:
            throttle.away(second + 0.1, 1, sent_at=second + 0.05)
        throttle.look(second + 0.9)
    assert throttle.rate is not None
    assert throttle.rate >= 95


def test_a_carrier_that_takes_nothing_is_asked_now_and_then() -> None:
    throttle = Throttle(None)
    now = 0.0
    for _ in range(60):
        throttle.sent(now, 1)
        throttle.away(now + 0.05, 1, sent_at=now)
        throttle.look(now + 7.0)
        now += 7.1
    assert throttle.rate == LEAST


def test_as_long_as_the_carrier_asks_to_wait_after_a_first_wave_nothing_is_sent() -> None:
    throttle = Throttle(None)
    throttle.sent(0.0, 1000)
    for _ in range(1000):
        throttle.away(0.1, 1, sent_at=0.0, seconds=7.5)
    assert throttle.wait(0.1) == pytest.approx(7.5)
    throttle.away(0.1, 1, sent_at=0.0, seconds=1e9)
    assert throttle.wait(0.1) == pytest.approx(60.0)


def test_the_senders_own_rate_is_never_exceeded_and_a_lower_one_ends_the_learning() -> None:
    throttle = Throttle(100, learned=40)
    assert (throttle.rate, throttle.learned) == (40, 40)
    throttle.set_limit(200)
    assert throttle.rate == 40
    throttle.set_limit(30)
    assert (throttle.rate, throttle.learned) == (30, None)
